/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * monitor/partition.c and monitor/call_partition.c: partitions that the loader placed, requests to
 * them, their ends; and the calls about them and of theirs. A function plays the program.
 */
#include "arch/cpu.h"
#include "arch/host/host.h"
#include "arch/upcall.h"
#include "arch/vp.h"
#include "monitor/abi/image.h"
#include "monitor/audit.h"
#include "monitor/call.h"
#include "monitor/lib/sha256.h"
#include "monitor/log.h"
#include "monitor/page_owner.h"
#include "monitor/partition.h"
#include "monitor/share.h"
#include "monitor/test/invariant.h"
#include "tests/unit/unit.h"

#define IMAGE	    0x200000ull
#define DATA	    0x400000ull
#define TEXT_PAGES  3u
#define RODATA	    2u
#define DATA_PAGES  600u /* more than one grant holds */
#define IMAGE_PAGES (1 + TEXT_PAGES + RODATA)

/* ---- The program ---- */

enum act { ANSWER, INTERRUPT, FAULT, EXPIRE, EXIT_CALL, LOG_CALL, FOREIGN_CALL, SLOW };

static struct {
	struct vp_start start; /* what the last reset gave */
	unsigned starts;
	bool running;	 /* past its start */
	bool slow_start; /* which takes all of a request's time */
	enum act acts[8];
	unsigned next;
	unsigned requests;
	uint64_t got[CALL_REGS]; /* the last request */
	uint64_t text, length;	 /* of log_write */
	struct call after;	 /* what a call of its own came to */
} program;

static void call_of(struct call *call, uint64_t id, uint64_t a, uint64_t b)
{
	*call = (struct call){ id, { a, b } };
}

static void answer(struct call *call)
{
	*call = (struct call){ REDOUBT_CALL_next_request,
		{ 0x1234500000000ull + program.requests, program.got[1] + 1, 22, 33 } };
}

static struct host_exit act(struct call *call)
{
	struct host_exit exit = { .stop = VP_CALLED };

	switch (program.acts[program.next++ % 8]) {
	case INTERRUPT:
		exit.stop = VP_INTERRUPTED;
		break;
	case FAULT:
		exit = (struct host_exit){ VP_FAULTED, 48, 0x201000, 0xdead000 };
		break;
	case EXPIRE:
		exit.stop = VP_EXPIRED;
		break;
	case EXIT_CALL:
		*call = (struct call){ REDOUBT_CALL_partition_exit, { 7, 8, 9 } };
		break;
	case LOG_CALL:
		call_of(call, REDOUBT_CALL_log_write, program.text, program.length);
		break;
	case FOREIGN_CALL:
		call_of(call, REDOUBT_CALL_partition_call, 1, 0);
		break;
	case SLOW:
		host_set_cycles(REQUEST_CYCLES * 4, REQUEST_CYCLES / 2);
		call_of(call, REDOUBT_CALL_log_write, 0, 0);
		break;
	default:
		answer(call);
	}
	return exit;
}

static bool waits; /* its last call was next_request */

static struct host_exit play(const struct vp_start *start, struct call *call, uint64_t cycles)
{
	assert_in_range(cycles, 1, REQUEST_CYCLES);
	if (memcmp(&program.start, start, sizeof(*start)) != 0 || !program.running) {
		program.start = *start;
		program.starts++;
		program.running = true;
		waits = true;
		if (program.slow_start)
			host_set_cycles(REQUEST_CYCLES * 4, REQUEST_CYCLES);
		program.slow_start = false;
		*call = (struct call){ REDOUBT_CALL_next_request, { 0 } };
		return (struct host_exit){ .stop = VP_CALLED };
	}
	if (waits) {
		assert_int_equal(call->rax, REDOUBT_OK);
		memcpy(program.got, call->regs, sizeof(program.got));
		program.requests++;
	} else {
		program.after = *call;
	}
	struct host_exit exit = act(call);

	waits = exit.stop == VP_CALLED && call->rax == REDOUBT_CALL_next_request;
	return exit;
}

/* ---- The machine ---- */

