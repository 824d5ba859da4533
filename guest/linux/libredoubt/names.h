/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Words for what the monitor tells in numbers, from the tables of monitor/abi. */
#ifndef REDOUBT_GUEST_LINUX_LIBREDOUBT_NAMES_H
#define REDOUBT_GUEST_LINUX_LIBREDOUBT_NAMES_H

#include <stdint.h>

/* A bit with its word and sentence; lists end with a zero mask. */
struct redoubt_bit {
	uint64_t mask;
	const char *name;
	const char *sentence;
};

extern const struct redoubt_bit redoubt_features[];
extern const struct redoubt_bit redoubt_degraded[];

/* "vmx", "svm", "unknown". */
const char *redoubt_vendor_name(uint32_t vendor);

/* "ready", "crashed", "unknown". */
const char *redoubt_state_name(uint32_t state);

#endif
