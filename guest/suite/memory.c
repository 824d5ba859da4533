/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The monitor's memory from the guest's side (T11): reads give ones, everything else is #GP, and
 * the guest goes on. That nothing in it has changed is judged from outside, by the driver's dumps.
 */
#include "guest/suite/suite.h"

#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/mode.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "guest/suite/accesses.h"

#define ONES	     (~0ull)
#define EFI_RESERVED 0u
#define VA_ALIAS     (WINDOW + 0x200000)
#define VA_USER	     (WINDOW + 0x300000)
#define SLOT_2M	     0x10000000000ull /* 1 TiB: its own top-level entry */
#define TABLE_SPAN   0x18000000000ull
#define IMAGE_MAGIC  0x54494e4f4d544452ull

/* ---- Reads ---- */

static void do_read(void *address)
{
	(void)*(volatile uint64_t *)address;
}

static bool reads_ones(uint64_t frame)
{
	const volatile uint64_t *p = (const volatile uint64_t *)frame;

	if (trap_try(do_read, (void *)frame, NULL) != TRAP_NONE)
		return false;
	for (unsigned i = 0; i < PAGE / 8; i++) {
		if (p[i] != ONES)
			return false;
	}
	return true;
}

static void read_all(const struct frames *f)
{
	uint64_t wrong = 0;

	for (uint64_t i = 0; i < f->pages; i++)
		wrong += !reads_ones(f->base + i * PAGE);
	tap(!wrong, "T11 all %lu frames from %lx read as ones, without a fault", f->pages, f->base);
}

/* Whether firmware's map, as the operating system gets it, keeps the frames from use. */
static void listed(const struct frames *f)
{
	size_t count;
	const struct memory_range *map = memory_map(&count);
	uint64_t reserved = 0, other = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t first = map[i].base > f->base ? map[i].base : f->base;
		uint64_t end = map[i].base + map[i].pages * PAGE;
		uint64_t last = f->base + f->pages * PAGE;

		end = end < last ? end : last;
		if (first < end)
			*(map[i].type == EFI_RESERVED ? &reserved : &other) += (end - first) / PAGE;
	}
	tap(reserved == f->pages && !other,
	    "memory: the frames from %lx are reserved in firmware's map", f->base);
}

/* Every frame that firmware lists as reserved, whoever reserved it, can be read. */
static void read_reserved(void)
{
	size_t count;
	const struct memory_range *map = memory_map(&count);
	uint64_t frames = 0, wrong = 0;

	for (size_t i = 0; i < count; i++) {
		if (map[i].type != EFI_RESERVED)
			continue;
		for (uint64_t k = 0; k < map[i].pages; k++, frames++)
			wrong += trap_try(do_read, (void *)(map[i].base + k * PAGE), NULL) !=
			    TRAP_NONE;
	}
	tap(frames && !wrong, "T11 each of %lu reserved frames can be touched", frames);
}

/* ---- Writes and fetches ---- */

/* #GP on a stack of its own, because some ways leave RSP in the monitor's frame. */
static void write_every_way(uint64_t target)
{
	trap_set_ist(VECTOR_GP, 4);
	for (unsigned i = 0; i < access_count; i++) {
		struct trap trap;

		trap_try(accesses[i].run, (void *)target, &trap);
		expect_trap(accesses[i].name, VECTOR_GP, 0, &trap);
		if (*(volatile uint64_t *)target != ONES)
			tap(false, "%s: reads as ones afterwards", accesses[i].name);
	}
	trap_set_ist(VECTOR_GP, 0);
}

static void do_write(void *address)
{
	*(volatile uint64_t *)address = 0x600d600d600d600d;
}

static void do_fetch(void *address)
{
	((void (*)(void))address)();
}

static void write_all(const struct frames *f)
{
	uint64_t written = 0, fetched = 0;

	for (uint64_t i = 0; i < f->pages; i++) {
		void *frame = (void *)(f->base + i * PAGE + (i * 8) % PAGE);

		written += trap_try(do_write, frame, NULL) != VECTOR_GP;
		fetched += trap_try(do_fetch, frame, NULL) != VECTOR_GP;
	}
	tap(!written, "T11 a write to each of %lu frames is #GP", f->pages);
	tap(!fetched, "T11 a fetch from each of %lu frames is #GP", f->pages);
}

/*
 * A write that begins in memory of the guest's and ends in the monitor's, where the frame before is
 * ours.
 */
