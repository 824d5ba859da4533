/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * monitor/tpm.c: the vTPM's window, and stores that become requests. A function plays the program.
 */
#include "arch/cpu.h"
#include "arch/host/host.h"
#include "arch/upcall.h"
#include "arch/vp.h"
#include "monitor/abi/cpuid.h"
#include "monitor/abi/image.h"
#include "monitor/abi/tpm.h"
#include "monitor/abi/trustlet.h"
#include "monitor/call.h"
#include "monitor/guest_mem.h"
#include "monitor/lib/sha256.h"
#include "monitor/page_owner.h"
#include "monitor/partition.h"
#include "monitor/test/invariant.h"
#include "monitor/tpm.h"
#include "tests/unit/unit.h"

#define IMAGE	    0x200000ull
#define DATA	    0x400000ull
#define DATA_PAGES  40u
#define IMAGE_PAGES 3u
#define WINDOW	    (DATA + (DATA_PAGES - TPM_PAGES) * FRAME_SIZE)
#define WINDOW_END  (TPM_BASE + TPM_PAGES * FRAME_SIZE)
#define CTRL	    (TPM_BASE + 0x08)
#define START	    (TPM_BASE + 0x4c)
#define RIP	    0xffffffff81234567ull

/* ---- The program ---- */

enum act { ANSWER, INTERRUPT, FAULT };

static struct {
	enum act acts[8];
	unsigned next, requests;
	uint64_t got[CALL_REGS]; /* the last request */
	bool running, waits;
} program;

static struct host_exit play(const struct vp_start *start, struct call *call, uint64_t cycles)
{
	enum act act;

	if (!program.running) {
		program.running = program.waits = true;
		*call = (struct call){ REDOUBT_CALL_next_request, { 0 } };
		return (struct host_exit){ .stop = VP_CALLED };
	}
	if (program.waits) {
		memcpy(program.got, call->regs, sizeof(program.got));
		program.requests++;
	}
	act = program.acts[program.next++ % 8];
	program.waits = act == ANSWER;
	if (act == FAULT)
		return (struct host_exit){ .stop = VP_FAULTED };
	if (act == INTERRUPT)
		return (struct host_exit){ .stop = VP_INTERRUPTED };
	*call = (struct call){ REDOUBT_CALL_next_request, { 0 } };
	return (struct host_exit){ .stop = VP_CALLED };
}

static void plan(unsigned count, const enum act *acts)
{
	program.next = 0;
	memset(program.acts, 0, sizeof(program.acts));
	memcpy(program.acts, acts, count * sizeof(*acts));
}

#define PLAN(...)                                                                                  \
	plan(COUNT(((const enum act[]){ __VA_ARGS__ })), (const enum act[]){ __VA_ARGS__ })

/* ---- The machine ---- */

static void place(const char *id, uint32_t data_pages)
{
	struct bootinfo_partition *p = &host_info()->partitions[0];
	uint8_t bytes[FRAME_SIZE] = { 0 };
	struct sha256 hash;

	*p = (struct bootinfo_partition){ .image_base = IMAGE,
		.data_base = DATA,
		.text_pages = 1,
		.rodata_pages = 1,
		.data_pages = data_pages,
		.svn = 1 };
	memcpy(p->id, id, strlen(id));
	sha256_start(&hash);
	for (unsigned i = 0; i < IMAGE_PAGES; i++)
		sha256_add(&hash, bytes, sizeof(bytes));
	sha256_end(&hash, p->measurement);
}

static uint32_t flags; /* more of the block's */

static enum launch_status start(const char *id, uint32_t data_pages)
{
	struct host_machine machine = host_default();

	host_build(&machine);
	host_info()->flags |= flags;
	place(id, data_pages);
	memset(&program, 0, sizeof(program));
	host_set_program(play);
	return monitor_init(host_info());
}

static int boot(void **state)
{
	return start("vtpm", DATA_PAGES) != LAUNCH_OK;
}

