/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The root key (root.h).
 */
#include "boot/root.h"

#include <string.h>

#include "boot/bytes.h"
#include "boot/console.h"
#include "boot/file.h"
#include "boot/random.h"
#include "boot/root_seal.h"
#include "boot/tcg2.h"
#include "boot/text.h"

#define KEY_FILE    "root.key"
#define SEALED_FILE "root.tpm"
#define OLD_FILE    "root.old"
#define NEW_FILE    "root.new"

#define CHANGED_TEXT 256u

/* What is at hand; all of it is scrubbed at the end. */
struct root {
	const EFI_LOADED_IMAGE *image;
	struct tpm tpm;
	struct root_secret secret;
	UINT8 blob[ROOT_BLOB_MAX];
};

static EFI_STATUS read_beside(const EFI_LOADED_IMAGE *image, const char *name, void *data,
    UINTN *size)
{
	CHAR16 path[FILE_PATH_CHARS];
	EFI_FILE_HANDLE file;
	UINT64 found;
	EFI_STATUS status;

	if (!file_beside(image, name, path))
		return EFI_NOT_FOUND;
	status = file_open(image->DeviceHandle, path, &file, &found);
	if (EFI_ERROR(status))
		return status;
	if (found > *size)
		status = EFI_BAD_BUFFER_SIZE;
	else
		status = file_read(file, data, found);
	file->Close(file);
	*size = found;
	return status;
}

static EFI_STATUS write_beside(const EFI_LOADED_IMAGE *image, const char *name, const void *data,
    UINTN size)
{
	CHAR16 path[FILE_PATH_CHARS];

	if (!file_beside(image, name, path))
		return EFI_NOT_FOUND;
	return file_write(image->DeviceHandle, path, data, size);
}

static EFI_STATUS rename_beside(const EFI_LOADED_IMAGE *image, const char *from, const char *to)
{
	CHAR16 path[FILE_PATH_CHARS];

	if (!file_beside(image, from, path))
		return EFI_NOT_FOUND;
	return file_rename(image->DeviceHandle, path, to);
}

static EFI_STATUS read_key(const EFI_LOADED_IMAGE *image, UINT8 key[SHA256_BYTES])
{
	UINTN size = SHA256_BYTES;
	EFI_STATUS status = read_beside(image, KEY_FILE, key, &size);

	return !EFI_ERROR(status) && size != SHA256_BYTES ? EFI_BAD_BUFFER_SIZE : status;
}

static EFI_STATUS make_key(const EFI_LOADED_IMAGE *image, UINT8 key[SHA256_BYTES])
{
	if (!random_gather(key))
		return EFI_NOT_READY;
	return write_beside(image, KEY_FILE, key, SHA256_BYTES);
}

/* ---- Without a TPM ---- */

static BOOLEAN from_file(struct root *root)
{
	EFI_STATUS status = read_key(root->image, root->secret.key);

	if (status == EFI_NOT_FOUND)
		status = make_key(root->image, root->secret.key);
	root->secret.origin = ROOT_FILE;
	if (EFI_ERROR(status))
		say("note: %s cannot be used: partitions have no keys to seal with (%s)", KEY_FILE,
		    status_text(status));
	return !EFI_ERROR(status);
}

/* ---- With a TPM ---- */

static const char *reason(const struct tpm *tpm)
{
	if (tpm->code == TPM_NO_ANSWER)
		return "firmware gives no answer";
	if (tpm->code == TPM_MALFORMED)
		return "a malformed answer, or no SHA-256 bank";
	return "refused";
}

static void say_failed(const struct tpm *tpm)
{
	say("note: the TPM: %s failed: %s (0x%x)", tpm->name, reason(tpm), tpm->code);
}

/* Seals the key at hand. Nothing of what is there is touched unless all of it went well. */
static BOOLEAN seal(struct root *root, BOOLEAN replaces)
{
	EFI_STATUS status;
	UINTN size;

	if (root_seal(&root->tpm, &root->secret, root->blob, &size) != ROOT_OK) {
		say_failed(&root->tpm);
		return FALSE;
	}
	status = write_beside(root->image, NEW_FILE, root->blob, size);
	if (!EFI_ERROR(status) && replaces)
		status = rename_beside(root->image, SEALED_FILE, OLD_FILE);
	if (!EFI_ERROR(status))
		status = rename_beside(root->image, NEW_FILE, SEALED_FILE);
	if (EFI_ERROR(status)) {
		say("note: %s cannot be written (%s)", SEALED_FILE, status_text(status));
		return FALSE;
	}
	return TRUE;
}

/* TRUE: root.key was there, and is the key. */
static BOOLEAN adopt(struct root *root, BOOLEAN replaces)
{
	EFI_STATUS status = read_key(root->image, root->secret.key);

	if (EFI_ERROR(status)) {
		if (status != EFI_NOT_FOUND)
			say("note: %s cannot be used (%s)", KEY_FILE, status_text(status));
		return FALSE;
	}
	root->secret.origin = ROOT_FILE;
	if (seal(root, replaces))
		say("root key: %s is sealed by the TPM; keep it elsewhere, off this machine",
		    KEY_FILE);
	return TRUE;
}

