/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Numbers that start.S needs of C's headers and of the CPU: macros only. rt.c asserts those that
 * monitor/abi/trustlet.h owns.
 */
#ifndef TRUSTLET_RT_LAYOUT_H
#define TRUSTLET_RT_LAYOUT_H

#define RT_PAGE	       0x1000
#define RT_IMAGE_BASE  0x200000
#define RT_DEVICE_BASE 0x3fe00000
#define RT_DATA_BASE   0x40000000
#define RT_SHARED_BASE 0x80000000

/* Offsets in struct redoubt_image. */
#define RT_TEXT_PAGES	20
#define RT_RODATA_PAGES 24

/* Entries of page tables: low and high half. */
#define PTE_P	    0x01
#define PTE_W	    0x02
#define PTE_UC	    0x18 /* PWT, PCD */
#define PTE_PS	    0x80
#define PTE_NX_HIGH 0x80000000
#define PTE_ENTRIES 512

#define CR0_MP 0x00000002
#define CR0_WP 0x00010000
#define CR0_PG 0x80000000
#define CR0_FP 0x0000000c /* EM, TS: must be clear for SSE */

#define SEL_CODE 0x08
#define SEL_DATA 0x10
#define SEL_TSS	 0x18
#define SEL_FS	 0x28
#define GDT_END	 0x30

#define TSS_IST1  36
#define TSS_IOMAP 102
#define TSS_BYTES 104

#define IDT_VECTORS 32
#define IDT_GATE    0x8e01 /* present, interrupt gate, IST1 */
#define IDT_BYTES   (IDT_VECTORS * 16)

#endif
