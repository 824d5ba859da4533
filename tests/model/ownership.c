/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Page ownership and the normal world's map against a model, on four CPUs that remember what they
 * translated: guests touch memory, devices, the monitor and nothing; frames are taken and given;
 * MTRRs change; calls name frames. The model is who owns each frame of memory.
 *
 * After each operation: every leaf of the whole map obeys the invariants, no CPU remembers a
 * translation that it should not, and the descriptors say what the model says.
 */
#include <stdio.h>
#include <string.h>

#include "arch/cpu.h"
#include "arch/host/host.h"
#include "arch/upcall.h"
#include "monitor/log.h"
#include "monitor/page_owner.h"
#include "monitor/protect.h"
#include "monitor/test/invariant.h"
#include "monitor/test/take.h"
#include "tests/model/model.h"

#define CPUS	   4u
#define ROUND	   1000u
#define RANGES	   3u
#define FRAMES_MAX 2048u
#define GIB	   (1ull << 30)

enum owner { GUEST, TAKEN, FIXED };

struct known {
	enum owner owner;
	bool marked; /* its bytes are MARK, else they are zero */
};

#define MARK 0xa5

static struct model model;
static struct host_machine machine;
static struct known known[FRAMES_MAX];
static uint64_t frame_count;
static uint64_t edges[3]; /* where memory types change */

static _Noreturn void wrong(const char *what, uint64_t at)
{
	model_failed(&model, "%s at %llx", what, (unsigned long long)at);
}

/* ---- The model ---- */

/* NULL: not memory. */
static struct known *known_at(uint64_t at)
{
	uint64_t first = 0;

	for (unsigned i = 0; i < RANGES; i++) {
		uint64_t offset = at - machine.ranges[i].base;

		if (offset < machine.ranges[i].pages * FRAME_SIZE)
			return &known[first + offset / FRAME_SIZE];
		first += machine.ranges[i].pages;
	}
	return NULL;
}

static uint64_t draw_frame(void)
{
	const struct bootinfo_range *range = &machine.ranges[draw(&model, RANGES)];

	return range->base + draw(&model, range->pages) * FRAME_SIZE;
}

static bool all_are(uint64_t at, uint64_t pages, enum owner owner)
{
	for (uint64_t i = 0; i < pages; i++) {
		const struct known *frame = known_at(at + i * FRAME_SIZE);

		if (!frame || frame->owner != owner)
			return false;
	}
	return true;
}

static void become(uint64_t at, uint64_t pages, enum owner owner)
{
	for (uint64_t i = 0; i < pages; i++)
		*known_at(at + i * FRAME_SIZE) = (struct known){ .owner = owner };
}

static void mark(uint64_t at)
{
	static uint8_t bytes[FRAME_SIZE];
	struct known *frame = known_at(at);

	memset(bytes, MARK, sizeof(bytes));
	if (frame->owner == FIXED)
		return;
	host_poke(at & ~(uint64_t)(FRAME_SIZE - 1), bytes, sizeof(bytes));
	frame->marked = true;
}

/* ---- Types ---- */

static enum s2_type types(uint64_t at, uint64_t *until)
{
	static const enum s2_type order[] = { S2_WB, S2_WC, S2_WB, S2_UC };

	for (unsigned i = 0; i < 3; i++) {
		if (at < edges[i]) {
			*until = edges[i];
			return order[i];
		}
	}
	*until = ~(uint64_t)(FRAME_SIZE - 1);
	return order[3];
}

static void draw_edges(void)
{
	edges[0] = chance(&model, 2) ? draw_frame() : draw(&model, 4096) << LARGE_SHIFT;
	edges[1] = edges[0] + (draw(&model, 2048) << FRAME_SHIFT);
	edges[2] = edges[1] + (draw(&model, 1u << 20) << FRAME_SHIFT);
}

