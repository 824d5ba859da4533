/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * vtpm/ptpm/tis.c above a FIFO interface made after PTP 1.05, 6.5.2 (table 19 has its states),
 * which takes nothing that the profile does not allow; and above hostile ones.
 */
#include "tests/unit/unit.h"
#include "tests/unit/vtpm/ptpm_rt.h"
#include "vtpm/ptpm/mmio.h"
#include "vtpm/ptpm/ptpm.h"
#include "vtpm/ptpm/wait.h"

#define ACCESS	     0x00u
#define INT_ENABLE   0x08u
#define STS	     0x18u
#define FIFO	     0x24u
#define INTERFACE_ID 0x30u
#define MOST	     4096u
#define SECOND	     1000000000ull
#define LIMIT	     (60 * SECOND)

enum state { IDLE, READY, RECEPTION, EXECUTION, COMPLETION };

static struct ptpm ptpm;
static uint8_t registers[5 * 4096];
static uint8_t response[MOST];
static const uint8_t command[] = { 0x80, 1, 0, 0, 0, 14, 0, 0, 1, 0x7b, 1, 2, 3, 4 };

static struct {
	bool active;
	enum state state;
	uint32_t id, int_enable;
	uint8_t took[MOST], gives[MOST];
	size_t taken, given, length; /* length: of the response */
	unsigned burst, credit;	     /* bytes at once; that are left of them */
	unsigned delay, left;	     /* looks at STS until a command is done */
	unsigned commands, aborted, retries;
	size_t lost; /* the first time, bytes of the response are lost from here on */
	/* What is wrong with it. */
	uint32_t set, clear; /* bits of STS */
	bool absent, not_valid, no_locality, no_burst, never_ready, never_done, loses_always;
	bool hungry, sated;
	bool flickers; /* not an error: each second look is at what is not valid */
	unsigned looks;
} tpm;

/* ---- The interface ---- */

static size_t says(const uint8_t *bytes)
{
	return (size_t)bytes[2] << 24 | (size_t)bytes[3] << 16 | (size_t)bytes[4] << 8 | bytes[5];
}

static bool wants_more(void)
{
	if (tpm.hungry || tpm.sated)
		return tpm.hungry;
	return tpm.taken < 6 || tpm.taken < says(tpm.took);
}

static void answer(void)
{
	tpm.state = COMPLETION;
	tpm.given = 0;
	tpm.commands++;
}

/* Where the response ends, this time. */
static size_t end(void)
{
	return tpm.lost < tpm.length ? tpm.lost : tpm.length;
}

/* Of a response no more than there is. */
static unsigned burst(void)
{
	if (tpm.no_burst)
		return 0;
	if (tpm.state == COMPLETION && !(tpm.set & 0x10) && end() - tpm.given < tpm.burst)
		return (unsigned)(end() - tpm.given);
	return tpm.burst;
}

static uint32_t status(void)
{
	uint32_t value = 0x80;

	if (!tpm.active)
		return UINT32_MAX;
	if (tpm.state == EXECUTION && !tpm.never_done && tpm.left-- == 0)
		answer();
	tpm.credit = burst();
	if (tpm.state == READY)
		value |= 0x40;
	if (tpm.state == RECEPTION && wants_more())
		value |= 0x08;
	if (tpm.state == COMPLETION && tpm.given < end())
		value |= 0x10;
	if (tpm.flickers && tpm.looks++ % 2 == 0)
		return (value & ~0x80u) ^ 0x18;
	return (value | 1u << 26 | tpm.credit << 8 | tpm.set) & ~tpm.clear;
}

static void command_ready(void)
{
	if (tpm.state == EXECUTION)
		tpm.aborted++;
	if (tpm.state == IDLE && !tpm.never_ready)
		tpm.state = READY;
	else if (tpm.state != READY)
		tpm.state = IDLE;
	tpm.taken = 0;
}

static void set_status(uint8_t value)
{
	if (!tpm.active)
		return;
	switch (value) {
	case 0x40:
		command_ready();
		break;
	case 0x20:
		assert_int_equal(tpm.state, RECEPTION);
		tpm.state = EXECUTION;
		tpm.left = tpm.delay;
		break;
	case 0x02:
		assert_true(tpm.state == COMPLETION || tpm.set & 0x10);
		tpm.given = 0;
		tpm.retries++;
		if (!tpm.loses_always)
			tpm.lost = MOST;
		break;
	default:
		fail_msg("%x is written to STS", value);
	}
}

static void spend(void)
{
	assert_true(tpm.active);
	assert_true(tpm.credit > 0);
	tpm.credit--;
}

static void take(uint8_t byte)
{
	spend();
	assert_true(tpm.state == READY || tpm.state == RECEPTION);
	assert_true(tpm.taken < MOST);
	tpm.state = RECEPTION;
	tpm.took[tpm.taken++] = byte;
}

static uint8_t give(void)
{
	spend();
	assert_true(tpm.state == COMPLETION || tpm.set & 0x10);
	return tpm.state == COMPLETION && tpm.given < end() ? tpm.gives[tpm.given++] : 0xff;
}

