/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The largest machine: 256 CPUs and 8 TiB in several ranges. Everything is sized by what the loader
 * reserved, so the same code runs; what is asked for is that it still fits its tables, and that
 * every CPU sees every change.
 */
#include <string.h>

#include "arch/cpu.h"
#include "arch/host/host.h"
#include "arch/upcall.h"
#include "monitor/audit.h"
#include "monitor/page_owner.h"
#include "monitor/protect.h"
#include "monitor/test/take.h"
#include "tests/model/model.h"

#define CPUS   256u
#define GIB    (1ull << 30)
#define TIB    (1ull << 40)
#define REGION (2 * TIB)

static struct model model;
static struct host_machine machine;

static void require(bool condition, const char *what, uint64_t at)
{
	if (!condition)
		model_failed(&model, "%s (%llx)", what, (unsigned long long)at);
}

static uint64_t draw_frame(void)
{
	const struct bootinfo_range *range = &machine.ranges[draw(&model, machine.range_count)];

	return range->base + draw(&model, range->pages) * FRAME_SIZE;
}

static bool in_region(uint64_t at)
{
	return at / FRAME_SIZE == machine.record_base / FRAME_SIZE ||
	    (at >= machine.region_base &&
		at - machine.region_base < machine.region_pages * FRAME_SIZE);
}

static void start(bool huge)
{
	machine = host_default();
	machine.cpus = CPUS;
	machine.huge = huge;
	machine.phys_bits = 46;
	machine.region_base = REGION;
	machine.ranges[1] = (struct bootinfo_range){ 0x100000, 0x7ff00 };
	machine.ranges[2] = (struct bootinfo_range){ 4 * GIB, (4 * TIB - 6 * GIB) / FRAME_SIZE };
	machine.ranges[3] = (struct bootinfo_range){ 4 * TIB, 4 * TIB / FRAME_SIZE };
	machine.range_count = 4;
	host_boot(&machine);
	machine.region_pages = host_info()->region_pages;
}

/* All frames are owned; the tables that a guest can force are there. */
static void check_sizes(void)
{
	uint64_t frames = page_owner_frames();
	struct stage2_pool *pool = monitor_normal_stage2()->pool;

	require(frames > 8 * TIB / FRAME_SIZE - 0x200000, "frames are missing", frames);
	require(frame_state((spa_t){ 8 * TIB - 1 }) == FRAME_NORMAL, "the last frame", 8 * TIB);
	require(frame_state((spa_t){ REGION }) == FRAME_MONITOR, "the region", REGION);
	require(pool->available > frames >> 9, "tables for every 2 MiB are not left",
	    pool->available);
}

/* Random accesses by random CPUs, as a guest that runs everywhere makes them. */
static void touch_everywhere(void)
{
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t at = draw_frame() + draw(&model, FRAME_SIZE);
		unsigned access = 1u << draw(&model, 3);
		struct host_access result;

		host_on((unsigned)draw(&model, CPUS));
		result = host_touch(at, access);
		require(result.faulted == (in_region(at) && access != ACCESS_READ), "a wrong fault",
		    at);
		require(result.faulted || in_region(at) || result.spa == at, "a wrong frame", at);
		model.done++;
	}
}

/* A frame that all CPUs have in use leaves all of them, and comes back to all. */
static void take_from_all(void)
{
	for (unsigned i = 0; i < 200; i++) {
		uint64_t at = draw_frame();
		uint64_t pages = 1 + draw(&model, 64);
		uint64_t stale;

		for (unsigned cpu = 0; cpu < CPUS; cpu += 1 + (unsigned)draw(&model, 8)) {
			host_on(cpu);
			host_touch(at, ACCESS_READ);
		}
		if (!protect_take((spa_t){ at }, pages))
			continue;
		require(host_coherent(&stale), "a stale translation", at);
		host_on((unsigned)draw(&model, CPUS));
		require(host_touch(at, ACCESS_WRITE).faulted, "a write to a taken frame", at);
		require(host_touch(at, ACCESS_READ).spa / FRAME_SIZE ==
			protect_ones().v / FRAME_SIZE,
		    "no ones", at);
		require(protect_give((spa_t){ at }, pages), "a give that was refused", at);
		require(host_coherent(&stale), "a stale translation", at);
		require(host_touch(at, ACCESS_WRITE).spa == at, "a frame given back", at);
		model.done++;
	}
}

/* Devices at 4,000 places behind all memory. */
static void touch_devices(void)
{
	for (unsigned i = 0; i < 4000; i++) {
		uint64_t at = 8 * TIB + draw(&model, 32 * TIB);

		host_on((unsigned)draw(&model, CPUS));
		require(host_touch(at, ACCESS_WRITE).spa == at, "a device", at);
		model.done++;
	}
}

static void one_machine(bool huge)
{
	start(huge);
	check_sizes();
	touch_everywhere();
	take_from_all();
	touch_devices();
	monitor_retype();
	check_sizes();
	model_passed(&model, "256 CPUs and 8 TiB, %s 1 GiB pages", huge ? "with" : "without");
}

int main(void)
{
	model = model_start(2);
	one_machine(true);
	one_machine(false);
	return 0;
}
