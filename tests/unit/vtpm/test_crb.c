/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * vtpm/crb.c: localities, states, commands, and what comes while a command is carried out.
 */
#include "tests/unit/unit.h"
#include "vtpm/crb.h"

/* Registers. TCG PC Client Platform TPM Profile 1.05, table 20. */
#define LOC_STATE 0x00u
#define LOC_CTRL  0x08u
#define LOC_STS	  0x0cu
#define INTF_ID	  0x30u
#define REQ	  0x40u
#define STS	  0x44u
#define CANCEL	  0x48u
#define START	  0x4cu
#define CMD_SIZE  0x58u
#define CMD_LOW	  0x5cu
#define CMD_HIGH  0x60u
#define RSP_SIZE  0x64u
#define RSP_LOW	  0x68u
#define RSP_HIGH  0x6cu

#define ASK	   1u
#define RELINQUISH 2u
#define SEIZE	   4u
#define ONES	   UINT32_MAX

static struct crb crb;
static _Alignas(CRB_PAGE) uint32_t window[TPM_PAGES][CRB_PAGE / 4];

/* The TPM behind it. */
static struct {
	unsigned commands, locality;
	uint8_t command[CRB_PAGE];
	size_t response_length;
	void (*meanwhile)(void);
	bool cancelled, holds;
} tpm;

static size_t carry_out(unsigned locality, const uint8_t command[CRB_PAGE],
    uint8_t response[CRB_PAGE], bool *held)
{
	*held = tpm.holds;
	tpm.commands++;
	tpm.locality = locality;
	memcpy(tpm.command, command, CRB_PAGE);
	if (tpm.meanwhile)
		tpm.meanwhile();
	assert_memory_equal(tpm.command, command, CRB_PAGE);
	tpm.cancelled = crb_cancelled(&crb);
	memset(response, 0x5a, tpm.response_length);
	return tpm.response_length;
}

static uint32_t *reg(unsigned locality, unsigned at)
{
	return &window[locality][at / 4];
}

static uint32_t get(unsigned locality, unsigned at)
{
	return *reg(locality, at);
}

static void set(unsigned locality, unsigned at, uint32_t value)
{
	crb_store(&crb, locality * CRB_PAGE + at, value, 4);
}

static int setup(void **state)
{
	memset(&tpm, 0, sizeof(tpm));
	memset(window, 0x77, sizeof(window));
	tpm.response_length = 10;
	crb_start(&crb, window, carry_out);
	return 0;
}

/* As a driver sees it: valid, and the active locality. */
static void expect_active(unsigned locality)
{
	uint32_t state = locality == CRB_NONE ? 0x80u : (0x82u | locality << 2);

	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(get(i, LOC_STATE), state);
		assert_int_equal(get(i, LOC_STS) & 1, i == locality);
	}
}

/* ---- What is there ---- */

static void test_start(void **state)
{
	expect_active(CRB_NONE);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(get(i, INTF_ID), 0xa5911);
		assert_int_equal(get(i, INTF_ID + 4), 0x1014);
		assert_int_equal(get(i, REQ), ONES);
		assert_int_equal(get(i, STS), ONES);
		assert_int_equal(get(i, RSP_HIGH), ONES);
	}
	for (unsigned i = 3; i < 5; i++)
		for (unsigned at = 0; at < CRB_PAGE; at += 4)
			assert_int_equal(get(i, at), ONES);
	assert_int_equal(tpm.commands, 0);
}

static void test_area(void **state)
{
	set(0, LOC_CTRL, ASK);
	expect_active(0);
	assert_int_equal(get(0, CMD_SIZE), 4096);
	assert_int_equal(get(0, RSP_SIZE), 4096);
	assert_int_equal(get(0, CMD_LOW), 0xfed45000);
	assert_int_equal(get(0, RSP_LOW), 0xfed45000);
	assert_int_equal(get(0, CMD_HIGH), 0);
	assert_int_equal(get(0, RSP_HIGH), 0);
	assert_int_equal(get(0, STS), 2);
	assert_int_equal(get(0, START), 0);
	assert_int_equal(get(1, STS), ONES);
	assert_int_equal(get(2, CMD_SIZE), ONES);
	assert_int_equal(get(0, 0x70), 0);
}

