/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Attacks with the protection on and off (attack.h): a frame of a partition's through aliases
 * (T06), tables of the attacker's (T07), large pages split and merged around it (T09), and the
 * local APIC moved over it (T12). Each gives a frame away, attacks it and gets it back.
 */
#include "guest/suite/attack.h"

#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/mode.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "guest/suite/suite.h"

#define MARK	    0x600d600d600d600dull
#define LARGE	    0x200000ull
#define PAGES_LARGE 512u
#define INSIDE	    100u /* the frame's number in its 2 MiB */
#define VA	    (WINDOW + 0x400000)
#define VA_LARGE    0x10000000000ull /* its own top-level entry */
#define VA_FOREIGN  0x18000000000ull
#define UNCACHED    (1ull << 3 | 1ull << 4)

/* 2 MiB of the guest's own, aligned, of which one frame is given away. */
static uint64_t region(void)
{
	static uint64_t base;

	if (!base)
		base = ((uint64_t)pages_alloc(2 * PAGES_LARGE) + LARGE - 1) & ~(LARGE - 1);
	return base;
}

static uint64_t frame(void)
{
	return region() + INSIDE * PAGE;
}

static void do_write(void *address)
{
	*(volatile uint64_t *)address = MARK;
}

static bool writes(uint64_t address)
{
	return trap_try(do_write, (void *)address, NULL) == TRAP_NONE &&
	    *(volatile uint64_t *)address == MARK;
}

/* Runs an attack on a frame that is a partition's meanwhile. */
static bool on_frame(bool (*attack)(void), uint64_t what)
{
	static uint64_t *list;
	struct redoubt_partition_create made = { 0 };
	uint64_t status;
	bool succeeded;

	if (!list)
		list = pages_alloc(1);
	list[0] = frame();
	redoubt_partition_create(&made);
	status = redoubt_partition_give(made.partition | what << 32, (uint64_t)list, 1, 0);
	if (status != REDOUBT_OK)
		bail("partition_give: %lx", status);
	succeeded = attack();
	while (redoubt_partition_end(made.partition) == REDOUBT_BUSY)
		;
	return succeeded;
}

/* ---- T06: aliases ---- */

static bool through_alias(void)
{
	memory_map_page(VA, frame(), PTE_P | PTE_W | PTE_A | PTE_D);
	return writes(VA);
}

static bool through_uncached(void)
{
	memory_map_page(VA, frame(), PTE_P | PTE_W | UNCACHED);
	return writes(VA);
}

static bool from_user(void)
{
	struct snippet s = { CODE("\x48\x89\x06"), .rax = MARK, .rsi = VA };

	memory_map_page(VA, frame(), PTE_P | PTE_W | PTE_U);
	return mode_run(MODE_USER64, &s, NULL) == TRAP_NONE && *(volatile uint64_t *)VA == MARK;
}

static bool through_old(void)
{
	return writes(VA);
}

static bool alias(void)
{
	return on_frame(through_alias, REDOUBT_GIVE_DATA);
}

static bool alias_uncached(void)
{
	return on_frame(through_uncached, REDOUBT_GIVE_DATA);
}

static bool alias_user(void)
{
	return on_frame(from_user, REDOUBT_GIVE_DATA);
}

/* It was there, and used, when the frame was still the guest's. */
static bool alias_old(void)
{
	memory_map_page(VA, frame(), PTE_P | PTE_W);
	if (!writes(VA))
		bail("an alias of memory of the guest's own");
	return on_frame(through_old, REDOUBT_GIVE_DATA);
}

/* ---- T07: whose tables ---- */

/* A table of the guest's that maps at its first entry what `entry` says. */
static uint64_t table_with(uint64_t entry)
{
	uint64_t *table = pages_alloc(1);

	table[0] = entry;
	return (uint64_t)table | PTE_P | PTE_W | PTE_U;
}

/* Under other tables than the guest's: a copy of its root, with more in it. */
static bool under_tables(uint64_t third, bool (*attack)(void))
{
	uint64_t *root = pages_alloc(1);
	uint64_t before = read_cr3();
	bool succeeded;

	memcpy(root, (const void *)memory_cr3(), PAGE);
	root[VA_FOREIGN >> 39 & 511] = third;
	write_cr3((uint64_t)root);
	succeeded = attack();
	write_cr3(before);
	return succeeded;
}

static bool write_foreign(void)
{
	return writes(VA_FOREIGN);
}

static bool under_own_tables(void)
{
	return under_tables(table_with(table_with(table_with(frame() | PTE_P | PTE_W))),
	    write_foreign);
}

