/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Switches of the test build: protections that it can leave out, so that the attack they stop is
 * seen to succeed, and failures that it can bring about. All are off at launch; in a release
 * test_switch() of upcall.h is false for all (monitor/test/none.c). SWITCH(name, number, sentence)
 */
#ifndef ARCH_TEST_SWITCH_H
#define ARCH_TEST_SWITCH_H

#define TEST_SWITCHES(SWITCH)                                                                      \
	SWITCH(OPEN_REGION, 0,                                                                     \
	    "the monitor's frames are mapped for the guest, readable and writable")                \
	SWITCH(MSR_OPEN, 1, "MSRs that policy denies are passed to the CPU")                       \
	SWITCH(CALL_OPEN, 2, "calls are taken at any privilege level and in any mode")             \
	SWITCH(NO_INIT_GUARD, 3,                                                                   \
	    "VT-x: an INIT that exits is dropped; SVM: INIT and SIPI reach the CPU")               \
	SWITCH(NO_MITIGATION, 4,                                                                   \
	    "this CPU counts as unaffected by side channels from its next slow exit on")           \
	SWITCH(BAD_CONTROL, 5, "the next slow exit's entry has a control that it must refuse")     \
	SWITCH(NO_FLUSH, 6, "cpu_flush_all() does nothing")                                        \
	SWITCH(NO_CR_GUARD, 7, "reserved and pinned bits of control registers are not checked")    \
	SWITCH(NO_NMI_GUARD, 8, "NMIs that arrive in root mode are dropped")                       \
	SWITCH(INVD_OPEN, 9, "INVD reaches the CPU as it is")                                      \
	SWITCH(BAD_GUEST, 10, "the next slow exit's entry has a guest state that it must refuse")  \
	SWITCH(XSETBV_OPEN, 11, "XCR0 values are not checked before they reach the CPU")           \
	SWITCH(DECODE_TWICE, 12, "each instruction is fetched and decoded twice: what that costs")

#define TEST_SWITCH_ENUM(name, number, sentence) TEST_##name = (number),
enum test_switch_number { TEST_SWITCHES(TEST_SWITCH_ENUM) TEST_SWITCH_COUNT };

#endif
