/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Partitions that the normal world offers: partition_create, partition_give, partition_end, and
 * what codeint does for them, image_read and partition_launch. A function plays codeint, which is
 * partition 1: each request makes it make one call.
 */
#include "arch/cpu.h"
#include "arch/host/host.h"
#include "arch/upcall.h"
#include "arch/vp.h"
#include "monitor/abi/image.h"
#include "monitor/call.h"
#include "monitor/lib/sha256.h"
#include "monitor/page_owner.h"
#include "monitor/partition.h"
#include "monitor/protect.h"
#include "monitor/share.h"
#include "monitor/test/invariant.h"
#include "tests/unit/unit.h"

#define CODEINT_IMAGE 0x200000ull
#define CODEINT_DATA  0x280000ull
#define LIST	      0x300000ull
#define OFFERED	      0x400000ull /* frames of the normal world's */
#define DATA(what)    ((uint64_t)REDOUBT_GIVE_##what << 32)

static struct call wanted, got;
static bool asked, at_start, other_ran;

static struct host_exit play(const struct vp_start *start, struct call *call, uint64_t cycles)
{
	if (start->partition != 1) {
		other_ran = true;
		*call = (struct call){ REDOUBT_CALL_next_request, { 0 } };
		return (struct host_exit){ .stop = VP_CALLED };
	}
	if (!at_start && !asked) {
		*call = wanted;
		asked = true;
	} else {
		if (asked)
			got = *call;
		asked = at_start = false;
		*call = (struct call){ REDOUBT_CALL_next_request, { 0 } };
	}
	return (struct host_exit){ .stop = VP_CALLED };
}

static int boot_as(const char *id)
{
	static const uint8_t pages[3 * FRAME_SIZE];
	struct host_machine machine = host_default();
	struct bootinfo_partition *p;
	struct sha256 hash;

	host_build(&machine);
	p = &host_info()->partitions[0];
	*p = (struct bootinfo_partition){ .image_base = CODEINT_IMAGE,
		.data_base = CODEINT_DATA,
		.text_pages = 1,
		.rodata_pages = 1,
		.data_pages = 4,
		.svn = 1 };
	memcpy(p->id, id, strlen(id));
	sha256_start(&hash);
	sha256_add(&hash, pages, sizeof(pages));
	sha256_end(&hash, p->measurement);
	at_start = true;
	asked = other_ran = false;
	host_set_program(play);
	return !bootinfo_valid(host_info()) || monitor_init(host_info()) != LAUNCH_OK;
}

static int boot(void **state)
{
	return boot_as("codeint");
}

static struct call make(uint64_t id, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct call call = { id, { a, b, c, d } };

	monitor_call(&call);
	return call;
}

static struct call by_codeint(uint64_t id, uint64_t a, uint64_t b, uint64_t c)
{
	wanted = (struct call){ id, { a, b, c } };
	got = (struct call){ ~0ull, { 0 } };
	while (got.rax == ~0ull)
		assert_int_equal(make(REDOUBT_CALL_partition_call, 1, 0, 0, 0).rax, REDOUBT_OK);
	return got;
}

static uint64_t created(void)
{
	struct call call = make(REDOUBT_CALL_partition_create, 0, 0, 0, 0);

	assert_int_equal(call.rax, REDOUBT_OK);
	assert_int_equal(partition_state((unsigned)call.regs[0]), PARTITION_BUILDING);
	return call.regs[0];
}

/* Gives `count` frames from OFFERED + `from` pages on. */
static uint64_t give(uint64_t target, unsigned from, unsigned count, uint64_t page)
{
	uint64_t list[512];

	for (unsigned i = 0; i < 512; i++)
		list[i] = OFFERED + (from + i) * FRAME_SIZE;
	host_poke(LIST, list, sizeof(list));
	return make(REDOUBT_CALL_partition_give, target, LIST, count, page).rax;
}

static uint64_t end_of(uint64_t id)
{
	uint64_t status;
	unsigned calls = 0;

	do {
		assert_in_range(++calls, 1, 100);
		status = make(REDOUBT_CALL_partition_end, id, 0, 0, 0).rax;
	} while (status == REDOUBT_BUSY);
	return status;
}