static bool other_cr3(void)
{
	return on_frame(under_own_tables, REDOUBT_GIVE_DATA);
}

/* U/S changed under way, in a table that the CPU has used already. */
static bool flips(void)
{
	return from_user() || through_alias() || from_user();
}

static bool user_bit(void)
{
	return on_frame(flips, REDOUBT_GIVE_DATA);
}

static uint64_t behind; /* what the table in the frame leads to */

static void do_read(void *word)
{
	*(uint64_t *)word = *(volatile uint64_t *)VA_FOREIGN;
}

static bool read_foreign(void)
{
	uint64_t word = 0;

	return trap_try(do_read, &word, NULL) == TRAP_NONE && word == MARK;
}

static bool walk_through_frame(void)
{
	return under_tables(table_with(table_with(frame() | PTE_P | PTE_W)), read_foreign);
}

/* An image keeps its bytes: the CPU would walk a table that is the partition's by now. */
static bool tables_given(void)
{
	if (!behind)
		behind = (uint64_t)pages_alloc(1);
	*(uint64_t *)behind = MARK;
	*(uint64_t *)frame() = behind | PTE_P | PTE_W | PTE_A | PTE_D;
	return on_frame(walk_through_frame, REDOUBT_GIVE_IMAGE);
}

/* ---- T09: large pages ---- */

static uint64_t *second; /* of VA_LARGE */

static void map_large(void)
{
	uint64_t *root = (uint64_t *)memory_cr3();

	if (!second) {
		second = pages_alloc(1);
		root[VA_LARGE >> 39 & 511] = table_with((uint64_t)second | PTE_P | PTE_W);
	}
	second[0] = region() | PTE_P | PTE_W | PTE_PS;
	write_cr3(read_cr3());
}

static void map_small(void)
{
	static uint64_t *small;

	if (!small)
		small = pages_alloc(1);
	for (unsigned i = 0; i < PAGES_LARGE; i++)
		small[i] = (region() + i * PAGE) | PTE_P | PTE_W;
	second[0] = (uint64_t)small | PTE_P | PTE_W;
	write_cr3(read_cr3());
}

/* The frame through a large page, small ones, a large one; its neighbours stay the guest's. */
static bool split_and_merge(void)
{
	uint64_t at = VA_LARGE + INSIDE * PAGE;
	bool beside, succeeded;

	map_large();
	beside = writes(at - PAGE) && writes(at + PAGE);
	succeeded = writes(at);
	map_small();
	beside = beside && writes(at - PAGE) && writes(at + PAGE);
	succeeded = writes(at) || succeeded;
	map_large();
	beside = beside && writes(at - PAGE + 8) && writes(at + PAGE + 8);
	if (!beside)
		bail("T09 the frames beside the partition's are not the guest's");
	return writes(at + 8) || succeeded;
}

static bool large_pages(void)
{
	return on_frame(split_and_merge, REDOUBT_GIVE_DATA);
}

/* ---- T12: the local APIC's registers ---- */

static bool move_apic(void)
{
	uint64_t before = 0, now = 0;

	try_rdmsr(MSR_APIC_BASE, &before);
	try_wrmsr(MSR_APIC_BASE, (before & (PAGE - 1)) | frame());
	try_rdmsr(MSR_APIC_BASE, &now);
	try_wrmsr(MSR_APIC_BASE, before);
	return now != before;
}

static bool apic_base(void)
{
	return on_frame(move_apic, REDOUBT_GIVE_DATA);
}

const struct attack attacks_map[] = {
	{ "T06 writing a partition's frame through an alias", "OPEN_REGION", alias, SUCCEEDS, false,
	    false },
	{ "T06 writing it through an uncached alias", "OPEN_REGION", alias_uncached, SUCCEEDS,
	    false, false },
	{ "T06 writing it through an alias for ring 3", "OPEN_REGION", alias_user, SUCCEEDS, false,
	    false },
	{ "T06 writing it through an alias from before", "OPEN_REGION", alias_old, SUCCEEDS, false,
	    false },
	{ "T07 writing it under another CR3", "OPEN_REGION", other_cr3, SUCCEEDS, false, false },
	{ "T07 writing it while U/S changes", "OPEN_REGION", user_bit, SUCCEEDS, false, false },
	{ "T07 page tables in a frame that is a partition's by now", "OPEN_REGION", tables_given,
	    SUCCEEDS, false, false },
	{ "T09 writing it while large pages are split and merged", "OPEN_REGION", large_pages,
	    SUCCEEDS, false, false },
	{ "T12 moving the local APIC over it", "MSR_OPEN", apic_base, SUCCEEDS, false, false },
	{ 0 },
};
