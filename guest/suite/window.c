/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Windows of devices moved over a partition's frames (T12): whatever a base address says, the maps
 * lead the guest to the frame of ones or nowhere. What the machine makes of the partition's own
 * accesses is the chipset's doing: it is noted, not judged (README.md: windows).
 */
#include "guest/suite/suite.h"

#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "guest/suite/offering.h"
#include "guest/suite/partition.h"
#include "monitor/abi/image.h"

#define PCI_ADDRESS    0xcf8
#define PCI_DATA       0xcfc
#define Q35	       0x29c08086u
#define PCIEXBAR       0x60u
#define PCIEXBAR_64M   0x5u /* enabled, 64 MiB */
#define BAR_FIRST      0x10u
#define BAR_LAST       0x24u
#define BAR_IO	       1u
#define BAR_FLAGS      0xfu
#define WINDOW_MAX     (64ull << 20)
#define EFI_CONVENTION 7u
#define ONES	       (~0ull)

static struct offering own;

static uint32_t config_read(unsigned device, unsigned at)
{
	outl(PCI_ADDRESS, 1u << 31 | device << 8 | at);
	return inl(PCI_DATA);
}

static void config_write(unsigned device, unsigned at, uint32_t value)
{
	outl(PCI_ADDRESS, 1u << 31 | device << 8 | at);
	outl(PCI_DATA, value);
}

/* A block of memory that nobody uses, as large as the largest window and aligned to it. */
static uint64_t free_block(void)
{
	size_t count;
	const struct memory_range *map = memory_map(&count);

	for (size_t i = 0; i < count; i++) {
		uint64_t base = (map[i].base + WINDOW_MAX - 1) & ~(WINDOW_MAX - 1);

		if (map[i].type == EFI_CONVENTION && base >= WINDOW_MAX &&
		    base + WINDOW_MAX <= map[i].base + map[i].pages * PAGE)
			return base;
	}
	bail("no block of free memory");
}

static void launch_at(uint64_t block)
{
	const struct redoubt_image *header = (const void *)offered_probe;

	own.bytes = (uint64_t)(offered_probe_end - offered_probe);
	own.image_pages = (own.bytes + PAGE - 1) / PAGE;
	own.data_pages = header->data_pages;
	own.image = (uint8_t *)block;
	own.data = own.image + own.image_pages * PAGE;
	own.list = pages_alloc(1);
	offering_launch(&own, offered_probe, offered_probe_end);
}

static void do_write(void *address)
{
	*(volatile uint64_t *)address = 0x600d600d600d600d;
}

static void do_read(void *word)
{
	uint64_t *address = *(uint64_t **)word;

	*(uint64_t *)word = *(volatile uint64_t *)address;
}

/* Frames of the partition's that show anything but ones, or that a write is taken to. */
static unsigned shown(void)
{
	unsigned wrong = 0;

	for (uint64_t i = 0; i < own.image_pages + own.data_pages; i++) {
		uint64_t at = (uint64_t)own.image + i * PAGE, word = at;

		wrong += trap_try(do_read, &word, NULL) == TRAP_NONE && word != ONES;
		wrong += trap_try(do_write, (void *)at, NULL) == TRAP_NONE;
	}
	return wrong;
}

/* Moves a window over the partition, looks, and moves it back. */
static void over(const char *what, unsigned device, unsigned at, uint32_t value)
{
	uint32_t before = config_read(device, at);
	uint64_t check = partition_ask(own.partition, PROBE_secret_make, 0, 0, 0).words[0];
	uint64_t secret = partition_ask(own.partition, PROBE_secret_leak, 1, 0, 0).words[0];
	struct answer during;
	bool moved;
	unsigned wrong;

	config_write(device, at, value);
	moved = config_read(device, at) == value;
	wrong = shown();
	during = partition_ask(own.partition, PROBE_secret_leak, 1, 0, 0);
	config_write(device, at, before);
	tap_note("%s: its word is %s there meanwhile (%lx)", what,
	    during.rax == REDOUBT_OK && during.words[0] == secret ? "still" : "not", during.rax);
	tap(check && moved && !wrong,
	    "T12 %s moved over a partition: the guest sees ones and writes nothing", what);
	if (during.rax != REDOUBT_OK)
		redoubt_partition_restart(own.partition);
	partition_expect("T12 the partition serves when it is moved back",
	    partition_ask(own.partition, PROBE_random, 0, 0, 0), REDOUBT_OK, 0);
}

static void bars(unsigned device, uint64_t block)
{
	for (unsigned at = BAR_FIRST; at <= BAR_LAST; at += 4) {
		uint32_t before = config_read(device, at), size;

		config_write(device, at, ~0u);
		size = config_read(device, at);
		config_write(device, at, before);
		if (size && !(size & BAR_IO))
			over("a base address register", device, at,
			    (uint32_t)block | (before & BAR_FLAGS));
	}
}

void suite_window(void)
{
	uint64_t block = free_block();

	launch_at(block);
	for (unsigned device = 0; device < 256; device++)
		if (config_read(device, 0) != ~0u)
			bars(device, block);
	if (config_read(0, 0) == Q35)
		over("MMCONFIG", 0, PCIEXBAR, (uint32_t)block | PCIEXBAR_64M);
	tap(offering_end(&own) == REDOUBT_OK && offering_is_back(&own),
	    "T15 it is ended, and all it had comes back zeroed");
}
