/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Building root mode's page tables. All of it happens once, before the first launch; afterwards
 * only the slot's entry changes.
 */
#include "arch/x86/mmu.h"

#include "arch/frame.h"
#include "arch/x86/apic.h"
#include "arch/x86/asm.h"
#include "arch/x86/percpu.h"
#include "arch/x86/region.h"

#define TABLE_ENTRIES 512u

/* Pages of the private area that have a frame each, in the order of their frames (region.h). */
static const struct {
	uint16_t page;
	uint16_t count;
} backed[] = {
	{ PERCPU_DATA, PERCPU_DATA_PAGES },
	{ PERCPU_STACK, PERCPU_STACK_PAGES },
	{ PERCPU_IST(IST_NMI), PERCPU_IST_PAGES },
	{ PERCPU_IST(IST_DF), PERCPU_IST_PAGES },
	{ PERCPU_IST(IST_MC), PERCPU_IST_PAGES },
};

static unsigned index_at(uint64_t va, unsigned shift)
{
	return va >> shift & (TABLE_ENTRIES - 1);
}

/* The table below an entry; made if it is missing. NULL: the region is too small. */
static uint64_t *descend(uint64_t *entry)
{
	uint64_t *table;

	if (*entry & PTE_P)
		return (uint64_t *)(*entry & PTE_ADDRESS);
	table = region_alloc(1);
	if (table != NULL)
		*entry = (uint64_t)table | PTE_P | PTE_W | PTE_A;
	return table;
}

static uint64_t *walk(uint64_t *pml4, uint64_t va, unsigned leaf_shift)
{
	uint64_t *table = pml4;

	for (unsigned shift = 39; shift > leaf_shift && table != NULL; shift -= 9)
		table = descend(&table[index_at(va, shift)]);
	return table == NULL ? NULL : &table[index_at(va, leaf_shift)];
}

/* Maps [start, end) at its own address, in large pages where they fit. */
static bool map_own(uint64_t *pml4, uint64_t start, uint64_t end, uint64_t bits)
{
	for (uint64_t va = start; va < end;) {
		bool large = va % LARGE_SIZE == 0 && end - va >= LARGE_SIZE;
		uint64_t *entry = walk(pml4, va, large ? LARGE_SHIFT : FRAME_SHIFT);

		if (entry == NULL)
			return false;
		*entry = va | bits | PTE_P | PTE_A | PTE_D | (large ? PTE_PS : 0);
		va += large ? LARGE_SIZE : FRAME_SIZE;
	}
	return true;
}

static bool map_shared(uint64_t *pml4)
{
	const struct bootinfo *info = start_info();
	uint64_t base = (uint64_t)image_start;
	uint64_t record = info->record_base;

	if (record != 0 && !map_own(pml4, record, record + FRAME_SIZE, PTE_W | PTE_NX))
		return false;
	return map_own(pml4, base, (uint64_t)text_start, PTE_NX) &&
	    map_own(pml4, (uint64_t)text_start, (uint64_t)text_end, 0) &&
	    map_own(pml4, (uint64_t)rodata_start, (uint64_t)rodata_end, PTE_NX) &&
	    map_own(pml4, (uint64_t)data_start, (uint64_t)data_end, PTE_W | PTE_NX) &&
	    map_own(pml4, (uint64_t)region_percpu(info->cpu_count),
		base + info->region_pages * FRAME_SIZE, PTE_W | PTE_NX);
}

/*
 * The top entries of the shared tables are taken over; the private area's branch is the CPU's own.
 */
static bool map_private(struct percpu *cpu, const uint64_t *shared)
{
	uint64_t *pml4 = region_alloc(1);
	uint64_t frame = (uint64_t)cpu;
	uint64_t *entry;

	if (pml4 == NULL)
		return false;
	for (unsigned i = 0; i < TABLE_ENTRIES - 1; i++)
		pml4[i] = shared[i];
	entry = walk(pml4, PERCPU_BASE, FRAME_SHIFT);
	if (entry == NULL)
		return false;
	cpu->cr3 = (uint64_t)pml4;
	cpu->slot_entry = &entry[PERCPU_SLOT];
	for (unsigned i = 0; i < sizeof(backed) / sizeof(backed[0]); i++)
		for (unsigned k = 0; k < backed[i].count; k++, frame += FRAME_SIZE)
			entry[backed[i].page + k] = frame | PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX;
	entry[PERCPU_APIC] = (rdmsr(MSR_APIC_BASE) & PTE_ADDRESS) | PTE_P | PTE_W | PTE_A | PTE_D |
	    PTE_PCD | PTE_PWT | PTE_NX;
	return true;
}

bool mmu_init(uint32_t cpu_count)
{
	uint64_t *shared = region_alloc(1);

	if (shared == NULL || !map_shared(shared))
		return false;
	for (uint32_t cpu = 0; cpu < cpu_count; cpu++)
		if (!map_private(region_percpu(cpu), shared))
			return false;
	return true;
}
