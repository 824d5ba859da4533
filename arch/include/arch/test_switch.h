/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Switches of the test build: protections that it can leave out, so that the attack they stop is
 * seen to succeed, and failures that it can bring about. All are off at launch; in a release
 * test_switch() of upcall.h is false for all (monitor/test/none.c).
 */
#pragma once

/* The numbers are what tests give. */
enum test_switch_number {
	/* the monitor's frames are mapped for the guest, readable and writable */
	TEST_OPEN_REGION = 0,
	TEST_MSR_OPEN = 1,  /* MSRs that policy denies are passed to the CPU */
	TEST_CALL_OPEN = 2, /* calls are taken at any privilege level and in any mode */
	/* VT-x: an INIT that exits is dropped; SVM: INIT and SIPI reach the CPU */
	TEST_NO_INIT_GUARD = 3,
	/* this CPU counts as unaffected by side channels from its next slow exit on */
	TEST_NO_MITIGATION = 4,
	TEST_BAD_CONTROL = 5,  /* the next slow exit's entry has a control that it must refuse */
	TEST_NO_FLUSH = 6,     /* cpu_flush_all() does nothing */
	TEST_NO_CR_GUARD = 7,  /* reserved and pinned bits of control registers are not checked */
	TEST_NO_NMI_GUARD = 8, /* NMIs that arrive in root mode are dropped */
	TEST_INVD_OPEN = 9,    /* INVD reaches the CPU as it is */
	TEST_BAD_GUEST = 10, /* the next slow exit's entry has a guest state that it must refuse */
	TEST_XSETBV_OPEN = 11,	/* XCR0 values are not checked before they reach the CPU */
	TEST_DECODE_TWICE = 12, /* each instruction is fetched and decoded twice: what that costs */
	TEST_SHORT_REQUESTS = 13, /* partitions get a few million cycles for a request */
	TEST_DMA_OPEN = 14,	  /* devices keep what they reach when frames change hands */
	TEST_SWITCH_COUNT
};
