/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The fake machine's CPUs. One thread plays them all, one after the other (host_on()); what other
 * threads of a test do counts as done by the CPU that each has chosen. Each CPU remembers
 * translations and the tables it walked, and forgets neither before cpu_flush_all(): a flush that
 * is missing shows as an access that should not be.
 */
#include <sched.h>
#include <stdlib.h>

#include "arch/cpu.h"
#include "arch/frame.h"
#include "arch/host/internal.h"
#include "arch/lock.h"
#include "arch/stage2_format.h"
#include "arch/upcall.h"

#define CACHED	   64u /* translations, and tables, that a CPU remembers */
#define SPIN_LIMIT (1u << 24)
#define NOTHING	   (~0ull)
#define WALK_BITS  48u /* of an address that four levels of tables translate */

struct translation {
	const struct stage2 *map;
	uint64_t page; /* GPA / 4 KiB; NOTHING */
	uint64_t entry_spa;
	unsigned prot;
	enum s2_type type;
};

struct walked {
	const struct stage2 *map;
	uint64_t region; /* GPA / 2 MiB; NOTHING */
	const uint64_t *table;
};

struct cpu {
	struct translation translations[CACHED];
	struct walked tables[CACHED];
	bool anything;
};

static struct {
	unsigned count;
	struct cpu *list;
	uint64_t cycles;
	uint64_t step;
	uint64_t flushes;
	bool flush_broken;
} cpus;

static _Thread_local unsigned running;

/* ---- Which one ---- */

static void forget(struct cpu *cpu)
{
	for (unsigned i = 0; i < CACHED; i++) {
		cpu->translations[i].page = NOTHING;
		cpu->tables[i].region = NOTHING;
	}
	cpu->anything = false;
}

void host_reset_cpus(unsigned count)
{
	free(cpus.list);
	cpus.list = calloc(count, sizeof(*cpus.list));
	if (!cpus.list)
		host_fail("no memory");
	cpus.count = count;
	cpus.cycles = 0;
	cpus.step = 1000;
	cpus.flushes = 0;
	cpus.flush_broken = false;
	running = 0;
	for (unsigned i = 0; i < count; i++)
		forget(&cpus.list[i]);
}

void host_on(unsigned cpu)
{
	if (cpu >= cpus.count)
		host_fail("no such CPU");
	running = cpu;
}

unsigned cpu_index(void)
{
	return running;
}

unsigned cpu_count(void)
{
	return cpus.count;
}

unsigned cpu_covered(void)
{
	return cpus.count;
}

void cpu_write_back(const void *line)
{
}

void cpu_pause(void)
{
	sched_yield();
}

uint64_t cpu_cycles(void)
{
	return __atomic_fetch_add(&cpus.cycles, cpus.step, __ATOMIC_RELAXED);
}

void host_set_cycles(uint64_t now, uint64_t step)
{
	cpus.cycles = now;
	cpus.step = step;
}

/* ---- Locks ---- */

void spin_lock(struct spinlock *lock)
{
	uint32_t ticket;

	test_lock(lock->rank, 0, true);
	ticket = atomic_fetch_add(&lock->next, 1);

	for (unsigned i = 0; atomic_load(&lock->serving) != ticket; i++) {
		if (i == SPIN_LIMIT)
			host_fail("a lock is never released");
		cpu_pause();
	}
	atomic_store(&lock->holder, cpu_index() + 1);
}

void spin_unlock(struct spinlock *lock)
{
	if (!spin_held(lock))
		host_fail("a lock is released by one who does not hold it");
	test_lock(lock->rank, 0, false);
	atomic_store(&lock->holder, 0);
	atomic_fetch_add(&lock->serving, 1);
}

bool spin_held(const struct spinlock *lock)
{
	return atomic_load(&lock->holder) == cpu_index() + 1;
}

/* ---- Translations ---- */

uint64_t host_flushes(void)
{
	return cpus.flushes;
}

void host_break_flush(bool broken)
{
	cpus.flush_broken = broken;
}

static struct translation decode(const struct stage2 *map, uint64_t gpa, uint64_t entry,
    unsigned level)
{
	struct translation seen = { .page = NOTHING };
	uint64_t inside = gpa & ((1ull << (FRAME_SHIFT + 9 * level)) - 1) &
	    ~(uint64_t)(FRAME_SIZE - 1);

	if (entry != 0)
		seen = (struct translation){ map, gpa >> FRAME_SHIFT,
			format_address(entry, level).v + inside, format_prot(entry),
			format_type(entry) };
	return seen;
}

static uint64_t entry_at(const uint64_t *table, uint64_t gpa, unsigned level)
{
	return table[(gpa >> (FRAME_SHIFT + 9 * level)) % 512];
}

/*
 * Walks as the CPU does: an address beyond what four levels translate is a violation (SDM 3C
 * 29.3.2); otherwise from a table it remembers, or from the root, remembering the last table.
 */
static struct translation walk(struct cpu *cpu, const struct stage2 *map, uint64_t gpa)
{
	struct walked *known = &cpu->tables[(gpa >> LARGE_SHIFT) % CACHED];
	const uint64_t *table = map->root;
	unsigned level = 3;
	uint64_t entry;

	if (gpa >> WALK_BITS)
		return (struct translation){ .page = NOTHING };
	if (known->map == map && known->region == gpa >> LARGE_SHIFT) {
		table = known->table;
		level = 0;
	}
	for (entry = entry_at(table, gpa, level); level > 0 && format_is_table(entry, level);
	     entry = entry_at(table, gpa, level)) {
		table = region_ptr(format_address(entry, level));
		level--;
	}
	if (level == 0)
		*known = (struct walked){ map, gpa >> LARGE_SHIFT, table };
	return decode(map, gpa, entry, level);
}