/* ---- Localities ---- */

static void test_localities(void **state)
{
	set(0, LOC_CTRL, ASK);
	set(2, LOC_CTRL, ASK);
	set(1, LOC_CTRL, ASK);
	expect_active(0);
	set(0, LOC_CTRL, RELINQUISH);
	expect_active(2);
	set(2, LOC_CTRL, RELINQUISH);
	expect_active(1);
	set(1, LOC_CTRL, RELINQUISH);
	expect_active(CRB_NONE);
	/* Who does not want it any more is not next. */
	set(0, LOC_CTRL, ASK);
	set(1, LOC_CTRL, ASK);
	set(1, LOC_CTRL, RELINQUISH);
	expect_active(0);
	set(0, LOC_CTRL, RELINQUISH);
	expect_active(CRB_NONE);
}

static void test_seize(void **state)
{
	set(1, LOC_CTRL, ASK);
	set(0, LOC_CTRL, SEIZE);
	set(1, LOC_CTRL, SEIZE);
	expect_active(1);
	set(2, LOC_CTRL, SEIZE);
	expect_active(2);
	assert_int_equal(get(1, LOC_STS), 2);
	assert_int_equal(get(0, LOC_STS), 0);
	set(2, LOC_CTRL, RELINQUISH);
	/* 0 did not ask, it tried to seize; 1 lost it. */
	expect_active(CRB_NONE);
	set(1, LOC_CTRL, ASK);
	assert_int_equal(get(1, LOC_STS), 1);
}

static void test_dynamic_launch_is_nobodys(void **state)
{
	for (unsigned locality = 3; locality < 5; locality++)
		for (uint32_t value = 1; value <= 8; value <<= 1) {
			set(locality, LOC_CTRL, value);
			expect_active(CRB_NONE);
			set(locality, REQ, 1);
			set(locality, START, 1);
		}
	set(2, LOC_CTRL, ASK);
	set(3, LOC_CTRL, SEIZE);
	set(4, LOC_CTRL, SEIZE);
	expect_active(2);
	assert_int_equal(get(3, LOC_STATE), ONES);
	assert_int_equal(get(4, LOC_STS), ONES);
	assert_int_equal(tpm.commands, 0);
}

/* ---- Commands ---- */

static void ready(unsigned locality)
{
	set(locality, LOC_CTRL, ASK);
	set(locality, REQ, 1);
	assert_int_equal(get(locality, STS), 0);
	assert_int_equal(get(locality, REQ), 0);
}

static void test_command(void **state)
{
	ready(1);
	memset(window[5], 0xc3, CRB_PAGE);
	tpm.response_length = 4096;
	set(1, START, 1);
	assert_int_equal(tpm.commands, 1);
	assert_int_equal(tpm.locality, 1);
	for (unsigned i = 0; i < CRB_PAGE; i++)
		assert_int_equal(tpm.command[i], 0xc3);
	for (unsigned i = 0; i < CRB_PAGE; i++)
		assert_int_equal(((uint8_t *)window[5])[i], 0x5a);
	assert_int_equal(get(1, START), 0);
	assert_int_equal(get(1, STS), 0);
	/* Nothing of it stays here. */
	for (unsigned i = 0; i < CRB_PAGE; i++)
		assert_int_equal(crb.command[i] | crb.response[i], 0);
}

