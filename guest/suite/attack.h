/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Attacks, each carried out with the protection on, where it must fail, and, on the test build,
 * with the protection switched off, where it must succeed: then the first half has shown something.
 */
#ifndef GUEST_SUITE_ATTACK_H
#define GUEST_SUITE_ATTACK_H

#include <stdbool.h>

enum without {
	SUCCEEDS, /* nothing but the monitor's protection stops it */
	REFUSED	  /* the CPU stops it too, whatever the monitor does: no attack was seen */
};

struct attack {
	const char *what;   /* begins with its id */
	const char *option; /* that says the number of the test switch, whose name it has */
	bool (*run)(void);  /* carries it out; true: it has succeeded */
	enum without without;
	bool lasting;	/* what the switch opened stays open: not tried again */
	bool test_only; /* needs calls of the test build */
};

/* Whether the protection is switched off at this time: then it is to succeed. */
bool attack_is_open(void);

/* Carries one out: two or three points on the test build, one on a release. */
void attack_carry_out(const struct attack *attack);

/*
 * Lists that end with a row without a name. On a CPU of AMD's attacks_vmx do not apply: an INIT
 * that is let through takes the CPU out of the monitor for good (suite escape), and VMRUN refuses
 * bad control registers.
 */
extern const struct attack attacks_cpu[], attacks_smp[], attacks_vmx[], attacks_memory[],
    attacks_map[];

#endif
