/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Numbers that the programs of the VPs and vp.c share. Where a VP's memory lies and what it starts
 * with is monitor/test/test.h's.
 */
#ifndef GUEST_SUITE_VP_LAYOUT_H
#define GUEST_SUITE_VP_LAYOUT_H

#define VP_BASE 0x100000
#define VP_DATA 0x104000
#define VP_MORE 0x105000
#define VP_USER 0x300000 /* VP_BASE once more, for CPL 3 */
#define VP_HOLE 0x800	 /* in the programs `hole` and `hole32`: where vp.c puts code */
#define VP_MARK 0x600d	 /* RAX of a call of who came to its end */

/* struct filled */
#define FILLED_OUT    80
#define FILLED_CALL   160
#define FILLED_FX     192
#define FILLED_FX_OUT 704

#endif
