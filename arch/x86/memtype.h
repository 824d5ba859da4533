/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The MTRR state that second-stage memory types are made from: the normal world's as its CPUs
 * last agreed.
 */
#ifndef ARCH_X86_MEMTYPE_H
#define ARCH_X86_MEMTYPE_H

#include "arch/x86/mtrr.h"

/* The state at launch. Later calls do nothing. */
void memtype_init(const struct mtrr_state *state);

/*
 * A VP's MTRRs have changed. Retypes the normal world (monitor_retype()) if that changes any
 * type. A state with MTRRs off is passed over: the guest is in the middle of the sequence of SDM
 * 3A 12.11.7.2, its caches off by CR0.CD, and will turn them on again. Locks: none may be held
 * that monitor_retype() takes.
 */
void memtype_update(const struct mtrr_state *state);

#endif