/* As much as it says, and of what is short a line; nothing of one is left for the next. */
static void test_sizes(void **state)
{
	static const uint32_t sizes[] = { 4096, 4095, 0, 10, 64, 65, 100, 4097, UINT32_MAX, 11 };
	uint8_t *buffer = (uint8_t *)window[5];

	ready(0);
	for (unsigned i = 0; i < COUNT(sizes); i++) {
		uint32_t says = sizes[i];
		uint32_t taken = says > 4096 ? 4096 : says < 64 ? 64 : says;

		memset(buffer, 0xc3, CRB_PAGE);
		for (unsigned j = 0; j < 4; j++)
			buffer[2 + j] = (uint8_t)(says >> 8 * (3 - j));
		set(0, START, 1);
		assert_int_equal(tpm.commands, i + 1);
		for (unsigned at = 6; at < CRB_PAGE; at++)
			assert_int_equal(tpm.command[at], at < taken ? 0xc3 : 0);
		for (unsigned at = 0; at < CRB_PAGE; at++)
			assert_int_equal(crb.command[at] | crb.response[at], 0);
	}
}

static void test_short_response(void **state)
{
	ready(0);
	memset(window[5], 0xc3, CRB_PAGE);
	set(0, START, 1);
	assert_int_equal(((uint8_t *)window[5])[9], 0x5a);
	assert_int_equal(((uint8_t *)window[5])[10], 0xc3);
}

static void test_states(void **state)
{
	set(0, LOC_CTRL, ASK);
	set(0, START, 1);
	assert_int_equal(tpm.commands, 0);
	set(0, REQ, 1);
	set(0, REQ, 3);
	assert_int_equal(get(0, STS), 0);
	set(0, START, 2);
	set(0, START, 0);
	assert_int_equal(tpm.commands, 0);
	set(0, START, 1);
	set(0, START, 1);
	assert_int_equal(tpm.commands, 2);
	set(0, REQ, 2);
	assert_int_equal(get(0, STS), 2);
	set(0, START, 1);
	assert_int_equal(tpm.commands, 2);
	/* Whoever comes next finds it idle. */
	set(0, REQ, 1);
	set(0, LOC_CTRL, RELINQUISH);
	set(1, LOC_CTRL, ASK);
	assert_int_equal(get(1, STS), 2);
	set(1, START, 1);
	assert_int_equal(tpm.commands, 2);
}

static void test_others_control_nothing(void **state)
{
	ready(0);
	set(1, START, 1);
	set(2, REQ, 2);
	set(1, CANCEL, 1);
	assert_int_equal(tpm.commands, 0);
	assert_int_equal(get(0, STS), 0);
	assert_int_equal(get(0, CANCEL), 0);
}

/* ---- While a command is carried out ---- */

static void rewrite(void)
{
	memset(window[5], 0xee, CRB_PAGE);
	assert_int_equal(get(0, START), 1);
}

static void test_rewritten_buffer(void **state)
{
	ready(0);
	memset(window[5], 0x11, CRB_PAGE);
	tpm.meanwhile = rewrite;
	set(0, START, 1);
	assert_int_equal(tpm.command[77], 0x11);
	assert_int_equal(((uint8_t *)window[5])[9], 0x5a);
}

static void cancel(void)
{
	assert_false(crb_cancelled(&crb));
	*reg(1, CANCEL) = 1; /* not the active one's */
	assert_false(crb_cancelled(&crb));
	*reg(0, CANCEL) = 1;
}

static void test_cancel(void **state)
{
	ready(0);
	tpm.meanwhile = cancel;
	set(0, START, 1);
	assert_true(tpm.cancelled);
	/* It stays until it is taken back. */
	assert_int_equal(get(0, CANCEL), 1);
	assert_int_equal(get(1, CANCEL), ONES);
	tpm.meanwhile = NULL;
	set(0, START, 1);
	assert_true(tpm.cancelled);
	set(0, CANCEL, 0);
	set(0, START, 1);
	assert_false(tpm.cancelled);
}

static void storm(void)
{
	for (unsigned locality = 0; locality < 5; locality++)
		for (unsigned at = 0; at < 0x80; at += 4)
			*reg(locality, at) = at == LOC_CTRL || at == REQ ? 0 : 0xffff0001;
	*reg(2, LOC_CTRL) = ASK;
	*reg(0, REQ) = 2;
}