static void write_across(const struct frames *f)
{
	uint64_t own = (uint64_t)pages_alloc(1);
	volatile uint64_t *last = (volatile uint64_t *)(VA_ALIAS + PAGE - 8);

	memory_map_page(VA_ALIAS, own, PTE_P | PTE_W);
	memory_map_page(VA_ALIAS + PAGE, f->base, PTE_P | PTE_W);
	*last = 0x1122334455667788;
	expect("T11 a write across the border", VECTOR_GP, 0, do_write,
	    (void *)(VA_ALIAS + PAGE - 4));
	tap(*last == 0x1122334455667788, "memory: the part on this side was not written");
}

/* ---- Other ways to the same frame ---- */

static void aliases(const struct frames *f)
{
	static const struct {
		const char *what;
		uint64_t flags;
	} kinds[] = {
		{ "T11 a write through an alias", 0 },
		{ "T11 a write through an uncached alias", 1 << 3 | 1 << 4 },
		{ "T11 a write through an alias marked dirty", PTE_A | PTE_D },
		{ "T11 a write through a user alias", PTE_U },
	};

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		memory_map_page(VA_ALIAS, f->base, PTE_P | PTE_W | kinds[i].flags);
		expect(kinds[i].what, VECTOR_GP, 0, do_write, (void *)VA_ALIAS);
	}
	tap(*(volatile uint64_t *)VA_ALIAS == ONES, "T11 reads through an alias give ones");
}

static void large_alias(const struct frames *f)
{
	uint64_t frame = (uint64_t)pages_alloc(1);
	uint64_t *third = (uint64_t *)pages_alloc(1);
	uint64_t *second = (uint64_t *)frame;
	uint64_t *root = (uint64_t *)memory_cr3();
	uint64_t inside = f->base & 0x1fffff;

	second[0] = (f->base & ~0x1fffffull) | PTE_P | PTE_W | PTE_PS;
	third[0] = frame | PTE_P | PTE_W;
	root[SLOT_2M >> 39 & 511] = (uint64_t)third | PTE_P | PTE_W;
	write_cr3(read_cr3());
	expect("T11 a write through a 2 MiB page", VECTOR_GP, 0, do_write,
	    (void *)(SLOT_2M + inside));
	tap(*(volatile uint64_t *)(SLOT_2M + inside) == ONES,
	    "T11 a read through a 2 MiB page gives ones");
	root[SLOT_2M >> 39 & 511] = 0;
	write_cr3(read_cr3());
}

/* MOV [ESI], EAX in other modes of the CPU: the tables below the guest's do not care. */
static void other_modes(const struct frames *f)
{
	static const enum mode modes[] = { MODE_COMPAT32, MODE_PROTECTED32, MODE_PAE32,
		MODE_PAGED32, MODE_PROTECTED_USER32 };
	struct snippet s = { CODE("\x89\x06"), .rax = 0x12345678, .rsi = f->base };
	struct snippet wide = { CODE("\x48\x89\x06"), .rax = 0x12345678, .rsi = VA_USER };

	for (unsigned i = 0; f->base >> 32 == 0 && i < sizeof(modes) / sizeof(modes[0]); i++)
		mode_expect("T11 a write", modes[i], &s, VECTOR_GP, 0);
	memory_map_page(VA_USER, f->base, PTE_P | PTE_W | PTE_U);
	mode_expect("T11 a write", MODE_USER64, &wide, VECTOR_GP, 0);
}

/* ---- Page tables inside the monitor's memory: an entry of ones has reserved bits ---- */

static void tables_inside(const struct frames *f)
{
	static const char *const names[] = { "last", "second", "third" };
	uint64_t *root = (uint64_t *)memory_cr3();
	unsigned slot = TABLE_SPAN >> 39 & 511;

	for (unsigned level = 0; level < 3; level++) {
		uint64_t table = f->base;
		struct trap read, write;

		for (unsigned i = 0; i < level; i++) {
			uint64_t *above = pages_alloc(1);

			above[0] = table | PTE_P | PTE_W | PTE_U;
			table = (uint64_t)above;
		}
		root[slot] = table | PTE_P | PTE_W | PTE_U;
		write_cr3(read_cr3());
		trap_try(do_read, (void *)TABLE_SPAN, &read);
		trap_try(do_write, (void *)TABLE_SPAN, &write);
		tap(read.frame.vector == VECTOR_PF &&
			read.frame.error == (PF_PRESENT | PF_RESERVED) &&
			write.frame.vector == VECTOR_PF &&
			write.frame.error == (PF_PRESENT | PF_RESERVED | PF_WRITE),
		    "T11 a page walk through the monitor's frame, %s from below: #PF, reserved bit",
		    names[2 - level]);
	}
	root[slot] = 0;
	write_cr3(read_cr3());
	tap(reads_ones(f->base), "T11 the frame that served as a table reads as ones");
}

