// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause-Patent
/*
 * A kernel module that attacks the monitor and its partitions from kernel mode of Linux. It is told
 * where they are, carries all out as it is loaded, and writes a line a point to the kernel's log:
 * "hostile: ok - ..." or "hostile: not ok - ...", and the count at the end. For tests, never for
 * anything else.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/sched.h>

#include "hostile.h"

struct frames hostile_frames[3] = {
	{ "the partition's image" }, { "the partition's memory" }, { "the monitor's memory" },
};

static ulong image, image_pages, memory, memory_pages, monitor, monitor_pages;
static uint calls = 2000, rounds = 300, nmis = 100;
static bool open;

module_param(image, ulong, 0);
module_param(image_pages, ulong, 0);
module_param(memory, ulong, 0);
module_param(memory_pages, ulong, 0);
module_param(monitor, ulong, 0);
module_param(monitor_pages, ulong, 0);
module_param(calls, uint, 0);
module_param(rounds, uint, 0);
module_param(nmis, uint, 0);
module_param(open, bool, 0);

static unsigned int points;

void hostile_point(bool good, const char *format, ...)
{
	struct va_format text = { .fmt = format };
	va_list args;

	va_start(args, format);
	text.va = &args;
	pr_info("%sok - %pV\n", good ? "" : "not ", &text);
	va_end(args);
	points++;
}

static int __init hostile_init(void)
{
	int error;

	if (!image || !memory || !monitor || !image_pages || !memory_pages || !monitor_pages)
		return -EINVAL;
	hostile_frames[0].base = image;
	hostile_frames[0].pages = image_pages;
	hostile_frames[1].base = memory;
	hostile_frames[1].pages = memory_pages;
	hostile_frames[2].base = monitor;
	hostile_frames[2].pages = monitor_pages;
	/* The others are for threads. */
	error = set_cpus_allowed_ptr(current, cpumask_of(0));
	if (error)
		return error;
	hostile_calls_init();
	error = hostile_memory_init();
	if (error)
		return error;
	hostile_memory();
	hostile_tokens();
	hostile_twice();
	hostile_fuzz(calls);
	hostile_flips(rounds);
	hostile_nmis(nmis);
	if (open)
		hostile_memory_open();
	pr_info("%u points\n", points);
	return 0;
}

static void __exit hostile_exit(void)
{
	hostile_memory_exit();
}

module_init(hostile_init);
module_exit(hostile_exit);
MODULE_LICENSE("Dual BSD/GPL");
MODULE_DESCRIPTION("Attacks on the Redoubt monitor, for its tests");