static void fill_image(void)
{
	struct bootinfo_partition *p = &host_info()->partitions[0];
	uint8_t bytes[FRAME_SIZE];
	struct sha256 hash;

	sha256_start(&hash);
	for (unsigned i = 0; i < IMAGE_PAGES; i++) {
		memset(bytes, 0x10 + (int)i, sizeof(bytes));
		host_poke(IMAGE + i * FRAME_SIZE, bytes, sizeof(bytes));
		sha256_add(&hash, bytes, sizeof(bytes));
	}
	*p = (struct bootinfo_partition){ .image_base = IMAGE,
		.data_base = DATA,
		.text_pages = TEXT_PAGES,
		.rodata_pages = RODATA,
		.data_pages = DATA_PAGES,
		.svn = 5,
		.flags = 1,
		.id = "probe",
		.signer = { 9 } };
	sha256_end(&hash, p->measurement);
}

static enum launch_status start(void)
{
	assert_true(bootinfo_valid(host_info()));
	return monitor_init(host_info());
}

static int boot(void **state)
{
	struct host_machine machine = host_default();

	host_build(&machine);
	fill_image();
	memset(&program, 0, sizeof(program));
	host_set_program(play);
	return start() != LAUNCH_OK;
}

static int end(void **state)
{
	return invariant_walk().broken != NOTHING_BROKEN ||
	    spin_held(monitor_normal_stage2()->lock);
}

static struct call do_call(uint64_t id, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct call call = { id, { a, b, c, d } };

	monitor_call(&call);
	return call;
}

static struct call request(uint64_t number)
{
	return do_call(REDOUBT_CALL_partition_call, 1 | number << 32, 100, 200, 300);
}

static void plan(unsigned count, const enum act *acts)
{
	program.next = 0;
	memset(program.acts, 0, sizeof(program.acts));
	memcpy(program.acts, acts, count * sizeof(*acts));
}

#define PLAN(...)                                                                                  \
	plan(COUNT(((const enum act[]){ __VA_ARGS__ })), (const enum act[]){ __VA_ARGS__ })

static void expect_status(struct call call, enum redoubt_status status, unsigned arg)
{
	assert_int_equal(call.rax, status | arg << 16);
	if (status != REDOUBT_OK)
		for (unsigned i = 0; i < CALL_REGS; i++)
			assert_int_equal(call.regs[i], 0);
}

static void expect_answer(struct call call, unsigned count)
{
	expect_status(call, REDOUBT_OK, 0);
	assert_int_equal(call.regs[0], count);
	assert_int_equal(call.regs[1], 101);
	assert_int_equal(call.regs[2], 22);
	assert_int_equal(call.regs[3], 33);
}

static uint64_t token_of(struct call call)
{
	expect_status(call, REDOUBT_OK, 0);
	assert_int_equal(call.regs[0], REDOUBT_SUSPENDED);
	assert_int_equal(call.regs[2] | call.regs[3], 0);
	return call.regs[1];
}

/* ---- What the loader placed ---- */

static void expect_mapped(uint64_t gpa, uint64_t spa, unsigned prot)
{
	struct stage2_leaf leaf;

	spin_lock(monitor_normal_stage2()->lock);
	leaf = stage2_lookup(partition_map(1), (gpa_t){ gpa });
	spin_unlock(monitor_normal_stage2()->lock);
	assert_true(leaf.present == (prot != 0));
	if (prot != 0) {
		assert_int_equal(leaf.spa.v, spa);
		assert_int_equal(leaf.prot, prot);
	}
}

static void placed_memory_is_the_partitions(void **state)
{
	uint8_t byte;

	assert_int_equal(partition_state(1), PARTITION_READY);
	assert_int_equal(partition_state(2), PARTITION_FREE);
	expect_mapped(TRUSTLET_IMAGE_BASE - FRAME_SIZE, 0, 0);
	expect_mapped(TRUSTLET_IMAGE_BASE, IMAGE, S2_R);
	for (unsigned i = 0; i < TEXT_PAGES; i++)
		expect_mapped(TRUSTLET_IMAGE_BASE + (1 + i) * FRAME_SIZE,
		    IMAGE + (1 + i) * FRAME_SIZE, S2_R | S2_X);
	expect_mapped(TRUSTLET_IMAGE_BASE + (1 + TEXT_PAGES) * FRAME_SIZE,
	    IMAGE + (1 + TEXT_PAGES) * FRAME_SIZE, S2_R);
	expect_mapped(TRUSTLET_IMAGE_BASE + IMAGE_PAGES * FRAME_SIZE, 0, 0);
	expect_mapped(TRUSTLET_DATA_BASE, DATA, S2_R | S2_W);
	expect_mapped(TRUSTLET_DATA_BASE + (DATA_PAGES - 1) * FRAME_SIZE,
	    DATA + (DATA_PAGES - 1) * FRAME_SIZE, S2_R | S2_W);
	expect_mapped(TRUSTLET_DATA_BASE + DATA_PAGES * FRAME_SIZE, 0, 0);
	assert_int_equal(frame_state((spa_t){ IMAGE }), FRAME_LENT);
	assert_int_equal(frame_state((spa_t){ DATA }), FRAME_PARTITION);
	assert_true(host_touch(IMAGE, ACCESS_WRITE).faulted);
	host_peek(IMAGE + FRAME_SIZE, &byte, 1);
	assert_int_equal(byte, 0x11);
}

