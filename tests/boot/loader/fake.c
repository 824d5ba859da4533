/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A monitor image that covers nothing, to see what the loader does when a CPU cannot be covered.
 * The configuration's log level chooses what goes wrong:
 *
 *   error  CPU 1 never comes back from MONITOR_CHECK
 *   warn   MONITOR_INIT refuses
 *   info   CPU 1 is launched, CPU 0 then refuses; of one CPU none is launched, and the end is told
 *   debug  every operation succeeds, but CPUID shows no monitor
 *
 * Where the loader has placed secure partitions it tells on port 0xE9 what of each it was told, and
 * what it finds.
 */
#include <stdbool.h>

#include "boot/sha256.h"
#include "boot/text.h"
#include "monitor/abi/bootinfo.h"
#include "monitor/abi/cpuid.h"
#include "tests/acpi/debugcon.h"

#define PAGE   4096ull
#define BLOCKS (2 + 2 * BOOTINFO_PARTITIONS) /* region, record, and two of each partition */
#define HEX    (2 * SHA256_BYTES + 1)

uint64_t monitor_entry(uint64_t op, const struct bootinfo *info, uint64_t cpu);

/* The rest is filled in by tools/build/mkimage.py. */
extern const struct monitor_image monitor_header;
__attribute__((section(".header"), used)) const struct monitor_image monitor_header = {
	.vendor = REDOUBT_VENDOR_VMX,
	.fixed_pages = 16,
	.pages_per_cpu = 1,
};

/* Both the pointer and what it points to are relocated data; a wrong place would show at once. */
static const uint64_t launch_ok = LAUNCH_OK;
static const uint64_t *volatile answer = &launch_ok;

static _Noreturn void hang(void)
{
	for (;;)
		__builtin_ia32_pause();
}

/* What the compiler's stack protector looks for. */
extern uintptr_t __stack_chk_guard;
__attribute__((used)) uintptr_t __stack_chk_guard = 0x5afe57ac;
__attribute__((used)) _Noreturn void __stack_chk_fail(void);

_Noreturn void __stack_chk_fail(void)
{
	debug_text("fake: stack smashed\n");
	hang();
}

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void tell(const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	text_vformat(line, sizeof(line), format, args);
	va_end(args);
	debug_text("fake: ");
	debug_text(line);
	debug_text("\n");
}

static const char *hex(char out[HEX], const uint8_t bytes[SHA256_BYTES])
{
	for (unsigned i = 0; i < SHA256_BYTES; i++)
		text_format(out + 2 * i, 3, "%02x", bytes[i]);
	return out;
}

static uint64_t image_pages(const struct bootinfo_partition *p)
{
	return 1ull + p->text_pages + p->rodata_pages;
}

static void tell_partition(const struct bootinfo_partition *p)
{
	char told[HEX], found[HEX], signer[HEX];
	uint8_t digest[SHA256_BYTES];
	struct sha256 hash;

	sha256_start(&hash);
	sha256_add(&hash, (const void *)p->image_base, image_pages(p) * PAGE);
	sha256_end(&hash, digest);
	tell("%s: %u + %u + %u pages, SVN %u, flags %u, reserved %u", p->id, p->text_pages,
	    p->rodata_pages, p->data_pages, p->svn, p->flags, p->reserved);
	tell("%s: told %s", p->id, hex(told, p->measurement));
	tell("%s: found %s", p->id, hex(found, digest));
	tell("%s: signer %s", p->id, hex(signer, p->signer));
}

static bool in_ranges(const struct bootinfo *info, const struct bootinfo_range *block)
{
	const struct bootinfo_range *range = info->ranges;
	uint64_t end = block->base + block->pages * PAGE;

	for (uint32_t i = 0; i < info->range_count; i++)
		if (block->base >= range[i].base && end <= range[i].base + range[i].pages * PAGE)
			return true;
	return false;
}

static unsigned blocks_of(const struct bootinfo *info, struct bootinfo_range block[BLOCKS])
{
	unsigned count = 0;

	block[count++] = (struct bootinfo_range){ info->region_base, info->region_pages };
	if (info->record_base)
		block[count++] = (struct bootinfo_range){ info->record_base, 1 };
	for (unsigned i = 0; i < BOOTINFO_PARTITIONS; i++) {
		const struct bootinfo_partition *p = &info->partitions[i];

		if (!p->image_base)
			continue;
		block[count++] = (struct bootinfo_range){ p->image_base, image_pages(p) };
		block[count++] = (struct bootinfo_range){ p->data_base, p->data_pages };
	}
	return count;
}

/* Whether blocks lie on pages, in the ranges, and apart from each other. */
static void tell_blocks(const struct bootinfo *info)
{
	struct bootinfo_range block[BLOCKS];
	unsigned count = blocks_of(info, block), bad = 0;

	for (unsigned i = 0; i < count; i++) {
		bad += block[i].base % PAGE || !in_ranges(info, &block[i]);
		for (unsigned k = 0; k < i; k++)
			bad += block[i].base < block[k].base + block[k].pages * PAGE &&
			    block[k].base < block[i].base + block[i].pages * PAGE;
	}
	tell("%u blocks, %u faults", count, bad);
}

static void tell_partitions(const struct bootinfo *info)
{
	for (unsigned i = 0; i < BOOTINFO_PARTITIONS; i++)
		if (info->partitions[i].image_base)
			tell_partition(&info->partitions[i]);
	tell_blocks(info);
}

uint64_t monitor_entry(uint64_t op, const struct bootinfo *info, uint64_t cpu)
{
	if (op == MONITOR_INIT && info->partitions[0].image_base)
		tell_partitions(info);
	if (info->log_level == LOG_ERROR && op == MONITOR_CHECK && cpu == 1)
		hang();
	if (info->log_level == LOG_WARN && op == MONITOR_INIT)
		return LAUNCH_BAD_REGION;
	if (info->log_level == LOG_INFO && op == MONITOR_LAUNCH && cpu == 0)
		return LAUNCH_WRONG_STATE;
	if (op == MONITOR_END)
		tell("the end");
	return *answer;
}
