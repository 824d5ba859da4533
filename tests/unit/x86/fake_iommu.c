/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * See fake_iommu.h.
 */
#include "fake_iommu.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "arch/cpu.h"
#include "arch/frame.h"
#include "arch/lock.h"
#include "arch/test_switch.h"
#include "arch/upcall.h"
#include "arch/x86/asm.h"
#include "arch/x86/region.h"

#define MEMORY_PAGES (FAKE_REGION_PAGES + FAKE_FIRMWARE_PAGES)
#define MEMORY	     (MEMORY_PAGES * FRAME_SIZE)
#define LINE	     64u
#define GARBAGE	     0x5a
#define POISON	     0xc3

struct fake_iommu fake;

/* Memory behind the caches: what is not written back is not there. */
static uint8_t behind[MEMORY];

/* The slot: a register that is written is seen here first. */
static struct {
	struct fake_unit *unit;
	bool mapped, writing;
	_Alignas(FRAME_SIZE) uint8_t page[FRAME_SIZE];
} slot;

static struct stage2 normal;
static struct spinlock lock = { .rank = LOCK_MAP };

void fake_reset(void)
{
	static void *memory;

	if (!memory)
		memory = mmap((void *)FAKE_REGION, MEMORY, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	assert_ptr_equal(memory, (void *)FAKE_REGION);
	memset(memory, GARBAGE, MEMORY);
	memset(behind, GARBAGE, MEMORY);
	memset(&fake, 0, sizeof(fake));
	memset(&slot, 0, sizeof(slot));
	fake.heap = FAKE_REGION;
	fake.heap_end = FAKE_FIRMWARE;
	fake.huge = true;
	fake.info.region_base = FAKE_REGION;
	fake.info.region_pages = FAKE_REGION_PAGES;
	fake.info.record_base = FAKE_RECORD;
	normal.lock = &lock;
	fake_forget_drivers();
}

struct fake_unit *fake_add_unit(uint32_t kind, uint64_t base, unsigned pages)
{
	struct fake_unit *unit = &fake.units[fake.info.iommu_count];

	assert_true(
	    fake.info.iommu_count < FAKE_UNITS && pages * FRAME_SIZE <= sizeof(unit->registers));
	fake.info.iommus[fake.info.iommu_count++] = (struct bootinfo_iommu){ .base = base,
		.kind = kind,
		.flags = BOOTINFO_IOMMU_ALL,
		.pages = pages };
	fake.info.iommu_status = IOMMU_TABLES_OK;
	unit->base = base;
	unit->pages = pages;
	unit->delay = 3;
	unit->snoops = true;
	return unit;
}

/* ---- Registers ---- */

uint64_t fake_get(const struct fake_unit *unit, unsigned at, unsigned bytes)
{
	uint64_t value = 0;

	assert_true((bytes == 4 || bytes == 8) && at % bytes == 0);
	memcpy(&value, unit->registers + at, bytes);
	return value;
}

void fake_put(struct fake_unit *unit, unsigned at, unsigned bytes, uint64_t value)
{
	memcpy(unit->registers + at, &value, bytes);
}

void fake_see(struct fake_unit *unit, char what)
{
	size_t length = strlen(unit->seen);

	assert_true(length + 1 < sizeof(unit->seen));
	unit->seen[length] = what;
}

static struct fake_unit *unit_at(uint64_t address)
{
	for (unsigned i = 0; i < fake.info.iommu_count; i++) {
		struct fake_unit *unit = &fake.units[i];

		if (address >= unit->base && address < unit->base + unit->pages * FRAME_SIZE)
			return unit;
	}
	fail_msg("no registers at %lx", address);
	return NULL;
}

/* A device tries all the time to reach what it may not. */
static void try_watched(void)
{
	for (unsigned i = 0; fake.watch != 0 && i < fake.info.iommu_count; i++) {
		struct fake_reach reach = fake_reach(&fake.units[i], FAKE_DEVICE, fake.watch);

		if (reach.read || reach.write)
			fail_msg("unit %u: a window (%s)", i, fake.units[i].seen);
	}
}

static void pass_time(struct fake_unit *unit)
{
	unit->settle(unit);
	try_watched();
}

volatile uint8_t *slot_map_device(spa_t frame)
{
	struct fake_unit *unit = unit_at(frame.v);

	assert_false(slot.mapped);
	assert_int_equal(frame.v % FRAME_SIZE, 0);
	slot.mapped = true;
	if (slot.writing)
		return slot.page;
	pass_time(unit);
	return unit->registers + (frame.v - unit->base);
}

void slot_unmap(void)
{
	assert_true(slot.mapped);
	slot.mapped = false;
}

void iommu_write(const struct iommu_unit *driven, unsigned at, unsigned bytes, uint64_t value)
{
	struct fake_unit *unit = unit_at(driven->is->base);
	uint8_t expected[FRAME_SIZE];

	assert_true((bytes == 4 || bytes == 8) && at % bytes == 0);
	assert_true(bytes == 8 || value >> 32 == 0);
	memset(slot.page, POISON, FRAME_SIZE);
	memset(expected, POISON, FRAME_SIZE);
	memcpy(expected + at % FRAME_SIZE, &value, bytes);
	slot.writing = true;
	fake_write_through(driven, at, bytes, value);
	slot.writing = false;
	assert_memory_equal(slot.page, expected, FRAME_SIZE);
	unit->write(unit, at, bytes, value);
	try_watched();
}

void cpu_pause(void)
{
	for (unsigned i = 0; i < fake.info.iommu_count; i++)
		pass_time(&fake.units[i]);
}

/* ---- Memory ---- */

uint64_t *fake_memory(uint64_t address)
{
	if (address % 8 != 0 || address < FAKE_REGION || address > FAKE_REGION + MEMORY - 8)
		fail_msg("a unit goes to %lx", address);
	return (uint64_t *)address;
}

uint64_t fake_walked(const struct fake_unit *unit, uint64_t address)
{
	const uint64_t *seen = fake_memory(address);
	uint64_t word;

	memcpy(&word, unit->snoops ? (const uint8_t *)seen : behind + (address - FAKE_REGION),
	    sizeof(word));
	return word;
}

void cpu_write_back(const void *line)
{
	uint64_t at = ((uint64_t)line & ~(uint64_t)(LINE - 1)) - FAKE_REGION;

	assert_true(at < MEMORY);
	memcpy(behind + at, (const uint8_t *)FAKE_REGION + at, LINE);
	fake.written_back++;
}

void wbinvd(void)
{
	memcpy(behind, (const void *)FAKE_REGION, MEMORY);
}

void *region_reserve(size_t pages)
{
	void *block = (void *)fake.heap;

	if (pages == 0 || pages > (fake.heap_end - fake.heap) / FRAME_SIZE)
		return NULL;
	fake.heap += pages * FRAME_SIZE;
	return block;
}

void *region_alloc(size_t pages)
{
	void *block = region_reserve(pages);

	return block ? memset(block, 0, pages * FRAME_SIZE) : NULL;
}

spa_t region_spa(const void *own)
{
	return (spa_t){ (uint64_t)own };
}

void *region_ptr(spa_t spa)
{
	return fake_memory(spa.v);
}

/* ---- What devices reach ---- */

struct fake_reach fake_walk(const struct fake_unit *unit, uint64_t table, unsigned level,
    uint64_t address)
{
	struct fake_reach reach = { 0, true, true };

	if (address >> (FRAME_SHIFT + 9 * level) != 0)
		return (struct fake_reach){ 0 };
	for (;;) {
		unsigned shift = FRAME_SHIFT + 9 * (level - 1);
		uint64_t entry = fake_walked(unit, table + 8 * (address >> shift & 511));
		struct fake_step step = unit->decode(unit, entry, level);

		reach.read &= step.read;
		reach.write &= step.write;
		if (!reach.read && !reach.write)
			return (struct fake_reach){ 0 };
		if (step.below == 0) {
			reach.to = step.to | (address & ((1ull << shift) - 1));
			return reach;
		}
		table = step.to;
		level = step.below;
	}
}

uint64_t fake_count(const struct fake_unit *unit, uint64_t table, unsigned level, uint64_t at)
{
	unsigned shift = 9 * (level - 1);
	uint64_t frames = 0;

	for (unsigned i = 0; i < 512; i++) {
		uint64_t from = at + ((uint64_t)i << (FRAME_SHIFT + shift));
		uint64_t entry = fake_walked(unit, table + 8 * i);
		struct fake_step step = unit->decode(unit, entry, level);

		if (!step.read && !step.write)
			continue;
		if (!step.read || !step.write || (step.below == 0 && step.to != from))
			fail_msg("%lx leads to %lx: %lx", from, step.to, entry);
		frames += step.below == 0 ? 1ull << shift
					  : fake_count(unit, step.to, step.below, from);
	}
	return frames;
}

struct fake_reach fake_would_reach(const struct fake_unit *unit, uint16_t id, uint64_t address)
{
	uint64_t context[4];

	if (!unit->translates)
		return (struct fake_reach){ address, true, true };
	unit->fetch(unit, id, context);
	return unit->walk(unit, context, address);
}

static const uint64_t *context_of(struct fake_unit *unit, uint16_t id)
{
	struct fake_context *context;

	for (unsigned i = 0; i < unit->context_count; i++)
		if (unit->contexts[i].id == id)
			return unit->contexts[i].words;
	unit->context_count %= COUNT(unit->contexts);
	context = &unit->contexts[unit->context_count++];
	context->id = id;
	unit->fetch(unit, id, context->words);
	return context->words;
}

struct fake_reach fake_reach(struct fake_unit *unit, uint16_t id, uint64_t address)
{
	uint64_t offset = address % FRAME_SIZE, page = address - offset;
	struct fake_reach reach;
	const uint64_t *context;

	if (!unit->translates)
		return (struct fake_reach){ address, true, true };
	for (unsigned i = 0; i < unit->translation_count; i++) {
		struct fake_translation *known = &unit->translations[i];

		if (known->id == id && known->page == page)
			return (struct fake_reach){ known->reach.to | offset, known->reach.read,
				known->reach.write };
	}
	context = context_of(unit, id);
	reach = unit->walk(unit, context, page);
	if (reach.read || reach.write) {
		assert_true(unit->translation_count < COUNT(unit->translations));
		unit->translations[unit->translation_count++] = (struct fake_translation){ id, page,
			context[1], reach };
	}
	reach.to |= offset;
	return reach;
}

/* ---- What the drivers ask of the monitor ---- */

const struct bootinfo *start_info(void)
{
	return &fake.info;
}

struct stage2 *monitor_normal_stage2(void)
{
	return &normal;
}

bool spin_held(const struct spinlock *which)
{
	return which == &lock;
}

void spin_lock(struct spinlock *which)
{
}

void spin_unlock(struct spinlock *which)
{
}

bool stage2_has_huge(void)
{
	return fake.huge;
}

bool stage2_has_mbec(void)
{
	return true;
}

struct withheld stage2_withheld(void)
{
	return (struct withheld){ FAKE_BUS, FAKE_BUS_END };
}

bool test_switch(unsigned number)
{
	assert_int_equal(number, TEST_DMA_OPEN);
	return fake.open;
}

void audit(unsigned event, uint64_t subject, uint64_t fact)
{
	assert_true(fake.audit_count < COUNT(fake.audits));
	fake.audits[fake.audit_count++] = (struct fake_audit){ event, subject, fact };
}

void klog(enum log_level level, const char *format, ...)
{
	size_t used = strlen(fake.log);
	va_list args;

	va_start(args, format);
	vsnprintf(fake.log + used, sizeof(fake.log) - used, format, args);
	va_end(args);
	used = strlen(fake.log);
	snprintf(fake.log + used, sizeof(fake.log) - used, "\n");
	fake.log_lines++;
}

/* Caught by expect_assert_failure() alone. */
void panic(const char *format, ...)
{
	mock_assert(0, format, __FILE__, __LINE__);
	abort();
}