static uint32_t offset(const volatile uint8_t *at)
{
	assert_true(at >= registers && at < registers + sizeof(registers));
	return (uint32_t)(at - registers);
}

uint8_t mmio_read8(const volatile uint8_t *at)
{
	if (tpm.absent)
		return 0xff;
	if (offset(at) == FIFO)
		return give();
	assert_int_equal(offset(at), ACCESS);
	return (uint8_t)((tpm.not_valid ? 0 : 0x81) | (tpm.active ? 0x20 : 0));
}

void mmio_write8(volatile uint8_t *at, uint8_t value)
{
	switch (offset(at)) {
	case ACCESS:
		if (value == 0x02)
			tpm.active = !tpm.no_locality;
		else if (value == 0x20)
			tpm.active = false;
		else
			fail_msg("%x is written to ACCESS", value);
		break;
	case STS:
		set_status(value);
		break;
	case FIFO:
		take(value);
		break;
	default:
		fail_msg("a byte is written to %x", offset(at));
	}
}

uint32_t mmio_read32(const volatile uint8_t *at)
{
	if (tpm.absent)
		return UINT32_MAX;
	switch (offset(at)) {
	case STS:
		return status();
	case INTERFACE_ID:
		return tpm.id;
	case INT_ENABLE:
		return tpm.int_enable;
	default:
		fail_msg("%x is read", offset(at));
		return 0;
	}
}

void mmio_write32(volatile uint8_t *at, uint32_t value)
{
	assert_int_equal(offset(at), INT_ENABLE);
	assert_true(tpm.active);
	tpm.int_enable = value;
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
	memset(response, 0, sizeof(response));
	ptpm_clock = (struct ptpm_clock){ .step = 100000 };
	tpm.burst = 8;
	tpm.delay = 5;
	tpm.lost = MOST;
	answer_with(20);
	return 0;
}

static int opened(void **state)
{
	setup(state);
	ptpm_budget(UINT32_MAX);
	assert_true(ptpm_open(&ptpm, registers));
	assert_string_equal(ptpm_interface(&ptpm), "FIFO");
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
	assert_int_equal(tpm.taken, 0);
	assert_memory_equal(tpm.took, command, sizeof(command));
	assert_false(tpm.active);
	assert_true(tpm.state == IDLE || tpm.state == READY);
}

/* Within the time, and the TPM is left alone. */
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
	assert_string_equal(ptpm.reason, reason);
}

/* ---- What should be ---- */

static void test_command(void **state)
{
	works();
	works();
	assert_int_equal(tpm.commands, 2);
}

static void test_bursts(void **state)
{
	for (tpm.burst = 1; tpm.burst < 40; tpm.burst++)
		works();
	tpm.burst = 0xffff;
	works();
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
	answer_with(20);
	assert_int_equal(ptpm_command(&ptpm, command, sizeof(command), response, 20), 20);
	memset(response, 0x5a, sizeof(response));
	assert_int_equal(ptpm_command(&ptpm, command, sizeof(command), response, 19), 0);
	for (size_t i = 10; i < sizeof(response); i++)
		assert_int_equal(response[i], 0x5a);
	assert_int_equal(ptpm_command(&ptpm, command, sizeof(command), response, 9), 0);
}

static void test_types(void **state)
{
	const uint32_t known[] = { 0, 0xf, UINT32_MAX, 0x00e02020 };

	for (unsigned i = 0; i < COUNT(known); i++) {
		setup(NULL);
		tpm.id = known[i];
		assert_true(ptpm_open(&ptpm, registers));
		works();
	}
	for (tpm.id = 2; tpm.id < 0xf; tpm.id++)
		does_not_open("its interface is of a type that is not known");
}

static void test_left_behind(void **state)
{
	for (unsigned was = IDLE; was <= COMPLETION; was++) {
		setup(NULL);
		tpm.active = true;
		tpm.state = was;
		tpm.taken = 3;
		tpm.left = 1000000;
		tpm.int_enable = 0x8000009f;
		assert_true(ptpm_open(&ptpm, registers));
		assert_int_equal(tpm.int_enable, 0x9f);
		assert_int_equal(tpm.aborted, was == EXECUTION);
		works();
	}
}

static void test_lost_bytes(void **state)
{
	for (tpm.lost = 1; tpm.lost < 20; tpm.lost++) {
		size_t lost = tpm.lost;

		works();
		tpm.lost = lost;
	}
	assert_int_equal(tpm.retries, 19);
}

static void test_not_valid(void **state)
{
	tpm.flickers = true;
	works();
	tpm.looks++;
	works();
	assert_int_equal(tpm.retries, 0);
}

/* ---- Hostile ---- */

static void test_absent(void **state)
{
	tpm.absent = true;
	does_not_open("nothing is there");
	assert_true(ptpm_clock.looks < 5);
}

static void test_never_valid(void **state)
{
	tpm.not_valid = true;
	does_not_open("nothing is there");
	assert_true(ptpm_clock.now < 3 * SECOND);
}

