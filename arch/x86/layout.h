/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Numbers that C and assembly share: the private area of a CPU, its selectors and stacks.
 */
#pragma once

/* Pages of the private area, in order; what is not named is a guard: never mapped. */
#define PERCPU_BASE	   0xffffffffc0000000
#define PERCPU_DATA	   1
#define PERCPU_DATA_PAGES  1
#define PERCPU_STACK	   3
#define PERCPU_STACK_PAGES 4
#define PERCPU_IST(ist)	   (5 + 3 * (ist)) /* of an interrupt stack table entry */
#define PERCPU_IST_PAGES   2
#define PERCPU_SLOT	   17
#define PERCPU_APIC	   19

/* Frames that back the private area of one CPU. */
#define PERCPU_FRAMES (PERCPU_DATA_PAGES + PERCPU_STACK_PAGES + IST_MC * PERCPU_IST_PAGES)

/* Selectors of the monitor's GDT. */
#define SEL_CODE 0x08
#define SEL_DATA 0x10
#define SEL_TSS	 0x18

/* Interrupt stack table entries, from 1. */
#define IST_NMI 1
#define IST_DF	2
#define IST_MC	3

/* Root mode's page-table bits. SDM 3A 4.5. */
#define PTE_P	0x1
#define PTE_W	0x2
#define PTE_PWT 0x8
#define PTE_PCD 0x10
#define PTE_A	0x20
#define PTE_D	0x40
#define PTE_PS	0x80
