/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The fake machine's memory: one sparse mapping, closed but for the monitor's region. A slot opens
 * one frame for as long as it is mapped, so that an access to guest memory by any other way faults
 * (I13).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/cpu.h"
#include "arch/frame.h"
#include "arch/host/internal.h"
#include "arch/upcall.h"
#include "monitor/abi/region.h"

#define IMAGE_PAGES 16ull /* stands for the monitor's image at the region's start */
#define FIXED_PAGES 16u	  /* VPs of partitions */

static struct {
	struct host_machine machine;
	uint8_t *base;
	uint64_t bytes;
	uint64_t next; /* region_alloc() */
	uint64_t slot; /* frame + 1 that is open */
	unsigned slot_cpu;
	host_types *types;
	struct bootinfo info;
} memory;

void host_fail(const char *why)
{
	(void)fprintf(stderr, "fake machine: %s\n%s\n", why, host_console());
	abort();
}

const struct host_machine *host_machine(void)
{
	return &memory.machine;
}

struct bootinfo *host_info(void)
{
	return &memory.info;
}

struct host_machine host_default(void)
{
	return (struct host_machine){
		.cpus = 2,
		.phys_bits = 39,
		.huge = true,
		.mbec = true,
		.region_base = 0x1000000,
		.record_base = 0x7ff000,
		.range_count = 3,
		.ranges = { { 0x1000, 0x9e }, { 0x100000, 0x2f00 }, { 0x100000000, 0x1000 } },
	};
}

/* ---- Building ---- */

static uint64_t range_end(const struct bootinfo_range *range)
{
	return range->base + range->pages * FRAME_SIZE;
}

static uint64_t top_of(const struct host_machine *machine)
{
	return range_end(&machine->ranges[machine->range_count - 1]);
}

static uint64_t pages_needed(const struct host_machine *machine)
{
	struct monitor_image image = { .load_size = IMAGE_PAGES * FRAME_SIZE,
		.fixed_pages = FIXED_PAGES };
	uint64_t frames = 0;

	for (uint32_t i = 0; i < machine->range_count; i++)
		frames += machine->ranges[i].pages;
	return monitor_region_pages(&image, machine->cpus, frames, machine->range_count,
	    top_of(machine));
}

/* The block has them from the start. */
void arch_take_secrets(void)
{
}

static void fill_info(const struct host_machine *machine)
{
	struct bootinfo *info = &memory.info;

	memset(info, 0, sizeof(*info));
	info->magic = BOOTINFO_MAGIC;
	info->cpu_count = machine->cpus;
	info->range_count = machine->range_count;
	info->region_base = machine->region_base;
	info->region_pages = machine->region_pages;
	info->record_base = machine->record_base;
	info->flags = machine->flags;
	info->serial_port = machine->flags & BOOTINFO_SERIAL ? 0x3f8 : 0;
	info->log_level = LOG_DEBUG;
	for (unsigned i = 0; i < machine->cpus; i++)
		info->apic_ids[i] = 2 * i;
	memcpy(info->ranges, machine->ranges, machine->range_count * sizeof(struct bootinfo_range));
	memset(info->monitor_digest, 0x5a, sizeof(info->monitor_digest));
}

static void open_frames(uint64_t spa, uint64_t bytes, int protection)
{
	if (mprotect(memory.base + spa, bytes, protection) != 0)
		host_fail("mprotect");
}

void host_build(const struct host_machine *machine)
{
	if (memory.base)
		munmap(memory.base, memory.bytes);
	memory.machine = *machine;
	if (memory.machine.region_pages == 0)
		memory.machine.region_pages = pages_needed(machine);
	memory.bytes = top_of(machine);
	memory.base = mmap(NULL, memory.bytes, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory.base == MAP_FAILED)
		host_fail("mmap");
	memory.next = machine->region_base + IMAGE_PAGES * FRAME_SIZE;
	memory.slot = 0;
	memory.types = NULL;
	open_frames(machine->region_base, memory.machine.region_pages * FRAME_SIZE,
	    PROT_READ | PROT_WRITE);
	if (machine->record_base)
		open_frames(machine->record_base, FRAME_SIZE, PROT_READ | PROT_WRITE);
	memset(memory.base + machine->region_base, 0xff, FRAME_SIZE); /* see region_spa() */
	fill_info(&memory.machine);
	host_reset_cpus(machine->cpus);
	host_reset_devices();
}

void host_boot(const struct host_machine *machine)
{
	host_build(machine);
	if (!bootinfo_valid(host_info()))
		host_fail("bad boot information");
	if (monitor_init(host_info()) != LAUNCH_OK)
		host_fail("the monitor did not start");
}

/* ---- The region and the slot ---- */

