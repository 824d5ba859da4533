/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Packages (package.h).
 */
#include "vtpm/package.h"

#include <mbedtls/gcm.h>
#include <mbedtls/hkdf.h>
#include <mbedtls/md.h>
#include <string.h>

#include "guest/trustlets/rt/sha256.h"
#include "guest/trustlets/rt/trustlet.h"
#include "vtpm/transfer_key.h"

#define MAGIC	0x3145564f4d544452ull /* "RDTMOVE1" */
#define VERSION 1u

enum purpose { EXPORT = 1, MOVE, BACKUP, COPY, REPLACE };

/* From the guardian: a point of one use, the place. To it: such a point, the machine's, a proof. */
enum wrap { FROM_GUARDIAN = 4, TO_GUARDIAN = 5 };
#define FROM_BYTES (PACKAGE_POINT + NV_DIGEST)
#define TO_BYTES   (2 * PACKAGE_POINT + SHA256_BYTES)

struct header {
	uint64_t magic;
	uint32_t version, total, purpose, wrap, wrapped, payload;
	uint64_t generation;
	uint32_t scrypt[3]; /* of passphrases; here zero */
	uint32_t foreign;   /* it was another program's */
	uint8_t lineage[NV_ID], origin_lineage[NV_ID], origin_digest[NV_DIGEST];
	uint8_t recipient[SHA256_BYTES];
	uint8_t salt[NV_SALT];
};

_Static_assert(sizeof(struct header) == 216, "no padding");

#define OVERHEAD (sizeof(struct header) + NV_TAG + NV_DIGEST)

_Static_assert(OVERHEAD + TO_BYTES + NV_PERMANENT_MAX + NV_CA_KEY_MAX + NV_EK_CERTS_MAX +
	    3 * sizeof(struct nv_section) <=
	NV_FILE_MAX,
    "all that travels fits, at its longest");

/* Each is used once, so there is nothing that the nonce must differ from. */
static const uint8_t nonce[12];

static void digest_of(const void *bytes, size_t size, uint8_t digest[SHA256_BYTES])
{
	struct sha256 hash;

	sha256_start(&hash);
	sha256_add(&hash, bytes, size);
	sha256_end(&hash, digest);
}

/* SHA-256 of a SubjectPublicKeyInfo (RFC 5480), in which all but the point is the same. */
static void fingerprint(const uint8_t point[PACKAGE_POINT], uint8_t digest[SHA256_BYTES])
{
	static const uint8_t info[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce,
		0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03,
		0x42, 0x00 };
	struct sha256 hash;

	sha256_start(&hash);
	sha256_add(&hash, info, sizeof(info));
	sha256_add(&hash, point, PACKAGE_POINT);
	sha256_end(&hash, digest);
}

bool package_has_guardian(void)
{
	return guardian_point[0] != 0;
}

/* ---- The content's key ---- */

#define INFO	   "redoubt package 1"
#define INFO_BYTES (sizeof(INFO) - 1)
#define KEY_BYTES  32u

/* What is secret between who wraps and who opens; 32 or 64 bytes. */
struct secret {
	uint8_t bytes[2 * TRANSFER_SECRET];
	size_t size;
};

static void derive(const struct header *h, const struct secret *secret, const uint8_t *info,
    size_t info_bytes, uint8_t key[KEY_BYTES])
{
	if (mbedtls_hkdf(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), h->salt, sizeof(h->salt),
		secret->bytes, secret->size, info, info_bytes, key, KEY_BYTES) != 0)
		trustlet_panic("vtpm: HKDF");
}

static void content_key(const struct header *h, const uint8_t *wrapped, const struct secret *secret,
    uint8_t key[KEY_BYTES])
{
	uint8_t info[INFO_BYTES + 1 + SHA256_BYTES + TO_BYTES + SHA256_BYTES], *p = info;

	memcpy(p, INFO, INFO_BYTES);
	p += INFO_BYTES;
	*p++ = (uint8_t)h->wrap;
	memcpy(p, h->recipient, sizeof(h->recipient));
	p += sizeof(h->recipient);
	memcpy(p, wrapped, h->wrapped);
	p += h->wrapped;
	if (h->wrap == FROM_GUARDIAN) {
		fingerprint(guardian_point, p);
		p += SHA256_BYTES;
	}
	derive(h, secret, info, (size_t)(p - info), key);
}

/* `aad` is the header and what is wrapped; the text stands behind it, and the tag behind that. */
static bool crypt(int mode, const struct header *h, const uint8_t key[KEY_BYTES], uint8_t *aad,
    uint8_t *data)
{
	size_t head = sizeof(*h) + h->wrapped;
	uint8_t *text = aad + head, *tag = text + h->payload;
	mbedtls_gcm_context gcm;
	int failed;

	mbedtls_gcm_init(&gcm);
	if (mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, 8 * KEY_BYTES) != 0)
		trustlet_panic("vtpm: a package's key");
	if (mode == MBEDTLS_GCM_ENCRYPT)
		failed = mbedtls_gcm_crypt_and_tag(&gcm, mode, h->payload, nonce, sizeof(nonce),
		    aad, head, data, text, NV_TAG, tag);
	else
		failed = mbedtls_gcm_auth_decrypt(&gcm, h->payload, nonce, sizeof(nonce), aad, head,
		    tag, NV_TAG, text, data);
	mbedtls_gcm_free(&gcm);
	return failed == 0;
}

