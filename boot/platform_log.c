/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Firmware's log (platform_log.h).
 */
#include "boot/platform_log.h"

#include <string.h>

#include "boot/bytes.h"
#include "boot/console.h"
#include "boot/efi_tcg2.h"
#include "boot/tcg2.h"
#include "boot/tcg_replay.h"
#include "boot/text.h"

#define LOG_MAX ((size_t)1 << 20)

#define FINAL_HEADER 16u /* version, number of events */
#define FINAL_COUNT  8u

#define MALFORMED "it is malformed"

static UINT8 *copy;
static size_t copied;

/* What was logged behind somebody's first look; whether the log has it is firmware's choice. */
static BOOLEAN find_final(struct blob log, struct blob *events)
{
	EFI_GUID guid = TCG2_FINAL_GUID;
	struct tcg_reader form;
	UINT8 *table;

	*events = (struct blob){ log.data, 0 };
	if (EFI_ERROR(LibGetSystemConfigurationTable(&guid, (void **)&table)) || get64(table) != 1)
		return TRUE;
	events->data = table + FINAL_HEADER;
	return tcg_read_start(&form, log) &&
	    tcg_events_bytes(&form, (struct blob){ events->data, LOG_MAX },
		get64(table + FINAL_COUNT), &events->size);
}

static const char *gather(void)
{
	EFI_PHYSICAL_ADDRESS where = 0, last = 0;
	BOOLEAN truncated = FALSE;
	struct blob log, more;
	size_t twice;

	if (EFI_ERROR(tcg2_log(&where, &last, &truncated)) || !where)
		return "firmware has none that is crypto agile";
	if (truncated)
		return "it is truncated";
	if (last && (last < where || last - where >= LOG_MAX))
		return MALFORMED;
	log = (struct blob){ (const UINT8 *)(UINTN)where, LOG_MAX };
	log.size = tcg_log_bytes(log, last ? last - where : 0);
	if (log.size == 0 || !find_final(log, &more))
		return MALFORMED;
	twice = tcg_log_overlap(log, more);
	copy = AllocatePool(log.size + more.size - twice);
	if (!copy)
		return "there is no memory for it";
	copied = log.size + more.size - twice;
	memcpy(copy, log.data, log.size);
	memcpy(copy + log.size, more.data + twice, more.size - twice);
	return NULL;
}

static const char *compare(void)
{
	static char text[64];
	UINT8 said[REPLAY_PCRS][SHA256_BYTES], found[REPLAY_PCRS][SHA256_BYTES];
	struct tpm tpm;

	if (!tcg_replay(platform_log(), said))
		return MALFORMED;
	if (!tcg2_open(&tpm))
		return "there is no TPM";
	for (UINT32 pcr = 0; pcr < REPLAY_PCRS; pcr += TPM_PCRS_READ)
		if (!tpm_pcr_range(&tpm, pcr, found + pcr))
			return "the TPM's registers cannot be read";
	for (UINT32 pcr = 0; pcr < REPLAY_PCRS; pcr++) {
		if (bytes_equal(said[pcr], found[pcr], SHA256_BYTES))
			continue;
		text_format(text, sizeof(text), "PCR %u is not what it replays to", pcr);
		return text;
	}
	return NULL;
}

void platform_log_take(void)
{
	const char *complaint = gather();

	if (!complaint)
		complaint = compare();
	if (!complaint)
		return;
	say("note: firmware's log of measurements is not taken over (%s): the vTPM tells of the "
	    "loader and what follows alone",
	    complaint);
	platform_log_drop();
}

struct blob platform_log(void)
{
	return (struct blob){ copy, copied };
}

void platform_log_drop(void)
{
	if (copy)
		FreePool(copy);
	copy = NULL;
	copied = 0;
}