static void test_no_locality(void **state)
{
	tpm.no_locality = true;
	does_not_open("locality 0 is not granted");
	opened(NULL);
	tpm.no_locality = true;
	fails("locality 0 is not granted");
	tpm.no_locality = false;
	works();
}

static void test_gone(void **state)
{
	tpm.absent = true;
	fails("locality 0 is not granted");
}

static void test_never_ready(void **state)
{
	tpm.never_ready = true;
	tpm.state = IDLE;
	fails("it does not become ready for a command");
	tpm.set = 0xff;
	fails("it does not become ready for a command");
}

static void test_no_burst(void **state)
{
	tpm.no_burst = true;
	fails("it takes no bytes of the command");
	tpm.no_burst = false;
	works();
}

static void test_expect(void **state)
{
	tpm.hungry = true;
	fails("it wants more of the command than there is");
	tpm.hungry = false;
	tpm.sated = true;
	fails("it takes less of the command than there is");
	tpm.sated = false;
	tpm.clear = 0x80;
	fails("it takes less of the command than there is");
	tpm.clear = 0;
	works();
}

static void test_never_done(void **state)
{
	tpm.never_done = true;
	fails("no response came in time");
	assert_int_equal(tpm.aborted, 1);
	tpm.never_done = false;
	works();
}

/* All waits together: a request of the partition's has a limit of its own. */
static void test_budget(void **state)
{
	uint64_t since = ptpm_clock.now;

	ptpm_budget(500);
	tpm.never_done = true;
	fails("no response came in time");
	fails("no response came in time");
	assert_true(ptpm_clock.now - since < 600000000);
	ptpm_budget(UINT32_MAX);
	fails("no response came in time");
	assert_true(ptpm_clock.now - since > 10000000000);
}

/* The clock stands still: the number of looks is what ends it. */
static void test_clock_stops(void **state)
{
	tpm.never_done = true;
	ptpm_clock.step = 0;
	fails("no response came in time");
	assert_true(ptpm_clock.looks > 1000000 && ptpm_clock.looks < 100000000);
}

/* dataAvail is there before data, and for ever after it. */
static void test_always_available(void **state)
{
	tpm.set = 0x10;
	tpm.delay = 0;
	fails("the response is longer than it says");
	assert_int_equal(tpm.retries, 1);
	tpm.never_done = true;
	fails("the response says that it has a size which it cannot have");
}

static void test_ends_early(void **state)
{
	tpm.loses_always = true;
	for (tpm.lost = 1; tpm.lost < 20; tpm.lost++)
		fails("the response ends before its end");
	tpm.length = 9;
	tpm.lost = MOST;
	fails("the response ends before its end");
}

static void test_sizes(void **state)
{
	const uint32_t sizes[] = { 0, 9, 21, MOST + 1, 0x10014, 0x80000000, UINT32_MAX };

	for (unsigned i = 0; i < COUNT(sizes); i++) {
		for (unsigned k = 0; k < 4; k++)
			tpm.gives[2 + k] = (uint8_t)(sizes[i] >> 8 * (3 - k));
		fails(sizes[i] == 21 ? "the response ends before its end"
				     : "the response says that it has a size which it cannot have");
	}
	answer_with(20);
	tpm.gives[5] = 19;
	fails("the response is longer than it says");
	assert_int_equal(tpm.retries, COUNT(sizes) + 1);
}

static void test_no_command(void **state)
{
	const uint8_t longer[] = { 0x80, 1, 0, 0, 0, 15, 0, 0, 1, 0x7b, 1, 2, 3, 4 };

	assert_int_equal(ptpm_command(&ptpm, longer, sizeof(longer), response, MOST), 0);
	assert_int_equal(ptpm_command(&ptpm, command, 9, response, MOST), 0);
	assert_int_equal(ptpm_command(&ptpm, command, sizeof(command), response, 9), 0);
	assert_int_equal(tpm.commands, 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(test_command, opened),
	cmocka_unit_test_setup(test_bursts, opened),
	cmocka_unit_test_setup(test_lengths, opened),
	cmocka_unit_test_setup(test_room, opened),
	cmocka_unit_test_setup(test_types, setup),
	cmocka_unit_test_setup(test_left_behind, setup),
	cmocka_unit_test_setup(test_lost_bytes, opened),
	cmocka_unit_test_setup(test_not_valid, opened),
	cmocka_unit_test_setup(test_absent, setup),
	cmocka_unit_test_setup(test_never_valid, setup),
	cmocka_unit_test_setup(test_no_locality, setup),
	cmocka_unit_test_setup(test_gone, opened),
	cmocka_unit_test_setup(test_never_ready, opened),
	cmocka_unit_test_setup(test_no_burst, opened),
	cmocka_unit_test_setup(test_expect, opened),
	cmocka_unit_test_setup(test_never_done, opened),
	cmocka_unit_test_setup(test_clock_stops, opened),
	cmocka_unit_test_setup(test_budget, opened),
	cmocka_unit_test_setup(test_always_available, opened),
	cmocka_unit_test_setup(test_ends_early, opened),
	cmocka_unit_test_setup(test_sizes, opened),
	cmocka_unit_test_setup(test_no_command, opened),
};

UNIT_MAIN(tests)