static void test_stores_meanwhile(void **state)
{
	ready(0);
	tpm.meanwhile = storm;
	set(0, START, 1);
	/* Once, though Start was written again; then idle, as asked; 2 waits. */
	assert_int_equal(tpm.commands, 1);
	assert_int_equal(get(0, STS), 2);
	expect_active(0);
	assert_int_equal(get(0, START), 0);
	assert_int_equal(get(0, INTF_ID), 0xa5911);
	assert_int_equal(get(0, CMD_LOW), 0xfed45000);
	assert_int_equal(get(4, LOC_STATE), ONES);
	set(0, LOC_CTRL, RELINQUISH);
	expect_active(2);
}

static void take_over(void)
{
	*reg(2, LOC_CTRL) = SEIZE;
}

static void test_seized_meanwhile(void **state)
{
	ready(0);
	tpm.meanwhile = take_over;
	set(0, START, 1);
	expect_active(2);
	assert_int_equal(get(0, LOC_STS), 2);
	assert_int_equal(get(2, STS), 2);
}

/* Its request was suspended before what it changed is shown. */
static void test_stores_during_no_command(void **state)
{
	ready(0);
	*reg(2, LOC_CTRL) = ASK;
	*reg(0, REQ) = 2;
	set(0, CANCEL, 1);
	assert_int_equal(get(0, STS), 2);
	assert_int_equal(get(0, CANCEL), 1);
	assert_int_equal(get(2, LOC_CTRL), 0);
	set(0, LOC_CTRL, RELINQUISH);
	expect_active(2);
}

/* ---- A response that is held ---- */

static void test_held(void **state)
{
	ready(1);
	memset(window[5], 0xc3, CRB_PAGE);
	tpm.holds = true;
	set(1, START, 1);
	assert_int_equal(tpm.commands, 1);
	assert_int_equal(get(1, START), 1);
	assert_int_equal(((uint8_t *)window[5])[0], 0xc3);
	for (unsigned i = 0; i < CRB_PAGE; i++)
		assert_int_equal(crb.command[i], 0);
	tpm.holds = false;
	crb_release(&crb);
	assert_int_equal(get(1, START), 0);
	assert_int_equal(((uint8_t *)window[5])[9], 0x5a);
	assert_int_equal(((uint8_t *)window[5])[10], 0xc3);
	for (unsigned i = 0; i < CRB_PAGE; i++)
		assert_int_equal(crb.response[i], 0);
	/* Once. */
	memset(window[5], 0xc3, CRB_PAGE);
	crb_release(&crb);
	assert_int_equal(((uint8_t *)window[5])[0], 0xc3);
	set(1, START, 1);
	assert_int_equal(tpm.commands, 2);
}

/* Nothing moves, and nothing is forgotten. */
static void test_stores_while_held(void **state)
{
	ready(0);
	tpm.holds = true;
	set(0, START, 1);
	for (uint64_t bytes = 1; bytes <= 8; bytes *= 2)
		crb_store(&crb, START, 1, bytes);
	set(0, START, 0);
	crb_store(&crb, CANCEL, 1ull << 32 | 1, 8);
	set(2, LOC_CTRL, SEIZE);
	set(0, REQ, 2);
	assert_int_equal(crb.active, 0);
	assert_int_equal(crb.state, CRB_HELD);
	assert_int_equal(tpm.commands, 1);
	crb_release(&crb);
	expect_active(2);
	assert_int_equal(get(0, LOC_STS), 2);
	assert_int_equal(((uint8_t *)window[5])[9], 0x5a);
	assert_int_equal(tpm.commands, 1);
}