/* ---- Out ---- */

/* The anchor and what was asked of who is at this machine are worth nothing elsewhere. */
static struct nv_content travelling(const struct nv_content *content)
{
	struct nv_content some = *content;

	some.part[NV_VOLATILE] = some.part[NV_ANCHOR] = some.part[NV_PPI] = (struct nv_bytes){ NULL,
		0 };
	return some;
}

static void describe(const struct package_source *source, size_t payload, struct header *h)
{
	*h = (struct header){ .magic = MAGIC,
		.version = VERSION,
		.total = (uint32_t)(OVERHEAD + TO_BYTES + payload),
		.purpose = BACKUP,
		.wrap = TO_GUARDIAN,
		.wrapped = TO_BYTES,
		.payload = (uint32_t)payload,
		.generation = source->header->generation };
	memcpy(h->lineage, source->header->lineage, sizeof(h->lineage));
	memcpy(h->origin_lineage, source->header->lineage, sizeof(h->origin_lineage));
	memcpy(h->origin_digest, source->digest, sizeof(h->origin_digest));
	fingerprint(guardian_point, h->recipient);
	trustlet_random(h->salt, sizeof(h->salt));
}

#define PROOF	    INFO " proof"
#define PROOF_BYTES (sizeof(PROOF) - 1)

/*
 * That this machine has made it, for the guardian, who alone can tell: whoever knows the guardian's
 * public key could wrap to it a TPM of their own. `room` has the header, both points, the sections.
 */
static bool prove(const struct header *h, uint8_t *room)
{
	uint8_t *point = room + sizeof(*h) + PACKAGE_POINT, *proof = point + PACKAGE_POINT;
	uint8_t info[PROOF_BYTES + 2 * SHA256_BYTES], sections[SHA256_BYTES], key[KEY_BYTES];
	struct secret common = { .size = TRANSFER_SECRET };
	struct hmac mac;

	if (!transfer_public(point) || !transfer_secret(guardian_point, common.bytes))
		return false;
	memcpy(info, PROOF, PROOF_BYTES);
	memcpy(info + PROOF_BYTES, h->recipient, SHA256_BYTES);
	fingerprint(point, info + PROOF_BYTES + SHA256_BYTES);
	derive(h, &common, info, sizeof(info), key);
	digest_of(proof + SHA256_BYTES, h->payload, sections);
	hmac_start(&mac, key, sizeof(key));
	hmac_add(&mac, room, (size_t)(proof - room));
	hmac_add(&mac, sections, sizeof(sections));
	hmac_end(&mac, proof);
	trustlet_scrub(&common, sizeof(common));
	trustlet_scrub(key, sizeof(key));
	return true;
}

size_t package_make(const struct package_source *source, uint8_t *room)
{
	struct nv_content content = travelling(source->content);
	uint8_t *wrapped = room + sizeof(struct header), *text = wrapped + TO_BYTES;
	struct secret secret = { .size = TRANSFER_SECRET };
	uint8_t key[KEY_BYTES];
	struct header h;

	if (nv_size(&content) == 0)
		return 0;
	describe(source, nv_size(&content) - NV_OVERHEAD, &h);
	memcpy(room, &h, sizeof(h));
	nv_compose(&content, text);
	if (!transfer_once(guardian_point, wrapped, secret.bytes) || !prove(&h, room))
		trustlet_panic(
		    "vtpm: the guardian's key is none of P-256, or there is no root key");
	content_key(&h, wrapped, &secret, key);
	if (!crypt(MBEDTLS_GCM_ENCRYPT, &h, key, room, text))
		trustlet_panic("vtpm: a package");
	digest_of(room, h.total - NV_DIGEST, room + h.total - NV_DIGEST);
	trustlet_scrub(&secret, sizeof(secret));
	trustlet_scrub(key, sizeof(key));
	return h.total;
}

bool package_key(uint8_t digest[NV_DIGEST])
{
	uint8_t point[PACKAGE_POINT];

	if (!transfer_public(point))
		return false;
	fingerprint(point, digest);
	return true;
}

bool package_ask(const uint8_t place[NV_DIGEST], struct package_ask *ask)
{
	*ask = (struct package_ask){ .magic = PACKAGE_ASK_MAGIC };
	memcpy(ask->place, place, sizeof(ask->place));
	return transfer_public(ask->point);
}

/* ---- In ---- */

static bool is_zero(const void *bytes, size_t size)
{
	const uint8_t *p = bytes;
	uint8_t any = 0;

	while (size-- > 0)
		any |= *p++;
	return any == 0;
}

#define GENERATION_MOST (1ull << 63) /* as many writes are left as nobody makes */