static uint64_t region_end(void)
{
	return memory.machine.region_base + memory.machine.region_pages * FRAME_SIZE;
}

void *region_alloc(size_t pages)
{
	void *block = memory.base + memory.next;

	if (pages == 0 || pages > (region_end() - memory.next) / FRAME_SIZE)
		return NULL;
	memory.next += pages * FRAME_SIZE;
	return block;
}

void *region_reserve(size_t pages)
{
	void *block = region_alloc(pages);

	return block ? memset(block, 0xa5, pages * FRAME_SIZE) : NULL;
}

/*
 * The one object of the monitor's image whose address is asked for is the frame of ones. It stands
 * in the region's first page here.
 */
spa_t region_spa(const void *own)
{
	const uint8_t *at = own;

	if (at >= memory.base && at < memory.base + memory.bytes)
		return (spa_t){ (uint64_t)(at - memory.base) };
	return (spa_t){ memory.machine.region_base };
}

void *region_ptr(spa_t spa)
{
	if (spa.v != memory.machine.record_base &&
	    (spa.v < memory.machine.region_base || spa.v >= region_end()))
		host_fail("region_ptr() of what is not the monitor's");
	return memory.base + spa.v;
}

static bool usable(uint64_t spa)
{
	for (uint32_t i = 0; i < memory.machine.range_count; i++)
		if (spa >= memory.machine.ranges[i].base &&
		    spa < range_end(&memory.machine.ranges[i]))
			return true;
	return false;
}

void *slot_map(spa_t frame, enum slot_access access)
{
	bool own = frame.v >= memory.machine.region_base && frame.v < region_end();

	if (memory.slot != 0)
		host_fail("a slot is in use");
	if (frame.v % FRAME_SIZE != 0 || !usable(frame.v) || own)
		host_fail("a slot for what is no guest memory");
	open_frames(frame.v, FRAME_SIZE, access == SLOT_WRITE ? PROT_READ | PROT_WRITE : PROT_READ);
	memory.slot = frame.v + 1;
	memory.slot_cpu = cpu_index();
	return memory.base + frame.v;
}

void slot_unmap(void)
{
	if (memory.slot == 0 || memory.slot_cpu != cpu_index())
		host_fail("no slot to unmap");
	open_frames(memory.slot - 1, FRAME_SIZE, PROT_NONE);
	memory.slot = 0;
}

/* ---- From outside ---- */

static bool always_open(uint64_t spa)
{
	return (spa >= memory.machine.region_base && spa < region_end()) ||
	    (memory.machine.record_base &&
		spa / FRAME_SIZE == memory.machine.record_base / FRAME_SIZE);
}

/* Where an access from outside, within one frame, is to be made; shut() makes all as before. */
static uint8_t *open_for(uint64_t spa, size_t bytes)
{
	uint64_t offset = spa % FRAME_SIZE;

	if (offset + bytes > FRAME_SIZE)
		host_fail("an access from outside crosses frames");
	if (!always_open(spa))
		open_frames(spa - offset, FRAME_SIZE, PROT_READ | PROT_WRITE);
	return memory.base + spa;
}

static void shut(uint64_t spa)
{
	if (!always_open(spa))
		open_frames(spa - spa % FRAME_SIZE, FRAME_SIZE, PROT_NONE);
}

void host_peek(uint64_t spa, void *to, size_t bytes)
{
	memcpy(to, open_for(spa, bytes), bytes);
	shut(spa);
}

void host_poke(uint64_t spa, const void *from, size_t bytes)
{
	memcpy(open_for(spa, bytes), from, bytes);
	shut(spa);
}

/* ---- Types ---- */

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Memory is write-back but for the VGA window, the fourth GiB, and what is above all memory. */
static enum s2_type default_types(uint64_t at, uint64_t *until)
{
	static const struct {
		uint64_t end;
		enum s2_type type;
	} pieces[] = { { 0xa0000, S2_WB }, { 0xc0000, S2_UC }, { 0xc0000000, S2_WB },
		{ 0x100000000, S2_UC } };
	uint64_t top = top_of(&memory.machine);

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		if (at < pieces[i].end) {
			*until = pieces[i].end;
			return pieces[i].type;
		}
	}
	*until = at < top ? top : ~(uint64_t)(FRAME_SIZE - 1);
	return at < top ? S2_WB : S2_UC;
}

void host_set_types(host_types *types)
{
	memory.types = types;
}

enum s2_type arch_memory_type(gpa_t gpa, uint64_t *same_until)
{
	enum s2_type type = (memory.types ? memory.types : default_types)(gpa.v, same_until);

	*same_until = lesser(*same_until, (gpa.v & ~(HUGE_SIZE - 1)) + HUGE_SIZE);
	return type;
}

const struct bootinfo *start_info(void)
{
	return host_info();
}
