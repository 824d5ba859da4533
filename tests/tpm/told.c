/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A monitor image for CPUs with SVM that covers nothing: it tells on port 0xE9 what of the root key
 * it was told, and refuses. The digest stands for the key, which is told to nobody.
 */
#include <stdbool.h>

#include "boot/sha256.h"
#include "boot/text.h"
#include "monitor/abi/bootinfo.h"
#include "monitor/abi/cpuid.h"
#include "tests/acpi/debugcon.h"

uint64_t monitor_entry(uint64_t op, const struct bootinfo *info, uint64_t cpu);

/* The rest is filled in by tools/build/mkimage.py. */
extern const struct monitor_image monitor_header;
__attribute__((section(".header"), used)) const struct monitor_image monitor_header = {
	.vendor = REDOUBT_VENDOR_SVM,
	.fixed_pages = 16,
	.pages_per_cpu = 1,
};

/* Relocated data, of which an image must have some. */
static const uint64_t refused = LAUNCH_BAD_REGION;
static const uint64_t *volatile answer = &refused;

/* What the compiler's stack protector looks for. */
extern uintptr_t __stack_chk_guard;
__attribute__((used)) uintptr_t __stack_chk_guard = 0x5afe57ac;
__attribute__((used)) _Noreturn void __stack_chk_fail(void);

_Noreturn void __stack_chk_fail(void)
{
	debug_text("told: stack smashed\n");
	for (;;)
		__builtin_ia32_pause();
}

static bool is_zero(const uint8_t *bytes, unsigned size)
{
	while (size && *bytes == 0) {
		bytes++;
		size--;
	}
	return size == 0;
}

static void tell(const struct bootinfo *info)
{
	char line[2 * SHA256_BYTES + 64];
	uint8_t digest[SHA256_BYTES];
	struct sha256 hash;
	unsigned at;

	sha256_start(&hash);
	sha256_add(&hash, info->root_key, sizeof(info->root_key));
	sha256_end(&hash, digest);
	at = (unsigned)text_format(line, sizeof(line), "told: key %u, by the TPM %u, zero %u, ",
	    !!(info->flags & BOOTINFO_ROOT_KEY), !!(info->flags & BOOTINFO_ROOT_TPM),
	    is_zero(info->root_key, sizeof(info->root_key)));
	for (unsigned i = 0; i < SHA256_BYTES; i++)
		at += (unsigned)text_format(line + at, sizeof(line) - at, "%02x", digest[i]);
	debug_text(line);
	debug_text("\n");
}

uint64_t monitor_entry(uint64_t op, const struct bootinfo *info, uint64_t cpu)
{
	if (op == MONITOR_CHECK)
		return LAUNCH_OK;
	if (op == MONITOR_INIT && cpu == 0)
		tell(info);
	return *answer;
}