static int end(void **state)
{
	return invariant_walk().broken != NOTHING_BROKEN ||
	    spin_held(monitor_normal_stage2()->lock);
}

static bool store_at(uint64_t gpa, uint64_t value, uint64_t rip)
{
	const struct guest_store store = { { gpa }, value, 4, rip };

	assert_true(host_touch(gpa, ACCESS_WRITE).store);
	return monitor_store(&store);
}

static bool store(uint64_t gpa, uint64_t value)
{
	return store_at(gpa, value, RIP);
}

static uint32_t shown(uint64_t gpa)
{
	uint32_t value;

	host_peek(WINDOW + gpa - TPM_BASE, &value, sizeof(value));
	return value;
}

static struct call partition_call(uint64_t id, uint64_t a)
{
	struct call call = { id, { a } };

	monitor_call(&call);
	return call;
}

/* ---- The window ---- */

/* The first one: another partition than the vTPM has none. */
static void another_has_no_window(void **state)
{
	struct host_access access;

	assert_int_equal(start("vtpm2", DATA_PAGES), LAUNCH_OK);
	assert_int_equal(tpm_partition(), 0);
	access = host_touch(START, ACCESS_WRITE);
	assert_false(access.faulted);
	assert_int_equal(access.spa, START);
	assert_int_equal(start("vtp", DATA_PAGES), LAUNCH_OK);
	assert_int_equal(tpm_partition(), 0);
	assert_int_equal(end(NULL), 0);
}

static void too_small_for_a_window(void **state)
{
	assert_int_equal(start("vtpm", TPM_PAGES - 1), LAUNCH_BAD_REGION);
	assert_int_equal(start("vtpm", TPM_PAGES), LAUNCH_OK);
}

static void the_window_shows_the_last_pages(void **state)
{
	for (uint64_t at = 0; at < TPM_PAGES * FRAME_SIZE; at += FRAME_SIZE / 2) {
		struct host_access read = host_touch(TPM_BASE + at, ACCESS_READ);

		assert_false(read.faulted);
		assert_int_equal(read.spa, WINDOW + at);
		assert_true(host_touch(TPM_BASE + at, ACCESS_FETCH).faulted);
		assert_false(host_touch(TPM_BASE + at, ACCESS_FETCH).store);
	}
	assert_false(host_touch(TPM_BUFFER, ACCESS_WRITE).faulted);
	assert_true(host_touch(TPM_BUFFER - 4, ACCESS_WRITE).store);
	assert_int_equal(host_touch(TPM_BASE - 1, ACCESS_WRITE).spa, TPM_BASE - 1);
	for (uint64_t at = TPM_BUFFER; at < WINDOW_END; at += FRAME_SIZE)
		assert_false(
		    host_touch(at, ACCESS_WRITE).faulted || host_touch(at, ACCESS_WRITE).store);
	assert_int_equal(host_touch(WINDOW_END, ACCESS_WRITE).spa, WINDOW_END);
	/* By their own address they are hidden as all of it. */
	assert_true(host_touch(WINDOW, ACCESS_WRITE).faulted);
	assert_true(host_touch(WINDOW + TPM_LOCALITIES * FRAME_SIZE, ACCESS_WRITE).faulted);
	/* What both reads and writes is the CPU's own, no instruction's store. */
	assert_false(host_touch(START, ACCESS_READ | ACCESS_WRITE).store);
}

static enum s2_type all_uncached(uint64_t at, uint64_t *until)
{
	*until = ~(uint64_t)(FRAME_SIZE - 1);
	return S2_UC;
}

/* MTRRs that change give it another type, and no other place. */
static void types_change_and_the_window_stays(void **state)
{
	host_set_types(all_uncached);
	monitor_retype();
	host_set_types(NULL);
	the_window_shows_the_last_pages(state);
}

/* ---- The platform's own TPM ---- */

static struct stage2_leaf device_page(uint64_t at)
{
	struct stage2 *map = partition_map(1);
	struct stage2_leaf leaf;