/* A mapped address has its type; in a region without memory that has several it may be UC. */
static void check_type(uint64_t at)
{
	struct stage2 *s2 = monitor_normal_stage2();
	struct stage2_leaf leaf;
	uint64_t until;

	spin_lock(s2->lock);
	leaf = stage2_lookup(s2, (gpa_t){ at });
	spin_unlock(s2->lock);
	if (!leaf.present || leaf.spa.v / FRAME_SIZE == protect_ones().v / FRAME_SIZE)
		return;
	if (leaf.type == types(at, &until))
		return;
	if (leaf.type != S2_UC || known_at(at))
		wrong("a wrong type", at);
}

/* ---- Checks ---- */

static void check_descriptor(uint64_t at)
{
	static const enum frame_state states[] = { FRAME_NORMAL, FRAME_PARTITION, FRAME_MONITOR };
	const struct known *frame = known_at(at);
	enum frame_state expected = frame ? states[frame->owner] : FRAME_ABSENT;

	if (frame_state((spa_t){ at }) != expected)
		wrong("a wrong owner", at);
}

static void check_bytes(uint64_t at)
{
	static uint8_t bytes[FRAME_SIZE];
	static uint8_t expected[FRAME_SIZE];
	const struct known *frame = known_at(at);

	if (frame->owner == FIXED)
		return;
	host_peek(at, bytes, sizeof(bytes));
	memset(expected, frame->marked ? MARK : 0, sizeof(expected));
	if (memcmp(bytes, expected, sizeof(bytes)) != 0)
		wrong("wrong bytes", at);
}

static void check_all(void)
{
	struct invariant_report report = invariant_walk();
	uint64_t stale;

	if (report.broken != NOTHING_BROKEN)
		wrong(report.why, report.broken);
	if (!host_coherent(&stale))
		wrong("a stale translation", stale);
	for (unsigned i = 0; i < 16; i++) {
		uint64_t at = draw_frame();

		check_descriptor(at);
		if (i < 3)
			check_bytes(at);
		check_type(at);
		check_type(draw(&model, 6 * GIB));
	}
}

/* ---- Operations ---- */

static uint64_t draw_address(void)
{
	switch (draw(&model, 6)) {
	case 0:
		return machine.region_base + draw(&model, machine.region_pages * FRAME_SIZE);
	case 1:
		return draw(&model, 5 * GIB);
	case 2:
		return 5 * GIB + draw(&model, (1ull << machine.phys_bits) + GIB);
	default:
		return draw_frame() + draw(&model, FRAME_SIZE);
	}
}

static void do_touch(void)
{
	uint64_t at = draw_address();
	unsigned access = 1 + (unsigned)draw(&model, 7);
	const struct known *frame = known_at(at);
	bool monitors = frame && frame->owner != GUEST;
	bool refused = at >= 1ull << machine.phys_bits || (monitors && access != ACCESS_READ);
	uint64_t expected = monitors ? protect_ones().v + at % FRAME_SIZE : at;
	struct host_access result = host_touch(at, access);

	if (result.faulted != refused)
		wrong(refused ? "an access that should fault" : "an access that should not fault",
		    at);
	if (!refused && result.spa != expected)
		wrong("an access that leads elsewhere", at);
}

static void do_take(void)
{
	uint64_t at = draw_frame();
	uint64_t pages = 1 + draw(&model, chance(&model, 8) ? 512 : 20);
	bool refuse = chance(&model, 16);
	bool expected = !refuse && all_are(at, pages, GUEST);

	mark(at);
	host_refuse_dma(refuse);
	if (protect_take((spa_t){ at }, pages) != expected)
		wrong(expected ? "a take that was refused" : "a take that was not refused", at);
	host_refuse_dma(false);
	if (expected)
		become(at, pages, TAKEN);
	check_bytes(at);
}

