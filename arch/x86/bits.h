/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Architectural bits that both vendors share. SDM 3A 2.5, 4; SDM 4.
 */
#pragma once

#define MSR_SYSENTER_CS	 0x174u
#define MSR_SYSENTER_ESP 0x175u
#define MSR_SYSENTER_EIP 0x176u
#define MSR_DEBUGCTL	 0x1d9u
#define MSR_PAT		 0x277u
#define MSR_EFER	 0xc0000080u
#define MSR_FS_BASE	 0xc0000100u
#define MSR_GS_BASE	 0xc0000101u
#define MSR_KERNEL_GS	 0xc0000102u

#define EFER_LME   (1ull << 8)
#define EFER_LMA   (1ull << 10)
#define EFER_NXE   (1ull << 11)
#define EFER_FFXSR (1ull << 14)

#define CR0_PE (1ull << 0)
#define CR0_MP (1ull << 1)
#define CR0_EM (1ull << 2)
#define CR0_TS (1ull << 3)
#define CR0_ET (1ull << 4)
#define CR0_NE (1ull << 5)
#define CR0_WP (1ull << 16)
#define CR0_AM (1ull << 18)
#define CR0_NW (1ull << 29)
#define CR0_CD (1ull << 30)
#define CR0_PG (1ull << 31)

#define CR4_PAE	     (1ull << 5)
#define CR4_MCE	     (1ull << 6)
#define CR4_OSFXSR   (1ull << 9)
#define CR4_OSXMMEXC (1ull << 10)
#define CR4_UMIP     (1ull << 11)
#define CR4_LA57     (1ull << 12)
#define CR4_VMXE     (1ull << 13)
#define CR4_FSGSBASE (1ull << 16)
#define CR4_PCIDE    (1ull << 17)
#define CR4_OSXSAVE  (1ull << 18)
#define CR4_SMEP     (1ull << 20)
#define CR4_SMAP     (1ull << 21)
#define CR4_PKE	     (1ull << 22)
#define CR4_CET	     (1ull << 23)

#define RFLAGS_FIXED (1ull << 1)
#define RFLAGS_TF    (1ull << 8)
#define RFLAGS_RF    (1ull << 16)
#define RFLAGS_VM    (1ull << 17)

#define DR6_FIXED 0xffff0ff0ull
#define DR7_FIXED 0x400ull
