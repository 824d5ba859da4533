/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The vTPM's state (vtpm_state.h).
 */
#include "boot/vtpm_state.h"

#include <string.h>

#include "boot/console.h"
#include "boot/file.h"
#include "boot/presence.h"
#include "boot/sha256.h"
#include "boot/text.h"
#include "boot/x86.h"
#include "monitor/abi/bootinfo.h"
#include "monitor/abi/call.h"
#include "monitor/abi/tpm_state.h"

#define REQUEST_WORDS 3u

struct keeper {
	const EFI_LOADED_IMAGE *image;
	UINT32 vendor;
	UINT32 partition;
	UINT8 slot[TPM_SLOT_BYTES];
};

static struct keeper *keeper; /* as long as the loader is there */

static const char *const names[TPM_FILES] = { "vtpm.0", "vtpm.1", "vtpm.in" };

/* ---- The partition ---- */

static BOOLEAN find(struct keeper *k)
{
	for (UINT32 number = 1; number <= BOOTINFO_PARTITIONS; number++) {
		UINT64 regs[CALL_REGS] = { number, REDOUBT_INFO_ID };

		if (monitor_call(k->vendor, REDOUBT_CALL_partition_info, regs) != REDOUBT_OK)
			break;
		if (CompareMem(regs, TPM_ID, sizeof(TPM_ID)) == 0) {
			k->partition = number;
			return TRUE;
		}
	}
	return FALSE;
}

/* A request, carried to its end. FALSE: the partition did not answer, or not with OK. */
static BOOLEAN ask(const struct keeper *k, UINT32 number, UINT64 words[REQUEST_WORDS])
{
	UINT64 regs[CALL_REGS] = { k->partition | (UINT64)number << 32, words[0], words[1],
		words[2] };
	UINT64 status = monitor_call(k->vendor, REDOUBT_CALL_partition_call, regs);

	while (status == REDOUBT_OK && regs[0] & REDOUBT_SUSPENDED) {
		regs[0] = regs[1];
		regs[1] = regs[2] = regs[3] = 0;
		status = monitor_call(k->vendor, REDOUBT_CALL_partition_resume, regs);
	}
	memcpy(words, regs + 1, REQUEST_WORDS * sizeof(words[0]));
	return status == REDOUBT_OK && regs[0] == REDOUBT_OK;
}

static BOOLEAN request(const struct keeper *k, UINT32 number, UINT64 first, UINT64 second,
    UINT64 third)
{
	UINT64 words[REQUEST_WORDS] = { first, second, third };

	return ask(k, number, words);
}

/* ---- Slots ---- */

static EFI_STATUS read_slot(struct keeper *k, unsigned slot, UINT64 *size)
{
	CHAR16 path[FILE_PATH_CHARS];
	EFI_FILE_HANDLE file;
	EFI_STATUS status;

	if (!file_beside(k->image, names[slot], path))
		return EFI_NOT_FOUND;
	status = file_open(k->image->DeviceHandle, path, &file, size);
	if (EFI_ERROR(status))
		return status;
	if (*size > sizeof(k->slot))
		status = EFI_BAD_BUFFER_SIZE;
	else
		status = file_read(file, k->slot, *size);
	file->Close(file);
	return status;
}

static BOOLEAN hand_over(const struct keeper *k, unsigned slot, UINT64 size)
{
	for (UINT64 at = 0; at < size; at += TPM_PIECE_BYTES) {
		UINT64 bytes = size - at < TPM_PIECE_BYTES ? size - at : TPM_PIECE_BYTES;

		memcpy((void *)(UINTN)TPM_MAILBOX_PIECE, k->slot + at, bytes);
		if (!request(k, TPM_REQUEST_STATE_SLOT, slot, at, bytes))
			return FALSE;
	}
	return TRUE;
}

/*
 * A slot that is there has its size from then on. One that is not is made; one that cannot be read
 * counts as full: nothing is written there.
 */
static BOOLEAN give(struct keeper *k, unsigned slot, UINT64 *size)
{
	EFI_STATUS status = read_slot(k, slot, size);

	if (status == EFI_NOT_FOUND)
		*size = 0;
	if (status == EFI_NOT_FOUND || !EFI_ERROR(status))
		return hand_over(k, slot, *size);
	*size = TPM_SLOT_BYTES;
	say("note: %s cannot be read (%s)", names[slot], status_text(status));
	return request(k, TPM_REQUEST_STATE_SLOT, slot, 0, 0);
}

