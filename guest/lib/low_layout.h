/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Offsets in the low area, for C and assembly. The area lies below 640 KiB, aligned to 4 KiB, so
 * that real-mode code reaches all of it through one segment.
 */
#ifndef GUEST_LIB_LOW_LAYOUT_H
#define GUEST_LIB_LOW_LAYOUT_H

#define LOW_PAGES	   12
#define LOW_BLOB_MAX	   0x2000 /* low_entry.S, copied to the start */
#define LOW_DATA	   0x2000 /* struct low_data */
#define LOW_CODE	   0x3000 /* snippets of ring 0, of real and virtual-8086 mode */
#define LOW_CODE_USER	   0x4000 /* snippets of ring 3; a user page */
#define LOW_STACK_USER	   0x5000 /* a user page */
#define LOW_STACK_USER_TOP 0x5ff0
#define LOW_STACK	   0x6000
#define LOW_STACK_TOP	   0x6fc0 /* above it room for the frame that IRET pops */
#define LOW_IDT		   0x7000 /* of legacy protected mode, 256 gates */
#define LOW_IVT		   0x7800 /* of real mode, 256 vectors */
#define LOW_TSS32	   0x8000
#define LOW_TSS32_OTHER	   0x8100
#define LOW_PDPT	   0x9000 /* for PAE paging, 4 entries */
#define LOW_PD32	   0xa000 /* for 32-bit paging with 4 MiB pages */
#define LOW_SPARE	   0xb000 /* a page for tests */

/* struct low_data, as offsets from the area's start */
#define LOW_GDTR	 (LOW_DATA + 0x00) /* 16-bit limit, 64-bit base */
#define LOW_IDTR64	 (LOW_DATA + 0x10)
#define LOW_TR		 (LOW_DATA + 0x20)
#define LOW_CR0		 (LOW_DATA + 0x28)
#define LOW_CR3		 (LOW_DATA + 0x30)
#define LOW_CR4		 (LOW_DATA + 0x38)
#define LOW_EFER	 (LOW_DATA + 0x40)
#define LOW_RSP		 (LOW_DATA + 0x48)
#define LOW_AP_ENTRY	 (LOW_DATA + 0x50)
#define LOW_AP_STACK	 (LOW_DATA + 0x58)
#define LOW_AP_ARG	 (LOW_DATA + 0x60)
#define LOW_FAR_AP32	 (LOW_DATA + 0x68) /* 32-bit offset, selector */
#define LOW_FAR_AP64	 (LOW_DATA + 0x70)
#define LOW_FAR_LEGACY16 (LOW_DATA + 0x78)
#define LOW_FAR_BACK32	 (LOW_DATA + 0x80)
#define LOW_FAR_REAL	 (LOW_DATA + 0x88) /* 16-bit offset, segment */
#define LOW_FAR_SNIPPET	 (LOW_DATA + 0x8c)
#define LOW_MODE_REAL	 (LOW_DATA + 0x90) /* not 0: go on to real mode */
#define LOW_MODE_CR0	 (LOW_DATA + 0x94)
#define LOW_MODE_CR3	 (LOW_DATA + 0x98)
#define LOW_MODE_CR4	 (LOW_DATA + 0x9c)
#define LOW_MODE_IDTR	 (LOW_DATA + 0xa0) /* 16-bit limit, 32-bit base */
#define LOW_MODE_DS	 (LOW_DATA + 0xa8)
#define LOW_REGS	 (LOW_DATA + 0xc0) /* EDI, ESI, EBP, unused, EBX, EDX, ECX, EAX */
#define LOW_RESULT	 (LOW_DATA + 0xe0) /* those, then vector, error, EIP, CS, EFLAGS */
#define LOW_RESULT_CR2	 (LOW_DATA + 0x120)

#define LOW_END_VECTOR 0x41 /* INT of this vector ends a snippet */

#endif