/* Sound, and nothing is left for the next machine. */
static int end(void **state)
{
	uint64_t stale;
	bool sound = invariant_walk().broken == NOTHING_BROKEN && host_coherent(&stale) &&
	    !spin_held(monitor_normal_stage2()->lock);

	for (uint64_t id = 2; id <= PARTITIONS; id++)
		if (partition_state((unsigned)id) != PARTITION_FREE)
			end_of(id);
	return !sound;
}

static void expect_at(uint64_t id, uint64_t gpa, uint64_t spa, unsigned prot)
{
	struct stage2_leaf leaf;

	spin_lock(monitor_normal_stage2()->lock);
	leaf = stage2_lookup(partition_map((unsigned)id), (gpa_t){ gpa });
	spin_unlock(monitor_normal_stage2()->lock);
	assert_true(leaf.present);
	assert_int_equal(leaf.spa.v, spa);
	assert_int_equal(leaf.prot, prot);
}

static uint8_t byte_of(uint64_t spa)
{
	uint8_t byte;

	host_peek(spa, &byte, 1);
	return byte;
}

/* ---- The normal world's calls ---- */

void test_call_partition_create(void **state);
void test_call_partition_create(void **state)
{
	for (unsigned i = 2; i <= PARTITIONS; i++)
		assert_int_equal(created(), i);
	assert_int_equal(make(REDOUBT_CALL_partition_create, 0, 0, 0, 0).rax, REDOUBT_NO_RESOURCE);
	assert_int_equal(end_of(7), REDOUBT_OK);
	assert_int_equal(created(), 7);
}

void test_call_partition_give(void **state);
void test_call_partition_give(void **state)
{
	static const uint64_t bytes = 0x5a5a5a5a5a5a5a5aull;
	uint64_t id = created();

	host_poke(OFFERED, &bytes, 8);
	host_poke(OFFERED + 3 * FRAME_SIZE, &bytes, 8);
	host_poke(OFFERED + 6 * FRAME_SIZE, &bytes, 8);
	assert_int_equal(give(id | DATA(DATA), 0, 3, 5), REDOUBT_OK);
	assert_int_equal(give(id | DATA(IMAGE), 3, 3, 0), REDOUBT_OK);
	assert_int_equal(give(id | DATA(SHARED), 6, 1, 9), REDOUBT_OK);
	expect_at(id, TRUSTLET_DATA_BASE + 5 * FRAME_SIZE, OFFERED, S2_R | S2_W);
	expect_at(id, TRUSTLET_IMAGE_BASE, OFFERED + 3 * FRAME_SIZE, S2_R);
	expect_at(id, TRUSTLET_SHARED_BASE + 9 * FRAME_SIZE, OFFERED + 6 * FRAME_SIZE, S2_R | S2_W);
	assert_int_equal(byte_of(OFFERED), 0);
	assert_int_equal(byte_of(OFFERED + 3 * FRAME_SIZE), 0x5a);
	assert_true(host_touch(OFFERED, ACCESS_WRITE).faulted);
	assert_true(host_touch(OFFERED + 3 * FRAME_SIZE, ACCESS_WRITE).faulted);
	assert_false(host_touch(OFFERED + 6 * FRAME_SIZE, ACCESS_WRITE).faulted);
	assert_int_equal(end_of(id), REDOUBT_OK);
	assert_int_equal(byte_of(OFFERED + 3 * FRAME_SIZE), 0);
	assert_int_equal(byte_of(OFFERED + 6 * FRAME_SIZE), 0x5a);
	assert_false(host_touch(OFFERED, ACCESS_WRITE).faulted);
}

