/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause-Patent */
/* What the parts of redoubt.ko know of each other. */
#ifndef REDOUBT_DRIVER_H
#define REDOUBT_DRIVER_H

#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include "guest/linux/calls.h"
#include "guest/linux/redoubt.h"
#include "monitor/abi/cpuid.h"

/* What was found at load time and does not change. */
struct redoubt_monitor {
	bool svm; /* VMMCALL, not VMCALL */
	bool partitions; /* it has calls about them */
	u32 vendor;
	u32 abi;
	u64 build;
};

extern struct redoubt_monitor redoubt_monitor;

/* An open /dev/redoubt. */
struct redoubt_file {
	struct mutex lock; /* guards the frame's contents */
	void *frame; /* one page, which the monitor writes to */
	u64 gpa;
	bool nonblock;
};

/* Looks for the monitor; -ENODEV, said why in the log, if there is none to talk to. */
int redoubt_detect(void);

/* The status in the RAX that a call returned. */
static inline unsigned int redoubt_status(u64 rax)
{
	return rax & 0xffff;
}

/* 0 or a negative errno for what a call returned in RAX. */
int redoubt_error(u64 rax);

/* How a request is carried to its end. */
#define REDOUBT_WHOLE BIT(0) /* nothing else runs on this CPU, but for interrupts, until it is */
#define REDOUBT_DEAF BIT(1) /* signals do not end the waiting for a free VP */

/* As redoubt_ioc_request(), in this manner; words and status are the answer's. */
int redoubt_request(struct redoubt_ioc_request *arg, unsigned int how);

/* The number of the first partition with this id; -ENOENT if there is none. */
int redoubt_partition_named(const char *id);

/*
 * The ioctls, with arguments in kernel memory. What they return is 0 or a negative errno; README.md
 * says which.
 */
int redoubt_ioc_status(struct redoubt_ioc_status *arg);
int redoubt_ioc_log(struct redoubt_file *file, struct redoubt_ioc_read *arg);
int redoubt_ioc_audit(struct redoubt_file *file, struct redoubt_ioc_read *arg);
int redoubt_ioc_partition(struct redoubt_ioc_partition *arg);
int redoubt_ioc_request(struct redoubt_ioc_request *arg);
int redoubt_ioc_restart(const struct redoubt_ioc_restart *arg);
int redoubt_ioc_state_keep(struct redoubt_file *file, const struct redoubt_ioc_state_keep *arg);
int redoubt_ioc_state_wait(struct redoubt_file *file, struct redoubt_ioc_state_wait *arg);
int redoubt_ioc_state_read(struct redoubt_file *file, struct redoubt_ioc_state_read *arg);
int redoubt_ioc_state_kept(struct redoubt_file *file, const struct redoubt_ioc_state_kept *arg);
int redoubt_ioc_package(struct redoubt_ioc_package *arg);

/* A file is closed: it keeps no state any more. */
void redoubt_state_release(const struct redoubt_file *file);

extern const struct attribute_group *redoubt_groups[];

#endif
