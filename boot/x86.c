/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the CPU tells of itself.
 */
#include "boot/x86.h"

#include <cpuid.h>

#include "boot/bytes.h"
#include "monitor/abi/cpuid.h"

#define CR4_LA57	 (1ull << 12)
#define TABLE_ADDRESS	 0x000ffffffffff000ull
#define TABLE_PRESENT	 1ull
#define TABLE_WRITABLE	 2ull
#define TABLE_LARGE	 (1ull << 7)
#define TABLE_NO_EXECUTE (1ull << 63)

static void put_text4(char *text, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		text[i] = (char)(value >> 8 * i & 0x7f);
}

uint64_t read_random(void);

uint64_t cpu_random(void)
{
	uint32_t a, b, c, d;

	__cpuid(1, a, b, c, d);
	return c & bit_RDRND ? read_random() : 0;
}

void cpu_vendor_text(char text[13])
{
	uint32_t a, b, c, d;

	__cpuid(0, a, b, c, d);
	put_text4(text, b);
	put_text4(text + 4, d);
	put_text4(text + 8, c);
	text[12] = 0;
}

uint32_t cpu_vendor(void)
{
	char text[13];

	cpu_vendor_text(text);
	if (text_equal(text, "GenuineIntel"))
		return REDOUBT_VENDOR_VMX;
	if (text_equal(text, "AuthenticAMD") || text_equal(text, "HygonGenuine"))
		return REDOUBT_VENDOR_SVM;
	return 0;
}

struct cpu_cover cpu_cover(void)
{
	struct cpu_cover cover = { 0 };
	uint32_t a, b, c, d;

	__cpuid(REDOUBT_CPUID_BASE, a, b, c, d);
	cover.signature = b == REDOUBT_SIG_EBX && c == REDOUBT_SIG_ECX && d == REDOUBT_SIG_EDX;
	if (cover.signature) {
		__cpuid(REDOUBT_CPUID_STATE, a, b, c, d);
		cover.features = a;
		cover.covered = c;
		cover.index = d;
	}
	return cover;
}

/* What every level lets be done with a page. */
struct access {
	bool execute;
	bool write;
};

/* Whether an address is mapped, and for what. */
static bool walk(uint64_t address, struct access *access)
{
	const uint64_t *table = (const uint64_t *)(uintptr_t)(read_cr3() & TABLE_ADDRESS);
	unsigned level = read_cr4() & CR4_LA57 ? 5 : 4;
	uint64_t entry;

	*access = (struct access){ true, true };
	for (; level > 0; level--) {
		entry = table[address >> (12 + 9 * (level - 1)) & 511];
		if (!(entry & TABLE_PRESENT))
			return false;
		if (entry & TABLE_NO_EXECUTE)
			access->execute = false;
		if (!(entry & TABLE_WRITABLE))
			access->write = false;
		if (entry & TABLE_LARGE && level < 4)
			return true;
		table = (const uint64_t *)(uintptr_t)(entry & TABLE_ADDRESS);
	}
	return true;
}

bool page_mapped(uint64_t address)
{
	struct access access;

	return walk(address, &access);
}

bool page_executable(uint64_t address)
{
	struct access access;

	return walk(address, &access) && access.execute;
}

bool page_writable(uint64_t address)
{
	struct access access;

	return walk(address, &access) && access.write;
}