/* Gives back all of the run of taken frames at a random place, or anything. */
static void do_give(void)
{
	uint64_t at = draw_frame();
	uint64_t pages = 1 + draw(&model, 20);
	bool expected;

	for (unsigned i = 0; i < 200 && known_at(at)->owner != TAKEN; i++)
		at = draw_frame();
	if (chance(&model, 2))
		for (pages = 1; pages < PASS_MAX && all_are(at, pages + 1, TAKEN);)
			pages++;
	expected = all_are(at, pages, TAKEN);
	if (known_at(at)->owner == TAKEN)
		mark(at);
	if (protect_give((spa_t){ at }, pages) != expected)
		wrong(expected ? "a give that was refused" : "a give that was not refused", at);
	if (expected)
		become(at, pages, GUEST);
	check_bytes(at);
}

static void do_retype(void)
{
	draw_edges();
	monitor_retype();
}

static void do_log_read(void)
{
	uint64_t at = draw_address() & ~(uint64_t)(FRAME_SIZE - 1);
	struct known *frame = known_at(at);
	bool expected = frame && frame->owner == GUEST;
	struct call call = { REDOUBT_CALL_log_read, { 0, at, 1, 0 } };
	uint8_t byte = MARK;

	if (expected) {
		frame->marked = false;
		host_poke(at, (uint8_t[FRAME_SIZE]){ 0 }, FRAME_SIZE);
	}
	monitor_call(&call);
	if ((call.rax == REDOUBT_OK) != expected)
		wrong("a call that names a frame", at);
	if (!expected)
		return;
	host_peek(at, &byte, 1);
	if (byte == 0)
		wrong("a call that wrote nothing", at);
	host_poke(at, &(uint8_t){ 0 }, 1);
}

static void one_operation(void)
{
	static void (*const operations[])(void) = { do_touch, do_touch, do_touch, do_touch,
		do_touch, do_take, do_take, do_give, do_give, do_give, do_log_read };

	host_on((unsigned)draw(&model, CPUS));
	if (chance(&model, 100))
		do_retype();
	else
		operations[draw(&model, sizeof(operations) / sizeof(operations[0]))]();
}

static void build(void)
{
	machine = host_default();
	machine.cpus = CPUS;
	machine.huge = !chance(&model, 3);
	machine.phys_bits = 36 + (unsigned)draw(&model, 13);
	machine.region_base = 0x300000 + draw(&model, 256) * FRAME_SIZE;
	machine.record_base = chance(&model, 4) ? 0 : 0x2ff000;
	machine.ranges[1] = (struct bootinfo_range){ 0x100000, 0x500 };
	machine.ranges[2] = (struct bootinfo_range){ 4 * GIB, 0x100 };
	host_boot(&machine);
	machine.region_pages = host_info()->region_pages;
	memset(known, 0, sizeof(known));
	frame_count = machine.ranges[0].pages + machine.ranges[1].pages + machine.ranges[2].pages;
	become(machine.region_base, machine.region_pages, FIXED);
	if (machine.record_base)
		become(machine.record_base, 1, FIXED);
	draw_edges();
	host_set_types(types);
	monitor_retype();
	if (frame_count > FRAMES_MAX || page_owner_frames() != frame_count)
		wrong("a wrong count of frames", frame_count);
}

/* All is given back and typed alike: the map must be as small as at launch. */
static void tear_down(void)
{
	for (unsigned i = 0; i < RANGES; i++)
		for (uint64_t k = 0; k < machine.ranges[i].pages; k++) {
			uint64_t at = machine.ranges[i].base + k * FRAME_SIZE;

			check_descriptor(at);
			if (known_at(at)->owner == TAKEN && !protect_give((spa_t){ at }, 1))
				wrong("a give that was refused", at);
			if (known_at(at)->owner == TAKEN)
				become(at, 1, GUEST);
		}
	check_all();
}

int main(void)
{
	model = model_start(1);
	while (model.done < model.operations) {
		build();
		for (unsigned i = 0; i < ROUND && model.done < model.operations; i++) {
			one_operation();
			model.done++;
			check_all();
		}
		tear_down();
	}
	model_passed(&model, "owners, maps and CPUs are as in the model");
	return 0;
}
