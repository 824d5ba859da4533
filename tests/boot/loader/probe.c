/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Test program beside the loader: prepares what the loader is to meet, stands in for the next
 * loader and the operating system, and tells on port 0xE9 what it found. Its load options are one
 * command:
 *
 *   lock N        locks VT-x off on CPU N, as firmware's set-up would
 *   vmxe          sets CR4.VMXE, as another hypervisor does; svme: EFER.SVME
 *   disable N     has firmware disable CPU N
 *   attempts [N]  sets the loader's counter of starts; tells what it is
 *   record TEXT   leaves the record of a panic with that text, and its mark in CMOS RAM
 *   mark          leaves the mark alone
 *   covered       tells what CPUID says of a monitor
 *   reserved      tells what of memory firmware's map has as reserved
 *   tables        tells which tables of IOMMUs there are, hidden ones too, and whether each is
 *                 whole
 *   next [TEXT]   stands in for the next loader: tells its options and the initrd that it is
 *                 offered
 *   fail          ends with EFI_ABORTED
 *   os [N]        stands in for the operating system: ends boot services, tells how the counter of
 *                 starts is set meanwhile (the first N times fail), and what a second boot_done
 *                 returns
 */
#include "tests/boot/loader/probe.h"
#include "boot/acpi.h"
#include "boot/attempts.h"
#include "boot/bytes.h"
#include "boot/efi.h"
#include "boot/sha256.h"
#include "boot/tables.h"
#include "boot/text.h"
#include "boot/x86.h"
#include "monitor/abi/bootinfo.h"
#include "monitor/abi/call.h"
#include "monitor/abi/cpuid.h"
#include "monitor/abi/result.h"
#include "tests/acpi/debugcon.h"

#define MSR_FEATURE_CONTROL  0x3au
#define FEATURE_CONTROL_LOCK 1u
#define CMOS_INDEX	     0x70u
#define CMOS_DATA	     0x71u
#define RECORD_PLACE	     0x0ffff000ull /* the loader's first choice; boot/record.c */
#define OPTIONS_MAX	     256u
#define MAP_MAX		     65536u

EFI_STATUS EFIAPI efi_main(EFI_HANDLE self, EFI_SYSTEM_TABLE *system);

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void tell(const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	text_vformat(line, sizeof(line), format, args);
	va_end(args);
	debug_text("probe: ");
	debug_text(line);
	debug_text("\n");
}

static UINTN number(const char *text)
{
	UINTN value = 0;

	while (*text >= '0' && *text <= '9')
		value = value * 10 + (UINTN)(*text++ - '0');
	return value;
}

static mp_services_t *mp_services(void)
{
	EFI_GUID guid = MP_SERVICES_GUID;
	mp_services_t *mp = NULL;

	BS->LocateProtocol(&guid, NULL, (void **)&mp);
	return mp;
}

static void EFIAPI lock_off(void *argument)
{
	write_msr(MSR_FEATURE_CONTROL, FEATURE_CONTROL_LOCK);
}

static EFI_STATUS do_lock(const char *text)
{
	if (number(text) == 0) {
		lock_off(NULL);
		return EFI_SUCCESS;
	}
	return mp_services()->startup_this(mp_services(), lock_off, number(text), NULL, 0, NULL,
	    NULL);
}

static EFI_STATUS do_vmxe(const char *text)
{
	set_cr4_vmxe();
	return EFI_SUCCESS;
}

static EFI_STATUS do_svme(const char *text)
{
	set_efer_svme();
	return EFI_SUCCESS;
}

static EFI_STATUS do_disable(const char *text)
{
	enable_disable_t enable_disable = (enable_disable_t)mp_services()->enable_disable;

	return enable_disable(mp_services(), number(text), FALSE, NULL);
}

static UINT32 read_attempts(void)
{
	CHAR16 name[] = ATTEMPTS_NAME;
	EFI_GUID guid = ATTEMPTS_GUID;
	UINT32 count = ~0u;
	UINTN size = sizeof(count);

	RT->GetVariable(name, &guid, NULL, &size, &count);
	return count;
}

static EFI_STATUS do_attempts(const char *text)
{
	CHAR16 name[] = ATTEMPTS_NAME;
	EFI_GUID guid = ATTEMPTS_GUID;
	UINT32 count = (UINT32)number(text);
	EFI_STATUS status = EFI_SUCCESS;

	if (*text)
		status = RT->SetVariable(name, &guid, ATTEMPTS_ATTRIBUTES, sizeof(count), &count);
	tell("attempts %u", read_attempts());
	return status;
}

