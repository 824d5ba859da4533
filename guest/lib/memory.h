/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The guest's memory: a pool of pages below 4 GiB taken from the firmware, the firmware's memory
 * map, and the guest's page tables: everything below 512 GiB mapped to itself, and pages that tests
 * place where they like.
 */
#ifndef GUEST_LIB_MEMORY_H
#define GUEST_LIB_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE 4096u

#define PTE_P	    (1ull << 0)
#define PTE_W	    (1ull << 1)
#define PTE_U	    (1ull << 2)
#define PTE_A	    (1ull << 5)
#define PTE_D	    (1ull << 6)
#define PTE_PS	    (1ull << 7)
#define PTE_ADDRESS 0x000ffffffffff000ull

/* Where tests map things: nothing is there otherwise. */
#define WINDOW 0x8000000000ull

/* A piece of the firmware's memory map; `type` as UEFI numbers them. */
struct memory_range {
	uint64_t base, pages;
	uint32_t type;
};

/* Hands the pool over. Pages in it must be zero. */
void pages_init(void *pool, size_t pages);

/* Zeroed pages, never given back. Ends the run when there are no more. */
void *pages_alloc(size_t pages);

/* The firmware's map as it was when the machine was taken. */
void memory_map_set(const struct memory_range *ranges, size_t count);
const struct memory_range *memory_map(size_t *count);

/*
 * Builds the identity map and returns what belongs into CR3. `low` is the low area: its user pages
 * get PTE_U.
 */
uint64_t memory_build(uint64_t low);

/* The tables that are in use by all CPUs. */
uint64_t memory_cr3(void);

/*
 * The entry that maps a 4 KiB page at `va`; tables on the way are made. Not for addresses that
 * large pages map.
 */
uint64_t *memory_pte(uint64_t va);

/* Maps one 4 KiB page on this CPU: `pa` with the flags given, PTE_P among them. */
void memory_map_page(uint64_t va, uint64_t pa, uint64_t flags);

/* The low area. */
uint8_t *low_area(void);

#endif
