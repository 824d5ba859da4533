/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Attacks with the protection on and off (attack.h): the monitor's and the partitions' memory. The
 * first write goes to a frame that was given to the monitor for this; the driver looks at it from
 * outside.
 */
#include "guest/suite/attack.h"

#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/text.h"
#include "guest/suite/partition.h"
#include "guest/suite/suite.h"

#define IMAGE_MAGIC 0x54494e4f4d544452ull
#define MARK	    0x600d600d600d600dull
#define APART	    520u /* pages: more than 2 MiB */

static uint64_t target(void)
{
	unsigned count;
	const struct frames *f = monitor_frames(&count);

	for (unsigned i = 0; i < count; i++) {
		if (f[i].canary)
			return f[i].base;
	}
	if (!call_test_build())
		return f[0].base;
	canary_frames(1);
	return target();
}

static void do_write(void *address)
{
	*(volatile uint64_t *)address = MARK;
}

static void do_touch(void *address)
{
	__asm__ volatile("lock orq $0, (%0)" : : "r"(address) : "memory", "cc");
}

static bool write_frame(void)
{
	volatile uint64_t *frame = (volatile uint64_t *)target();
	bool written = trap_try(do_write, (void *)(uint64_t)frame, NULL) == TRAP_NONE &&
	    *frame == MARK;

	if (call_test_build()) {
		tap_note("attack: write done");
		text_wait();
	}
	return written;
}

/* The image's first word. It is also written as it is, which makes an open region show itself. */
static bool read_image(void)
{
	unsigned count;
	volatile uint64_t *word = (volatile uint64_t *)monitor_frames(&count)->base;

	trap_try(do_touch, (void *)(uint64_t)word, NULL);
	return *word == IMAGE_MAGIC;
}

/* ---- A partition's memory ---- */

static uint64_t probe_data(uint64_t *pages)
{
	struct partition_place place = partition_find(PROBE);
	struct redoubt_partition_info r = { 0 };

	redoubt_partition_info(PROBE, REDOUBT_INFO_SUMMARY, &r);
	if (!place.data || !place.image)
		bail("no probe in this redoubt.efi");
	*pages = r.word3 - (place.data - place.image) / PAGE;
	return place.data;
}

/* A frame given to a partition that is being built, 2 MiB away from what was opened before. */
static bool write_partition(void)
{
	static uint64_t *list, frame;
	struct redoubt_partition_create made = { 0 };
	uint64_t status;
	bool written;

	if (!list) {
		list = pages_alloc(1);
		frame = (uint64_t)pages_alloc(APART) + (APART - 1) * PAGE;
	}
	list[0] = frame;
	redoubt_partition_create(&made);
	status = redoubt_partition_give(made.partition, (uint64_t)list, 1, 0);
	if (status != REDOUBT_OK)
		bail("partition_give: %lx", status);
	written = trap_try(do_write, (void *)frame, NULL) == TRAP_NONE &&
	    *(volatile uint64_t *)frame == MARK;
	while (redoubt_partition_end(made.partition) == REDOUBT_BUSY)
		;
	return written;
}

/* A word that the probe gives away on request, looked for where the probe keeps it. */
static bool find_secret(void)
{
	uint64_t pages, base = probe_data(&pages), secret;

	partition_ask(PROBE, PROBE_secret_make, 0, 0, 0);
	secret = partition_ask(PROBE, PROBE_secret_leak, 2, 0, 0).words[0];
	trap_try(do_touch, (void *)base, NULL);
	for (uint64_t at = base; at < base + pages * PAGE; at += sizeof(secret))
		if (*(volatile uint64_t *)at == secret)
			return true;
	return false;
}

const struct attack attacks_memory[] = {
	{ "T11 reading the monitor's image", "OPEN_REGION", read_image, SUCCEEDS, true, false },
	{ "T11 writing a frame of the monitor's", "OPEN_REGION", write_frame, SUCCEEDS, true,
	    false },
	{ "T01 writing a partition's memory", "OPEN_REGION", write_partition, SUCCEEDS, false,
	    false },
	{ "T57 a partition's secret in its memory", "OPEN_REGION", find_secret, SUCCEEDS, true,
	    false },
	{ 0 },
};