/* A panic's mark: the tag, then the digest's bytes from the third on. */
static void leave_mark(const UINT8 *digest)
{
	UINT8 mark[8] = { PANIC_CMOS_TAG0, PANIC_CMOS_TAG1 };

	for (UINT8 i = 0; i < 8; i++) {
		if (i > 1)
			mark[i] = digest[i];
		port_out8(CMOS_INDEX, (UINT8)(PANIC_CMOS + i));
		port_out8(CMOS_DATA, mark[i]);
	}
}

static EFI_STATUS do_record(const char *text)
{
	struct panic_record *record = (struct panic_record *)RECORD_PLACE;
	struct sha256 hash;

	record->magic = PANIC_RECORD_MAGIC;
	record->version = 1;
	record->length = (UINT32)text_format(record->text, PANIC_TEXT_BYTES, "%s\n\x1b[2J", text);
	sha256_start(&hash);
	sha256_add(&hash, &record->length, sizeof(record->length));
	sha256_add(&hash, record->text, record->length);
	sha256_end(&hash, record->digest);
	leave_mark(record->digest);
	return EFI_SUCCESS;
}

static EFI_STATUS do_mark(const char *text)
{
	leave_mark((const UINT8 *)"\1\2\3\4\5\6\7\10");
	return EFI_SUCCESS;
}

static EFI_STATUS do_covered(const char *text)
{
	struct cpu_cover cover = cpu_cover();

	tell("covered: signature %u, %u CPUs", cover.signature, cover.covered);
	return EFI_SUCCESS;
}

static UINT8 map[MAP_MAX];

/* Each descriptor of reserved memory, and how many pages there are. */
static EFI_STATUS do_reserved(const char *text)
{
	UINTN size = sizeof(map), key, step = 0;
	UINT64 pages = 0;
	UINT32 version;
	EFI_STATUS status;

	status = BS->GetMemoryMap(&size, (EFI_MEMORY_DESCRIPTOR *)map, &key, &step, &version);
	for (UINTN at = 0; !EFI_ERROR(status) && at + step <= size; at += step) {
		const EFI_MEMORY_DESCRIPTOR *d = (const EFI_MEMORY_DESCRIPTOR *)(map + at);

		if (d->Type != EfiReservedMemoryType)
			continue;
		tell("reserved at 0x%lx size 0x%lx", d->PhysicalStart, d->NumberOfPages << 12);
		pages += d->NumberOfPages;
	}
	tell("%lu pages reserved", pages);
	return status;
}

