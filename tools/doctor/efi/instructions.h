/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What C cannot say. All of them only read.
 */
#ifndef TOOLS_DOCTOR_EFI_INSTRUCTIONS_H
#define TOOLS_DOCTOR_EFI_INSTRUCTIONS_H

#include <stdint.h>

/* An MSR that exists: any other ends in firmware's exception handler. */
uint64_t read_msr(uint32_t number);
uint64_t read_cr3(void);
uint64_t read_cr4(void);

#endif