/* A package, if there is one. */
static BOOLEAN give_package(struct keeper *k)
{
	UINT64 size;
	EFI_STATUS status = read_slot(k, TPM_SLOT_PACKAGE, &size);

	if (status == EFI_NOT_FOUND)
		return TRUE;
	if (EFI_ERROR(status))
		say("note: %s cannot be read (%s)", names[TPM_SLOT_PACKAGE], status_text(status));
	/* Without bytes: there is one. */
	if (EFI_ERROR(status) || size == 0)
		return request(k, TPM_REQUEST_STATE_SLOT, TPM_SLOT_PACKAGE, 0, 0);
	return hand_over(k, TPM_SLOT_PACKAGE, size);
}

static EFI_STATUS put(const struct keeper *k, unsigned slot, UINT64 at, UINT64 bytes)
{
	CHAR16 path[FILE_PATH_CHARS];

	if (!file_beside(k->image, names[slot], path))
		return EFI_NOT_FOUND;
	return file_put(k->image->DeviceHandle, path, at, k->slot + at, bytes);
}

/* All room that a slot ever takes is taken now. */
static BOOLEAN fill_up(struct keeper *k, const UINT64 size[TPM_SLOTS])
{
	memset(k->slot, 0, sizeof(k->slot));
	for (unsigned slot = 0; slot < TPM_SLOTS; slot++) {
		EFI_STATUS status = EFI_SUCCESS;

		if (size[slot] < TPM_SLOT_BYTES)
			status = put(k, slot, size[slot], TPM_SLOT_BYTES - size[slot]);
		if (EFI_ERROR(status)) {
			say("note: %s cannot be written (%s)", names[slot], status_text(status));
			return FALSE;
		}
	}
	return TRUE;
}

/* ---- What waits to be written ---- */

/* One state, in pieces; *size 0: none waits. */
static BOOLEAN take(struct keeper *k, UINT64 words[REQUEST_WORDS], UINT64 *size)
{
	UINT64 at = 0;

	*size = 0;
	do {
		UINT64 first[REQUEST_WORDS] = { at };

		if (!ask(k, TPM_REQUEST_STATE_PIECE, first))
			return FALSE;
		if (first[0] == 0)
			return at == 0;
		memcpy(words, first, sizeof(first));
		*size = words[1] >> 32;
		if (words[0] > TPM_PIECE_BYTES || *size > sizeof(k->slot) || at > *size ||
		    words[0] > *size - at)
			return FALSE;
		memcpy(k->slot + at, (const void *)(UINTN)TPM_MAILBOX_PIECE, words[0]);
		at += words[0];
	} while (at < *size);
	return (UINT32)words[1] < TPM_SLOTS;
}

static BOOLEAN write_waiting(struct keeper *k)
{
	UINT64 words[REQUEST_WORDS] = { 0 }, size;
	unsigned slot;
	EFI_STATUS status;

	while (take(k, words, &size)) {
		if (size == 0)
			return TRUE;
		slot = (UINT32)words[1];
		status = put(k, slot, 0, size);
		if (EFI_ERROR(status)) {
			say("note: %s cannot be written (%s)", names[slot], status_text(status));
			return FALSE;
		}
		detail("vtpm: generation %lu is in %s", words[2], names[slot]);
		if (!request(k, TPM_REQUEST_STATE_KEPT, words[2], 0, 0))
			return FALSE;
	}
	return FALSE;
}

/* ---- In order ---- */

enum verdict {
#define VERDICT(name, sentence) VERDICT_##name,
#include "monitor/abi/tpm_state.def"
#undef VERDICT
};

static const char *sentence(unsigned verdict)
{
	static const char *const sentences[] = {
#define VERDICT(name, sentence) sentence,
#include "monitor/abi/tpm_state.def"
#undef VERDICT
	};

	return verdict < sizeof(sentences) / sizeof(sentences[0]) ? sentences[verdict]
								  : "is unknown";
}

static void tell_digest(const UINT8 digest[SHA256_BYTES])
{
	char text[2 * SHA256_BYTES + 1];

	for (size_t i = 0; i < SHA256_BYTES; i++)
		text_format(text + 2 * i, 3, "%02x", digest[i]);
	say("%s", text);
}

/* By what the guardian knows this machine's packages. */
static void tell_key(const struct keeper *k)
{
	UINT64 words[REQUEST_WORDS] = { 0 };

	if (!ask(k, TPM_REQUEST_KEY, words) || words[0] != SHA256_BYTES)
		return;
	say("the fingerprint of this machine's key, for the guardian:");
	tell_digest((const void *)(UINTN)TPM_MAILBOX_PACKAGE);
}

