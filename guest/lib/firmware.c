/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a guest takes from UEFI.
 */
#include "guest/lib/firmware.h"

#include "guest/lib/low_layout.h"
#include "guest/lib/memory.h"
#include "guest/lib/options.h"
#include "guest/lib/text.h"

#define POOL_PAGES 8192u
#define MAP_BYTES  32768u
#define BELOW_4G   0xffffffffull
#define BELOW_640K 0x9ffffull

/* PI specification, volume 2: EFI_MP_SERVICES_PROTOCOL, as far as it is used. */
struct processor_info {
	UINT64 id;
	UINT32 flags;
	UINT32 package, core, thread;
	UINT32 more[24];
};

struct mp_services {
	EFI_STATUS(EFIAPI *count)(struct mp_services *self, UINTN *all, UINTN *enabled);
	EFI_STATUS(EFIAPI *info)
	(struct mp_services *self, UINTN index, struct processor_info *info);
	void *unused[4];
	EFI_STATUS(EFIAPI *who_am_i)(struct mp_services *self, UINTN *index);
};

static EFI_GUID mp_guid = { 0x3fdda605, 0xa76e, 0x4f46,
	{ 0xad, 0x29, 0x12, 0xf4, 0x53, 0x1b, 0x3d, 0x08 } };
static EFI_GUID loaded_image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
static EFI_GUID file_system_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;

static uint8_t map_bytes[MAP_BYTES] __attribute__((aligned(8)));
static struct memory_range ranges[FIRMWARE_MAX_RANGES];

static void must(EFI_STATUS status, const char *what)
{
	if (EFI_ERROR(status))
		bail("firmware: %s: %lx", what, status);
}

/* Reads \guest.txt into `text`. false: there is none. */
static bool read_file(EFI_BOOT_SERVICES *bs, EFI_HANDLE device, char *text, UINTN size)
{
	EFI_FILE_IO_INTERFACE *volume;
	EFI_FILE_HANDLE root, file;
	static CHAR16 name[] = L"\\guest.txt";

	if (EFI_ERROR(bs->HandleProtocol(device, &file_system_guid, (void **)&volume)) ||
	    EFI_ERROR(volume->OpenVolume(volume, &root)) ||
	    EFI_ERROR(root->Open(root, &file, name, EFI_FILE_MODE_READ, 0)))
		return false;
	size--;
	must(file->Read(file, &size, text), "read \\guest.txt");
	text[size] = 0;
	file->Close(file);
	return true;
}

void firmware_options(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	static char text[OPTION_MAX];
	EFI_LOADED_IMAGE *loaded;
	const CHAR16 *from;
	UINTN n;

	must(system->BootServices->HandleProtocol(image, &loaded_image_guid, (void **)&loaded),
	    "loaded image");
	from = loaded->LoadOptions;
	n = loaded->LoadOptionsSize / sizeof(CHAR16);
	if (n >= OPTION_MAX)
		bail("load options of %lu characters", n);
	for (UINTN i = 0; i < n && from[i]; i++)
		text[i] = from[i] < 0x80 ? (char)from[i] : '?';
	options_set(text);
	if (!*option("suite") &&
	    read_file(system->BootServices, loaded->DeviceHandle, text, OPTION_MAX))
		options_set(text);
}

static void *allocate(EFI_BOOT_SERVICES *bs, uint64_t pages, uint64_t below)
{
	EFI_PHYSICAL_ADDRESS address = below;

	must(bs->AllocatePages(AllocateMaxAddress, EfiLoaderData, pages, &address), "memory");
	memset((void *)address, 0, pages * PAGE);
	return (void *)address;
}

/* APIC ids in the firmware's order, the running CPU's moved to the front. */
static void list_cpus(EFI_BOOT_SERVICES *bs, struct firmware *f)
{
	struct mp_services *mp;
	struct processor_info info;
	UINTN all, enabled, self;

	must(bs->LocateProtocol(&mp_guid, NULL, (void **)&mp), "MP services");
	must(mp->count(mp, &all, &enabled), "number of CPUs");
	must(mp->who_am_i(mp, &self), "which CPU this is");
	if (all > FIRMWARE_MAX_CPUS)
		bail("more CPUs than this guest knows: %lu", all);
	f->cpus = (unsigned)all;
	for (UINTN i = 0; i < all; i++) {
		must(mp->info(mp, i, &info), "CPU");
		f->apic_ids[i == self ? 0 : i < self ? i + 1 : i] = (uint32_t)info.id;
	}
}

void firmware_collect(EFI_SYSTEM_TABLE *system, struct firmware *firmware)
{
	EFI_BOOT_SERVICES *bs = system->BootServices;

	firmware->pool_pages = POOL_PAGES;
	firmware->pool = allocate(bs, POOL_PAGES, BELOW_4G);
	firmware->low = (uint64_t)allocate(bs, LOW_PAGES, BELOW_640K);
	list_cpus(bs, firmware);
}

static void keep_map(UINTN size, UINTN each)
{
	size_t count = 0;

	for (UINTN at = 0; at < size; at += each) {
		const EFI_MEMORY_DESCRIPTOR *d = (const void *)(map_bytes + at);

		if (count >= FIRMWARE_MAX_RANGES)
			bail("memory map has more than %u ranges", FIRMWARE_MAX_RANGES);
		/* cppcheck-suppress arrayIndexOutOfBoundsCond; bail() does not return */
		ranges[count++] = (struct memory_range){ d->PhysicalStart, d->NumberOfPages,
			d->Type };
	}
	memory_map_set(ranges, count);
}

void firmware_exit(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	EFI_BOOT_SERVICES *bs = system->BootServices;
	EFI_STATUS status = EFI_INVALID_PARAMETER;
	UINTN size = 0, key = 0, each = 0;
	UINT32 version;

	for (unsigned i = 0; i < 3 && EFI_ERROR(status); i++) {
		size = MAP_BYTES;
		must(bs->GetMemoryMap(&size, (EFI_MEMORY_DESCRIPTOR *)map_bytes, &key, &each,
			 &version),
		    "memory map");
		status = bs->ExitBootServices(image, key);
	}
	must(status, "ExitBootServices");
	keep_map(size, each);
}