static void test_driver_gives_up(void **state)
{
	ready(0);
	tpm.holds = true;
	set(0, START, 1);
	set(0, CANCEL, 1);
	set(0, REQ, 2);
	set(0, REQ, 1);
	assert_int_equal(get(0, REQ), 1); /* not ready yet */
	tpm.holds = false;
	crb_release(&crb);
	assert_int_equal(get(0, REQ), 0);
	assert_int_equal(get(0, STS), 0);
	set(0, CANCEL, 0);
	set(0, START, 1);
	assert_int_equal(tpm.commands, 2);
	assert_int_equal(get(0, START), 0);
}

/* ---- Stores of any kind ---- */

static void test_widths(void **state)
{
	crb_store(&crb, LOC_CTRL, 0xffffff01, 1);
	expect_active(0);
	crb_store(&crb, REQ, 0xffff0001, 2);
	assert_int_equal(get(0, STS), 0);
	/* CANCEL and START at once. */
	crb_store(&crb, CANCEL, 1ull << 32 | 1, 8);
	assert_int_equal(tpm.commands, 1);
	assert_true(tpm.cancelled);
	/* Not at a register's start. */
	crb_store(&crb, REQ + 1, 2, 1);
	crb_store(&crb, REQ + 2, 2, 2);
	assert_int_equal(get(0, STS), 0);
}

static void test_elsewhere(void **state)
{
	const uint64_t offsets[] = { 0x7c, 0x80, 0xffc, 0x2080, 5 * CRB_PAGE,
		6 * CRB_PAGE + LOC_CTRL, 1ull << 32, UINT64_MAX - 3 };

	ready(0);
	for (unsigned i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
		for (uint64_t bytes = 1; bytes <= 8; bytes *= 2)
			crb_store(&crb, offsets[i], UINT64_MAX, bytes);
	expect_active(0);
	assert_int_equal(tpm.commands, 0);
	assert_int_equal(get(0, STS), 0);
}

static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Whatever is stored: one active locality at most, and a command only from it when it is ready. */
static void test_random(void **state)
{
	static const unsigned registers[] = { LOC_CTRL, LOC_CTRL, REQ, REQ, CANCEL, START, START,
		STS, LOC_STATE, CMD_LOW, 0x39, 0x200 };
	uint64_t seed = 0x9e3779b97f4a7c15;

	for (unsigned i = 0; i < 200000; i++) {
		uint64_t r = next(&seed);
		unsigned before = tpm.commands, active;
		bool was_ready;
		uint64_t at;

		if ((r >> 56 & 3) == 0)
			crb_release(&crb);
		active = crb.active;
		was_ready = crb.state == CRB_READY || crb.state == CRB_DONE;
		at = r >> 20 & 1 && active != CRB_NONE ? active : r % 6;
		tpm.meanwhile = r >> 50 & 3 ? NULL : storm;
		tpm.holds = (r >> 54 & 3) == 0;
		crb_store(&crb, at * CRB_PAGE + registers[(r >> 8) % COUNT(registers)],
		    1u << (r >> 40 & 3), 1u << (r >> 60 & 3));
		assert_true(crb.active < 3 || crb.active == CRB_NONE);
		if (tpm.commands != before)
			assert_true(was_ready && tpm.locality == active);
		if (crb.state == CRB_HELD)
			continue;
		expect_active(crb.active);
		assert_int_equal(get(3, LOC_STATE), ONES);
	}
	assert_true(tpm.commands > 1000);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

static const struct CMUnitTest tests[] = {
	TEST(test_start),
	TEST(test_area),
	TEST(test_localities),
	TEST(test_seize),
	TEST(test_dynamic_launch_is_nobodys),
	TEST(test_command),
	TEST(test_sizes),
	TEST(test_short_response),
	TEST(test_states),
	TEST(test_others_control_nothing),
	TEST(test_rewritten_buffer),
	TEST(test_cancel),
	TEST(test_stores_meanwhile),
	TEST(test_seized_meanwhile),
	TEST(test_stores_during_no_command),
	TEST(test_held),
	TEST(test_stores_while_held),
	TEST(test_driver_gives_up),
	TEST(test_widths),
	TEST(test_elsewhere),
	TEST(test_random),
};

UNIT_MAIN(tests)
