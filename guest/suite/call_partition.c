/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The calls about partitions from the normal world's side, where there is none by the number given,
 * and those that are not the normal world's to make (T35, T38, T40).
 */
#include "guest/suite/suite.h"

#include "guest/lib/call.h"
#include "guest/lib/text.h"

void suite_call_partition_call(void);
void suite_call_partition_resume(void);
void suite_call_partition_cancel(void);
void suite_call_partition_restart(void);
void suite_call_partition_info(void);
void suite_call_next_request(void);
void suite_call_log_write(void);
void suite_call_partition_exit(void);
void suite_call_entropy(void);
void suite_call_time(void);
void suite_call_key_derive(void);
void suite_call_report_make(void);
void suite_call_report_check(void);

/* No partition has these: numbers run from 1, to 16 at most. */
static const uint64_t nobody[] = { 0, 17, 255, 256, 0x7fffffff, 0xffffffff };
#define NOBODIES (sizeof(nobody) / sizeof(nobody[0]))

static void expect_result(const char *what, struct call_regs r, uint64_t wanted)
{
	uint64_t subject = r.rcx;

	call_monitor(&r);
	if (!tap(r.rax == wanted && !(r.rcx | r.rdx | r.r8 | r.r9), "call: %s %lx", what, subject))
		tap_note("got %lx, results %lx %lx %lx %lx", r.rax, r.rcx, r.rdx, r.r8, r.r9);
}

void suite_call_partition_call(void)
{
	for (unsigned i = 0; i < NOBODIES; i++)
		expect_result("partition_call to nobody",
		    (struct call_regs){ REDOUBT_CALL_partition_call, nobody[i] | 7ull << 32, 1, 2,
			3 },
		    REDOUBT_STATE);
}

/* Tokens that nobody was given. */
static void no_tokens(const char *what, uint64_t id)
{
	static const uint64_t tokens[] = { 0, 1, 0x201, 0x601, 0x2ff, 0x212, 0xffffffff,
		1ull << 32 | 0x201, ~0ull };

	for (unsigned i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
		expect_result(what, (struct call_regs){ id, tokens[i], 0, 0, 0 }, REDOUBT_STATE);
	expect_result(what, (struct call_regs){ id, 0x201, 1, 0, 0 }, REDOUBT_INVALID | 2 << 16);
	expect_result(what, (struct call_regs){ id, 0x201, 0, 0, 1 }, REDOUBT_INVALID | 4 << 16);
}

void suite_call_partition_resume(void)
{
	no_tokens("T40 partition_resume of a stale token", REDOUBT_CALL_partition_resume);
}

void suite_call_partition_cancel(void)
{
	no_tokens("T40 partition_cancel of a stale token", REDOUBT_CALL_partition_cancel);
}

void suite_call_partition_restart(void)
{
	for (unsigned i = 0; i < NOBODIES; i++)
		expect_result("partition_restart of nobody",
		    (struct call_regs){ REDOUBT_CALL_partition_restart, nobody[i], 0, 0, 0 },
		    REDOUBT_STATE);
	expect_result("partition_restart with a reserved argument",
	    (struct call_regs){ REDOUBT_CALL_partition_restart, 1, 0, 5, 0 },
	    REDOUBT_INVALID | 3 << 16);
}

void suite_call_partition_info(void)
{
	for (unsigned i = 0; i < NOBODIES; i++)
		for (unsigned item = 0; item < REDOUBT_INFO_ITEMS; item++)
			expect_result("partition_info of nobody",
			    (struct call_regs){ REDOUBT_CALL_partition_info, nobody[i], item, 0,
				0 },
			    REDOUBT_STATE);
	expect_result("partition_info of an item that is none",
	    (struct call_regs){ REDOUBT_CALL_partition_info, 1, REDOUBT_INFO_ITEMS, 0, 0 },
	    REDOUBT_INVALID | 2 << 16);
	expect_result("partition_info with a reserved argument",
	    (struct call_regs){ REDOUBT_CALL_partition_info, 1, 0, 1, 0 },
	    REDOUBT_INVALID | 3 << 16);
}

static void denied(const char *what, uint64_t id)
{
	expect_result(what, (struct call_regs){ id, 0, 0, 0, 0 }, REDOUBT_DENIED);
	expect_result(what, (struct call_regs){ id, 0x40000000, 16, 0, 0 }, REDOUBT_DENIED);
	expect_result(what, (struct call_regs){ id, ~0ull, ~0ull, ~0ull, ~0ull }, REDOUBT_DENIED);
}

void suite_call_next_request(void)
{
	denied("next_request is a partition's", REDOUBT_CALL_next_request);
}

void suite_call_log_write(void)
{
	denied("log_write is a partition's", REDOUBT_CALL_log_write);
}

void suite_call_partition_exit(void)
{
	denied("partition_exit is a partition's", REDOUBT_CALL_partition_exit);
}

void suite_call_entropy(void)
{
	denied("entropy is a partition's", REDOUBT_CALL_entropy);
}

void suite_call_time(void)
{
	denied("time is a partition's", REDOUBT_CALL_time);
}

void suite_call_key_derive(void)
{
	denied("key_derive is a partition's", REDOUBT_CALL_key_derive);
}

void suite_call_report_make(void)
{
	denied("report_make is a partition's", REDOUBT_CALL_report_make);
}

void suite_call_report_check(void)
{
	denied("report_check is a partition's", REDOUBT_CALL_report_check);
}

void suite_call_partitions(void)
{
	suite_call_partition_call();
	suite_call_partition_resume();
	suite_call_partition_cancel();
	suite_call_partition_restart();
	suite_call_partition_info();
	suite_call_next_request();
	suite_call_log_write();
	suite_call_partition_exit();
	suite_call_entropy();
	suite_call_time();
	suite_call_key_derive();
	suite_call_report_make();
	suite_call_report_check();
}