static BOOLEAN make_sealed(struct root *root)
{
	UINT8 by_tpm[SHA256_BYTES];
	struct sha256 hash;
	BOOLEAN good;

	random_gather(root->secret.key);
	good = tpm_random(&root->tpm, by_tpm);
	sha256_start(&hash);
	sha256_add(&hash, root->secret.key, SHA256_BYTES);
	sha256_add(&hash, by_tpm, sizeof(by_tpm));
	sha256_end(&hash, root->secret.key);
	scrub(by_tpm, sizeof(by_tpm));
	root->secret.origin = ROOT_MADE;
	if (!good)
		say_failed(&root->tpm);
	return good && seal(root, FALSE);
}

/* Neither root.tpm was there. */
static BOOLEAN first_time(struct root *root)
{
	if (adopt(root, FALSE))
		return TRUE;
	if (make_sealed(root)) {
		say("root key: made, and sealed by the TPM");
		return TRUE;
	}
	say("note: the TPM cannot seal a root key: it is kept in %s", KEY_FILE);
	return from_file(root);
}

static void name_changed(unsigned changed, char text[CHANGED_TEXT])
{
	static const char *const names[TPM_PCRS] = {
		"firmware's code (PCR 0)",
		"drivers that are not firmware's (PCR 2)",
		"what was started, redoubt.efi included (PCR 4)",
		"Secure Boot's state and keys (PCR 7)",
	};
	UINTN length = 0;

	text[0] = 0;
	for (unsigned i = 0; i < TPM_PCRS; i++)
		if (changed & 1u << i)
			length += text_format(text + length, CHANGED_TEXT - length, "%s%s",
			    length ? ", " : "", names[i]);
}

static void say_refused(const struct root *root, enum root_result result, unsigned changed)
{
	static const char *const texts[] = {
		[ROOT_DAMAGED] = "it is damaged",
		[ROOT_FOREIGN] = "it is of another TPM, or of this one before it was cleared",
		[ROOT_FORGED] = "it was not made by this loader on this machine",
	};
	char text[CHANGED_TEXT];

	if (result == ROOT_FAILED) {
		say_failed(&root->tpm);
		say("note: %s cannot be opened", SEALED_FILE);
	} else if (result == ROOT_CHANGED) {
		name_changed(changed, text);
		say("note: %s cannot be opened: not as when it was sealed: %s", SEALED_FILE, text);
	} else {
		say("note: %s cannot be opened: %s", SEALED_FILE, texts[result]);
	}
}

static BOOLEAN open_sealed(struct root *root, UINTN size)
{
	struct blob file = { root->blob, size };
	unsigned changed;
	enum root_result result = root_unseal(&root->tpm, file, &root->secret, &changed);

	if (result == ROOT_OK) {
		detail("root key: unsealed by the TPM");
		return TRUE;
	}
	say_refused(root, result, changed);
	if (adopt(root, TRUE))
		return TRUE;
	say("note: %s is left as it is, and partitions have no keys to seal with", SEALED_FILE);
	return FALSE;
}

static BOOLEAN take(struct root *root)
{
	BOOLEAN there = tcg2_open(&root->tpm);
	UINTN size = sizeof(root->blob);
	EFI_STATUS status = read_beside(root->image, SEALED_FILE, root->blob, &size);

	if (status == EFI_NOT_FOUND)
		return there ? first_time(root) : from_file(root);
	/* Too long is as damaged as any other. */
	if (status == EFI_BAD_BUFFER_SIZE)
		size = 0;
	else if (EFI_ERROR(status))
		say("note: %s cannot be read (%s)", SEALED_FILE, status_text(status));
	if (EFI_ERROR(status) && status != EFI_BAD_BUFFER_SIZE)
		return FALSE;
	if (there)
		return open_sealed(root, size);
	say("note: %s is there, and no TPM to open it: partitions have no keys to seal with",
	    SEALED_FILE);
	return FALSE;
}

/* The key of SVN n is the hash of that of n + 1. */
static void derive(UINT8 key[SHA256_BYTES])
{
	struct sha256 hash;

	for (unsigned svn = BOOTINFO_SVN_END; svn > REDOUBT_SVN; svn--) {
		sha256_start(&hash);
		sha256_add(&hash, key, SHA256_BYTES);
		sha256_end(&hash, key);
	}
}

void root_fill(struct bootinfo *info, const EFI_LOADED_IMAGE *image)
{
	struct root *root = AllocateZeroPool(sizeof(*root));
	BOOLEAN taken;

	if (!root) {
		say("note: no memory: partitions have no keys to seal with");
		return;
	}
	root->image = image;
	taken = take(root);
	if (taken && tcg2_open(&root->tpm) && !tpm_wash(&root->tpm)) {
		say_failed(&root->tpm);
		taken = FALSE;
	}
	/* A key that the operating system can unseal as well is none. */
	if (!tcg2_cap() && root->secret.origin == ROOT_MADE)
		taken = FALSE;
	if (taken) {
		derive(root->secret.key);
		memcpy(info->root_key, root->secret.key, SHA256_BYTES);
		info->flags |= BOOTINFO_ROOT_KEY;
		if (root->secret.origin == ROOT_MADE)
			info->flags |= BOOTINFO_ROOT_TPM;
	}
	scrub(root, sizeof(*root));
	FreePool(root);
}

void root_close(void)
{
	if (!tcg2_cap())
		say("note: PCR 4 cannot be capped: what runs from here can unseal %s", SEALED_FILE);
}
