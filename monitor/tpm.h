/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The vTPM's registers, as the normal world reaches them (abi/tpm.h): stores become requests of the
 * partition `vtpm`; what they mean it knows alone.
 *
 * A request is carried out while the store's instruction waits. When something of the normal
 * world's is pending the request is suspended and the instruction not finished: the guest takes
 * what is pending, comes back to the instruction, and the request goes on, on whatever CPU that is.
 * Were the store finished at once nobody would give a suspended request time: drivers look for its
 * end by reads, and reads do not exit.
 */
#pragma once

#include <stdbool.h>

#include "arch/addr.h"
#include "monitor/abi/bootinfo.h"

/* Shows the window of a partition that the loader has placed. false: no table is left. */
bool tpm_show(unsigned partition, const struct bootinfo_partition *is);

/* Whether the TPM's registers are there. */
bool tpm_watches(gpa_t gpa);

/* The partition that is the TPM; 0: there is none. */
unsigned tpm_partition(void);
