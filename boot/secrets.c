/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Secrets (secrets.h).
 */
#include "boot/secrets.h"

#include <string.h>

#include "boot/console.h"
#include "boot/file.h"
#include "boot/sha256.h"
#include "boot/x86.h"

#define ROOT_FILE    "root.key"
#define STALL_US     1000u
#define RANDOM_WORDS 16u

/* Not optimized away. */
static void scrub(void *memory, UINTN bytes)
{
	volatile UINT8 *at = memory;

	while (bytes--)
		*at++ = 0;
}

/*
 * Whatever differs from machine to machine and from start to start, hashed. FALSE: neither firmware
 * nor the CPU has given random numbers, so it can be guessed.
 */
static BOOLEAN gather(uint8_t out[SHA256_BYTES])
{
	EFI_GUID guid = EFI_RNG_PROTOCOL_GUID;
	struct {
		uint64_t words[RANDOM_WORDS], before, after;
		uint8_t firmware[SHA256_BYTES];
		EFI_TIME time;
	} facts;
	EFI_RNG_PROTOCOL *rng;
	struct sha256 hash;
	BOOLEAN by_firmware, by_cpu = TRUE;

	memset(&facts, 0, sizeof(facts));
	facts.before = read_tsc();
	by_firmware = !EFI_ERROR(BS->LocateProtocol(&guid, NULL, (void **)&rng)) &&
	    !EFI_ERROR(rng->GetRNG(rng, NULL, sizeof(facts.firmware), facts.firmware));
	for (unsigned i = 0; i < RANDOM_WORDS; i++) {
		facts.words[i] = cpu_random();
		/* None, or one that is stuck. */
		if (facts.words[i] == 0 || (i > 0 && facts.words[i] == facts.words[i - 1]))
			by_cpu = FALSE;
	}
	RT->GetTime(&facts.time, NULL);
	facts.after = read_tsc();
	sha256_start(&hash);
	sha256_add(&hash, &facts, sizeof(facts));
	sha256_end(&hash, out);
	scrub(&facts, sizeof(facts));
	return by_firmware || by_cpu;
}

static uint32_t measure_clock(void)
{
	uint64_t start = read_tsc(), khz;

	if (EFI_ERROR(BS->Stall(STALL_US)))
		return 0;
	khz = (read_tsc() - start) * 1000 / STALL_US;
	return khz < UINT32_MAX ? (uint32_t)khz : 0;
}

static EFI_STATUS write_root(EFI_HANDLE device, CHAR16 *path, uint8_t root[SHA256_BYTES])
{
	EFI_FILE_HANDLE volume = LibOpenRoot(device), file;
	UINTN bytes = SHA256_BYTES;
	EFI_STATUS status;

	if (!volume)
		return EFI_NOT_FOUND;
	if (!gather(root)) {
		volume->Close(volume);
		return EFI_NOT_READY;
	}
	status = volume->Open(volume, &file, path,
	    EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE | EFI_FILE_MODE_CREATE, 0);
	volume->Close(volume);
	if (EFI_ERROR(status))
		return status;
	status = file->Write(file, &bytes, root);
	if (!EFI_ERROR(status) && bytes != SHA256_BYTES)
		status = EFI_VOLUME_FULL;
	if (!EFI_ERROR(status))
		status = file->Flush(file);
	/* A file that is not whole must not be taken for a key. */
	if (EFI_ERROR(status))
		file->Delete(file);
	else
		file->Close(file);
	return status;
}

static EFI_STATUS read_root(EFI_HANDLE device, CHAR16 *path, uint8_t root[SHA256_BYTES])
{
	EFI_FILE_HANDLE file;
	UINT64 size;
	EFI_STATUS status = file_open(device, path, &file, &size);

	if (EFI_ERROR(status))
		return status;
	status = size == SHA256_BYTES ? file_read(file, root, size) : EFI_BAD_BUFFER_SIZE;
	file->Close(file);
	return status;
}

/* The key of SVN n is the hash of that of n + 1. */
static void derive(uint8_t root[SHA256_BYTES])
{
	struct sha256 hash;

	for (unsigned svn = BOOTINFO_SVN_END; svn > REDOUBT_SVN; svn--) {
		sha256_start(&hash);
		sha256_add(&hash, root, SHA256_BYTES);
		sha256_end(&hash, root);
	}
}

static void fill_root(struct bootinfo *info, const EFI_LOADED_IMAGE *image)
{
	CHAR16 path[FILE_PATH_CHARS];
	EFI_STATUS status = EFI_NOT_FOUND;

	if (file_beside(image, ROOT_FILE, path)) {
		status = read_root(image->DeviceHandle, path, info->root_key);
		if (status == EFI_NOT_FOUND)
			status = write_root(image->DeviceHandle, path, info->root_key);
	}
	if (EFI_ERROR(status)) {
		say("note: %s cannot be used: partitions have no keys to seal with (%s)", ROOT_FILE,
		    status_text(status));
		scrub(info->root_key, sizeof(info->root_key));
		return;
	}
	derive(info->root_key);
	info->flags |= BOOTINFO_ROOT_KEY;
}

void secrets_fill(struct bootinfo *info, const EFI_LOADED_IMAGE *image)
{
	if (!gather(info->entropy))
		say("note: neither firmware nor the CPU has random numbers");
	info->tsc_khz = measure_clock();
	fill_root(info, image);
}

void secrets_forget(struct bootinfo *info)
{
	scrub(info->entropy, sizeof(info->entropy));
	scrub(info->root_key, sizeof(info->root_key));
}