/*
 * Until it has flushed a CPU may walk a table that was merged away, so that must not hold anything
 * but leaves yet. Its first word is where a free table would lead to the next.
 */
static void check_remembered(const struct cpu *cpu)
{
	for (unsigned i = 0; i < CACHED; i++) {
		const struct walked *known = &cpu->tables[i];

		if (known->region != NOTHING && known->table[0] != 0 &&
		    !(format_prot(known->table[0]) & S2_R))
			host_fail("a table was reused before the flush");
	}
}

/* A CPU flushes, and its guest runs on: what it had in use it walks for and remembers anew. */
static void flush(struct cpu *cpu)
{
	struct cpu before = *cpu;

	check_remembered(cpu);
	forget(cpu);
	for (unsigned i = 0; i < CACHED; i++) {
		if (before.tables[i].region != NOTHING)
			walk(cpu, before.tables[i].map, before.tables[i].region << LARGE_SHIFT);
		if (before.translations[i].page != NOTHING)
			cpu->translations[i] = walk(cpu, before.translations[i].map,
			    before.translations[i].page << FRAME_SHIFT);
	}
	cpu->anything = true;
}

void cpu_flush_all(void)
{
	cpus.flushes++;
	for (unsigned i = 0; i < cpus.count && !cpus.flush_broken; i++)
		if (cpus.list[i].anything)
			flush(&cpus.list[i]);
}

static bool grants(const struct translation *seen, unsigned access)
{
	if (seen->page == NOTHING)
		return false;
	return !((access & ACCESS_READ) && !(seen->prot & S2_R)) &&
	    !((access & ACCESS_WRITE) && !(seen->prot & S2_W)) &&
	    !((access & ACCESS_FETCH) && !(seen->prot & S2_KX));
}

/* What the running CPU knows of an address, or finds in the tables if that is not enough. */
static struct translation *translate(const struct stage2 *map, uint64_t gpa, unsigned access)
{
	struct cpu *cpu = &cpus.list[running];
	struct translation *cached = &cpu->translations[(gpa >> FRAME_SHIFT) % CACHED];

	cpu->anything = true;
	if (cached->map != map || cached->page != gpa >> FRAME_SHIFT || !grants(cached, access))
		*cached = walk(cpu, map, gpa);
	return cached;
}

struct host_access host_touch(uint64_t gpa, unsigned access)
{
	const struct stage2 *map = monitor_normal_stage2();
	struct cpu *cpu = &cpus.list[running];
	struct translation *cached = translate(map, gpa, access);
	struct host_access result = { .faulted = true };
	enum violation_verdict verdict;

	while (!grants(cached, access)) {
		if (++result.exits > 4)
			host_fail("a violation is retried for ever");
		verdict = monitor_violation((gpa_t){ gpa }, access, 0xfff0);
		result.store = verdict == VIOLATION_STORE;
		if (verdict != VIOLATION_RETRY)
			return result;
		/* A violation makes a CPU forget what it used (SDM 3C 29.4.3.1). */
		cpu->tables[(gpa >> LARGE_SHIFT) % CACHED].region = NOTHING;
		*cached = walk(cpu, map, gpa);
	}
	result.faulted = false;
	result.spa = cached->entry_spa + gpa % FRAME_SIZE;
	return result;
}

struct host_access host_touch_in(const struct stage2 *map, uint64_t gpa, unsigned access)
{
	const struct translation *cached = translate(map, gpa, access);
	bool granted = grants(cached, access);

	return (struct host_access){ .faulted = !granted,
		.exits = 0,
		.spa = granted ? cached->entry_spa + gpa % FRAME_SIZE : 0 };
}

/* Whether the tables grant what a CPU remembers. */
static bool current(const struct translation *seen)
{
	struct stage2_leaf leaf = stage2_lookup(seen->map, (gpa_t){ seen->page << FRAME_SHIFT });

	return leaf.present && leaf.spa.v == seen->entry_spa && leaf.type == seen->type &&
	    (seen->prot & ~leaf.prot) == 0;
}

/* One entry of a remembered table, a different one each time. */
static bool table_current(const struct walked *known)
{
	static unsigned turn;
	unsigned index = turn++ % 512;
	uint64_t gpa = (known->region << LARGE_SHIFT) + (uint64_t)index * FRAME_SIZE;
	struct translation seen = decode(known->map, gpa, known->table[index], 0);

	return seen.page == NOTHING || current(&seen);
}

static bool cpu_coherent(const struct cpu *cpu, uint64_t *gpa)
{
	for (unsigned i = 0; i < CACHED; i++) {
		const struct translation *seen = &cpu->translations[i];
		const struct walked *known = &cpu->tables[i];

		*gpa = seen->page << FRAME_SHIFT;
		if (seen->page != NOTHING && !current(seen))
			return false;
		*gpa = known->region << LARGE_SHIFT;
		if (known->region != NOTHING && !table_current(known))
			return false;
	}
	return true;
}

bool host_coherent(uint64_t *gpa)
{
	struct stage2 *s2 = monitor_normal_stage2();
	bool coherent = true;

	spin_lock(s2->lock);
	for (unsigned i = 0; i < cpus.count && coherent; i++)
		coherent = !cpus.list[i].anything || cpu_coherent(&cpus.list[i], gpa);
	spin_unlock(s2->lock);
	return coherent;
}

/* ---- Capabilities ---- */

bool stage2_has_huge(void)
{
	return host_machine()->huge;
}

bool stage2_has_mbec(void)
{
	return host_machine()->mbec;
}

uint64_t stage2_limit(void)
{
	return 1ull << (host_machine()->phys_bits < 48 ? host_machine()->phys_bits : 48);
}

struct withheld stage2_withheld(void)
{
	return host_machine()->withheld;
}
