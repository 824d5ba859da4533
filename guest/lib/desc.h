/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Descriptor tables: one GDT and one IDT for all CPUs, a TSS for each. Selectors below; assembly
 * reads them too, so this part is numbers only.
 */
#ifndef GUEST_LIB_DESC_H
#define GUEST_LIB_DESC_H

#define SEL_CODE64	0x08 /* flat, CPL 0 */
#define SEL_DATA	0x10
#define SEL_CODE32	0x18
#define SEL_CODE16	0x20
#define SEL_CODE16_LOW	0x28 /* base: the low area, 64 KiB: on the way to real mode */
#define SEL_DATA16_LOW	0x30
#define SEL_CODE64_USER 0x3b
#define SEL_DATA_USER	0x43
#define SEL_CODE32_USER 0x4b
#define SEL_CODE16_USER 0x53
#define SEL_TSS32	0x58 /* while in legacy mode */
#define SEL_TSS32_OTHER 0x60 /* target of task switches; never loaded */
#define SEL_TASK_GATE	0x68
#define SEL_SPARE	0x70 /* two entries for tests */
#define SEL_TSS_FIRST	0x80 /* 16 bytes a CPU */

#endif
