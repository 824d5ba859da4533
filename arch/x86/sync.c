/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The cross-CPU protocol; sync.h tells how it works.
 */
#include "arch/x86/sync.h"

#include "arch/cpu.h"
#include "arch/frame.h"
#include "arch/test_switch.h"
#include "arch/upcall.h"
#include "arch/x86/apic.h"
#include "arch/x86/asm.h"
#include "arch/x86/percpu.h"

_Atomic uint64_t sync_generation = 1;

static struct cpu_sync *cpus;

bool sync_init(void)
{
	cpus = region_alloc((cpu_count() * sizeof(*cpus) + FRAME_SIZE - 1) / FRAME_SIZE);
	for (uint32_t i = 0; cpus != NULL && i < cpu_count(); i++)
		cpus[i].apic_id = start_info()->apic_ids[i];
	return cpus != NULL;
}

struct cpu_sync *sync_of(unsigned cpu)
{
	CHECK(cpu < cpu_count());
	return &cpus[cpu];
}

unsigned cpu_index(void)
{
	return this_cpu()->vcpu.index;
}

unsigned cpu_count(void)
{
	return start_info()->cpu_count;
}

unsigned cpu_covered(void)
{
	unsigned covered = 0;

	for (uint32_t i = 0; i < cpu_count(); i++)
		covered += atomic_load_explicit(&cpus[i].covered, memory_order_relaxed);
	return covered;
}

/* Again if the generation moved on: the NMI handler may have noted a later one meanwhile. */
void sync_catch_up(struct cpu_sync *self)
{
	uint64_t generation;

	do {
		generation = atomic_load(&sync_generation);
		vendor_flush_local();
		atomic_store(&self->seen, generation);
	} while (generation != atomic_load(&sync_generation));
}

bool sync_nmi(struct cpu_sync *self)
{
	bool kick = atomic_exchange(&self->kicked, 0) != 0;

	if (atomic_load(&self->stop))
		cpu_stop();
	/* Before the launch there is nothing to drop, and nothing to drop it with. */
	if (atomic_load(&self->covered))
		sync_catch_up(self);
	return !kick;
}

static bool reached(struct cpu_sync *cpu, uint64_t generation)
{
	return !atomic_load(&cpu->in_guest) || atomic_load(&cpu->seen) >= generation;
}

/* Wherever a CPU's APIC id went, it hears a broadcast; so do all others. */
static void kick_everyone(bool stop)
{
	bool any = false;

	for (uint32_t i = 0; i < cpu_count(); i++) {
		if (&cpus[i] == this_cpu()->sync || !atomic_load(&cpus[i].covered))
			continue;
		if (stop)
			atomic_store(&cpus[i].stop, 1);
		atomic_store(&cpus[i].kicked, 1);
		any = true;
	}
	if (any)
		(void)apic_send(0, APIC_NMI | APIC_OTHERS);
}

void sync_kick(struct cpu_sync *cpu)
{
	if (atomic_exchange(&cpu->kicked, 1) == 0 && !apic_send(cpu->apic_id, APIC_NMI))
		kick_everyone(false);
}

/*
 * Whether `cpu` gets there within a time. Polls count too, so that time in system management mode
 * does not.
 */
static bool wait_until(struct cpu_sync *cpu, uint64_t generation, uint64_t cycles)
{
	uint64_t start = rdtsc();
	uint64_t polls = 0;

	while (!reached(cpu, generation)) {
		cpu_pause();
		if (++polls > SYNC_POLLS && rdtsc() - start > cycles)
			return false;
	}
	return true;
}

void cpu_flush_all(void)
{
	struct cpu_sync *self = this_cpu()->sync;
	uint64_t generation;

	if (test_switch(TEST_NO_FLUSH))
		return;
	generation = atomic_fetch_add(&sync_generation, 1) + 1;
	for (uint32_t i = 0; i < cpu_count(); i++)
		if (&cpus[i] != self && !reached(&cpus[i], generation))
			sync_kick(&cpus[i]);
	for (uint32_t i = 0; i < cpu_count(); i++) {
		if (&cpus[i] == self || wait_until(&cpus[i], generation, SYNC_LIMIT))
			continue;
		kick_everyone(false);
		CHECK(wait_until(&cpus[i], generation, SYNC_LAST_LIMIT));
	}
}

void cpu_stop_others(void)
{
	kick_everyone(true);
}

void cpu_pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

uint64_t cpu_cycles(void)
{
	return rdtsc();
}

void cpu_write_back(const void *line)
{
	__asm__ volatile("clflush (%0)" : : "r"(line) : "memory");
}

void cpu_stop(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}
