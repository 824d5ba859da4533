/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Ways to write to memory.
 */
#ifndef GUEST_SUITE_ACCESSES_H
#define GUEST_SUITE_ACCESSES_H

struct access {
	const char *name;	   /* begins with the id of the attack */
	void (*run)(void *target); /* writes at the target, 64-byte aligned */
};

extern const struct access accesses[];
extern const unsigned access_count;

#endif
