/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * NPT entries: those of the CPU's own four-level tables. APM 2 15.25, 5.3.
 */
#ifndef ARCH_X86_SVM_NPT_H
#define ARCH_X86_SVM_NPT_H

#define NPT_P (1ull << 0)
#define NPT_W (1ull << 1)
/* Every access of the guest's counts as a user's. APM 2 15.25.5. */
#define NPT_U (1ull << 2)
/* Set from the start, so that no walk writes an entry. */
#define NPT_A	    (1ull << 5)
#define NPT_D	    (1ull << 6)
#define NPT_LARGE   (1ull << 7)
#define NPT_NX	    (1ull << 63)
#define NPT_ADDRESS 0x000ffffffffff000ull

#endif
