/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Side channels of the CPU between the guest and root mode. Root mode has no indirect branch but
 * retpolines, so what remains is the return stack the guest has filled, and what buffers and the L1
 * data cache keep of root mode. Which of it this CPU needs is read from IA32_ARCH_CAPABILITIES; a
 * CPU that does not say it is unaffected counts as affected. SDM 4, "IA32_ARCH_CAPABILITIES";
 * Intel's guidance on L1TF, MDS and post-barrier return stack predictions.
 */
#ifndef ARCH_X86_MITIGATE_H
#define ARCH_X86_MITIGATE_H

#include "arch/x86/percpu.h"

#define MITIGATE_RETURNS 1u  /* fill the return stack after an exit */
#define MITIGATE_BUFFERS 2u  /* VERW before entry */
#define MITIGATE_L1D	 4u  /* flush the L1 data cache before entry */
#define MITIGATE_EXITS	 7u  /* any of these: each exit does more */
#define MITIGATE_WORLDS	 16u /* IBPB between the normal world and a VP of a partition */

/* Finds out what this CPU needs; sets cpu->mitigations. Logs it on the first CPU. */
void mitigate_init(struct percpu *cpu);

/* Whether another thread of the core could listen to this one in root mode (claimed, I11). */
bool mitigate_siblings_leak(void);

/* VT-x: whether this CPU may have flaws that the monitor cannot make up for (claimed, I11). */
bool mitigate_flawed(void);

/* Before VM entry on a CPU that needs any: called by entry.S. */
void mitigate_enter(void);

/* Between a world and another (T25): neither's branches have been trained by the other. */
void mitigate_switch(void);

#endif