	spin_lock(map->lock);
	leaf = stage2_lookup(map, (gpa_t){ TRUSTLET_DEVICE_BASE + at });
	spin_unlock(map->lock);
	return leaf;
}

static int boot_bound(void **state)
{
	enum launch_status status;

	flags = BOOTINFO_PLATFORM_TPM;
	status = start("vtpm", DATA_PAGES);
	flags = 0;
	return status != LAUNCH_OK;
}

static void the_platforms_tpm_is_the_partitions(void **state)
{
	for (uint64_t at = 0; at < TPM_LOCALITIES * FRAME_SIZE; at += FRAME_SIZE) {
		struct stage2_leaf leaf = device_page(at);

		assert_true(leaf.present);
		assert_int_equal(leaf.shift, FRAME_SHIFT);
		assert_int_equal(leaf.spa.v, TPM_BASE + at);
		assert_int_equal(leaf.prot, S2_R | S2_W);
		assert_int_equal(leaf.type, S2_UC);
	}
	assert_false(device_page(TPM_LOCALITIES * FRAME_SIZE).present);
	assert_false(device_page(-FRAME_SIZE).present);
	assert_false(monitor_degraded() & REDOUBT_DEGRADED_VTPM_UNBOUND);
}

static void and_nobody_elses(void **state)
{
	uint64_t word;

	the_window_shows_the_last_pages(state);
	types_change_and_the_window_stays(state);
	for (uint64_t at = 0; at < TPM_LOCALITIES * FRAME_SIZE; at += FRAME_SIZE) {
		const struct guest_place place = { { FRAME_PARTITION, 1 },
			{ TRUSTLET_DEVICE_BASE + at } };

		/* Not even the monitor: a read may change it. */
		assert_false(monitor_guest_read((gpa_t){ TPM_BASE + at }, &word, sizeof(word)));
		assert_false(guest_read_in(&place, &word, sizeof(word)));
		assert_false(guest_write_in(&place, &word, sizeof(word)));
	}
}

static void without_one_there_is_nothing(void **state)
{
	for (uint64_t at = 0; at < TPM_LOCALITIES * FRAME_SIZE; at += FRAME_SIZE)
		assert_false(device_page(at).present);
	assert_true(monitor_degraded() & REDOUBT_DEGRADED_VTPM_UNBOUND);
}

static void another_partition_does_not_get_it(void **state)
{
	flags = BOOTINFO_PLATFORM_TPM;
	assert_int_equal(start("vtpm2", DATA_PAGES), LAUNCH_OK);
	flags = 0;
	assert_false(device_page(0).present);
	assert_int_equal(end(NULL), 0);
}

/* ---- Stores ---- */

static void a_store_is_a_request(void **state)
{
	assert_true(store(START, 0x12345));
	assert_int_equal(program.requests, 1);
	assert_int_equal(program.got[0], TPM_REQUEST_STORE);
	assert_int_equal(program.got[1], 0x4c);
	assert_int_equal(program.got[2], 0x12345);
	assert_int_equal(program.got[3], 4);
	/* The same once more is another. */
	assert_true(store(START, 0x12345));
	assert_int_equal(program.requests, 2);
	assert_int_equal(shown(START), 0);
}

static void a_suspended_one_is_gone_on_with(void **state)
{
	PLAN(INTERRUPT, INTERRUPT, ANSWER);
	assert_false(store(START, 1));
	host_on(1);
	assert_false(store(START, 1));
	host_on(0);
	assert_true(store(START, 1));
	assert_int_equal(program.requests, 1);
	assert_true(store(START, 1));
	assert_int_equal(program.requests, 2);
}

static void others_are_posted_meanwhile(void **state)
{
	PLAN(INTERRUPT, INTERRUPT, INTERRUPT, ANSWER);
	assert_false(store(START, 1));
	host_on(1);
	/* From another place, of another value, to another register. */
	assert_true(store_at(START, 1, RIP + 1));
	assert_int_equal(shown(START), 1);
	assert_true(store(CTRL + FRAME_SIZE, 0x77));
	assert_int_equal(shown(CTRL + FRAME_SIZE), 0x77);
	assert_int_equal(program.requests, 1);
	host_on(0);
	assert_true(store(START, 1));
	assert_int_equal(program.requests, 1);
	assert_true(store(CTRL, 2));
	assert_int_equal(program.requests, 2);
	assert_int_equal(shown(CTRL), 0);
}

