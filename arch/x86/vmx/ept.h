/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * EPT entries. SDM 3C 29.3.2, tables 29-1 to 29-7.
 */
#ifndef ARCH_X86_VMX_EPT_H
#define ARCH_X86_VMX_EPT_H

#define EPT_R (1ull << 0)
#define EPT_W (1ull << 1)
/* Fetches; with mode-based execute control those from supervisor-mode addresses only. */
#define EPT_X	       (1ull << 2)
#define EPT_TYPE_SHIFT 3u /* of a leaf; the numbers are those of MTRRs */
#define EPT_TYPE_MASK  (7ull << EPT_TYPE_SHIFT)
/* In entries of 1 GiB and 2 MiB: a leaf. Level 0 is always a leaf, level 3 never. */
#define EPT_LARGE (1ull << 7)
/* Fetches from user-mode addresses; ignored without mode-based execute control. */
#define EPT_UX	    (1ull << 10)
#define EPT_ADDRESS 0x000ffffffffff000ull

/*
 * EPT pointer: page-walk length 4, write-back walks, no accessed and dirty flags. SDM 3C 25.6.11.
 */
#define EPTP_WALK_4 (3ull << 3)
#define EPTP_WB	    6ull

#endif
