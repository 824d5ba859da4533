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

/* The TPM's state. This descriptor's file becomes its keeper, or is no longer. */
int redoubt_state_keep(int fd, bool on);

/* Waits up to wait_ms for a state; *generation is 0 if none came. */
int redoubt_state_wait(int fd, unsigned int wait_ms, uint64_t *generation);

/* A state that was taken, and where it belongs. */
struct redoubt_state {
	uint64_t generation;
	uint32_t slot;
	uint32_t size;
	uint8_t bytes[REDOUBT_STATE_BYTES];
};

/* -ENODATA: none waits. */
int redoubt_state_read(int fd, struct redoubt_state *state);

/* The state of this generation is on the disk. */
int redoubt_state_kept(int fd, uint64_t generation);

/* A package of the TPM's state. */
struct redoubt_package {
	uint64_t generation; /* of the state it was made of */
	uint32_t size;
	uint8_t bytes[REDOUBT_PACKAGE_BYTES];
};

int redoubt_take_package(int fd, struct redoubt_package *package);

#endif