static void what_cannot_be_given_is_not(void **state)
{
	uint64_t id = created();
	uint64_t region = host_info()->region_base;

	assert_int_equal(give(id | 3ull << 32, 0, 1, 0), REDOUBT_INVALID | 1 << 16);
	assert_int_equal(give(id | ~0ull << 32, 0, 1, 0), REDOUBT_INVALID | 1 << 16);
	assert_int_equal(make(REDOUBT_CALL_partition_give, id, LIST + 8, 1, 0).rax,
	    REDOUBT_ALIGNMENT | 2 << 16);
	assert_int_equal(make(REDOUBT_CALL_partition_give, id, region, 1, 0).rax, REDOUBT_RANGE);
	assert_int_equal(make(REDOUBT_CALL_partition_give, id, ~0xfffull, 1, 0).rax, REDOUBT_RANGE);
	assert_int_equal(give(id, 0, 0, 0), REDOUBT_RANGE);
	assert_int_equal(give(id, 0, 513, 0), REDOUBT_RANGE);
	/* The image's window ends where private memory begins, that where the shared one does. */
	assert_int_equal(give(id | DATA(IMAGE), 0, 2, 0x3fdff), REDOUBT_RANGE | 4 << 16);
	assert_int_equal(give(id | DATA(DATA), 0, 2, 0x3ffff), REDOUBT_RANGE | 4 << 16);
	assert_int_equal(give(id | DATA(SHARED), 0, 2, 0x3ffff), REDOUBT_RANGE | 4 << 16);
	assert_int_equal(give(id | DATA(DATA), 0, 1, ~0ull), REDOUBT_RANGE | 4 << 16);
	assert_int_equal(give(0, 0, 1, 0), REDOUBT_STATE);
	assert_int_equal(give(1, 0, 1, 8), REDOUBT_STATE); /* it runs */
	assert_int_equal(give(id + 1, 0, 1, 0), REDOUBT_STATE);
	assert_int_equal(give(PARTITIONS + 1, 0, 1, 0), REDOUBT_STATE);
	assert_int_equal(give(UINT32_MAX, 0, 1, 0), REDOUBT_STATE);
	assert_int_equal(give(id, 0, 4, 0), REDOUBT_OK);
	assert_int_equal(give(id, 2, 4, 8), REDOUBT_RANGE); /* two are its own already */
	assert_int_equal(give(id, 8, 4, 3), REDOUBT_BUSY);
	assert_int_equal(frame_state((spa_t){ OFFERED + 4 * FRAME_SIZE }), FRAME_NORMAL);
	assert_int_equal(frame_state((spa_t){ OFFERED + 8 * FRAME_SIZE }), FRAME_NORMAL);
	assert_int_equal(end_of(id), REDOUBT_OK);
}

static void what_runs_is_given_shared_memory_alone(void **state)
{
	assert_int_equal(give(1 | DATA(SHARED), 0, 2, 0), REDOUBT_OK);
	expect_at(1, TRUSTLET_SHARED_BASE, OFFERED, S2_R | S2_W);
	assert_int_equal(give(1 | DATA(IMAGE), 4, 1, 99), REDOUBT_STATE);
	assert_int_equal(give(1 | DATA(DATA), 4, 1, 99), REDOUBT_STATE);
}

void test_call_partition_end(void **state);
void test_call_partition_end(void **state)
{
	uint64_t id = created();

	assert_int_equal(end_of(0), REDOUBT_STATE);
	assert_int_equal(end_of(1), REDOUBT_STATE); /* the loader's */
	assert_int_equal(end_of(PARTITIONS + 1), REDOUBT_STATE);
	assert_int_equal(end_of(~0ull), REDOUBT_STATE);
	assert_int_equal(end_of(1ull << 32 | id), REDOUBT_STATE);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(give(id, i * 3, 3, i * 10), REDOUBT_OK);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(make(REDOUBT_CALL_partition_end, id, 0, 0, 0).rax, REDOUBT_BUSY);
	assert_int_equal(make(REDOUBT_CALL_partition_end, id, 0, 0, 0).rax, REDOUBT_OK);
	assert_int_equal(make(REDOUBT_CALL_partition_end, id, 0, 0, 0).rax, REDOUBT_STATE);
}

/* ---- codeint's ---- */

/* A partition with an image of 5 pages, each full of its number, and one page behind it. */
static uint64_t offered(void)
{
	uint64_t id = created();
	uint8_t page[FRAME_SIZE];

	for (unsigned i = 0; i < 6; i++) {
		memset(page, 0x10 + (int)i, sizeof(page));
		host_poke(OFFERED + i * FRAME_SIZE, page, sizeof(page));
	}
	assert_int_equal(give(id | DATA(IMAGE), 0, 6, 0), REDOUBT_OK);
	assert_int_equal(give(id | DATA(DATA), 16, 4, 0), REDOUBT_OK);
	return id;
}

