/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Measurements (measure.h). TCG PC Client Platform Firmware Profile 1.05: registers 3.3.4, events
 * 10.4.
 */
#include "boot/measure.h"

#include <string.h>

#include "boot/authenticode.h"
#include "boot/bytes.h"
#include "boot/console.h"
#include "boot/disk.h"
#include "boot/file.h"
#include "boot/platform_log.h"
#include "boot/settings.h"
#include "boot/tcg2.h"
#include "boot/tcg2_serve.h"
#include "boot/tcg_replay.h"
#include "boot/text.h"

/* Registers: 3.3.4. */
#define PCR_CODE     0u
#define PCR_CONFIG   1u
#define PCR_BOOT     4u
#define PCR_BOOT_SET 5u
#define PCR_POLICY   7u
#define SEPARATED    8u /* each below gets one */

#define NAME_CHARS   16u
#define VARIABLE_MAX (64u << 10) /* a dbx is long */
#define SETTINGS_TAG 0x52445442u /* "RDTB" */

struct variable {
	EFI_GUID guid;
	CHAR16 name[NAME_CHARS];
};

/* UEFI_VARIABLE_DATA, _IMAGE_LOAD_EVENT, _PLATFORM_FIRMWARE_BLOB, TCG_PCClientTaggedEvent. */
struct variable_event {
	EFI_GUID guid;
	UINT64 name_chars, bytes;
	UINT8 rest[];
};

struct image_event {
	EFI_PHYSICAL_ADDRESS base;
	UINT64 size, linked_at, path_bytes;
	UINT8 path[];
};

struct blob_event {
	EFI_PHYSICAL_ADDRESS base;
	UINT64 size;
};

struct tagged_event {
	UINT32 id, size;
	UINT8 digest[SHA256_BYTES];
};

static BOOLEAN on;
static BOOLEAN to_platform; /* what is measured goes to the platform's TPM */
static BOOLEAN taken_over;  /* firmware's log: it is firmware's to say what is measured */
static EFI_EVENT exits;

/* ---- One event ---- */

static void check(UINT32 pcr, EFI_STATUS status)
{
	if (status == EFI_VOLUME_FULL)
		say("note: an event of PCR %u is measured, but the log is full", pcr);
	else if (EFI_ERROR(status))
		say("note: an event of PCR %u is not measured (%s)", pcr, status_text(status));
}

static void log_it(const struct tcg_event *event)
{
	check(event->pcr, tcg2_serve_measure(event));
}

static void measure(UINT32 pcr, UINT32 type, struct blob of, struct blob data)
{
	struct tcg_event event = { .pcr = pcr, .type = type, .data = data };

	if (to_platform) {
		check(pcr, tcg2_measure(&event, of));
		return;
	}
	tcg_digest(&event, of);
	log_it(&event);
}

/* What is measured is what is logged. */
static void measure_data(UINT32 pcr, UINT32 type, const void *data, UINTN size)
{
	measure(pcr, type, (struct blob){ data, size }, (struct blob){ data, size });
}

static void action(UINT32 pcr, const char *text)
{
	measure_data(pcr, EV_EFI_ACTION, text, text_length(text));
}

/* ---- Variables ---- */

/* One that is not there is measured as one without data where `always`. */
static void measure_variable(UINT32 pcr, UINT32 type, struct variable *variable, BOOLEAN always)
{
	UINTN name = StrSize(variable->name) - sizeof(CHAR16), size = VARIABLE_MAX;
	struct variable_event *event = AllocatePool(sizeof(*event) + name + size);
	EFI_STATUS status;

	if (!event) {
		say("note: no memory to measure a variable");
		return;
	}
	status = RT->GetVariable(variable->name, &variable->guid, NULL, &size, event->rest + name);
	if (EFI_ERROR(status))
		size = 0;
	*event = (struct variable_event){ variable->guid, name / sizeof(CHAR16), size };
	memcpy(event->rest, variable->name, name);
	if (!EFI_ERROR(status) || (always && status == EFI_NOT_FOUND))
		measure_data(pcr, type, event, sizeof(*event) + name + size);
	else if (status != EFI_NOT_FOUND)
		say("note: a variable is not measured (%s)", status_text(status));
	FreePool(event);
}

