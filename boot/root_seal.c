/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The root key sealed by a TPM (root_seal.h).
 */
#include "boot/root_seal.h"

#include <string.h>

#include "boot/bytes.h"

#define MAGIC_BYTES (sizeof(ROOT_MAGIC) - 1)
#define PCRS_BYTES  ((size_t)TPM_PCRS * SHA256_BYTES)
#define HEAD_BYTES  (MAGIC_BYTES + PCRS_BYTES)

/* What of the TPM's memory is in use; 0: not. */
struct handles {
	uint32_t primary, object, session;
};

static void flush(struct tpm *tpm, const struct handles *handles)
{
	if (handles->session)
		tpm_flush(tpm, handles->session);
	if (handles->object)
		tpm_flush(tpm, handles->object);
	if (handles->primary)
		tpm_flush(tpm, handles->primary);
}

static void digest_of(const void *data, size_t size, uint8_t digest[SHA256_BYTES])
{
	struct sha256 hash;

	sha256_start(&hash);
	sha256_add(&hash, data, size);
	sha256_end(&hash, digest);
}

/* ---- The file ---- */

static bool add(uint8_t *blob, size_t *size, struct blob part)
{
	if (part.size > ROOT_BLOB_MAX - *size)
		return false;
	memcpy(blob + *size, part.data, part.size);
	*size += part.size;
	return true;
}

static bool compose(uint8_t blob[ROOT_BLOB_MAX], size_t *size, uint8_t pcr[TPM_PCRS][SHA256_BYTES],
    const struct tpm_object *object)
{
	uint8_t digest[SHA256_BYTES];

	*size = 0;
	if (!add(blob, size, (struct blob){ (const uint8_t *)ROOT_MAGIC, MAGIC_BYTES }) ||
	    !add(blob, size, (struct blob){ pcr[0], PCRS_BYTES }) ||
	    !add(blob, size, object->private_part) || !add(blob, size, object->public_part) ||
	    !add(blob, size, object->creation) || !add(blob, size, object->ticket))
		return false;
	digest_of(blob, *size, digest);
	return add(blob, size, (struct blob){ digest, sizeof(digest) });
}

/* `pcr` points to the values when it was sealed. */
static bool parse(struct blob file, const uint8_t **pcr, struct tpm_object *object)
{
	uint8_t digest[SHA256_BYTES];

	if (file.size < HEAD_BYTES + SHA256_BYTES || file.size > ROOT_BLOB_MAX ||
	    !bytes_equal(file.data, ROOT_MAGIC, MAGIC_BYTES))
		return false;
	file.size -= SHA256_BYTES;
	digest_of(file.data, file.size, digest);
	if (!bytes_equal(digest, file.data + file.size, SHA256_BYTES))
		return false;
	*pcr = file.data + MAGIC_BYTES;
	file = (struct blob){ file.data + HEAD_BYTES, file.size - HEAD_BYTES };
	return tpm_cut(&file, &object->private_part) && tpm_cut(&file, &object->public_part) &&
	    tpm_cut(&file, &object->creation) && tpm_cut_ticket(&file, &object->ticket) &&
	    !file.size;
}

/* ---- Sealing ---- */

static bool policy_of_now(struct tpm *tpm, struct handles *handles, uint8_t policy[SHA256_BYTES])
{
	return tpm_session(tpm, true, &handles->session) &&
	    tpm_policy_pcr(tpm, handles->session, NULL) &&
	    tpm_policy_digest(tpm, handles->session, policy);
}

enum root_result root_seal(struct tpm *tpm, const struct root_secret *secret,
    uint8_t blob[ROOT_BLOB_MAX], size_t *size)
{
	uint8_t pcr[TPM_PCRS][SHA256_BYTES], policy[SHA256_BYTES];
	struct blob content = { (const uint8_t *)secret, sizeof(*secret) };
	struct handles handles = { 0 };
	struct tpm_object object;
	bool good;

	good = tpm_pcr_read(tpm, pcr) && policy_of_now(tpm, &handles, policy) &&
	    tpm_primary(tpm, &handles.primary) &&
	    tpm_create(tpm, handles.primary, policy, content, &object);
	if (good && !compose(blob, size, pcr, &object)) {
		tpm->code = TPM_MALFORMED;
		good = false;
	}
	flush(tpm, &handles);
	return good ? ROOT_OK : ROOT_FAILED;
}

/* ---- Opening ---- */

static unsigned differing(const uint8_t *was, uint8_t now[TPM_PCRS][SHA256_BYTES])
{
	unsigned mask = 0;

	for (unsigned i = 0; i < TPM_PCRS; i++)
		if (!bytes_equal(was + (size_t)i * SHA256_BYTES, now[i], SHA256_BYTES))
			mask |= 1u << i;
	return mask;
}

/* What it means that a command of root_unseal's has failed. */
static enum root_result meaning(const struct tpm *tpm, uint32_t reason, enum root_result result)
{
	return tpm_reason(tpm->code) == reason ? result : ROOT_FAILED;
}

static enum root_result open_object(struct tpm *tpm, const struct tpm_object *object,
    const uint8_t digest[SHA256_BYTES], struct handles *handles)
{
	if (!tpm_primary(tpm, &handles->primary))
		return ROOT_FAILED;
	if (!tpm_load(tpm, handles->primary, object, &handles->object))
		return meaning(tpm, TPM_INTEGRITY, ROOT_FOREIGN);
	if (!tpm_certify(tpm, handles->object, object))
		return tpm->code < TPM_NO_ANSWER ? ROOT_FORGED : ROOT_FAILED;
	if (!tpm_session(tpm, false, &handles->session))
		return ROOT_FAILED;
	if (!tpm_policy_pcr(tpm, handles->session, digest))
		return meaning(tpm, TPM_VALUE, ROOT_CHANGED);
	return ROOT_OK;
}

enum root_result root_unseal(struct tpm *tpm, struct blob file, struct root_secret *secret,
    unsigned *changed)
{
	uint8_t now[TPM_PCRS][SHA256_BYTES], digest[SHA256_BYTES];
	struct handles handles = { 0 };
	struct tpm_object object;
	enum root_result result;
	const uint8_t *was;

	memset(secret, 0, sizeof(*secret));
	*changed = 0;
	if (!parse(file, &was, &object))
		return ROOT_DAMAGED;
	if (!tpm_pcr_read(tpm, now))
		return ROOT_FAILED;
	*changed = differing(was, now);
	digest_of(now, sizeof(now), digest);
	if (!tpm_created_at(object.creation, digest))
		return *changed ? ROOT_CHANGED : ROOT_FORGED;
	result = open_object(tpm, &object, digest, &handles);
	if (result == ROOT_OK &&
	    !tpm_unseal(tpm, handles.object, handles.session, (uint8_t *)secret, sizeof(*secret)))
		result = meaning(tpm, TPM_POLICY_FAIL, ROOT_CHANGED);
	flush(tpm, &handles);
	if (result == ROOT_OK && secret->origin != ROOT_MADE && secret->origin != ROOT_FILE)
		result = ROOT_FORGED;
	if (result != ROOT_OK)
		scrub(secret, sizeof(*secret));
	return result;
}