void test_call_image_read(void **state);
void test_call_image_read(void **state)
{
	uint64_t id = offered(), to = TRUSTLET_DATA_BASE + 0x400;

	assert_int_equal(by_codeint(REDOUBT_CALL_image_read, id, 1, to).rax,
	    REDOUBT_ALIGNMENT | 2 << 16);
	assert_int_equal(by_codeint(REDOUBT_CALL_image_read, id, 0, to + 1).rax,
	    REDOUBT_ALIGNMENT | 3 << 16);
	assert_int_equal(partition_state((unsigned)id), PARTITION_BUILDING);
	assert_int_equal(by_codeint(REDOUBT_CALL_image_read, id, 0x2c00, to).rax, REDOUBT_OK);
	assert_int_equal(byte_of(CODEINT_DATA + 0x400), 0x12);
	assert_int_equal(byte_of(CODEINT_DATA + 0x7ff), 0x12);
	assert_int_equal(byte_of(CODEINT_DATA + 0x800), 0);
	assert_int_equal(byte_of(CODEINT_DATA + 0x3ff), 0);
	/* Frozen: nothing is given any more. */
	assert_int_equal(partition_state((unsigned)id), PARTITION_JUDGED);
	assert_int_equal(give(id | DATA(IMAGE), 8, 1, 6), REDOUBT_STATE);
	assert_int_equal(give(id | DATA(SHARED), 8, 1, 6), REDOUBT_STATE);
	assert_int_equal(by_codeint(REDOUBT_CALL_image_read, id, 6 * FRAME_SIZE, to).rax,
	    REDOUBT_RANGE | 2 << 16);
	/* Private memory is none of the image. */
	assert_int_equal(by_codeint(REDOUBT_CALL_image_read, id,
			     TRUSTLET_DATA_BASE - TRUSTLET_IMAGE_BASE, to)
			     .rax,
	    REDOUBT_RANGE | 2 << 16);
	assert_int_equal(by_codeint(REDOUBT_CALL_image_read, id, ~0x3ffull, to).rax,
	    REDOUBT_RANGE | 2 << 16);
	assert_int_equal(by_codeint(REDOUBT_CALL_image_read, id, 0, TRUSTLET_IMAGE_BASE).rax,
	    REDOUBT_RANGE | 3 << 16);
	assert_int_equal(by_codeint(REDOUBT_CALL_image_read, id, 0, 0).rax,
	    REDOUBT_RANGE | 3 << 16);
	assert_int_equal(by_codeint(REDOUBT_CALL_image_read, 1, 0, to).rax, REDOUBT_STATE);
	assert_int_equal(by_codeint(REDOUBT_CALL_image_read, 0, 0, to).rax, REDOUBT_STATE);
	assert_int_equal(by_codeint(REDOUBT_CALL_image_read, id + 1, 0, to).rax, REDOUBT_STATE);
	assert_int_equal(by_codeint(REDOUBT_CALL_image_read, 1ull << 32 | id, 0, to).rax,
	    REDOUBT_STATE);
	assert_int_equal(make(REDOUBT_CALL_image_read, id, 0, to, 0).rax, REDOUBT_DENIED);
}

static uint64_t launch(uint64_t id, uint32_t text_pages)
{
	struct bootinfo_partition is = { .text_pages = text_pages,
		.rodata_pages = 2,
		.data_pages = 4,
		.svn = 3,
		.id = "offered",
		.measurement = { 1 },
		.signer = { 2 } };

	host_poke(CODEINT_DATA + 0x800, &is, sizeof(is));
	return by_codeint(REDOUBT_CALL_partition_launch, id, TRUSTLET_DATA_BASE + 0x800, 0).rax;
}