static void another_image_than_measured_is_refused(void **state)
{
	struct host_machine machine = host_default();

	host_build(&machine);
	fill_image();
	host_poke(IMAGE + 4 * FRAME_SIZE + 77, "x", 1);
	assert_int_equal(start(), LAUNCH_BAD_REGION);
}

static void memory_that_is_not_the_loaders_is_refused(void **state)
{
	struct host_machine machine = host_default();

	host_build(&machine);
	fill_image();
	host_info()->partitions[0].data_base = host_info()->region_base;
	assert_int_equal(start(), LAUNCH_BAD_REGION);
	host_build(&machine);
	fill_image();
	host_info()->partitions[1] = host_info()->partitions[0];
	assert_int_equal(start(), LAUNCH_BAD_REGION);
}

/* ---- Requests ---- */

static void first_request_starts_it(void **state)
{
	assert_int_equal(program.starts, 0);
	expect_answer(request(7), 1);
	assert_int_equal(program.starts, 1);
	assert_int_equal(program.start.entry, TRUSTLET_IMAGE_BASE + FRAME_SIZE);
	assert_int_equal(program.start.ebx, TRUSTLET_DATA_BASE);
	assert_int_equal(program.start.esi, DATA_PAGES);
	assert_int_equal(program.start.edi, 0);
	assert_int_equal(program.start.partition, 1);
	assert_true(program.start.map == partition_map(1));
	assert_int_equal(program.got[0], 7);
	assert_int_equal(program.got[1], 100);
	assert_int_equal(program.got[2], 200);
	assert_int_equal(program.got[3], 300);
	expect_answer(request(8), 2);
	assert_int_equal(program.starts, 1);
	assert_int_equal(do_call(REDOUBT_CALL_partition_info, 1, REDOUBT_INFO_SUMMARY, 0, 0)
			     .regs[2],
	    2);
}

void test_call_partition_call(void **state);
void test_call_partition_call(void **state)
{
	expect_answer(request(1), 1);
	expect_status(do_call(REDOUBT_CALL_partition_call, 0, 0, 0, 0), REDOUBT_STATE, 0);
	expect_status(do_call(REDOUBT_CALL_partition_call, 2, 0, 0, 0), REDOUBT_STATE, 0);
	expect_status(do_call(REDOUBT_CALL_partition_call, PARTITIONS + 1, 0, 0, 0), REDOUBT_STATE,
	    0);
	expect_status(do_call(REDOUBT_CALL_partition_call, 0xffffffff, 0, 0, 0), REDOUBT_STATE, 0);
}

void test_call_partition_resume(void **state);
void test_call_partition_resume(void **state)
{
	uint64_t token;

	PLAN(INTERRUPT, INTERRUPT, ANSWER);
	token = token_of(request(3));
	expect_status(request(4), REDOUBT_BUSY, 0);
	expect_status(do_call(REDOUBT_CALL_partition_resume, token + 0x400, 0, 0, 0), REDOUBT_STATE,
	    0);
	expect_status(do_call(REDOUBT_CALL_partition_resume, token ^ 0x200, 0, 0, 0), REDOUBT_STATE,
	    0);
	expect_status(do_call(REDOUBT_CALL_partition_resume, token ^ 1, 0, 0, 0), REDOUBT_STATE, 0);
	expect_status(do_call(REDOUBT_CALL_partition_resume, token + 1, 0, 0, 0), REDOUBT_STATE, 0);
	expect_status(do_call(REDOUBT_CALL_partition_resume, token | 1ull << 40, 0, 0, 0),
	    REDOUBT_STATE, 0);
	host_on(1);
	assert_int_equal(token_of(do_call(REDOUBT_CALL_partition_resume, token, 0, 0, 0)), token);
	host_on(0);
	expect_answer(do_call(REDOUBT_CALL_partition_resume, token, 0, 0, 0), 1);
	expect_status(do_call(REDOUBT_CALL_partition_resume, token, 0, 0, 0), REDOUBT_STATE, 0);
	expect_status(do_call(REDOUBT_CALL_partition_resume, 0, 0, 0, 0), REDOUBT_STATE, 0);
	expect_answer(request(4), 2);
}

