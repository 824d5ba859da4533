/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * libredoubt: /dev/redoubt as functions. Structures and the meaning of each error are redoubt.h's;
 * every function but redoubt_why returns 0 (redoubt_open a descriptor) or a negative errno.
 */
#ifndef REDOUBT_GUEST_LINUX_LIBREDOUBT_LIBREDOUBT_H
#define REDOUBT_GUEST_LINUX_LIBREDOUBT_LIBREDOUBT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/linux/redoubt.h"

/* Opens the device; for writing only if requests or restarts are wanted. close() ends it. */
int redoubt_open(bool writing);

/* What redoubt_open's error means, as a sentence's part: no monitor, no module, no right. */
const char *redoubt_open_error(int error);

/* What an ioctl's error means: the monitor's own sentence where it is one of its statuses. */
const char *redoubt_error_text(int error);

int redoubt_get_status(int fd, struct redoubt_ioc_status *status);

/* Which of the two rings. */
enum redoubt_ring { REDOUBT_RING_LOG, REDOUBT_RING_AUDIT };

/* A reader's place in a ring, zero to begin with, and what the last read brought. */
struct redoubt_reader {
	enum redoubt_ring ring;
	uint64_t position; /* where the next read begins */
	uint64_t lost;	   /* bytes overwritten before the last read's first */
	size_t copied;	   /* bytes of the last read; 0: nothing new */
	char bytes[REDOUBT_LENGTH_MAX];
};

/* The next piece, for which it waits up to wait_ms. */
int redoubt_read(int fd, struct redoubt_reader *reader, unsigned int wait_ms);

/* -ENOENT: no partition with this number; -ENOSYS: the monitor has none at all. */
int redoubt_get_partition(int fd, uint32_t number, struct redoubt_ioc_partition *partition);

/* Carries a request through; fields as redoubt.h tells. */
int redoubt_make_request(int fd, struct redoubt_ioc_request *request);

int redoubt_restart_partition(int fd, uint32_t number);

#endif
