/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Handing out the monitor's own memory, and the slot to the guest's.
 */
#include "arch/x86/region.h"

#include "arch/cpu.h"
#include "arch/frame.h"
#include "arch/upcall.h"
#include "arch/x86/asm.h"
#include "arch/x86/header.h"
#include "arch/x86/mmu.h"
#include "arch/x86/percpu.h"

static uint64_t private_start;
static uint64_t heap_next;
static uint64_t heap_end;

bool region_init(void)
{
	/* mkimage.py has written it: it is not what the compiler sees. */
	const volatile uint32_t *load_size = &monitor_header.load_size;
	const struct bootinfo *info = start_info();

	private_start = info->region_base + *load_size;
	heap_next = (uint64_t)region_percpu(info->cpu_count);
	heap_end = info->region_base + info->region_pages * FRAME_SIZE;
	if (heap_next > heap_end)
		return false;
	__builtin_memset((void *)private_start, 0, heap_next - private_start);
	return true;
}

struct percpu *region_percpu(uint32_t cpu)
{
	return (struct percpu *)(private_start + (uint64_t)cpu * PERCPU_FRAMES * FRAME_SIZE);
}

void *region_reserve(size_t pages)
{
	void *block = (void *)heap_next;

	if (pages == 0 || pages > (heap_end - heap_next) / FRAME_SIZE)
		return NULL;
	heap_next += pages * FRAME_SIZE;
	return block;
}

void *region_alloc(size_t pages)
{
	void *block = region_reserve(pages);

	return block ? __builtin_memset(block, 0, pages * FRAME_SIZE) : NULL;
}

/* The monitor's memory stands at its own address in root mode's tables. */
spa_t region_spa(const void *own)
{
	return (spa_t){ (uint64_t)own };
}

void *region_ptr(spa_t spa)
{
	return (void *)spa.v;
}

static void *fill_slot(spa_t frame, uint64_t bits)
{
	struct percpu *cpu = this_cpu();

	CHECK(*cpu->slot_entry == 0);
	CHECK(frame.v % FRAME_SIZE == 0);
	*(volatile uint64_t *)cpu->slot_entry = frame.v | bits | PTE_P | PTE_A | PTE_NX;
	return PERCPU_VA(PERCPU_SLOT);
}

void *slot_map(spa_t frame, enum slot_access access)
{
	return fill_slot(frame, access == SLOT_WRITE ? PTE_W | PTE_D : 0);
}

volatile uint8_t *slot_map_device(spa_t frame)
{
	return fill_slot(frame, PTE_W | PTE_D | PTE_PCD | PTE_PWT);
}

void slot_unmap(void)
{
	struct percpu *cpu = this_cpu();

	CHECK(*cpu->slot_entry != 0);
	*(volatile uint64_t *)cpu->slot_entry = 0;
	invlpg(PERCPU_VA(PERCPU_SLOT));
}
