/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * EFI_TCG2_PROTOCOL above the vTPM (tcg2_serve.h).
 */
#include "boot/tcg2_serve.h"

#include <string.h>

#include "boot/authenticode.h"
#include "boot/efi_tcg2.h"
#include "boot/vtpm_crb.h"
#include "boot/vtpm_state.h"

#define LOG_BYTES   ((size_t)128 << 10)
#define FINAL_BYTES ((size_t)16 << 10)

#define EXTEND_ONLY  0x1ull
#define PE_COFF	     0x10ull
#define KNOWN_FLAGS  (EXTEND_ONLY | PE_COFF)
#define MANUFACTURER 0x49424d00u /* as TPM2_PT_MANUFACTURER: "IBM", libtpms's */

static struct tcg_log log, final;
static UINT64 images;
static BOOLEAN looked_at, table_measured;
static EFI_HANDLE handle;

static EFI_STATUS EFIAPI get_capability(tcg2_t *self, struct tcg2_capability *capability)
{
	const struct tcg2_capability all = { .size = sizeof(all),
		.structure_version = { 1, 1 },
		.protocol_version = { 1, 1 },
		.hash_algorithms = TCG2_SHA256,
		.event_logs = TCG2_LOG_2,
		.present = TRUE,
		.max_command = VTPM_COMMAND_MAX,
		.max_response = VTPM_COMMAND_MAX,
		.manufacturer = MANUFACTURER,
		.banks = 1,
		.active_banks = TCG2_SHA256 };
	UINT8 room;

	if (!self || !capability)
		return EFI_INVALID_PARAMETER;
	room = capability->size;
	memcpy(capability, &all, room < sizeof(all) ? room : sizeof(all));
	capability->size = sizeof(all);
	return room < sizeof(all) ? EFI_BUFFER_TOO_SMALL : EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_event_log(tcg2_t *self, UINT32 format, EFI_PHYSICAL_ADDRESS *where,
    EFI_PHYSICAL_ADDRESS *last, BOOLEAN *truncated)
{
	if (!self || format != TCG2_LOG_2)
		return EFI_INVALID_PARAMETER;
	if (where)
		*where = (UINTN)log.base;
	if (last)
		*last = (UINTN)log.base + log.last;
	if (truncated)
		*truncated = log.truncated;
	looked_at = TRUE;
	return EFI_SUCCESS;
}

static EFI_STATUS put_into_log(const struct tcg_event *event)
{
	BOOLEAN there = tcg_log_add(&log, event);

	images += event->type == EV_EFI_BOOT_SERVICES_APPLICATION;
	table_measured |= event->type == EV_EFI_GPT_EVENT;
	if (looked_at)
		there &= tcg_log_add(&final, event);
	return there ? EFI_SUCCESS : EFI_VOLUME_FULL;
}

EFI_STATUS tcg2_serve_measure(const struct tcg_event *event)
{
	if (event->type != EV_NO_ACTION && !vtpm_extend(event->pcr, event->digest))
		return EFI_DEVICE_ERROR;
	return put_into_log(event);
}

/* The first behind a TPM2_Shutdown() changes the state, too: then somebody must keep it. */
static BOOLEAN extend(const struct tcg_event *event)
{
	BOOLEAN done = vtpm_extend(event->pcr, event->digest);

	if (done)
		return TRUE;
	done = vtpm_state_keep(TRUE) && vtpm_extend(event->pcr, event->digest);
	return vtpm_state_keep(FALSE) && done;
}

static EFI_STATUS digest_of(struct tcg_event *measured, UINT64 flags, struct blob data)
{
	if (!(flags & PE_COFF))
		tcg_digest(measured, data);
	else if (!authenticode_sha256(data, measured->digest))
		return EFI_UNSUPPORTED;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI hash_log_extend(tcg2_t *self, UINT64 flags, EFI_PHYSICAL_ADDRESS data,
    UINT64 size, struct tcg2_event *event)
{
	struct tcg_event measured;
	EFI_STATUS status;

	if (!self || !event || (!data && size) || flags & ~KNOWN_FLAGS)
		return EFI_INVALID_PARAMETER;
	if (event->size < sizeof(*event) || event->header_size != TCG2_EVENT_HEADER ||
	    event->header_version != 1 || event->pcr >= TCG_PCRS)
		return EFI_INVALID_PARAMETER;
	measured = (struct tcg_event){ .pcr = event->pcr,
		.type = event->type,
		.data = { event->data, event->size - sizeof(*event) } };
	status = digest_of(&measured, flags, (struct blob){ (const UINT8 *)(UINTN)data, size });
	if (EFI_ERROR(status))
		return status;
	if (!extend(&measured))
		return EFI_DEVICE_ERROR;
	return flags & EXTEND_ONLY ? EFI_SUCCESS : put_into_log(&measured);
}

/* A command of anybody's may change the TPM's state: then there is somebody who keeps it. */
static EFI_STATUS EFIAPI submit(tcg2_t *self, UINT32 command_size, UINT8 *command,
    UINT32 response_size, UINT8 *response)
{
	UINT32 length;

	if (!self || !command || !response || !response_size || command_size < VTPM_HEADER ||
	    command_size > VTPM_COMMAND_MAX)
		return EFI_INVALID_PARAMETER;
	if (!vtpm_state_keep(TRUE))
		return EFI_DEVICE_ERROR;
	length = vtpm_command(command, command_size, response, response_size);
	if (!vtpm_state_keep(FALSE) || length == 0)
		return EFI_DEVICE_ERROR;
	return length <= response_size ? EFI_SUCCESS : EFI_BUFFER_TOO_SMALL;
}

static EFI_STATUS EFIAPI get_banks(tcg2_t *self, UINT32 *banks)
{
	if (!self || !banks)
		return EFI_INVALID_PARAMETER;
	*banks = TCG2_SHA256;
	return EFI_SUCCESS;
}

/* Chosen when the TPM was made, and not to be changed. */
static EFI_STATUS EFIAPI set_banks(tcg2_t *self, UINT32 banks)
{
	if (!self || banks == 0)
		return EFI_INVALID_PARAMETER;
	return banks == TCG2_SHA256 ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI get_result(tcg2_t *self, UINT32 *present, UINT32 *response)
{
	if (!self || !present || !response)
		return EFI_INVALID_PARAMETER;
	*present = *response = 0;
	return EFI_SUCCESS;
}

static tcg2_t protocol = { get_capability, get_event_log, hash_log_extend, submit, get_banks,
	set_banks, get_result };

static UINT8 *pages(size_t bytes)
{
	EFI_PHYSICAL_ADDRESS at = UINT32_MAX;

	if (EFI_ERROR(BS->AllocatePages(AllocateMaxAddress, EfiACPIMemoryNVS, bytes / EFI_PAGE_SIZE,
		&at)))
		return NULL;
	memset((void *)(UINTN)at, 0, bytes);
	return (UINT8 *)(UINTN)at;
}

BOOLEAN tcg2_serve_prepare(struct blob *where)
{
	UINT8 *memory = pages(LOG_BYTES), *more = pages(FINAL_BYTES);

	if (!memory || !more)
		return FALSE;
	tcg_log_start(&log, memory, LOG_BYTES);
	tcg_log_start_final(&final, more, FINAL_BYTES);
	*where = (struct blob){ memory, LOG_BYTES };
	return TRUE;
}

UINT64 tcg2_serve_events(void)
{
	return log.events;
}

UINT64 tcg2_serve_images(void)
{
	return images;
}

BOOLEAN tcg2_serve_table(void)
{
	return table_measured;
}

BOOLEAN tcg2_serve_install(void)
{
	EFI_GUID guid = TCG2_GUID, table = TCG2_FINAL_GUID;
	EFI_STATUS status = BS->InstallConfigurationTable(&table, final.base);

	if (!EFI_ERROR(status))
		status = BS->InstallProtocolInterface(&handle, &guid, EFI_NATIVE_INTERFACE,
		    &protocol);
	return !EFI_ERROR(status);
}

void tcg2_serve_remove(void)
{
	EFI_GUID guid = TCG2_GUID;

	if (handle)
		BS->UninstallProtocolInterface(handle, &guid, &protocol);
	handle = NULL;
}
