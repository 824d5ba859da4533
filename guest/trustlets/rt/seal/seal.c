/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Sealing (seal.h).
 */
#include "guest/trustlets/rt/seal/seal.h"

#include <assert.h>
#include <string.h>

#include <mbedtls/gcm.h>

#include "guest/trustlets/rt/sha256.h"
#include "guest/trustlets/rt/trustlet.h"

#define NONCE_BYTES 12u
#define SVN_HALF    32u

/* A key is used once, so there is nothing that it must differ from. */
static const uint8_t nonce[NONCE_BYTES];

/* The key of one blob. false: there is none. */
static bool key_of(const char *label, const struct seal_header *header,
    uint8_t key[TRUSTLET_KEY_BYTES])
{
	uint8_t base[TRUSTLET_KEY_BYTES];
	struct hmac mac;

	if (!trustlet_key(label, header->svn, base))
		return false;
	hmac_start(&mac, base, sizeof(base));
	hmac_add(&mac, header->salt, sizeof(header->salt));
	hmac_end(&mac, key);
	trustlet_scrub(base, sizeof(base));
	return true;
}

/* A context with the key of a blob; the caller frees it, which scrubs it. */
static bool prepare(mbedtls_gcm_context *gcm, const char *label, const struct seal_header *header)
{
	uint8_t key[TRUSTLET_KEY_BYTES];
	int failed;

	mbedtls_gcm_init(gcm);
	if (!key_of(label, header, key))
		return false;
	failed = mbedtls_gcm_setkey(gcm, MBEDTLS_CIPHER_ID_AES, key, 8 * sizeof(key));
	trustlet_scrub(key, sizeof(key));
	assert(!failed);
	return true;
}

static enum seal_result seal(const char *label, const void *data, size_t size, uint8_t *blob)
{
	struct seal_header header = { .magic = SEAL_MAGIC,
		.version = SEAL_VERSION,
		.size = (uint32_t)size,
		.svn = trustlet_svn() };
	mbedtls_gcm_context gcm;
	enum seal_result result = SEAL_NO_KEY;

	trustlet_random(header.salt, sizeof(header.salt));
	if (prepare(&gcm, label, &header)) {
		uint8_t *text = blob + sizeof(header);
		int failed = mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, size, nonce,
		    sizeof(nonce), (const uint8_t *)&header, sizeof(header), data, text, SEAL_TAG,
		    text + size);

		assert(!failed);
		memcpy(blob, &header, sizeof(header));
		result = SEAL_OK;
	}
	mbedtls_gcm_free(&gcm);
	return result;
}

enum seal_result trustlet_seal(const char *label, const void *data, size_t size, void *blob)
{
	enum seal_result result;

	if (size > SEAL_MOST)
		return SEAL_BAD_SIZE;
	result = seal(label, data, size, blob);
	if (result != SEAL_OK)
		memset(blob, 0, size + SEAL_OVERHEAD);
	return result;
}

/* Neither of the two SVNs is above ours. */
static bool svn_reached(uint64_t svn)
{
	uint64_t own = trustlet_svn();

	return (uint32_t)svn <= (uint32_t)own && svn >> SVN_HALF <= own >> SVN_HALF;
}

static enum seal_result judge(const struct seal_header *header, size_t blob_size, size_t room)
{
	if (header->magic != SEAL_MAGIC)
		return SEAL_BAD_MAGIC;
	if (header->version != SEAL_VERSION)
		return SEAL_BAD_VERSION;
	if (header->size > SEAL_MOST || header->size != blob_size - SEAL_OVERHEAD)
		return SEAL_BAD_SIZE;
	if (!svn_reached(header->svn))
		return SEAL_NEWER;
	return header->size > room ? SEAL_NO_ROOM : SEAL_OK;
}

static enum seal_result unseal(const char *label, const struct seal_header *header,
    const uint8_t *text, uint8_t *data)
{
	enum seal_result result = SEAL_NO_KEY;
	mbedtls_gcm_context gcm;

	if (prepare(&gcm, label, header)) {
		int failed = mbedtls_gcm_auth_decrypt(&gcm, header->size, nonce, sizeof(nonce),
		    (const uint8_t *)header, sizeof(*header), text + header->size, SEAL_TAG, text,
		    data);

		result = failed ? SEAL_NOT_GENUINE : SEAL_OK;
	}
	mbedtls_gcm_free(&gcm);
	return result;
}

enum seal_result trustlet_unseal(const char *label, const void *blob, size_t blob_size, void *data,
    size_t *size)
{
	struct seal_header header = { 0 };
	enum seal_result result = SEAL_BAD_SIZE;
	size_t room = *size;

	*size = 0;
	if (blob_size >= SEAL_OVERHEAD) {
		memcpy(&header, blob, sizeof(header));
		result = judge(&header, blob_size, room);
	}
	if (result == SEAL_OK)
		result = unseal(label, &header, (const uint8_t *)blob + sizeof(header), data);
	if (result == SEAL_OK)
		*size = header.size;
	else if (room)
		trustlet_scrub(data, room);
	return result;
}
