/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Memory types: the guest's MTRRs are virtual. What it writes it reads back, what hardware would
 * refuse is refused, memory keeps its content whatever type it is given, and INVD loses nothing
 * (T14). SDM 3A 12.11.
 */
#include "guest/suite/suite.h"

#include "guest/lib/memory.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"

#define MTRR_VALID     (1ull << 11)
#define DEFTYPE_ENABLE (1ull << 11)
#define TYPE_UC	       0u
#define TYPE_WC	       1u
#define TYPE_WT	       4u
#define TYPE_WP	       5u
#define TYPE_WB	       6u
#define BLOCK_PAGES    512u

static uint64_t phys_mask(void)
{
	return (1ull << (cpuid(0x80000008, 0).eax & 0xff)) - 1;
}

static unsigned variable_count(void)
{
	return rdmsr(MSR_MTRRCAP) & 0xff;
}

static void variable(void)
{
	unsigned count = variable_count();
	unsigned wrong = 0;

	for (unsigned i = 0; i < 2 * count; i++) {
		uint64_t old = rdmsr(MSR_MTRR_BASE0 + i);
		uint64_t value = i & 1 ? phys_mask() & ~0x1fffffull : 0x7fe00000 | TYPE_WC;

		wrong += try_wrmsr(MSR_MTRR_BASE0 + i, value) != TRAP_NONE;
		wrong += rdmsr(MSR_MTRR_BASE0 + i) != value;
		wrmsr(MSR_MTRR_BASE0 + i, old);
		wrong += rdmsr(MSR_MTRR_BASE0 + i) != old;
	}
	tap(count >= 1 && !wrong, "mtrr: %u variable registers are taken and read back", count);
	for (unsigned i = count; i < 16; i++)
		wrong += try_wrmsr(MSR_MTRR_BASE0 + 2 * i, 0) != VECTOR_GP;
	tap(!wrong, "mtrr: those behind the last do not exist");
}

static bool refused(uint32_t msr, uint64_t value)
{
	uint64_t old = rdmsr(msr);
	bool pass = try_wrmsr(msr, value) == VECTOR_GP && rdmsr(msr) == old;

	wrmsr(msr, old);
	return pass;
}

static void illegal(void)
{
	static const uint8_t bad_types[] = { 2, 3, 7, 8, 0x80, 0xff };
	unsigned wrong = 0;

	for (unsigned i = 0; i < sizeof(bad_types); i++) {
		uint64_t t = bad_types[i];

		wrong += !refused(MSR_MTRR_BASE0, 0x7fe00000 | t);
		wrong += !refused(MSR_MTRR_DEFTYPE, DEFTYPE_ENABLE | t);
		wrong += !refused(MSR_MTRR_FIX64K, t << 8);
		wrong += !refused(0x268, t << 56);
	}
	tap(!wrong, "mtrr: undefined memory types are refused");
	tap(refused(MSR_MTRR_BASE0, 0x7fe00000 | TYPE_WB | 1 << 8) &&
		refused(MSR_MTRR_MASK0, MTRR_VALID | 1),
	    "mtrr: reserved low bits of base and mask");
	tap(refused(MSR_MTRR_BASE0, (phys_mask() + 1) | TYPE_WB) &&
		refused(MSR_MTRR_MASK0, (phys_mask() + 1) | MTRR_VALID),
	    "mtrr: bits above MAXPHYADDR");
	tap(refused(MSR_MTRR_DEFTYPE, 1 << 8) && refused(MSR_MTRR_DEFTYPE, 1 << 12) &&
		refused(MSR_MTRR_DEFTYPE, 1ull << 40),
	    "mtrr: reserved bits of the default type");
}

static void fill(uint64_t *block)
{
	for (unsigned i = 0; i < BLOCK_PAGES * PAGE / 8; i++)
		block[i] = 0x123456789abcdef0 ^ i;
}

static bool kept(const volatile uint64_t *block)
{
	for (unsigned i = 0; i < BLOCK_PAGES * PAGE / 8; i++) {
		if (block[i] != (0x123456789abcdef0 ^ i))
			return false;
	}
	return true;
}

/* A block of RAM is given each type; what was in it stays, and it can be written. */
static void retype(void)
{
	static const uint8_t types[] = { TYPE_UC, TYPE_WC, TYPE_WT, TYPE_WP, TYPE_WB };
	uint64_t raw = (uint64_t)pages_alloc(2 * BLOCK_PAGES);
	uint64_t *block = (uint64_t *)((raw + 0x1fffff) & ~0x1fffffull);
	uint64_t base = rdmsr(MSR_MTRR_BASE0), mask = rdmsr(MSR_MTRR_MASK0);
	unsigned wrong = 0;

	for (unsigned i = 0; i < sizeof(types); i++) {
		fill(block);
		wrmsr(MSR_MTRR_MASK0, 0);
		wrmsr(MSR_MTRR_BASE0, (uint64_t)block | types[i]);
		wrmsr(MSR_MTRR_MASK0, (phys_mask() & ~0x1fffffull) | MTRR_VALID);
		wrong += !kept(block);
		block[7] = types[i];
		wrong += *(volatile uint64_t *)&block[7] != types[i];
	}
	wrmsr(MSR_MTRR_MASK0, 0);
	wrmsr(MSR_MTRR_BASE0, base);
	wrmsr(MSR_MTRR_MASK0, mask);
	tap(!wrong, "mtrr: 2 MiB of RAM keep their content under every type");
}

/*
 * MTRRs off (all memory UC) and CR0.CD, as an operating system does while it sets them: SDM 3A
 * 12.11.8.
 */
static void off_and_on(void)
{
	uint64_t old = rdmsr(MSR_MTRR_DEFTYPE), cr0 = read_cr0();
	static volatile uint64_t word = 0x1122334455667788;
	bool off;

	write_cr0(cr0 | CR0_CD);
	__asm__ volatile("wbinvd" : : : "memory");
	wrmsr(MSR_MTRR_DEFTYPE, old & ~DEFTYPE_ENABLE);
	off = rdmsr(MSR_MTRR_DEFTYPE) == (old & ~DEFTYPE_ENABLE);
	word++;
	wrmsr(MSR_MTRR_DEFTYPE, old);
	write_cr0(cr0);
	tap(off && rdmsr(MSR_MTRR_DEFTYPE) == old && word == 0x1122334455667789,
	    "mtrr: switched off and on again with CR0.CD set");
}

static void fixed(void)
{
	static const uint32_t numbers[] = { 0x250, 0x258, 0x259, 0x268, 0x26f };
	unsigned wrong = 0;

	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint64_t old = rdmsr(numbers[i]);

		wrmsr(numbers[i], 0x0001040506060401);
		wrong += rdmsr(numbers[i]) != 0x0001040506060401;
		wrmsr(numbers[i], old);
	}
	tap(!wrong, "mtrr: fixed registers are taken and read back");
}

void suite_mtrr(void)
{
	uint64_t def = rdmsr(MSR_MTRR_DEFTYPE);

	variable();
	illegal();
	fixed();
	off_and_on();
	retype();
	tap(rdmsr(MSR_MTRR_DEFTYPE) == def, "mtrr: as found");
}

static void do_invd(void *arg)
{
	__asm__ volatile("invd" : : : "memory");
}

void suite_invd(void)
{
	uint64_t *block = pages_alloc(BLOCK_PAGES);

	fill(block);
	expect("T14 INVD", TRAP_NONE, 0, do_invd, NULL);
	tap(kept(block), "T14 what was written before INVD is there afterwards");
	__asm__ volatile("wbinvd" : : : "memory");
	tap(kept(block), "invd: WBINVD");
}
