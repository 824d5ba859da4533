/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The platform's TPM through firmware (tcg2.h).
 */
#include "boot/tcg2.h"

#include <string.h>

#include "boot/bytes.h"

#define AGAIN_US 10000u /* before a TPM is asked the same again */

#define CAP_PCR	      4u
#define CAP_INDEX     2u /* of that in tpm_pcrs[] */
#define EV_EFI_ACTION 0x80000007u
#define CAP_TEXT      "Redoubt: root key closed"

#define TCG2_GUID                                                                                  \
	{                                                                                          \
		0x607f766c, 0x7455, 0x42be,                                                        \
		{                                                                                  \
			0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f                             \
		}                                                                                  \
	}

struct tcg2_capability {
	UINT8 size;
	UINT8 structure_version[2], protocol_version[2];
	UINT32 hash_algorithms, event_logs;
	BOOLEAN present;
	UINT16 max_command, max_response;
	UINT32 manufacturer, banks, active_banks;
};

_Static_assert(sizeof(struct tcg2_capability) == 36, "as the specification has it");

struct tcg2_event {
	UINT32 size;
	UINT32 header_size;
	UINT16 header_version;
	UINT32 pcr;
	UINT32 type;
	UINT8 text[sizeof(CAP_TEXT) - 1];
} __attribute__((packed));

typedef struct tcg2 tcg2_t;

struct tcg2 {
	EFI_STATUS(EFIAPI *get_capability)(tcg2_t *self, struct tcg2_capability *capability);
	void *get_event_log;
	EFI_STATUS(EFIAPI *hash_log_extend)
	(tcg2_t *self, UINT64 flags, EFI_PHYSICAL_ADDRESS data, UINT64 size,
	    struct tcg2_event *event);
	EFI_STATUS(EFIAPI *submit)
	(tcg2_t *self, UINT32 command_size, UINT8 *command, UINT32 response_size, UINT8 *response);
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
	struct tcg2_event event = {
		.size = sizeof(event),
		.header_size = 14,
		.header_version = 1,
		.pcr = CAP_PCR,
		.type = EV_EFI_ACTION,
	};

	memcpy(event.text, text, sizeof(event.text));
	return tcg2->hash_log_extend(tcg2, 0, (UINTN)text, sizeof(text) - 1, &event);
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