void test_call_partition_launch(void **state);
void test_call_partition_launch(void **state)
{
	uint64_t id = offered();
	struct call call;

	assert_int_equal(launch(id, 2), REDOUBT_STATE); /* not read */
	assert_int_equal(by_codeint(REDOUBT_CALL_image_read, id, 0, TRUSTLET_DATA_BASE).rax,
	    REDOUBT_OK);
	assert_int_equal(make(REDOUBT_CALL_partition_launch, id, 0, 0, 0).rax, REDOUBT_DENIED);
	assert_int_equal(launch(id, 6), REDOUBT_STATE); /* more text than there is */
	assert_int_equal(launch(id, ~0u), REDOUBT_STATE);
	assert_int_equal(launch(0, 2), REDOUBT_STATE);
	assert_int_equal(launch(1ull << 32 | id, 2), REDOUBT_STATE);
	assert_int_equal(by_codeint(REDOUBT_CALL_partition_launch, id, 0, 0).rax,
	    REDOUBT_RANGE | 2 << 16);
	assert_int_equal(make(REDOUBT_CALL_partition_call, id, 0, 0, 0).rax, REDOUBT_STATE);
	assert_int_equal(launch(id, 2), REDOUBT_OK);
	assert_int_equal(launch(id, 2), REDOUBT_STATE);
	expect_at(id, TRUSTLET_IMAGE_BASE, OFFERED, S2_R);
	expect_at(id, TRUSTLET_IMAGE_BASE + FRAME_SIZE, OFFERED + FRAME_SIZE, S2_R | S2_X);
	expect_at(id, TRUSTLET_IMAGE_BASE + 2 * FRAME_SIZE, OFFERED + 2 * FRAME_SIZE, S2_R | S2_X);
	expect_at(id, TRUSTLET_IMAGE_BASE + 3 * FRAME_SIZE, OFFERED + 3 * FRAME_SIZE, S2_R);
	call = make(REDOUBT_CALL_partition_info, id, REDOUBT_INFO_ID, 0, 0);
	assert_memory_equal(call.regs, "offered\0\0", 9);
	assert_int_equal(make(REDOUBT_CALL_partition_call, id, 0, 0, 0).rax, REDOUBT_OK);
	assert_true(other_ran);
	assert_int_equal(end_of(id), REDOUBT_OK);
	assert_int_equal(byte_of(OFFERED + FRAME_SIZE), 0);
	/* The next one of that number is another one: nothing of this one's counts for it. */
	assert_int_equal(created(), id);
	assert_int_equal(launch(id, 0), REDOUBT_STATE);
	assert_int_equal(make(REDOUBT_CALL_partition_call, id, 0, 0, 0).rax, REDOUBT_STATE);
}

/* What was read is what runs: another one in its place is to be read anew. */
static void one_that_was_swapped_is_not_launched(void **state)
{
	uint64_t id = offered();

	by_codeint(REDOUBT_CALL_image_read, id, 0, TRUSTLET_DATA_BASE);
	assert_int_equal(end_of(id), REDOUBT_OK);
	assert_int_equal(offered(), id);
	assert_int_equal(launch(id, 2), REDOUBT_STATE);
	assert_int_equal(end_of(id), REDOUBT_OK);
}

/* The rights are of the partition that the loader placed under that name. */
static void another_partition_is_not_codeint(void **state)
{
	static const char *const ids[] = { "codein", "codeintx", "code", "sample" };

	for (unsigned i = 0; i < COUNT(ids); i++) {
		uint64_t id;

		assert_int_equal(boot_as(ids[i]), 0);
		id = offered();
		assert_int_equal(by_codeint(REDOUBT_CALL_image_read, id, 0, TRUSTLET_DATA_BASE).rax,
		    REDOUBT_DENIED);
		assert_int_equal(launch(id, 2), REDOUBT_DENIED);
		assert_int_equal(end_of(id), REDOUBT_OK);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, boot, end)

static const struct CMUnitTest tests[] = {
	TEST(test_call_partition_create),
	TEST(test_call_partition_give),
	TEST(what_cannot_be_given_is_not),
	TEST(what_runs_is_given_shared_memory_alone),
	TEST(test_call_partition_end),
	TEST(test_call_image_read),
	TEST(test_call_partition_launch),
	TEST(one_that_was_swapped_is_not_launched),
	TEST(another_partition_is_not_codeint),
};

UNIT_MAIN(tests)
