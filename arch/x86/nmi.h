/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * NMIs of the guest's that hit root mode. They are counted to two, as hardware does: one that the
 * guest is about to take, and one latched behind it. SDM 3A 6.7.1; APM 2 8.2.3, 15.21.
 *
 * Root mode's NMI handler may count one more at any instruction of those who take one.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "arch/x86/percpu.h"

#define NMIS_OWED_MAX 2u

static inline bool nmi_owed(struct percpu *cpu)
{
	return atomic_load(&cpu->nmi_pending) != 0;
}

/* The guest is owed one more. */
static inline void nmi_owe(struct percpu *cpu)
{
	uint32_t owed = atomic_load(&cpu->nmi_pending);

	while (owed < NMIS_OWED_MAX &&
	    !atomic_compare_exchange_weak(&cpu->nmi_pending, &owed, owed + 1))
		continue;
}

/* Takes one of those that are owed, if there is one. */
static inline bool nmi_take(struct percpu *cpu)
{
	bool owed = nmi_owed(cpu);

	/* The handler only ever adds. */
	if (owed)
		atomic_fetch_sub(&cpu->nmi_pending, 1);
	return owed;
}
