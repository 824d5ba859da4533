/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * vtpm/ptpm/crb.c above a CRB made after PTP 1.05, 6.5.3, which takes nothing that the profile does
 * not allow; and above hostile ones.
 */
#include "tests/unit/unit.h"
#include "tests/unit/vtpm/ptpm_rt.h"
#include "vtpm/ptpm/mmio.h"
#include "vtpm/ptpm/ptpm.h"

#define LOC_STATE 0x00u
#define LOC_CTRL  0x08u
#define LOC_STS	  0x0cu
#define INTF_ID	  0x30u
#define REQ	  0x40u
#define STS	  0x44u
#define CANCEL	  0x48u
#define START	  0x4cu
#define INT	  0x50u
#define CMD_SIZE  0x58u
#define CMD_LOW	  0x5cu
#define CMD_HIGH  0x60u
#define RSP_SIZE  0x64u
#define RSP_LOW	  0x68u
#define RSP_HIGH  0x6cu
#define BUFFER	  0x80u
#define PAGES	  (5u * 4096)
#define BASE	  0xfed40000u
#define MOST	  0xf80u
#define LIMIT	  60000000000ull

enum state { IDLE, READY, RECEPTION, EXECUTION, COMPLETION };

static struct ptpm ptpm;
static uint8_t registers[PAGES], response[MOST + 100];
static const uint8_t command[] = { 0x80, 1, 0, 0, 0, 14, 0, 0, 1, 0x7b, 1, 2, 3, 4 };

static struct {
	bool active;
	enum state state;
	uint8_t memory[PAGES], gives[MOST];
	size_t length;
	uint32_t id, interrupts;
	uint32_t cmd_size, rsp_size;
	uint64_t cmd, rsp;
	unsigned delay, left; /* looks at a register until something is done */
	uint32_t request;
	unsigned commands, cancelled, requests;
	uint32_t error;
	/* What is wrong with it. */
	bool absent, ones, no_locality, not_valid, not_granted, no_idle, no_ready, never_done,
	    no_cancel, request_stays;
	uint8_t other; /* locality that is the active one */
} tpm;

/* ---- The interface ---- */

static bool later(void)
{
	return tpm.left > 0 && tpm.left-- > 0;
}

static void finish(void)
{
	tpm.state = COMPLETION;
	tpm.commands++;
	if (tpm.rsp >= BASE && tpm.rsp - BASE + tpm.length <= PAGES)
		memcpy(tpm.memory + (tpm.rsp - BASE), tpm.gives, tpm.length);
}

static uint32_t started(void)
{
	if (tpm.state == EXECUTION && !tpm.never_done && !later())
		finish();
	return tpm.state == EXECUTION;
}

static uint32_t requested(void)
{
	if (tpm.request == 0 || later() || tpm.request_stays)
		return tpm.request;
	if (tpm.request == 1 && !tpm.no_ready)
		tpm.state = READY;
	if (tpm.request == 2 && !tpm.no_idle)
		tpm.state = IDLE;
	return tpm.request = 0;
}

static uint32_t control(uint32_t at)
{
	switch (at) {
	case REQ:
		return requested();
	case STS:
		return (tpm.state == IDLE ? 2u : 0) | tpm.error;
	case START:
		return started();
	case CMD_SIZE:
		return tpm.cmd_size;
	case CMD_LOW:
		return (uint32_t)tpm.cmd;
	case CMD_HIGH:
		return (uint32_t)(tpm.cmd >> 32);
	case RSP_SIZE:
		return tpm.rsp_size;
	case RSP_LOW:
		return (uint32_t)tpm.rsp;
	case RSP_HIGH:
		return (uint32_t)(tpm.rsp >> 32);
	default:
		fail_msg("%x is read", at);
		return 0;
	}
}

static uint32_t offset(const volatile uint8_t *at)
{
	assert_true(at >= registers && at < registers + PAGES);
	return (uint32_t)(at - registers);
}

