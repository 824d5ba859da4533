// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause-Patent
/*
 * Frames of partitions and of the monitor from Linux: by memremap() and ioremap(), by a page table
 * entry of our own, read, written, executed. What faults is caught by the exception table, and a
 * fetch by a notifier.
 */
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/kdebug.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>
#include <asm/asm.h>
#include <asm/nospec-branch.h>
#include <asm/pgtable.h>
#include <asm/tlbflush.h>

#include "hostile.h"

#define TEST_SWITCH	0x1000u	/* call of the test build */
#define OPEN_REGION	0u	/* of arch/include/arch/test_switch.h */

/* The page whose entry we change. */
static void *window;
static pte_t *entry, before;

static bool try_read(const void *from, u64 *word)
{
	bool good = false;

	asm volatile("1: movq (%[from]), %[word]\n\tmovb $1, %[good]\n2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : [word] "+r"(*word), [good] "+q"(good) : [from] "r"(from) : "memory");
	return good;
}

static bool try_write(void *to, u64 word)
{
	bool good = false;

	asm volatile("1: movq %[word], (%[to])\n\tmovb $1, %[good]\n2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : [good] "+q"(good) : [word] "r"(word), [to] "r"(to) : "memory");
	return good;
}

/* ---- Fetches: the fault is at the target, where no exception table helps ---- */

static unsigned long fetched;
static bool fetch_faulted;

static int on_die(struct notifier_block *self, unsigned long event, void *data)
{
	struct die_args *args = data;

	if (event != DIE_GPF || !fetched || args->regs->ip != fetched)
		return NOTIFY_DONE;
	fetch_faulted = true;
	/* As if it had returned at once. */
	args->regs->ip = *(unsigned long *)args->regs->sp;
	args->regs->sp += sizeof(unsigned long);
	return NOTIFY_STOP;
}

static struct notifier_block die_block = { .notifier_call = on_die };

static bool try_fetch(void *at)
{
	fetched = (unsigned long)at;
	fetch_faulted = false;
	asm volatile(ANNOTATE_RETPOLINE_SAFE "call *%[at]"
		     : ASM_CALL_CONSTRAINT : [at] "r"(at) : "memory", "rax", "rcx", "rdx", "rsi",
		       "rdi", "r8", "r9", "r10", "r11", "cc");
	fetched = 0;
	return !fetch_faulted;
}

/* ---- Ways to a frame ---- */

static void *by_memremap(u64 frame)
{
	return memremap(frame, PAGE_SIZE, MEMREMAP_WB);
}

static void *by_ioremap(u64 frame)
{
	return (void __force *)ioremap(frame, PAGE_SIZE);
}

static void unmap_io(void *at)
{
	iounmap((void __iomem __force *)at);
}

static void *by_own_entry(u64 frame)
{
	set_pte(entry, pfn_pte(frame >> PAGE_SHIFT, PAGE_KERNEL_EXEC));
	__flush_tlb_all();
	return window;
}

static void unmap_entry(void *at)
{
	set_pte(entry, before);
	__flush_tlb_all();
}

static const struct way {
	const char *name;
	void *(*map)(u64 frame);
	void (*unmap)(void *at);
	bool executable;
} ways[] = {
	{ "memremap", by_memremap, memunmap, false },
	{ "ioremap", by_ioremap, unmap_io, false },
	{ "a page table entry of its own", by_own_entry, unmap_entry, true },
};

int hostile_memory_init(void)
{
	unsigned int level;

	window = vmalloc(PAGE_SIZE);
	if (!window)
		return -ENOMEM;
	memset(window, 0, PAGE_SIZE);
	entry = lookup_address((unsigned long)window, &level);
	if (!entry || level != PG_LEVEL_4K)
		return -EFAULT;
	before = *entry;
	return register_die_notifier(&die_block);
}

void hostile_memory_exit(void)
{
	unregister_die_notifier(&die_block);
	vfree(window);
}

/* ---- Kept out ---- */

struct seen {
	u64 mapped, ones, written, executed;
};

static void look(const struct way *way, u64 frame, struct seen *seen)
{
	u8 *at = way->map(frame);
	bool ones = true;

	if (!at)
		return;
	seen->mapped++;
	for (unsigned int i = 0; i < PAGE_SIZE; i += sizeof(u64)) {
		u64 word = 0;

		ones = try_read(at + i, &word) && word == ONES && ones;
	}
	seen->ones += ones;
	seen->written += try_write(at + (frame >> PAGE_SHIFT) % 512 * 8, MARK);
	if (way->executable)
		seen->executed += try_fetch(at);
	way->unmap(at);
}

static void look_at(const struct way *way, const struct frames *f)
{
	struct seen seen = { 0 };

	for (u64 i = 0; i < f->pages; i++)
		look(way, f->base + i * PAGE_SIZE, &seen);
	hostile_point(seen.mapped == f->pages && seen.ones == f->pages,
		      "T11 Linux: %s reads as ones by %s (%llu pages)", f->what, way->name,
		      seen.ones);
	hostile_point(seen.mapped == f->pages && !seen.written,
		      "T01 Linux: %s is not written by %s", f->what, way->name);
	if (way->executable)
		hostile_point(seen.mapped == f->pages && !seen.executed,
			      "T02 Linux: %s is not executed by %s", f->what, way->name);
}

void hostile_memory(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(ways); i++)
		for (unsigned int k = 0; k < ARRAY_SIZE(hostile_frames); k++)
			look_at(&ways[i], &hostile_frames[k]);
}

/* ---- With the protection off ---- */

/* Where the secret's word stands in the partition's memory, by one way; 0: nowhere. */
static u64 find_secret(const struct way *way, u64 secret)
{
	const struct frames *f = &hostile_frames[HOSTILE_MEMORY];

	for (u64 i = 0; i < f->pages; i++) {
		u64 found = 0, word = 0;
		u8 *at = way->map(f->base + i * PAGE_SIZE);

		for (unsigned int k = 0; at && k < PAGE_SIZE && !found; k += sizeof(u64))
			if (try_read(at + k, &word) && word == secret)
				found = f->base + i * PAGE_SIZE + k;
		if (at)
			way->unmap(at);
		if (found)
			return found;
	}
	return 0;
}

static bool write_at(const struct way *way, u64 address, u64 word)
{
	u8 *at = way->map(address & PAGE_MASK);
	u64 now = 0;
	bool good;

	if (!at)
		return false;
	good = try_write(at + (address & ~PAGE_MASK), word) &&
	       try_read(at + (address & ~PAGE_MASK), &now) && now == word;
	way->unmap(at);
	return good;
}

static bool leak(u64 number, u64 *word)
{
	u64 words[3];
	bool good = hostile_request(PROBE, SECRET_LEAK, number, 0, words);

	*word = words[0];
	return good;
}

void hostile_memory_open(void)
{
	u64 secret = 0, words[3], at[ARRAY_SIZE(ways)];
	bool made = hostile_request(PROBE, SECRET_MAKE, 0, 0, words) && leak(1, &secret);
	u64 hidden = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(ways); i++)
		hidden += find_secret(&ways[i], secret) == 0;
	hostile_point(made && secret && hidden == ARRAY_SIZE(ways),
		      "T57 Linux: a partition's secret is not found in its memory");
	if (hostile_do(TEST_SWITCH, OPEN_REGION, 1, 0, 0) != REDOUBT_OK) {
		hostile_point(false, "the monitor has no switch");
		return;
	}
	/* What shows ones gives way to the frame when it is written. */
	for (u64 i = 0; i < hostile_frames[HOSTILE_MEMORY].pages; i++)
		write_at(&ways[0], hostile_frames[HOSTILE_MEMORY].base + i * PAGE_SIZE +
			 PAGE_SIZE - 8, MARK);
	for (unsigned int i = 0; i < ARRAY_SIZE(ways); i++) {
		at[i] = find_secret(&ways[i], secret);
		hostile_point(at[i],
			      "T57 Linux: a partition's secret by %s: succeeds with OPEN_REGION",
			      ways[i].name);
	}
	hostile_point(at[2] && write_at(&ways[2], at[2], MARK),
		      "T01 Linux: writing a partition's memory: succeeds with OPEN_REGION");
	hostile_do(TEST_SWITCH, OPEN_REGION, 0, 0, 0);
}
