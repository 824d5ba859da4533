/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Attacks with the protection on and off (attack.h): the monitor's memory. The write goes
 * to a frame that was given to the monitor for this; the driver looks at it from outside.
 */
#include "guest/suite/attack.h"

#include "guest/lib/call.h"
#include "guest/lib/text.h"
#include "guest/suite/suite.h"

#define IMAGE_MAGIC 0x54494e4f4d544452ull
#define MARK	    0x600d600d600d600dull

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

const struct attack attacks_memory[] = {
	{ "T11 reading the monitor's image", "OPEN_REGION", read_image, SUCCEEDS, true, false },
	{ "T11 writing a frame of the monitor's", "OPEN_REGION", write_frame, SUCCEEDS, true,
	    false },
	{ 0 },
};