void test_call_partition_cancel(void **state);
void test_call_partition_cancel(void **state)
{
	uint64_t token;

	expect_status(do_call(REDOUBT_CALL_partition_cancel, 1, 0, 0, 0), REDOUBT_STATE, 0);
	PLAN(INTERRUPT, ANSWER, ANSWER);
	token = token_of(request(3));
	expect_status(do_call(REDOUBT_CALL_partition_cancel, token, 0, 0, 0), REDOUBT_OK, 0);
	expect_status(do_call(REDOUBT_CALL_partition_cancel, token, 0, 0, 0), REDOUBT_STATE, 0);
	expect_status(do_call(REDOUBT_CALL_partition_resume, token, 0, 0, 0), REDOUBT_STATE, 0);
	/* The next one gets its own answer, not that of the one before. */
	program.requests = 10;
	expect_answer(request(4), 11);
	assert_int_equal(program.got[0], 4);
}

/* Cancelled before the request was handed over: it never is. */
static void cancelled_at_its_start_a_request_is_not_made(void **state)
{
	uint64_t token;

	PLAN(INTERRUPT, ANSWER);
	program.running = true;
	program.start = (struct vp_start){ partition_map(1), 1, TRUSTLET_IMAGE_BASE + FRAME_SIZE,
		TRUSTLET_DATA_BASE, DATA_PAGES, 0 };
	waits = false;
	token = token_of(request(3));
	program.running = false;
	expect_status(do_call(REDOUBT_CALL_partition_cancel, token, 0, 0, 0), REDOUBT_OK, 0);
	expect_answer(request(4), 1);
	assert_int_equal(program.got[0], 4);
}

/* Whoever got the token may be gone. */
static void a_token_that_nobody_comes_for_is_void_after_its_time(void **state)
{
	uint64_t token;

	PLAN(INTERRUPT, ANSWER, ANSWER);
	token = token_of(request(3));
	expect_status(request(4), REDOUBT_BUSY, 0);
	/* Of a CPU whose clock is behind. */
	host_set_cycles(0, 0);
	expect_status(request(4), REDOUBT_BUSY, 0);
	host_set_cycles(1ull << 60, 1);
	expect_answer(request(4), 2);
	assert_int_equal(program.got[0], 4);
	expect_status(do_call(REDOUBT_CALL_partition_resume, token, 0, 0, 0), REDOUBT_STATE, 0);
	expect_status(do_call(REDOUBT_CALL_partition_cancel, token, 0, 0, 0), REDOUBT_STATE, 0);
}

/* ---- Ends ---- */

static void expect_dead(void)
{
	struct redoubt_audit_record record;

	expect_status(request(2), REDOUBT_DEAD, 0);
	assert_int_equal(partition_state(1), PARTITION_CRASHED);
	assert_int_equal(audit_copy(audit_end() - 1, &record, 1).copied, 1);
	assert_int_equal(record.event, REDOUBT_AUDIT_PARTITION_DEATH);
	assert_int_equal(record.subject, 1);
	expect_status(request(2), REDOUBT_DEAD, 0);
}

static void death_is_contained_audited_and_told(void **state)
{
	static const enum act ways[] = { FAULT, EXPIRE, EXIT_CALL, SLOW };

	for (unsigned i = 0; i < COUNT(ways); i++) {
		uint64_t token;

		program.running = false;
		PLAN(ANSWER, INTERRUPT, ways[i]);
		expect_status(request(1), REDOUBT_OK, 0);
		token = token_of(request(1));
		expect_status(do_call(REDOUBT_CALL_partition_resume, token, 0, 0, 0), REDOUBT_DEAD,
		    0);
		expect_status(do_call(REDOUBT_CALL_partition_resume, token, 0, 0, 0), REDOUBT_STATE,
		    0);
		expect_dead();
		host_set_cycles(0, 1000);
		expect_status(do_call(REDOUBT_CALL_partition_restart, 1, 0, 0, 0), REDOUBT_OK, 0);
	}
	assert_int_equal(audit_total(REDOUBT_AUDIT_PARTITION_DEATH), COUNT(ways));
}