uint32_t mmio_read32(const volatile uint8_t *at)
{
	if (tpm.absent)
		return UINT32_MAX;
	switch (offset(at)) {
	case LOC_STATE:
		return tpm.not_valid ? 0 : 0x81u | (tpm.active ? 2u : 0) | tpm.other << 2;
	case LOC_STS:
		return tpm.active && !tpm.not_granted;
	case INTF_ID:
		return tpm.id;
	default:
		return tpm.active && !tpm.ones ? control(offset(at)) : UINT32_MAX;
	}
}

/* Within the buffers, when they may be looked at. */
static bool inside(uint32_t at, uint64_t buffer, uint32_t size)
{
	return at >= buffer - BASE && at - (buffer - BASE) < size;
}

uint8_t mmio_read8(const volatile uint8_t *at)
{
	if (tpm.absent)
		return 0xff;
	if (offset(at) == LOC_STATE)
		return (uint8_t)mmio_read32(at);
	assert_true(tpm.active);
	assert_int_equal(tpm.state, COMPLETION);
	assert_true(inside(offset(at), tpm.rsp, tpm.rsp_size));
	return tpm.memory[offset(at)];
}

void mmio_write8(volatile uint8_t *at, uint8_t value)
{
	assert_true(tpm.active);
	assert_true(tpm.state == READY || tpm.state == RECEPTION);
	assert_true(inside(offset(at), tpm.cmd, tpm.cmd_size));
	tpm.state = RECEPTION;
	tpm.memory[offset(at)] = value;
}

static void set_control(uint32_t at, uint32_t value)
{
	if (at == REQ) {
		assert_true(value == 1 || value == 2);
		assert_int_equal(tpm.request, 0);
		assert_int_not_equal(tpm.state, EXECUTION);
		assert_false(value == 2 && tpm.state == IDLE);
		tpm.request = value;
		tpm.left = tpm.delay;
		tpm.requests++;
	} else if (at == CANCEL) {
		if (value && !tpm.no_cancel && tpm.state == EXECUTION) {
			tpm.cancelled++;
			tpm.state = COMPLETION;
		}
	} else if (at == START) {
		assert_int_equal(value, 1);
		assert_int_equal(tpm.state, RECEPTION);
		tpm.state = EXECUTION;
		tpm.left = tpm.delay;
	} else {
		assert_int_equal(at, INT);
		tpm.interrupts = value;
	}
}

void mmio_write32(volatile uint8_t *at, uint32_t value)
{
	if (offset(at) != LOC_CTRL) {
		assert_true(tpm.active || tpm.absent);
		if (!tpm.ones && !tpm.absent)
			set_control(offset(at), value);
	} else if (value == 1) {
		tpm.active = !tpm.no_locality;
	} else {
		assert_int_equal(value, 2);
		tpm.active = false;
	}
}

/* ---- Set-up ---- */

static void answer_with(size_t length)
{
	tpm.length = length;
	for (size_t i = 0; i < length; i++)
		tpm.gives[i] = (uint8_t)(7 * i + 1);
	memcpy(tpm.gives, "\x80\x01\0\0", 4);
	tpm.gives[4] = (uint8_t)(length >> 8);
	tpm.gives[5] = (uint8_t)length;
}

static int setup(void **state)
{
	memset(&tpm, 0, sizeof(tpm));
	ptpm_clock = (struct ptpm_clock){ .step = 100000 };
	tpm.id = 0xa001;
	tpm.cmd = tpm.rsp = BASE + BUFFER;
	tpm.cmd_size = tpm.rsp_size = MOST;
	tpm.delay = 3;
	tpm.interrupts = UINT32_MAX;
	answer_with(20);
	return 0;
}

static int opened(void **state)
{
	setup(state);
	assert_true(ptpm_open(&ptpm, registers));
	assert_string_equal(ptpm_interface(&ptpm), "CRB");
	assert_int_equal(tpm.state, IDLE);
	assert_int_equal(tpm.interrupts, 0);
	assert_false(tpm.active);
	return 0;
}