/* They have a request of their own behind it: a Start that is posted would be forgotten. */
static void nothing_is_posted_meanwhile_but_a_command(void **state)
{
	PLAN(INTERRUPT, INTERRUPT, ANSWER);
	assert_false(store(CTRL, 1));
	host_on(1);
	assert_false(store(START, 1));
	assert_int_equal(shown(START), 0);
	assert_int_equal(program.requests, 1);
	assert_false(store(START, 1)); /* it has carried the other one to its end */
	assert_true(store(START, 1));
	assert_int_equal(program.requests, 2);
	host_on(0);
	assert_true(store(CTRL, 1));
	assert_int_equal(program.requests, 2);
	/* Of a register behind that one nothing is started. */
	PLAN(INTERRUPT, ANSWER);
	assert_false(store(START + 4, 1));
	host_on(1);
	assert_false(store(CTRL, 4));
	assert_int_equal(shown(CTRL), 0);
	host_on(0);
	assert_true(store(START + 4, 1));
	/* Both registers at once. */
	PLAN(INTERRUPT, INTERRUPT, ANSWER);
	assert_false(monitor_store(&(struct guest_store){ { START - 4 }, 1ull << 32, 8, RIP }));
	host_on(1);
	assert_true(store(CTRL, 2));
	assert_int_equal(shown(CTRL), 2);
	host_on(0);
	assert_true(monitor_store(&(struct guest_store){ { START - 4 }, 1ull << 32, 8, RIP }));
}

/* Its instruction comes back, and is not carried out a second time. */
static void another_store_carries_it_to_its_end(void **state)
{
	PLAN(INTERRUPT, ANSWER);
	assert_false(store(START, 1));
	host_on(1);
	assert_true(store(CTRL, 1));
	host_on(0);
	assert_true(store(START, 1));
	assert_int_equal(program.requests, 1);
	assert_true(store(START, 1));
	assert_int_equal(program.requests, 2);
}

static void who_never_comes_back_is_not_waited_for(void **state)
{
	PLAN(INTERRUPT, ANSWER, ANSWER);
	assert_false(store(START, 1));
	assert_true(store(CTRL, 1));
	assert_int_equal(program.requests, 1);
	assert_true(store(CTRL, 2));
	assert_int_equal(program.requests, 2);
	assert_int_equal(program.got[2], 2);
	/* If it does in the end, it is not carried out again, however many stores there were. */
	PLAN(INTERRUPT, ANSWER);
	assert_false(store(CTRL, 4));
	assert_true(store(CTRL, 4));
	assert_int_equal(program.requests, 3);
	assert_true(store(START, 1));
	assert_int_equal(program.requests, 3);
	assert_true(store(START, 1));
	assert_int_equal(program.requests, 4);
}

static void a_partition_that_is_busy_is_waited_for(void **state)
{
	struct call call;

	PLAN(INTERRUPT, ANSWER);
	call = partition_call(REDOUBT_CALL_partition_call, 1 | 5ull << 32);
	assert_int_equal(call.regs[0], REDOUBT_SUSPENDED);
	assert_false(store(START, 1));
	assert_false(store(CTRL, 1));
	assert_int_equal(shown(CTRL), 0);
	call = partition_call(REDOUBT_CALL_partition_resume, call.regs[1]);
	assert_int_equal(call.rax, REDOUBT_OK);
	assert_true(store(START, 1));
	assert_int_equal(program.requests, 2);
}

