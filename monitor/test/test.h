/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The test build: protections that it can switch off and calls that only it has. A release links
 * none.c in place of hooks.c and invariant.c, so none of this is in its image; the claims of a test
 * build say `build=test`.
 */
#ifndef MONITOR_TEST_TEST_H
#define MONITOR_TEST_TEST_H

#include "monitor/abi/call.h"

/*
 * Switches, all off at launch: what test_switch() of arch/upcall.h is asked. SWITCH(name, number,
 * sentence)
 */
#define TEST_SWITCHES(SWITCH)                                                                      \
	SWITCH(OPEN_REGION, 0,                                                                     \
	    "the monitor's frames are mapped for the guest, readable and writable")                \
	SWITCH(MSR_OPEN, 1, "MSRs that policy denies are passed to the CPU")                       \
	SWITCH(VMX_VISIBLE, 2, "CPUID and CR4 show virtualization to the guest")                   \
	SWITCH(NO_INIT_GUARD, 3, "INIT and SIPI at CPUs that are not covered are let through")     \
	SWITCH(NO_MITIGATION, 4, "no side-channel mitigation at exit and entry")                   \
	SWITCH(BAD_ENTRY, 5, "the next VM entry is given a guest state that it must refuse")       \
	SWITCH(NO_FLUSH, 6, "cpu_flush_all() does nothing")                                        \
	SWITCH(NO_CR_GUARD, 7, "reserved and pinned bits of control registers are not checked")

#define TEST_SWITCH_ENUM(name, number, sentence) TEST_##name = (number),
enum test_switch_number { TEST_SWITCHES(TEST_SWITCH_ENUM) TEST_SWITCH_COUNT };

/* Ids of the test build's calls: testcalls.def. */
enum redoubt_test_call {
#define CALL(id, name, rights, args, rets, statuses, summary) REDOUBT_CALL_##name = (id),
#include "monitor/test/testcalls.def"
#undef CALL
};

#define TEST_CALL_FIRST 0x1000u

/* What test_fault does in root mode. */
enum test_fault_kind {
	TEST_FAULT_RODATA,   /* writes to read-only data */
	TEST_FAULT_UNMAPPED, /* reads an address that is not mapped */
	TEST_FAULT_EXECUTE,  /* jumps into data */
	TEST_FAULT_KINDS
};

#endif
