/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The calls about partitions from the normal world's side, where there is none by the number given,
 * and those that are not the normal world's to make (T35, T38, T40).
 */
#include "guest/suite/suite.h"

#include "guest/lib/call.h"
#include "guest/lib/memory.h"
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
void suite_call_partition_create(void);
void suite_call_partition_give(void);
void suite_call_partition_end(void);
void suite_call_image_read(void);
void suite_call_partition_launch(void);

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
	static const uint64_t tokens[] = { 0, 1, 0x101, 0x501, 0x1ff, 0x112, 0xffffffff,
		1ull << 32 | 0x101, ~0ull };

	for (unsigned i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
		expect_result(what, (struct call_regs){ id, tokens[i], 0, 0, 0 }, REDOUBT_STATE);
	expect_result(what, (struct call_regs){ id, 0x101, 1, 0, 0 }, REDOUBT_INVALID | 2 << 16);
	expect_result(what, (struct call_regs){ id, 0x101, 0, 0, 1 }, REDOUBT_INVALID | 4 << 16);
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

/* A list of frames of the guest's own. */
static uint64_t *frame_list(unsigned count)
{
	uint64_t *list = pages_alloc(1);
	uint64_t frames = (uint64_t)pages_alloc(count);

	for (unsigned i = 0; i < count; i++)
		list[i] = frames + i * PAGE;
	return list;
}

static uint64_t end_all(uint64_t partition)
{
	uint64_t status;

	do
		status = redoubt_partition_end(partition);
	while (status == REDOUBT_BUSY);
	return status;
}

void suite_call_partition_create(void)
{
	struct redoubt_partition_create r[17];
	unsigned made = 0;

	while (made < 17 && redoubt_partition_create(&r[made]) == REDOUBT_OK)
		made++;
	tap(made > 10 && made < 17, "T44 partitions are as many as the table holds (%u)", made);
	for (unsigned i = 1; i < made; i++)
		tap(r[i].partition == r[i - 1].partition + 1,
		    "call: partition_create numbers them");
	for (unsigned i = 0; i < made; i++)
		if (end_all(r[i].partition) != REDOUBT_OK)
			tap(false, "call: partition_end of %lx", r[i].partition);
	expect_result("partition_create with an argument",
	    (struct call_regs){ REDOUBT_CALL_partition_create, 1, 0, 0, 0 },
	    REDOUBT_INVALID | 1 << 16);
}

void suite_call_partition_give(void)
{
	struct redoubt_partition_create r = { 0 };
	uint64_t *list = frame_list(4), *marks = (uint64_t *)list[2];
	uint64_t at = (uint64_t)list;

	for (unsigned i = 0; i < NOBODIES; i++)
		expect_result("partition_give to nobody",
		    (struct call_regs){ REDOUBT_CALL_partition_give, nobody[i], at, 4, 0 },
		    REDOUBT_STATE);
	redoubt_partition_create(&r);
	*marks = 0x5ec5e7;
	tap(redoubt_partition_give(r.partition | 3ull << 32, at, 4, 0) ==
		(REDOUBT_INVALID | 1 << 16),
	    "call: partition_give of a kind that is none");
	tap(redoubt_partition_give(r.partition, at + 8, 4, 0) == (REDOUBT_ALIGNMENT | 2 << 16),
	    "call: partition_give of a list that is not aligned");
	tap(redoubt_partition_give(r.partition, at, 4, 1ull << 40) == (REDOUBT_RANGE | 4 << 16),
	    "T36 a place outside of private memory");
	tap(redoubt_partition_give(r.partition, monitor_frames(&(unsigned){ 0 })->base, 1, 0) ==
		REDOUBT_RANGE,
	    "T38 a list in the monitor's memory");
	tap(redoubt_partition_give(r.partition, at, 0, 0) == REDOUBT_RANGE &&
		redoubt_partition_give(r.partition, at, 513, 0) == REDOUBT_RANGE,
	    "T36 no frames, or too many");
	list[3] = list[0];
	tap(redoubt_partition_give(r.partition, at, 4, 0) == REDOUBT_RANGE,
	    "T39 a frame given twice in one list");
	list[3] = monitor_frames(&(unsigned){ 0 })->base;
	tap(redoubt_partition_give(r.partition, at, 4, 0) == REDOUBT_RANGE && *marks == 0x5ec5e7,
	    "T38 a frame of the monitor's: all stay where they were");
	list[3] = list[2] + PAGE;
	tap(redoubt_partition_give(r.partition, at, 4, 0) == REDOUBT_OK,
	    "call: partition_give of private memory");
	tap(*marks == ~0ull, "T11 it is out of reach");
	tap(redoubt_partition_give(r.partition, at, 4, 8) == REDOUBT_RANGE,
	    "T39 what is given is not the caller's to give");
	tap(end_all(r.partition) == REDOUBT_OK && *marks == 0, "T15 it comes back zeroed");
}

void suite_call_partition_end(void)
{
	for (unsigned i = 0; i < NOBODIES; i++)
		expect_result("partition_end of nobody",
		    (struct call_regs){ REDOUBT_CALL_partition_end, nobody[i], 0, 0, 0 },
		    REDOUBT_STATE);
	expect_result("partition_end with a reserved argument",
	    (struct call_regs){ REDOUBT_CALL_partition_end, 1, 0, 0, 1 },
	    REDOUBT_INVALID | 4 << 16);
}

void suite_call_image_read(void)
{
	denied("image_read is codeint's", REDOUBT_CALL_image_read);
}

void suite_call_partition_launch(void)
{
	denied("partition_launch is codeint's", REDOUBT_CALL_partition_launch);
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
	suite_call_partition_create();
	suite_call_partition_give();
	suite_call_partition_end();
	suite_call_image_read();
	suite_call_partition_launch();
}
