/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * libFuzzer: the loader between a hostile TPM and a hostile file. The input is a sequence of
 * records, 16 bits of length and that many bytes. The first byte of all chooses: open the first
 * record as a file, or seal. Each further record is a response of the TPM's; the first byte of one
 * tells how it is given:
 *
 *   0  as it is          1  behind a header of success with the right size and tag
 *   2  as long as its header claims, as firmware leaves it
 *
 * A file with an odd number of bytes behind it is given the digest it should have.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/root_seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEADER 10u

static struct blob input;

static void require(bool holds)
{
	if (!holds)
		abort();
}

static struct blob record(void)
{
	struct blob part = { input.data, 0 };

	if (input.size < 2)
		return part;
	part.size = (size_t)(input.data[0] << 8 | input.data[1]);
	part.data += 2;
	if (part.size > input.size - 2)
		part.size = input.size - 2;
	input.size -= 2 + part.size;
	input.data += 2 + part.size;
	return part;
}

static size_t claimed(const uint8_t *response)
{
	return (size_t)response[2] << 24 | (size_t)response[3] << 16 | (size_t)response[4] << 8 |
	    response[5];
}

static size_t submit(struct tpm *tpm, struct blob command, bool again)
{
	struct blob part = record();
	size_t body;

	require(command.size >= HEADER && command.size <= TPM_BYTES);
	require(((size_t)command.data[4] << 8 | command.data[5]) == command.size);
	if (part.size == 0)
		return 0;
	memset(tpm->response, 0xa5, TPM_BYTES);
	body = part.size - 1 < TPM_BYTES - HEADER ? part.size - 1 : TPM_BYTES - HEADER;
	if (part.data[0] % 3 != 1) {
		memcpy(tpm->response, part.data + 1, body);
		return part.data[0] % 3 == 2 ? claimed(tpm->response) : body;
	}
	memcpy(tpm->response + HEADER, part.data + 1, body);
	memcpy(tpm->response, command.data, 2);
	memset(tpm->response + 2, 0, 8);
	tpm->response[4] = (uint8_t)((body + HEADER) >> 8);
	tpm->response[5] = (uint8_t)(body + HEADER);
	return body + HEADER;
}

static void try_unseal(struct tpm *tpm)
{
	static const struct root_secret zero;
	struct blob file = record();
	uint8_t *copy = malloc(file.size ? file.size : 1);
	struct root_secret secret;
	enum root_result result;
	struct sha256 hash;
	unsigned changed;

	memcpy(copy, file.data, file.size);
	if (file.size > SHA256_BYTES && (input.size & 1)) {
		sha256_start(&hash);
		sha256_add(&hash, copy, file.size - SHA256_BYTES);
		sha256_end(&hash, copy + file.size - SHA256_BYTES);
	}
	memset(&secret, 0x5a, sizeof(secret));
	result = root_unseal(tpm, (struct blob){ copy, file.size }, &secret, &changed);
	free(copy);
	require(changed < 1u << TPM_PCRS);
	require((result == ROOT_OK) == (memcmp(&secret, &zero, sizeof(zero)) != 0));
	require(result != ROOT_FAILED || (tpm->code != 0 && tpm->name));
}

static void try_seal(struct tpm *tpm)
{
	struct root_secret secret = { .key = { 1 }, .origin = ROOT_MADE };
	uint8_t *blob = malloc(ROOT_BLOB_MAX);
	size_t size = 0;

	if (root_seal(tpm, &secret, blob, &size) == ROOT_OK)
		require(size > sizeof(ROOT_MAGIC) && size <= ROOT_BLOB_MAX);
	else
		require(tpm->code != 0 && tpm->name);
	free(blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tpm *tpm = calloc(1, sizeof(*tpm));
	uint8_t random[SHA256_BYTES], value[TPM_PCRS_READ][SHA256_BYTES];

	if (size > 0) {
		tpm->submit = submit;
		input = (struct blob){ data + 1, size - 1 };
		if (data[0] % 8 == 7)
			require(tpm_pcr_range(tpm, 8, value) == (tpm->code == 0));
		else if (data[0] % 4 == 3)
			require(tpm_random(tpm, random) == (tpm->code == 0));
		else if (data[0] % 2)
			try_seal(tpm);
		else
			try_unseal(tpm);
		tpm_wash(tpm);
	}
	free(tpm);
	return 0;
}