static size_t ask(void)
{
	return ptpm_command(&ptpm, command, sizeof(command), response, sizeof(response));
}

static void works(void)
{
	assert_int_equal(ask(), tpm.length);
	assert_memory_equal(response, tpm.gives, tpm.length);
	if (tpm.cmd != tpm.rsp)
		assert_memory_equal(tpm.memory + (tpm.cmd - BASE), command, sizeof(command));
	assert_false(tpm.active);
	assert_int_equal(tpm.state, IDLE);
}

static void fails(const char *reason)
{
	uint64_t since = ptpm_clock.now;

	assert_int_equal(ask(), 0);
	assert_non_null(ptpm.reason);
	assert_string_equal(ptpm.reason, reason);
	assert_true(ptpm_clock.now - since < LIMIT);
	assert_false(tpm.active);
}

static void does_not_open(const char *reason)
{
	assert_false(ptpm_open(&ptpm, registers));
	assert_string_equal(ptpm.reason, reason);
	assert_true(ptpm_clock.now < LIMIT);
	assert_string_equal(ptpm_interface(&ptpm), "none");
	assert_int_equal(ask(), 0);
	assert_int_equal(tpm.commands, 0);
}

/* ---- What should be ---- */

static void test_command(void **state)
{
	tpm.rsp = BASE + 0x800;
	tpm.rsp_size = 0x800;
	assert_true(ptpm_open(&ptpm, registers));
	works();
	works();
	assert_int_equal(tpm.commands, 2);
}

static void test_lengths(void **state)
{
	for (size_t length = 10; length <= MOST; length = length * 2 + 1) {
		answer_with(length);
		works();
	}
	answer_with(MOST);
	works();
}

static void test_room(void **state)
{
	assert_int_equal(ptpm_command(&ptpm, command, sizeof(command), response, 20), 20);
	memset(response, 0x5a, sizeof(response));
	assert_int_equal(ptpm_command(&ptpm, command, sizeof(command), response, 19), 0);
	for (size_t i = 10; i < sizeof(response); i++)
		assert_int_equal(response[i], 0x5a);
}

/* A command, a response, a locality of firmware's. */
static void test_left_behind(void **state)
{
	for (unsigned was = IDLE; was <= COMPLETION; was++) {
		setup(NULL);
		tpm.active = true;
		tpm.state = was;
		tpm.left = 1000000;
		assert_true(ptpm_open(&ptpm, registers));
		assert_int_equal(tpm.cancelled, was == EXECUTION);
		assert_int_equal(tpm.commands, 0);
		works();
	}
}

static void test_places(void **state)
{
	const struct {
		uint64_t at;
		uint32_t size;
		bool good;
	} places[] = { { BASE + BUFFER, MOST, true }, { BASE + BUFFER, PAGES - BUFFER, true },
		{ BASE + 4 * 4096, 4096, true }, { BASE + PAGES - 10, 10, true },
		{ BASE + PAGES - 9, 9, false }, { BASE + PAGES - 10, 11, false },
		{ BASE + PAGES, 10, false }, { BASE + PAGES, 0, false },
		{ BASE + BUFFER, PAGES - BUFFER + 1, false }, { BASE + BUFFER - 1, MOST, false },
		{ BASE + BUFFER, 9, false }, { BASE + BUFFER, UINT32_MAX, false },
		{ 0, MOST, false }, { UINT64_MAX, MOST, false }, { UINT64_MAX, UINT32_MAX, false },
		{ BASE + BUFFER + (1ull << 32), MOST, false }, { 0x7a000000, 4096, false } };

	for (unsigned i = 0; i < 2 * COUNT(places); i++) {
		setup(NULL);
		*(i % 2 ? &tpm.cmd : &tpm.rsp) = places[i / 2].at;
		*(i % 2 ? &tpm.cmd_size : &tpm.rsp_size) = places[i / 2].size;
		if (!places[i / 2].good)
			does_not_open("its buffers are not in the pages of its registers");
		else
			assert_true(ptpm_open(&ptpm, registers));
	}
}

