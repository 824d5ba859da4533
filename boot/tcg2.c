/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The platform's TPM through firmware (tcg2.h).
 */
#include "boot/tcg2.h"

#include <string.h>

#include "boot/bytes.h"
#include "boot/console.h"
#include "boot/efi_tcg2.h"
#include "boot/tcg_log.h"

#define AGAIN_US 10000u /* before a TPM is asked the same again */

#define CAP_PCR	  4u
#define CAP_INDEX 2u /* of that in tpm_pcrs[] */
#define CAP_TEXT  "Redoubt: root key closed"

/* An event, and its data. */
#define EVENT_MAX 64u
union event_bytes {
	struct tcg2_event event;
	UINT8 bytes[sizeof(struct tcg2_event) + EVENT_MAX];
};

static tcg2_t *tcg2;
static BOOLEAN capped, gone;

static size_t submit(struct tpm *tpm, struct blob command, bool again)
{
	UINT8 *response = tpm->response;

	memset(response, 0, TPM_BYTES);
	if (again)
		BS->Stall(AGAIN_US);
	if (EFI_ERROR(tcg2->submit(tcg2, (UINT32)command.size, tpm->command, TPM_BYTES, response)))
		return 0;
	/* Firmware does not tell the length: it is what the header says, and `tpm` bounds that. */
	return (size_t)response[2] << 24 | (size_t)response[3] << 16 | (size_t)response[4] << 8 |
	    response[5];
}

static tcg2_t *locate(void)
{
	EFI_GUID guid = TCG2_GUID;
	struct tcg2_capability capability;
	tcg2_t *found;

	memset(&capability, 0, sizeof(capability));
	capability.size = sizeof(capability);
	if (EFI_ERROR(BS->LocateProtocol(&guid, NULL, (void **)&found)) ||
	    EFI_ERROR(found->get_capability(found, &capability)) || !capability.present)
		return NULL;
	return found;
}

BOOLEAN tcg2_present(void)
{
	if (!gone)
		tcg2 = locate();
	return tcg2 != NULL;
}

BOOLEAN tcg2_open(struct tpm *tpm)
{
	memset(tpm, 0, sizeof(*tpm));
	tpm->submit = submit;
	return tcg2_present();
}

EFI_STATUS tcg2_measure(const struct tcg_event *event, struct blob of)
{
	union event_bytes bytes = { .event = {
					.size = (UINT32)(sizeof(bytes.event) + event->data.size),
					.header_size = TCG2_EVENT_HEADER,
					.header_version = 1,
					.pcr = event->pcr,
					.type = event->type,
				    } };

	if (event->data.size > EVENT_MAX)
		return EFI_BAD_BUFFER_SIZE;
	memcpy(bytes.bytes + sizeof(bytes.event), event->data.data, event->data.size);
	return tcg2->hash_log_extend(tcg2, 0, (UINTN)of.data, of.size, &bytes.event);
}

EFI_STATUS tcg2_log(EFI_PHYSICAL_ADDRESS *where, EFI_PHYSICAL_ADDRESS *last, BOOLEAN *truncated)
{
	if (!tcg2_present())
		return EFI_NOT_FOUND;
	return tcg2->get_event_log(tcg2, TCG2_LOG_2, where, last, truncated);
}

/* Where the log alone is full the register is extended (TCG EFI Protocol Specification, 6.6). */
static BOOLEAN extend(void)
{
	const struct blob text = { (const UINT8 *)CAP_TEXT, sizeof(CAP_TEXT) - 1 };
	const struct tcg_event event = { .pcr = CAP_PCR, .type = EV_EFI_ACTION, .data = text };
	EFI_STATUS status = tcg2_measure(&event, text);

	return !EFI_ERROR(status) || status == EFI_VOLUME_FULL;
}

void tcg2_take(void)
{
	EFI_GUID guid = TCG2_GUID;
	EFI_HANDLE *handles;
	UINTN count;
	void *offered;

	tcg2 = NULL;
	gone = TRUE;
	if (EFI_ERROR(BS->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles)))
		return;
	for (UINTN i = 0; i < count; i++)
		if (EFI_ERROR(BS->HandleProtocol(handles[i], &guid, &offered)) ||
		    EFI_ERROR(BS->UninstallProtocolInterface(handles[i], &guid, offered)))
			say("note: firmware keeps its EFI_TCG2_PROTOCOL, which leads nowhere");
	FreePool(handles);
}

BOOLEAN tcg2_cap(void)
{
	uint8_t before[TPM_PCRS][SHA256_BYTES], after[TPM_PCRS][SHA256_BYTES];
	struct tpm tpm;

	if (capped || !tcg2_open(&tpm))
		return TRUE;
	if (!tpm_pcr_read(&tpm, before)) {
		/* Without that bank nothing is sealed; the others are capped all the same. */
		capped = extend();
		return capped;
	}
	capped = extend() && tpm_pcr_read(&tpm, after) &&
	    !bytes_equal(before[CAP_INDEX], after[CAP_INDEX], SHA256_BYTES);
	return capped;
}
