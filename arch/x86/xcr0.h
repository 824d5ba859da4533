/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * XSETBV of the guest's, carried out in root mode where it exits.
 */
#ifndef ARCH_X86_XCR0_H
#define ARCH_X86_XCR0_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/vcpu.h"

/* With the operands in the guest's registers. false: it gets #GP(0), XCR0 is unchanged. */
bool xcr0_write(const struct vcpu *vcpu);

#endif