/* What a guardian must know, if the image names one: in a file, and its fingerprint to a person. */
static void tell_ask(const struct keeper *k)
{
	UINT64 words[REQUEST_WORDS] = { 0 };
	CHAR16 path[FILE_PATH_CHARS];
	UINT8 bytes[TPM_ASK_BYTES], digest[SHA256_BYTES];
	struct sha256 hash;

	if (!ask(k, TPM_REQUEST_ASK, words) || words[0] != sizeof(bytes))
		return;
	memcpy(bytes, (const void *)(UINTN)TPM_MAILBOX_PACKAGE, sizeof(bytes));
	if (!file_beside(k->image, "vtpm.ask", path) ||
	    EFI_ERROR(file_write(k->image->DeviceHandle, path, bytes, sizeof(bytes)))) {
		say("note: vtpm.ask cannot be written");
		return;
	}
	say("vtpm.ask is what the guardian needs to make vtpm.in; its fingerprint:");
	sha256_start(&hash);
	sha256_add(&hash, bytes, sizeof(bytes));
	sha256_end(&hash, digest);
	tell_digest(digest);
}

/* What the partition wants somebody at the machine to be asked. */
static BOOLEAN settle(const struct keeper *k, UINT64 operation)
{
	UINT64 words[REQUEST_WORDS] = { presence_confirmed(operation) ? TPM_PRESENCE_YES
								      : TPM_PRESENCE_NO };

	if (!ask(k, TPM_REQUEST_PRESENCE, words))
		return FALSE;
	if (words[0] == 0)
		say("the vTPM is cleared");
	else if (words[0] != TPM_PPI_ABORTED)
		say("note: the vTPM cannot be cleared: TPM error 0x%lx", words[0]);
	return TRUE;
}

static unsigned verdict(UINT64 verdicts, unsigned file)
{
	return verdicts >> 8 * file & 0xff;
}

static void tell_refused(const struct keeper *k, UINT64 verdicts)
{
	for (unsigned slot = 0; slot < TPM_SLOTS; slot++)
		say("note: the vTPM's state: %s %s", names[slot],
		    sentence(verdict(verdicts, slot)));
	tell_ask(k);
}

static void tell_package(UINT64 verdicts)
{
	const char *name = names[TPM_SLOT_PACKAGE];
	unsigned it = verdict(verdicts, TPM_SLOT_PACKAGE);

	if (it == VERDICT_OK)
		say("the vTPM is the one in %s", name);
	else if (it != VERDICT_ABSENT)
		say("note: %s %s", name, sentence(it));
}

static BOOLEAN open_state(struct keeper *k, BOOLEAN bound)
{
	UINT64 words[REQUEST_WORDS] = { bound ? TPM_OPEN_BOUND : 0 }, size[TPM_SLOTS];

	for (unsigned slot = 0; slot < TPM_SLOTS; slot++)
		if (!give(k, slot, &size[slot]))
			return FALSE;
	if (!give_package(k) || !ask(k, TPM_REQUEST_STATE_OPEN, words))
		return FALSE;
	tell_package(words[1]);
	tell_key(k);
	if (words[0] == TPM_STATE_REFUSED)
		tell_refused(k, words[1]);
	if (words[0] == TPM_STATE_VOLATILE)
		say("note: the vTPM's keys and memory end with this start: no key to seal them "
		    "with");
	if (words[0] != TPM_STATE_KEPT)
		return words[0] == TPM_STATE_VOLATILE;
	if (words[2] != 0 && !settle(k, words[2]))
		return FALSE;
	/* Nothing of what could not be used stays beside it. */
	if (verdict(words[1], TPM_SLOT_PACKAGE) == VERDICT_OK)
		memset(size, 0, sizeof(size));
	return fill_up(k, size) && write_waiting(k) &&
	    request(k, TPM_REQUEST_STORAGE, TPM_KEEPER_NONE, 0, 0);
}

/* Else its registers would be anybody's to fill. */
static void end(struct keeper *k)
{
	if (!request(k, TPM_REQUEST_STORAGE, TPM_KEEPER_OFF, 0, 0))
		say("note: the vTPM cannot be switched off");
}

BOOLEAN vtpm_state_open(const EFI_LOADED_IMAGE *image, UINT32 vendor, BOOLEAN bound)
{
	struct keeper *k = AllocateZeroPool(sizeof(*k));

	if (k) {
		k->image = image;
		k->vendor = vendor;
		if (find(k)) {
			if (open_state(k, bound)) {
				keeper = k;
				return TRUE;
			}
			end(k);
		}
		FreePool(k);
	}
	say("note: there is no TPM this time: the vTPM's state is left as it is");
	return FALSE;
}

void vtpm_state_end(void)
{
	end(keeper);
}

BOOLEAN vtpm_state_keep(BOOLEAN on)
{
	return request(keeper, TPM_REQUEST_STORAGE, on ? TPM_KEEPER_LOOSE : TPM_KEEPER_NONE, 0, 0);
}

BOOLEAN vtpm_state_write(void)
{
	return write_waiting(keeper);
}