static EFI_STATUS do_tables(const char *text)
{
	static const char *const names[] = { "DMAR", "IVRS", "XMAR", "XVRS" };
	static const char *const results
	    [] = { [ACPI_OK] = "whole", [ACPI_ABSENT] = "absent", [ACPI_DAMAGED] = "damaged" };
	struct acpi_table table;

	for (UINTN i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		tell("table %s: %s", names[i],
		    results[acpi_find_table(tables_rsdp(), tables_map, NULL, names[i], &table)]);
	return EFI_SUCCESS;
}

/* The initrd as Linux asks for it: the size first, then the content. */
static void tell_initrd(void)
{
	static const UINT8 path[] = { 4, 3, 20, 0, 0x27, 0xe4, 0x68, 0x55, 0xfc, 0x68, 0x3d, 0x4f,
		0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68, 0x7f, 0xff, 4, 0 };
	EFI_DEVICE_PATH *at = (EFI_DEVICE_PATH *)(UINTN)path;
	EFI_GUID guid = LOAD_FILE2_GUID;
	load_file2_t *protocol;
	UINT8 content[64];
	EFI_HANDLE handle;
	UINTN size = 0;
	EFI_STATUS first, status;

	if (EFI_ERROR(BS->LocateDevicePath(&guid, &at, &handle)) ||
	    EFI_ERROR(BS->HandleProtocol(handle, &guid, (void **)&protocol))) {
		tell("no initrd");
		return;
	}
	first = protocol->load(protocol, at, FALSE, &size, NULL);
	tell("initrd of %lu bytes (%s)", size,
	    first == EFI_BUFFER_TOO_SMALL ? "as expected" : "wrong status");
	if (size >= sizeof(content))
		return;
	status = protocol->load(protocol, at, FALSE, &size, content);
	content[size] = 0;
	tell("initrd status %lx: %s", status, (const char *)content);
	tell("initrd as boot file: %s",
	    protocol->load(protocol, at, TRUE, &size, content) == EFI_UNSUPPORTED ? "unsupported"
										  : "wrong status");
}

static EFI_STATUS do_next(const char *text)
{
	tell("next, options '%s'", text);
	tell_initrd();
	return EFI_SUCCESS;
}

static EFI_STATUS do_fail(const char *text)
{
	return EFI_ABORTED;
}

static EFI_SET_VARIABLE set_variable;
static UINTN refusals; /* calls that fail before firmware is asked */

static void EFIAPI nothing(EFI_EVENT event, void *context)
{
}

/* What firmware since UEFI 2.9 signals before boot services end, whether this one does or not. */
static void signal_before_exit(void)
{
	EFI_GUID group = BEFORE_EXIT_BOOT_SERVICES_GUID;
	EFI_EVENT event;

	BS->CreateEventEx(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, nothing, NULL, &group, &event);
	BS->SignalEvent(event);
}

/* In place of firmware's function: tells what the loader's watch sets, and with what result. */
static EFI_STATUS EFIAPI watched_set_variable(CHAR16 *name, EFI_GUID *guid, UINT32 attributes,
    UINTN size, void *value)
{
	EFI_GUID ours = ATTEMPTS_GUID;
	EFI_STATUS status = EFI_NOT_READY;

	if (refusals)
		refusals--;
	else
		status = set_variable(name, guid, attributes, size, value);
	if (bytes_equal(guid, &ours, sizeof(ours)))
		tell("attempts set to %u: %lx", *(UINT32 *)value, status);
	return status;
}

static EFI_STATUS exit_boot_services(EFI_HANDLE self)
{
	UINTN size = sizeof(map), key, step;
	EFI_STATUS status;
	UINT32 version;

	status = BS->GetMemoryMap(&size, (EFI_MEMORY_DESCRIPTOR *)map, &key, &step, &version);
	return EFI_ERROR(status) ? status : BS->ExitBootServices(self, key);
}

static EFI_STATUS do_os(EFI_HANDLE self, const char *text)
{
	UINT64 (*call)(UINT64) = cpu_vendor() == REDOUBT_VENDOR_SVM ? call_svm : call_vmx;
	BOOLEAN covered = cpu_cover().signature;

	tell("os, options '%s'", text);
	tell_initrd();
	refusals = number(text);
	set_variable = RT->SetVariable;
	RT->SetVariable = watched_set_variable;
	signal_before_exit();
	if (EFI_ERROR(exit_boot_services(self)))
		tell("boot services did not end");
	if (covered)
		tell("boot_done again: status %u", redoubt_status_of(call(REDOUBT_CALL_boot_done)));
	tell("the end");
	halt();
}

static const struct command {
	const char *name;
	EFI_STATUS (*run)(const char *text);
} commands[] = {
	{ "lock", do_lock },
	{ "vmxe", do_vmxe },
	{ "svme", do_svme },
	{ "disable", do_disable },
	{ "attempts", do_attempts },
	{ "record", do_record },
	{ "mark", do_mark },
	{ "covered", do_covered },
	{ "reserved", do_reserved },
	{ "tables", do_tables },
	{ "next", do_next },
	{ "fail", do_fail },
};

static EFI_STATUS run(EFI_HANDLE self, char *command)
{
	char *text = command;

	while (*text && *text != ' ')
		text++;
	if (*text)
		*text++ = 0;
	if (text_equal(command, "os"))
		return do_os(self, text);
	for (UINTN i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (text_equal(command, commands[i].name))
			return commands[i].run(text);
	tell("unknown command '%s'", command);
	return EFI_INVALID_PARAMETER;
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE self, EFI_SYSTEM_TABLE *system)
{
	char command[OPTIONS_MAX] = "";
	EFI_LOADED_IMAGE *image;
	EFI_STATUS status;
	const CHAR16 *options;

	InitializeLib(self, system);
	status = BS->HandleProtocol(self, &LoadedImageProtocol, (void **)&image);
	if (EFI_ERROR(status))
		return status;
	options = image->LoadOptions;
	for (UINTN i = 0; i + 1 < OPTIONS_MAX && i < image->LoadOptionsSize / 2; i++)
		command[i] = (char)options[i];
	status = run(self, command);
	tell("%s ends with %lx", command, status);
	return status;
}
