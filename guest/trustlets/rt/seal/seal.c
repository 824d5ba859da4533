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
static bool key_of(const struct seal_frame *frame, uint8_t key[TRUSTLET_KEY_BYTES])
{
	uint8_t base[TRUSTLET_KEY_BYTES];
	struct hmac mac;

	if (!trustlet_key(frame->label, frame->svn, base))
		return false;
	hmac_start(&mac, base, sizeof(base));
	hmac_add(&mac, frame->salt, SEAL_SALT);
	hmac_end(&mac, key);
	trustlet_scrub(base, sizeof(base));
	return true;
}

/* A context with the key of a blob; the caller frees it, which scrubs it. */
static bool prepare(mbedtls_gcm_context *gcm, const struct seal_frame *frame)
{
	uint8_t key[TRUSTLET_KEY_BYTES];
	int failed;

	mbedtls_gcm_init(gcm);
	if (!key_of(frame, key))
		return false;
	failed = mbedtls_gcm_setkey(gcm, MBEDTLS_CIPHER_ID_AES, key, 8 * sizeof(key));
	trustlet_scrub(key, sizeof(key));
	assert(!failed);
	return true;
}

enum seal_result trustlet_seal_frame(const struct seal_frame *frame, const void *data, size_t size,
    uint8_t *text)
{
	enum seal_result result = SEAL_NO_KEY;
	mbedtls_gcm_context gcm;

	if (prepare(&gcm, frame)) {
		int failed = mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, size, nonce,
		    sizeof(nonce), frame->aad, frame->aad_size, data, text, SEAL_TAG, text + size);

		assert(!failed);
		result = SEAL_OK;
	} else {
		trustlet_scrub(text, size + SEAL_TAG);
	}
	mbedtls_gcm_free(&gcm);
	return result;
}

static struct seal_frame frame_of(const char *label, const struct seal_header *header)
{
	return (struct seal_frame){ label, header->svn, header->salt, header, sizeof(*header) };
}

enum seal_result trustlet_seal(const char *label, const void *data, size_t size, void *blob)
{
	struct seal_header header = { .magic = SEAL_MAGIC,
		.version = SEAL_VERSION,
		.size = (uint32_t)size,
		.svn = trustlet_svn() };
	struct seal_frame frame = frame_of(label, &header);
	enum seal_result result;

	if (size > SEAL_MOST)
		return SEAL_BAD_SIZE;
	trustlet_random(header.salt, sizeof(header.salt));
	result = trustlet_seal_frame(&frame, data, size, (uint8_t *)blob + sizeof(header));
	if (result == SEAL_OK)
		memcpy(blob, &header, sizeof(header));
	else
		memset(blob, 0, sizeof(header));
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

static enum seal_result unseal(const struct seal_frame *frame, const uint8_t *text, size_t size,
    void *data)
{
	enum seal_result result = SEAL_NO_KEY;
	mbedtls_gcm_context gcm;

	if (prepare(&gcm, frame)) {
		int failed = mbedtls_gcm_auth_decrypt(&gcm, size, nonce, sizeof(nonce), frame->aad,
		    frame->aad_size, text + size, SEAL_TAG, text, data);

		result = failed ? SEAL_NOT_GENUINE : SEAL_OK;
	}
	mbedtls_gcm_free(&gcm);
	return result;
}

enum seal_result trustlet_unseal_frame(const struct seal_frame *frame, const uint8_t *text,
    size_t size, void *data)
{
	enum seal_result result = SEAL_NEWER;

	if (svn_reached(frame->svn))
		result = unseal(frame, text, size, data);
	if (result != SEAL_OK && size)
		trustlet_scrub(data, size);
	return result;
}

enum seal_result trustlet_unseal(const char *label, const void *blob, size_t blob_size, void *data,
    size_t *size)
{
	struct seal_header header = { 0 };
	enum seal_result result = SEAL_BAD_SIZE;
	struct seal_frame frame;
	size_t room = *size;

	*size = 0;
	if (blob_size >= SEAL_OVERHEAD) {
		memcpy(&header, blob, sizeof(header));
		result = judge(&header, blob_size, room);
	}
	frame = frame_of(label, &header);
	if (result == SEAL_OK)
		result = trustlet_unseal_frame(&frame, (const uint8_t *)blob + sizeof(header),
		    header.size, data);
	if (result == SEAL_OK)
		*size = header.size;
	else if (room)
		trustlet_scrub(data, room);
	return result;
}