/* It waits for a request and has no time left for the one at hand: that is no answer to it. */
static void a_start_that_takes_all_its_time_is_no_answer(void **state)
{
	program.running = false;
	program.slow_start = true;
	PLAN(ANSWER);
	expect_status(request(1), REDOUBT_DEAD, 0);
	expect_dead();
	host_set_cycles(0, 1000);
	program.running = false;
	expect_status(do_call(REDOUBT_CALL_partition_restart, 1, 0, 0, 0), REDOUBT_OK, 0);
	expect_answer(request(3), 1);
}

void test_call_partition_restart(void **state);
void test_call_partition_restart(void **state)
{
	uint8_t byte = 0x66;

	expect_status(do_call(REDOUBT_CALL_partition_restart, 1, 0, 0, 0), REDOUBT_STATE, 0);
	expect_status(do_call(REDOUBT_CALL_partition_restart, 0, 0, 0, 0), REDOUBT_STATE, 0);
	expect_status(do_call(REDOUBT_CALL_partition_restart, ~0ull, 0, 0, 0), REDOUBT_STATE, 0);
	PLAN(FAULT);
	expect_status(request(1), REDOUBT_DEAD, 0);
	host_poke(DATA + 599 * FRAME_SIZE, &byte, 1);
	program.running = false;
	PLAN(ANSWER);
	expect_status(do_call(REDOUBT_CALL_partition_restart, 1, 0, 0, 0), REDOUBT_OK, 0);
	host_peek(DATA + 599 * FRAME_SIZE, &byte, 1);
	assert_int_equal(byte, 0);
	host_peek(IMAGE + FRAME_SIZE, &byte, 1);
	assert_int_equal(byte, 0x11);
	expect_status(request(1), REDOUBT_OK, 0);
	assert_int_equal(program.starts, 2);
	expect_status(do_call(REDOUBT_CALL_partition_restart, 1, 0, 0, 0), REDOUBT_STATE, 0);
}

static void placed_ones_are_not_buried(void **state)
{
	PLAN(FAULT);
	request(1);
	partition_kill(1);
	assert_int_equal(partition_bury(1), REDOUBT_STATE);
	assert_int_equal(partition_state(1), PARTITION_CRASHED);
}

/* ---- What is told ---- */

void test_call_partition_info(void **state);
void test_call_partition_info(void **state)
{
	const struct bootinfo_partition *p = &host_info()->partitions[0];
	struct call call = do_call(REDOUBT_CALL_partition_info, 1, REDOUBT_INFO_SUMMARY, 0, 0);

	expect_status(call, REDOUBT_OK, 0);
	assert_int_equal(call.regs[0], REDOUBT_PARTITION_READY | (uint64_t)REDOUBT_SVN << 32);
	assert_int_equal(call.regs[1], 5 | 1ull << 32);
	assert_int_equal(call.regs[2], 0);
	assert_int_equal(call.regs[3], IMAGE_PAGES + DATA_PAGES);
	call = do_call(REDOUBT_CALL_partition_info, 1, REDOUBT_INFO_ID, 0, 0);
	assert_memory_equal(call.regs, p->id, 32);
	call = do_call(REDOUBT_CALL_partition_info, 1, REDOUBT_INFO_MEASUREMENT, 0, 0);
	assert_memory_equal(call.regs, p->measurement, 32);
	call = do_call(REDOUBT_CALL_partition_info, 1, REDOUBT_INFO_SIGNER, 0, 0);
	assert_memory_equal(call.regs, p->signer, 32);
	PLAN(ANSWER, FAULT);
	request(1);
	request(1);
	call = do_call(REDOUBT_CALL_partition_info, 1, REDOUBT_INFO_SUMMARY, 0, 0);
	assert_int_equal((uint32_t)call.regs[0], REDOUBT_PARTITION_CRASHED);
	assert_int_equal(call.regs[2], 1);
	expect_status(do_call(REDOUBT_CALL_partition_info, 1, 4, 0, 0), REDOUBT_INVALID, 2);
	expect_status(do_call(REDOUBT_CALL_partition_info, 1, ~0ull, 0, 0), REDOUBT_INVALID, 2);
	expect_status(do_call(REDOUBT_CALL_partition_info, 0, 0, 0, 0), REDOUBT_STATE, 0);
	expect_status(do_call(REDOUBT_CALL_partition_info, 2, 0, 0, 0), REDOUBT_STATE, 0);
	expect_status(do_call(REDOUBT_CALL_partition_info, 1ull << 32 | 1, 0, 0, 0), REDOUBT_STATE,
	    0);
	partition_create();
	expect_status(do_call(REDOUBT_CALL_partition_info, 2, 0, 0, 0), REDOUBT_STATE, 0);
}