static void test_long_command(void **state)
{
	tpm.cmd_size = sizeof(command);
	assert_true(ptpm_open(&ptpm, registers));
	works();
	tpm.cmd_size--;
	assert_true(ptpm_open(&ptpm, registers));
	fails("the command is longer than its buffer");
}

/* ---- Hostile ---- */

static void test_absent(void **state)
{
	tpm.absent = true;
	does_not_open("nothing is there");
	assert_true(ptpm_clock.looks < 5);
}

static void test_gone(void **state)
{
	tpm.absent = true;
	fails("locality 0 is not granted");
	tpm.absent = false;
	tpm.ones = true;
	fails("a command of before does not end");
}

static void test_locality(void **state)
{
	bool *const wrong[] = { &tpm.no_locality, &tpm.not_valid, &tpm.not_granted };

	for (unsigned i = 0; i < COUNT(wrong); i++) {
		opened(NULL);
		*wrong[i] = true;
		fails("locality 0 is not granted");
		does_not_open(i == 1 ? "nothing is there" : "locality 0 is not granted");
	}
	opened(NULL);
	for (tpm.other = 1; tpm.other < 5; tpm.other++)
		fails("locality 0 is not granted");
}

static void test_requests(void **state)
{
	tpm.no_ready = true;
	fails("it does not become ready for a command");
	tpm.no_ready = false;
	works();
	tpm.request_stays = true;
	fails("it does not become ready for a command");
	opened(NULL);
	tpm.state = READY;
	tpm.no_idle = true;
	fails("it does not become idle");
}

static void test_never_done(void **state)
{
	tpm.never_done = true;
	fails("no response came in time");
	assert_int_equal(tpm.cancelled, 1);
	assert_int_equal(tpm.state, IDLE);
	tpm.never_done = false;
	works();
	tpm.never_done = tpm.no_cancel = true;
	fails("no response came in time");
	fails("a command of before does not end");
	tpm.no_cancel = false;
	tpm.never_done = false;
	works();
}

static void test_clock_stops(void **state)
{
	tpm.never_done = true;
	ptpm_clock.step = 0;
	fails("no response came in time");
	assert_true(ptpm_clock.looks > 1000000 && ptpm_clock.looks < 100000000);
}

static void test_error(void **state)
{
	tpm.error = 1;
	fails("it says that it has failed");
}

static void test_sizes(void **state)
{
	const uint32_t sizes[] = { 0, 9, MOST + 1, sizeof(response), sizeof(response) + 1, 0x10014,
		0x80000000, UINT32_MAX };

	for (unsigned i = 0; i < COUNT(sizes); i++) {
		for (unsigned k = 0; k < 4; k++)
			tpm.gives[2 + k] = (uint8_t)(sizes[i] >> 8 * (3 - k));
		fails("the response says that it has a size which it cannot have");
	}
	answer_with(20);
	works();
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(test_command, setup),
	cmocka_unit_test_setup(test_lengths, opened),
	cmocka_unit_test_setup(test_room, opened),
	cmocka_unit_test_setup(test_left_behind, setup),
	cmocka_unit_test_setup(test_places, setup),
	cmocka_unit_test_setup(test_long_command, setup),
	cmocka_unit_test_setup(test_absent, setup),
	cmocka_unit_test_setup(test_gone, opened),
	cmocka_unit_test_setup(test_locality, opened),
	cmocka_unit_test_setup(test_requests, opened),
	cmocka_unit_test_setup(test_never_done, opened),
	cmocka_unit_test_setup(test_clock_stops, opened),
	cmocka_unit_test_setup(test_error, opened),
	cmocka_unit_test_setup(test_sizes, opened),
};

UNIT_MAIN(tests)
