/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Facts in firmware; see source.h.
 */
#include "tools/doctor/efi/source.h"

#include <cpuid.h>

#include "tools/doctor/acpi.h"
#include "tools/doctor/efi/efi.h"
#include "tools/doctor/efi/instructions.h"

#define TIMEOUT_US   ((UINTN)5000000)
#define NAME_CHARS   32u
#define LOW_HALF     (1ull << 47)
#define PAGE	     4096ull
#define CR4_LA57     (1ull << 12)
#define ENTRY_THERE  1ull
#define ENTRY_LARGE  (1ull << 7)
#define ENTRY_TARGET 0x000ffffffffff000ull

struct efi_context {
	struct source source;
	mp_services_t *mp; /* NULL: firmware has none */
	UINTN all, own;
};

static void get_cpuid(void *context, uint32_t number, uint32_t subleaf, struct leaf *leaf)
{
	__cpuid_count(number, subleaf, leaf->eax, leaf->ebx, leaf->ecx, leaf->edx);
}

static enum fact get_msr(void *context, uint32_t number, uint64_t *value)
{
	*value = read_msr(number);
	return FACT_OK;
}

static enum fact get_cr4(void *context, uint64_t *value)
{
	*value = read_cr4();
	return FACT_OK;
}

static unsigned get_cpus(void *opaque)
{
	const struct efi_context *context = opaque;

	return (unsigned)context->all;
}

struct call {
	void (*run)(void *argument);
	void *argument;
};

static void EFIAPI do_call(void *argument)
{
	const struct call *call = argument;

	call->run(call->argument);
}

static bool run_on_cpu(void *opaque, unsigned index, void (*run)(void *argument), void *argument)
{
	struct efi_context *context = opaque;
	struct call call = { run, argument };

	if (index == context->own) {
		run(argument);
		return true;
	}
	return context->mp &&
	    !EFI_ERROR(context->mp->startup_this(context->mp, do_call, index, NULL, TIMEOUT_US,
		&call, NULL));
}

static enum fact get_processors(void *opaque, struct processors *processors)
{
	struct efi_context *context = opaque;
	const UINT32 good = MP_ENABLED | MP_HEALTHY;

	if (!context->mp)
		return FACT_ABSENT;
	*processors = (struct processors){ .all = (unsigned)context->all };
	for (UINTN i = 0; i < context->all; i++) {
		struct mp_information info;

		if (EFI_ERROR(context->mp->get_information(context->mp, i, &info)) ||
		    (!(info.status & MP_FIRST) && (info.status & good) != good))
			processors->disabled++;
	}
	return FACT_OK;
}

/* Whether firmware maps an address; it maps its memory one to one. SDM 3A 4.5. */
static bool is_mapped(uint64_t address)
{
	const uint64_t *table = (const uint64_t *)(uintptr_t)(read_cr3() & ENTRY_TARGET);

	for (unsigned level = read_cr4() & CR4_LA57 ? 5 : 4; level > 0; level--) {
		uint64_t entry = table[address >> (12 + 9 * (level - 1)) & 511];

		if (!(entry & ENTRY_THERE))
			return false;
		if (entry & ENTRY_LARGE && level < 4)
			return true;
		table = (const uint64_t *)(uintptr_t)(entry & ENTRY_TARGET);
	}
	return true;
}

static const uint8_t *map(void *context, uint64_t address, uint64_t length)
{
	if (address + length < address || address + length > LOW_HALF)
		return NULL;
	for (uint64_t page = address & ~(PAGE - 1); page < address + length; page += PAGE)
		if (!is_mapped(page))
			return NULL;
	return (const uint8_t *)(uintptr_t)address;
}

static enum fact get_table(void *context, const char *signature, struct bytes *table)
{
	EFI_GUID acpi2 = ACPI_20_TABLE_GUID, acpi1 = ACPI_TABLE_GUID;
	void *rsdp = NULL;

	if (EFI_ERROR(LibGetSystemConfigurationTable(&acpi2, &rsdp)) &&
	    EFI_ERROR(LibGetSystemConfigurationTable(&acpi1, &rsdp)))
		return FACT_ABSENT;
	return acpi_find((uintptr_t)rsdp, map, NULL, signature, table);
}

static enum fact get_variable(void *opaque, const char *name, uint8_t *value)
{
	EFI_GUID guid = EFI_GLOBAL_VARIABLE;
	struct efi_context *context = opaque;
	CHAR16 wide[NAME_CHARS];
	UINTN size = sizeof(*value), length = 0;
	EFI_STATUS status;

	for (; name[length] && length + 1 < NAME_CHARS; length++)
		wide[length] = (CHAR16)name[length];
	wide[length] = 0;
	status = RT->GetVariable(wide, &guid, NULL, &size, value);
	if (status == EFI_NOT_FOUND)
		return FACT_ABSENT;
	if (status == EFI_BUFFER_TOO_SMALL)
		return FACT_DAMAGED;
	context->source.hidden = "firmware does not tell";
	return EFI_ERROR(status) ? FACT_HIDDEN : FACT_OK;
}

static enum fact get_firmware(void *context, unsigned *bits)
{
	*bits = 64; /* this program is of no other kind */
	return FACT_OK;
}

const struct source *efi_source(void)
{
	static struct efi_context context;
	EFI_GUID guid = MP_SERVICES_GUID;
	UINTN enabled;

	context = (struct efi_context){ .all = 1 };
	context.source = (struct source){ .context = &context,
		.hidden = "",
		.cpuid = get_cpuid,
		.msr = get_msr,
		.cpus = get_cpus,
		.on_cpu = run_on_cpu,
		.cr4 = get_cr4,
		.processors = get_processors,
		.table = get_table,
		.variable = get_variable,
		.firmware = get_firmware };
	if (EFI_ERROR(BS->LocateProtocol(&guid, NULL, (void **)&context.mp)) ||
	    EFI_ERROR(context.mp->get_number(context.mp, &context.all, &enabled)) ||
	    EFI_ERROR(context.mp->who_am_i(context.mp, &context.own))) {
		context.mp = NULL;
		context.all = 1;
		context.own = 0;
	}
	return &context.source;
}