/* ---- Calls of partitions ---- */

void test_call_next_request(void **state);
void test_call_next_request(void **state)
{
	expect_status(do_call(REDOUBT_CALL_next_request, 0, 0, 0, 0), REDOUBT_DENIED, 0);
	expect_answer(request(1), 1);
}

void test_call_partition_exit(void **state);
void test_call_partition_exit(void **state)
{
	expect_status(do_call(REDOUBT_CALL_partition_exit, 1, 0, 0, 0), REDOUBT_DENIED, 0);
	PLAN(EXIT_CALL);
	expect_status(request(1), REDOUBT_DEAD, 0);
	assert_non_null(strstr(host_console(), "partition 1: exit 7, 8, 9"));
}

/* What log_write came to, with these arguments. */
static struct call log_write(uint64_t gpa, uint64_t length)
{
	PLAN(LOG_CALL, ANSWER);
	program.text = gpa;
	program.length = length;
	expect_status(request(1), REDOUBT_OK, 0);
	return program.after;
}

void test_call_log_write(void **state);
void test_call_log_write(void **state)
{
	static const struct {
		uint64_t text, length;
		enum redoubt_status status;
		unsigned arg;
	} rows[] = {
		{ TRUSTLET_DATA_BASE, 0, REDOUBT_INVALID, 2 },
		{ TRUSTLET_DATA_BASE, 257, REDOUBT_INVALID, 2 },
		{ TRUSTLET_DATA_BASE, ~0ull, REDOUBT_INVALID, 2 },
		{ TRUSTLET_DATA_BASE + 0xf01, 256, REDOUBT_RANGE, 1 },
		{ TRUSTLET_IMAGE_BASE, 1, REDOUBT_RANGE, 1 },
		{ TRUSTLET_DATA_BASE + DATA_PAGES * FRAME_SIZE, 1, REDOUBT_RANGE, 1 },
		{ 0, 1, REDOUBT_RANGE, 1 },
		{ PARTITION_SPACE, 1, REDOUBT_RANGE, 1 },
		{ 1ull << 48, 1, REDOUBT_RANGE, 1 },
		{ ~0ull, 1, REDOUBT_RANGE, 1 },
	};

	expect_status(do_call(REDOUBT_CALL_log_write, TRUSTLET_DATA_BASE, 1, 0, 0), REDOUBT_DENIED,
	    0);
	host_poke(DATA + 0x100, "a%s\x01z", 5);
	expect_status(log_write(TRUSTLET_DATA_BASE + 0x100, 5), REDOUBT_OK, 0);
	assert_non_null(strstr(host_console(), "partition 1: a%s?z"));
	expect_status(log_write(TRUSTLET_DATA_BASE + 0xf00, 256), REDOUBT_OK, 0);
	for (unsigned i = 0; i < COUNT(rows); i++)
		expect_status(log_write(rows[i].text, rows[i].length), rows[i].status, rows[i].arg);
	assert_true(invariant_walk().broken == NOTHING_BROKEN);
}

static void partitions_make_no_calls_of_the_normal_worlds(void **state)
{
	PLAN(FOREIGN_CALL, ANSWER);
	expect_answer(request(1), 1);
	expect_status(program.after, REDOUBT_DENIED, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, boot, end)

static const struct CMUnitTest tests[] = {
	TEST(placed_memory_is_the_partitions),
	cmocka_unit_test(another_image_than_measured_is_refused),
	cmocka_unit_test(memory_that_is_not_the_loaders_is_refused),
	TEST(first_request_starts_it),
	TEST(test_call_partition_call),
	TEST(test_call_partition_resume),
	TEST(test_call_partition_cancel),
	TEST(cancelled_at_its_start_a_request_is_not_made),
	TEST(a_token_that_nobody_comes_for_is_void_after_its_time),
	TEST(death_is_contained_audited_and_told),
	TEST(a_start_that_takes_all_its_time_is_no_answer),
	TEST(test_call_partition_restart),
	TEST(placed_ones_are_not_buried),
	TEST(test_call_partition_info),
	TEST(test_call_next_request),
	TEST(test_call_partition_exit),
	TEST(test_call_log_write),
	TEST(partitions_make_no_calls_of_the_normal_worlds),
};

UNIT_MAIN(tests)
