/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The test build: protections that it can switch off and calls that only it has. A release links
 * none.c in place of the rest, so none of this is in its image; the claims of a test
 * build say `build=test`.
 */
#pragma once

#include "arch/test_switch.h"
#include "monitor/abi/call.h"

/* Ids of the test build's calls: testcalls.def. */
enum redoubt_test_call {
#define CALL(id, name, rights, args, rets, statuses, summary) REDOUBT_CALL_##name = (id),
#include "monitor/test/testcalls.def"
#undef CALL
};

#define TEST_CALL_FIRST 0x1000u

/* The VPs that test_vp_make makes: how many, where their memory lies, what they start with. */
#define TEST_VPS      4u
#define TEST_VP_BASE  0x100000u
#define TEST_VP_PAGES 16u
#define TEST_VP_EBX   0xb0b0b0b0u
#define TEST_VP_ESI   0x51515151u
#define TEST_VP_EDI   0xd1d1d1d1u

/* What test_fault does in root mode. */
enum test_fault_kind {
	TEST_FAULT_RODATA,   /* writes to read-only data */
	TEST_FAULT_UNMAPPED, /* reads an address that is not mapped */
	TEST_FAULT_EXECUTE,  /* jumps into data */
	TEST_FAULT_KINDS
};