/* Nobody came in time, and another request has carried it to its end. */
static void a_token_that_is_none_any_more(void **state)
{
	struct call call;

	PLAN(INTERRUPT, ANSWER, ANSWER);
	assert_false(store(START, 1));
	host_set_cycles(cpu_cycles() + SUSPENSION_CYCLES * 2, 1);
	call = partition_call(REDOUBT_CALL_partition_call, 1 | 5ull << 32);
	assert_int_equal(call.rax, REDOUBT_OK);
	assert_int_equal(program.requests, 2);
	assert_true(store(START, 1));
	assert_int_equal(program.requests, 2);
}

/* ---- Its end ---- */

static void a_dead_one_swallows_stores(void **state)
{
	PLAN(FAULT);
	assert_true(store(START, 1));
	assert_int_equal(partition_state(1), PARTITION_CRASHED);
	assert_true(store(START, 1));
	assert_int_equal(program.requests, 1);
}

static void it_is_not_started_anew(void **state)
{
	PLAN(FAULT);
	assert_true(store(START, 1));
	assert_int_equal(partition_call(REDOUBT_CALL_partition_restart, 1).rax, REDOUBT_STATE);
	assert_int_equal(partition_state(1), PARTITION_CRASHED);
}

static void a_death_in_between_ends_the_store(void **state)
{
	PLAN(INTERRUPT, FAULT);
	assert_false(store(START, 1));
	assert_true(store(START, 1));
	assert_int_equal(partition_state(1), PARTITION_CRASHED);
}

static void what_is_posted_is_as_wide_as_its_store(void **state)
{
	for (unsigned bytes = 1; bytes <= 8; bytes *= 2) {
		const struct guest_store wide = { { CTRL }, UINT64_MAX, bytes, RIP };
		uint64_t found, want = bytes == 8 ? UINT64_MAX : (1ull << 8 * bytes) - 1;

		found = 0;
		host_poke(WINDOW + CTRL - TPM_BASE, &found, sizeof(found));
		PLAN(INTERRUPT, INTERRUPT, ANSWER);
		assert_false(store(START, 1));
		assert_true(monitor_store(&wide));
		host_peek(WINDOW + CTRL - TPM_BASE, &found, sizeof(found));
		assert_int_equal(found, want);
		assert_true(store(START, 1));
	}
}

/* A store over the end of a page changes nothing of the next. */
static void what_does_not_fit_is_not_posted(void **state)
{
	const struct guest_store wide = { { TPM_BASE + FRAME_SIZE - 4 }, UINT64_MAX, 8, RIP };

	PLAN(INTERRUPT, INTERRUPT, ANSWER);
	assert_false(store(START, 1));
	assert_true(monitor_store(&wide));
	assert_int_equal(shown(TPM_BASE + FRAME_SIZE - 4), 0);
	assert_int_equal(shown(TPM_BASE + FRAME_SIZE), 0);
	assert_true(store(START, 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, boot, end)

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(another_has_no_window),
	TEST(too_small_for_a_window),
	TEST(the_window_shows_the_last_pages),
	TEST(types_change_and_the_window_stays),
	cmocka_unit_test_setup_teardown(the_platforms_tpm_is_the_partitions, boot_bound, end),
	cmocka_unit_test_setup_teardown(and_nobody_elses, boot_bound, end),
	TEST(without_one_there_is_nothing),
	cmocka_unit_test(another_partition_does_not_get_it),
	TEST(a_store_is_a_request),
	TEST(a_suspended_one_is_gone_on_with),
	TEST(others_are_posted_meanwhile),
	TEST(nothing_is_posted_meanwhile_but_a_command),
	TEST(another_store_carries_it_to_its_end),
	TEST(who_never_comes_back_is_not_waited_for),
	TEST(a_partition_that_is_busy_is_waited_for),
	TEST(a_token_that_is_none_any_more),
	TEST(a_dead_one_swallows_stores),
	TEST(it_is_not_started_anew),
	TEST(a_death_in_between_ends_the_store),
	TEST(what_is_posted_is_as_wide_as_its_store),
	TEST(what_does_not_fit_is_not_posted),
};

UNIT_MAIN(tests)