static void measure_policy(void)
{
	EFI_GUID global = EFI_GLOBAL_VARIABLE;
	EFI_GUID security = { 0xd719b2cb, 0x3d3a, 0x4596,
		{ 0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f } };
	struct variable variables[] = { { global, L"SecureBoot" }, { global, L"PK" },
		{ global, L"KEK" }, { security, L"db" }, { security, L"dbx" } };

	for (UINTN i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		measure_variable(PCR_POLICY, EV_EFI_VARIABLE_DRIVER_CONFIG, &variables[i], TRUE);
}

/* BootOrder, and what it names. */
static void measure_boot_order(void)
{
	struct variable order = { EFI_GLOBAL_VARIABLE, L"BootOrder" };
	UINT16 numbers[64];
	UINTN size = sizeof(numbers);

	measure_variable(PCR_CONFIG, EV_EFI_VARIABLE_BOOT, &order, FALSE);
	if (EFI_ERROR(RT->GetVariable(order.name, &order.guid, NULL, &size, numbers)))
		return;
	for (UINTN i = 0; i < size / sizeof(numbers[0]); i++) {
		struct variable one = { EFI_GLOBAL_VARIABLE, L"" };
		char name[NAME_CHARS];
		UINTN length = text_format(name, sizeof(name), "Boot%04x", numbers[i]);

		for (UINTN c = 0; c < length; c++)
			if (c >= 4 && name[c] >= 'a')
				name[c] = (char)(name[c] - 'a' + 'A');
		file_widen(one.name, name);
		measure_variable(PCR_CONFIG, EV_EFI_VARIABLE_BOOT, &one, FALSE);
	}
}

/* ---- Code ---- */

static void measure_payload(UINT32 pcr, struct blob payload)
{
	struct blob_event event = { (UINTN)payload.data, payload.size };

	measure(pcr, EV_EFI_PLATFORM_FIRMWARE_BLOB, payload,
	    (struct blob){ (const UINT8 *)&event, sizeof(event) });
}

static void measure_payloads(UINT32 pcr, const struct measured *what)
{
	measure_payload(pcr, what->monitor);
	for (unsigned i = 0; i < what->partitions->count; i++)
		measure_payload(pcr, what->partitions->file[i]);
}

void measure_image(struct blob file, EFI_DEVICE_PATH *path)
{
	UINTN bytes = DevicePathSize(path);
	struct image_event *image = on ? AllocatePool(sizeof(*image) + bytes) : NULL;
	struct tcg_event event = { .pcr = PCR_BOOT, .type = EV_EFI_BOOT_SERVICES_APPLICATION };

	if (!on)
		return;
	if (!image || !authenticode_sha256(file, event.digest)) {
		say("note: an image cannot be measured");
	} else {
		*image = (struct image_event){ (UINTN)file.data, file.size, 0, bytes };
		memcpy(image->path, path, bytes);
		event.data = (struct blob){ (const UINT8 *)image, sizeof(*image) + bytes };
		log_it(&event);
	}
	if (image)
		FreePool(image);
}

void measure_disk(EFI_HANDLE volume)
{
	struct blob event;

	if (!on || taken_over || tcg2_serve_table() || !disk_table(volume, &event))
		return;
	measure_data(PCR_BOOT_SET, EV_EFI_GPT_EVENT, event.data, event.size);
	detail("vtpm: the disk's partition table is measured by the loader");
	FreePool((void *)(UINTN)event.data);
}

/* Its file once more, since firmware does not give what it has loaded. */
static void measure_loader(const EFI_LOADED_IMAGE *image)
{
	CHAR16 path[FILE_PATH_CHARS];
	EFI_DEVICE_PATH *device_path;
	EFI_STATUS status = EFI_NOT_FOUND;
	UINT64 size;
	void *bytes;

	if (file_own(image, path))
		status = file_whole(image->DeviceHandle, path, &bytes, &size);
	if (EFI_ERROR(status)) {
		say("note: the loader's own file is not measured (%s)", status_text(status));
		return;
	}
	device_path = FileDevicePath(image->DeviceHandle, path);
	if (device_path) {
		measure_image((struct blob){ bytes, size }, device_path);
		FreePool(device_path);
	}
	FreePool(bytes);
}

static void measure_settings(const EFI_LOADED_IMAGE *image)
{
	struct tagged_event tagged = { SETTINGS_TAG, SHA256_BYTES, { 0 } };
	CHAR16 path[FILE_PATH_CHARS];
	struct tcg_event event;
	UINT64 size = 0;
	void *bytes = NULL;
	struct blob text;

	if (file_beside(image, SETTINGS_FILE, path) &&
	    EFI_ERROR(file_whole(image->DeviceHandle, path, &bytes, &size)))
		bytes = NULL;
	text = (struct blob){ bytes, bytes ? size : 0 };
	tcg_digest(&event, text);
	memcpy(tagged.digest, event.digest, SHA256_BYTES);
	measure(PCR_BOOT_SET, EV_EVENT_TAG, text,
	    (struct blob){ (const UINT8 *)&tagged, sizeof(tagged) });
	if (bytes)
		FreePool(bytes);
}

/* ---- In order ---- */

/* Nothing that changes the TPM's state: file systems are not to be used here. */
static void EFIAPI at_exit(EFI_EVENT event, void *context)
{
	if (!on)
		return;
	action(PCR_BOOT_SET, "Exit Boot Services Invocation");
	action(PCR_BOOT_SET, "Exit Boot Services Returned with Success");
	on = FALSE;
}

static void measure_all(const struct measured *what)
{
	static const CHAR16 version[] = L"Redoubt";
	const UINT8 separator[4] = { 0 };

	measure_data(PCR_CODE, EV_S_CRTM_VERSION, version, sizeof(version));
	measure_payloads(PCR_CODE, what);
	measure_policy();
	measure_boot_order();
	action(PCR_BOOT, "Calling EFI Application from Boot Option");
	for (UINT32 pcr = 0; pcr < SEPARATED; pcr++)
		measure_data(pcr, EV_SEPARATOR, separator, sizeof(separator));
	measure_loader(what->image);
	measure_settings(what->image);
}

/* The vTPM is started from locality 0, which a log without that event means. */
static void take_over(struct blob log)
{
	BOOLEAN full = FALSE;
	struct tcg_reader reader;
	struct tcg_event event;
	UINT8 locality;

	if (!tcg_read_start(&reader, log))
		return;
	while (tcg_read(&reader, &event)) {
		EFI_STATUS status = EFI_SUCCESS;

		if (!tcg_tells_locality(&event, &locality))
			status = tcg2_serve_measure(&event);
		full |= status == EFI_VOLUME_FULL;
		if (status != EFI_VOLUME_FULL)
			check(event.pcr, status);
	}
	if (full)
		say("note: firmware's log is longer than the vTPM's, which is truncated");
	detail("vtpm: begins as the platform's TPM, %lu events", tcg2_serve_events());
}

void measure_platform(const struct measured *what)
{
	if (!tcg2_present())
		return;
	to_platform = TRUE;
	measure_payloads(PCR_BOOT, what);
	measure_settings(what->image);
	to_platform = FALSE;
}

BOOLEAN measure_start(const struct measured *what, struct blob *log)
{
	EFI_GUID group = EXIT_BOOT_SERVICES_GUID;

	if (!tcg2_serve_prepare(log) ||
	    EFI_ERROR(BS->CreateEventEx(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, at_exit, NULL, &group,
		&exits))) {
		say("note: no memory for a log: nothing is measured");
		return FALSE;
	}
	on = TRUE;
	taken_over = platform_log().size > 0;
	if (taken_over)
		take_over(platform_log());
	else
		measure_all(what);
	if (!tcg2_serve_install())
		say("note: firmware takes no EFI_TCG2_PROTOCOL: what it starts measures nothing");
	detail("vtpm: %lu events measured", tcg2_serve_events());
	return TRUE;
}

UINT64 measure_images(void)
{
	return on ? tcg2_serve_images() : 0;
}

/* What runs from here on is measured by nobody: no register is to be as it was for what ran. */
void measure_end(void)
{
	if (!on)
		return;
	for (UINT32 pcr = 0; pcr < SEPARATED; pcr++)
		action(pcr, "Redoubt: nothing more is measured");
	on = FALSE;
	BS->CloseEvent(exits);
	tcg2_serve_remove();
}
