/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The commands of redoubtctl, and what they share. Each returns the exit status. */
#ifndef REDOUBT_GUEST_LINUX_REDOUBTCTL_REDOUBTCTL_H
#define REDOUBT_GUEST_LINUX_REDOUBTCTL_REDOUBTCTL_H

#include <stdbool.h>
#include <stdint.h>

/* Exit statuses. */
enum {
	EXIT_DONE = 0,
	EXIT_NOT_SO = 1,     /* status: not covered everywhere; else: refused by the monitor */
	EXIT_USAGE = 2,	     /* wrong usage, or could not tell or write */
	EXIT_NO_MONITOR = 3, /* no monitor, or one without what was asked for */
	EXIT_NO_DEVICE = 4   /* module not loaded, or no right to the device */
};

/* What the command line asks for. */
struct options {
	bool json;
	bool follow;
	uint32_t number; /* of a partition */
	const char *file;
};

int command_status(const struct options *options);
int command_partitions(const struct options *options);
int command_restart(const struct options *options);
int command_log(const struct options *options);
int command_audit(const struct options *options);
int command_backup(const struct options *options);

/* Opens the device; if that fails, says why and returns false with the exit status. */
bool open_device(bool writing, int *fd, int *status);

/* Says why an ioctl failed, or, for what the monitor lacks, that it has no `what`. Exit status. */
int say_error(int error, const char *what);

#endif