/* ---- Delivery of events: the CPU itself writes the frame ---- */

static void on_bad_stack(void *stack)
{
	__asm__ volatile("mov %0, %%rsp; int3" : : "r"(stack) : "memory");
}

static void undefined_on_bad_stack(void *stack)
{
	__asm__ volatile("mov %0, %%rsp; ud2" : : "r"(stack) : "memory");
}

static void fault_on_bad_stack(void *stack)
{
	__asm__ volatile("mov %0, %%rsp; mov (%1), %%rax"
			 :
			 : "r"(stack), "r"(1ull << 62)
			 : "rax", "memory");
}

static void interrupt_on_bad_stack(void *stack)
{
	__asm__ volatile("mov %0, %%rsp; int $0x80" : : "r"(stack) : "memory");
}

static void event_delivery(const struct frames *f)
{
	void *stack = (void *)(f->base + PAGE);

	trap_set_ist(VECTOR_GP, 4);
	expect("T11 #BP pushed onto the monitor's frame", VECTOR_GP, TRAP_ANY_ERROR, on_bad_stack,
	    stack);
	expect("T11 #UD pushed onto the monitor's frame", VECTOR_GP, TRAP_ANY_ERROR,
	    undefined_on_bad_stack, stack);
	expect("T11 INT pushed onto the monitor's frame", VECTOR_GP, TRAP_ANY_ERROR,
	    interrupt_on_bad_stack, stack);
	trap_set_ist(VECTOR_GP, 0);
	expect("T11 #GP pushed onto the monitor's frame", VECTOR_DF, 0, fault_on_bad_stack, stack);
	expect("T11 #BP pushed onto the monitor's frame, #GP too", VECTOR_DF, 0, on_bad_stack,
	    stack);
	tap(reads_ones(f->base), "T11 the frame that served as a stack reads as ones");
}

/* ---- Where nothing is ---- */

static bool shows_monitor(uint64_t address)
{
	volatile uint64_t *p = (volatile uint64_t *)address;

	return trap_try(do_read, (void *)address, NULL) == TRAP_NONE && *p == IMAGE_MAGIC;
}

/*
 * Physical addresses beside RAM: holes, above it, the top of the range. A fault is no harm; the
 * monitor's image showing is.
 */
static void elsewhere(const struct frames *f)
{
	const unsigned bits = cpuid(0x80000008, 0).eax & 0xff;
	unsigned shown = 0;

	for (unsigned bit = 21; bit < bits; bit++) {
		const uint64_t at[] = { 1ull << bit, (1ull << bit) + (f->base & 0xffffffff),
			f->base ^ 1ull << bit, (1ull << bit) - PAGE };

		for (unsigned i = 0; i < 4; i++) {
			if (at[i] >> bits)
				continue;
			memory_map_page(VA_ALIAS, at[i], PTE_P | PTE_W);
			shown += shows_monitor(VA_ALIAS);
		}
	}
	tap(!shown, "T11 the monitor's image is seen at no address with one more or less bit");
	memory_map_page(VA_ALIAS, (1ull << bits) - PAGE, PTE_P | PTE_W);
	trap_try(do_write, (void *)VA_ALIAS, NULL);
	tap(monitor_present(), "T11 a write to the last frame of the address space does no harm");
	if (bits == 52)
		return;
	memory_map_page(VA_ALIAS, 1ull << bits, PTE_P | PTE_W);
	expect("T11 an address wider than MAXPHYADDR", VECTOR_PF, PF_PRESENT | PF_RESERVED, do_read,
	    (void *)VA_ALIAS);
	expect("T11 an address that is not canonical", VECTOR_GP, 0, do_read, (void *)(1ull << 62));
}

void suite_memory(void)
{
	unsigned count;
	const struct frames *f = monitor_frames(&count);

	read_reserved();
	for (unsigned i = 0; i < count; i++) {
		if (!f[i].canary)
			listed(&f[i]);
		read_all(&f[i]);
		write_every_way(f[i].base);
		write_all(&f[i]);
		aliases(&f[i]);
	}
	write_across(f);
	large_alias(f);
	other_modes(f);
	tables_inside(f);
	event_delivery(f);
	elsewhere(f);
	for (unsigned i = 0; i < count; i++)
		read_all(&f[i]);
}
