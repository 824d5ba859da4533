/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The platform's TPM through firmware (tcg2.h).
 */
#include "boot/tcg2.h"

#include <string.h>

#include "boot/bytes.h"
#include "boot/efi_tcg2.h"
#include "boot/tcg_log.h"

#define AGAIN_US 10000u /* before a TPM is asked the same again */

#define CAP_PCR	  4u
#define CAP_INDEX 2u /* of that in tpm_pcrs[] */
#define CAP_TEXT  "Redoubt: root key closed"

/* An event, and its data. */
union cap_event {
	struct tcg2_event event;
	UINT8 bytes[sizeof(struct tcg2_event) + sizeof(CAP_TEXT) - 1];
};

static tcg2_t *tcg2;
static BOOLEAN capped;

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

BOOLEAN tcg2_open(struct tpm *tpm)
{
	tcg2 = locate();
	memset(tpm, 0, sizeof(*tpm));
	tpm->submit = submit;
	return tcg2 != NULL;
}

static EFI_STATUS extend(void)
{
	static const CHAR8 text[] = CAP_TEXT;
	union cap_event cap = { .event = {
				    .size = sizeof(cap),
				    .header_size = TCG2_EVENT_HEADER,
				    .header_version = 1,
				    .pcr = CAP_PCR,
				    .type = EV_EFI_ACTION,
				} };

	memcpy(cap.bytes + sizeof(cap.event), text, sizeof(text) - 1);
	return tcg2->hash_log_extend(tcg2, 0, (UINTN)text, sizeof(text) - 1, &cap.event);
}

BOOLEAN tcg2_cap(void)
{
	uint8_t before[TPM_PCRS][SHA256_BYTES], after[TPM_PCRS][SHA256_BYTES];
	struct tpm tpm;

	if (capped || !tcg2_open(&tpm))
		return TRUE;
	if (!tpm_pcr_read(&tpm, before)) {
		/* Without that bank nothing is sealed; the others are capped all the same. */
		capped = !EFI_ERROR(extend());
		return capped;
	}
	capped = !EFI_ERROR(extend()) && tpm_pcr_read(&tpm, after) &&
	    !bytes_equal(before[CAP_INDEX], after[CAP_INDEX], SHA256_BYTES);
	return capped;
}