/* What was exported for other programs is from one of them: else two would be of one lineage. */
static bool story_right(const struct header *h)
{
	bool same = memcmp(h->lineage, h->origin_lineage, NV_ID) == 0;
	bool clone = h->purpose == COPY || h->purpose == REPLACE;

	return h->purpose >= EXPORT && h->purpose <= REPLACE && h->foreign <= 1 &&
	    (h->purpose != EXPORT || h->foreign) && same != clone && !is_zero(h->lineage, NV_ID) &&
	    !is_zero(h->origin_lineage, NV_ID) && !is_zero(h->origin_digest, NV_DIGEST) &&
	    h->generation < GENERATION_MOST;
}

static bool sizes_right(const struct header *h)
{
	return h->wrapped == FROM_BYTES && h->payload <= NV_PAYLOAD_MAX &&
	    h->total == OVERHEAD + FROM_BYTES + h->payload && is_zero(h->scrypt, sizeof(h->scrypt));
}

/* All that can be judged without a key. */
static enum nv_verdict peek(struct nv_bytes file, struct header *h)
{
	uint8_t digest[NV_DIGEST];

	if (!file.bytes || file.size < OVERHEAD + FROM_BYTES || file.size > NV_FILE_MAX)
		return NV_NO_PACKAGE;
	memcpy(h, file.bytes, sizeof(*h));
	if (h->magic != MAGIC)
		return NV_NO_PACKAGE;
	if (h->total != file.size)
		return NV_BAD_SIZE;
	digest_of(file.bytes, file.size - NV_DIGEST, digest);
	if (!trustlet_equal(digest, file.bytes + file.size - NV_DIGEST, NV_DIGEST))
		return NV_DAMAGED;
	if (h->version != VERSION)
		return NV_BAD_VERSION;
	if (h->wrap != FROM_GUARDIAN)
		return NV_OTHER_WRAP;
	return sizes_right(h) && story_right(h) ? NV_OK : NV_BAD_FIELD;
}

/* Whether it is for this machine, and the place that it has. */
static enum nv_verdict addressed(const struct header *h, const uint8_t *wrapped,
    const uint8_t place[NV_DIGEST])
{
	uint8_t own[SHA256_BYTES];

	if (!package_key(own))
		return NV_NO_KEY;
	if (memcmp(own, h->recipient, sizeof(own)) != 0)
		return NV_OTHER_MACHINE;
	return memcmp(place, wrapped + PACKAGE_POINT, NV_DIGEST) == 0 ? NV_OK : NV_OTHER_PLACE;
}

static enum nv_verdict decrypt(const struct header *h, uint8_t *file, uint8_t *payload)
{
	uint8_t *wrapped = file + sizeof(*h);
	struct secret secret = { .size = 2 * TRANSFER_SECRET };
	uint8_t key[KEY_BYTES];
	bool good = transfer_secret(wrapped, secret.bytes) &&
	    transfer_secret(guardian_point, secret.bytes + TRANSFER_SECRET);

	if (good) {
		content_key(h, wrapped, &secret, key);
		good = crypt(MBEDTLS_GCM_DECRYPT, h, key, file, payload);
	}
	trustlet_scrub(&secret, sizeof(secret));
	trustlet_scrub(key, sizeof(key));
	return good ? NV_OK : NV_NOT_OF_GUARDIAN;
}

static void begin(const struct header *h, struct nv_header *header)
{
	static const uint32_t kinds[] = { [EXPORT] = NV_IMPORTED,
		[MOVE] = NV_IMPORTED,
		[BACKUP] = NV_RESTORED,
		[COPY] = NV_COPIED,
		[REPLACE] = NV_REPLACED };

	*header = (struct nv_header){ .generation = h->generation + 1,
		.first = h->generation + 2,
		.kind = kinds[h->purpose] };
	memcpy(header->lineage, h->lineage, sizeof(header->lineage));
	memcpy(header->origin_lineage, h->origin_lineage, sizeof(header->origin_lineage));
	memcpy(header->origin_digest, h->origin_digest, sizeof(header->origin_digest));
	/* Another program knows no lineage: the digest of its files stands there. */
	if (h->foreign && memcmp(h->lineage, h->origin_lineage, NV_ID) == 0)
		trustlet_random(header->lineage, sizeof(header->lineage));
}

enum nv_verdict package_open(struct nv_bytes file, const uint8_t place[NV_DIGEST], uint8_t *payload,
    struct nv_header *header, struct nv_content *content)
{
	struct header h;
	uint8_t *bytes = (uint8_t *)(uintptr_t)file.bytes;
	enum nv_verdict verdict = package_has_guardian() ? peek(file, &h) : NV_NO_GUARDIAN;

	if (verdict == NV_OK)
		verdict = addressed(&h, bytes + sizeof(h), place);
	if (verdict == NV_OK)
		verdict = decrypt(&h, bytes, payload);
	if (verdict == NV_OK && !nv_parse(payload, h.payload, content)) {
		trustlet_scrub(payload, h.payload);
		verdict = NV_BAD_CONTENT;
	}
	if (verdict != NV_OK)
		return verdict;
	*content = travelling(content);
	begin(&h, header);
	return NV_OK;
}
