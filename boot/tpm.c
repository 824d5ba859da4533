/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Commands of a TPM 2.0 (tpm.h). Numbers are those of the TPM 2.0 Library, part 2; all fields are
 * big-endian.
 */
#include "boot/tpm.h"

#include <string.h>

#include "boot/bytes.h"

#define HEADER	    10u
#define NO_SESSIONS 0x8001u
#define SESSIONS    0x8002u

#define ALG_KEYEDHASH 0x0008u
#define ALG_SHA256    0x000bu
#define ALG_NULL      0x0010u
#define ALG_ECC	      0x0023u
#define ALG_AES	      0x0006u
#define ALG_CFB	      0x0043u
#define ECC_NIST_P256 0x0003u

#define RH_OWNER    0x40000001u
#define RH_NULL	    0x40000007u
#define RS_PASSWORD 0x40000009u

#define FIXED_TPM	  0x00000002u
#define FIXED_PARENT	  0x00000010u
#define SENSITIVE_ORIGIN  0x00000020u
#define USER_WITH_AUTH	  0x00000040u
#define ADMIN_WITH_POLICY 0x00000080u
#define NO_LOCKOUT	  0x00000400u
#define RESTRICTED	  0x00010000u
#define DECRYPT		  0x00020000u

/* Without lockout: others' wrong passwords must not keep the loader out. */
#define PRIMARY                                                                                    \
	(FIXED_TPM | FIXED_PARENT | SENSITIVE_ORIGIN | USER_WITH_AUTH | NO_LOCKOUT | RESTRICTED |  \
	    DECRYPT)

#define SESSION_POLICY 1u
#define SESSION_TRIAL  3u
#define KEEP_SESSION   1u

#define NONCE_BYTES  16u
#define SELECT_BYTES 3u
#define TRIES	     200u
/* More than any command or response with a secret takes up to its end. */
#define WASH_BYTES 128u

/* Part 2, 6.6.3: try the same once more. */
#define RC_YIELDED 0x908u
#define RC_TESTING 0x90au
#define RC_RETRY   0x922u

enum command {
	PCR_READ,
	GET_RANDOM,
	CREATE_PRIMARY,
	START_AUTH_SESSION,
	POLICY_PCR,
	POLICY_GET_DIGEST,
	CREATE,
	LOAD,
	CERTIFY_CREATION,
	UNSEAL,
	FLUSH_CONTEXT,
	STIR_RANDOM,
};

static const struct row {
	uint32_t code;
	bool auth; /* has an authorization area */
	const char *name;
} rows[] = {
	[PCR_READ] = { 0x17e, false, "TPM2_PCR_Read" },
	[GET_RANDOM] = { 0x17b, false, "TPM2_GetRandom" },
	[CREATE_PRIMARY] = { 0x131, true, "TPM2_CreatePrimary" },
	[START_AUTH_SESSION] = { 0x176, false, "TPM2_StartAuthSession" },
	[POLICY_PCR] = { 0x17f, false, "TPM2_PolicyPCR" },
	[POLICY_GET_DIGEST] = { 0x189, false, "TPM2_PolicyGetDigest" },
	[CREATE] = { 0x153, true, "TPM2_Create" },
	[LOAD] = { 0x157, true, "TPM2_Load" },
	[CERTIFY_CREATION] = { 0x14a, true, "TPM2_CertifyCreation" },
	[UNSEAL] = { 0x15e, true, "TPM2_Unseal" },
	[FLUSH_CONTEXT] = { 0x165, false, "TPM2_FlushContext" },
	[STIR_RANDOM] = { 0x146, false, "TPM2_StirRandom" },
};

const uint8_t tpm_pcrs[TPM_PCRS] = { 0, 2, 4, 7 };

uint32_t tpm_reason(uint32_t code)
{
	/* Part 2, 6.6.2: with bit 7 the code has six bits, the others tell what it is about. */
	return code & 0x80u ? code & 0xbfu : code;
}

/* ---- Writing a command ---- */

static void put_bytes(struct tpm *tpm, const void *bytes, size_t size)
{
	if (size > TPM_BYTES - tpm->at) {
		tpm->bad = true;
		return;
	}
	if (size)
		memcpy(tpm->command + tpm->at, bytes, size);
	tpm->at += size;
}

static void put(struct tpm *tpm, uint32_t value, unsigned bytes)
{
	uint8_t out[4];

	for (unsigned i = 0; i < bytes; i++)
		out[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
	put_bytes(tpm, out, bytes);
}

/* Bytes with their size in front. */
static void put_sized(struct tpm *tpm, const void *bytes, size_t size)
{
	put(tpm, (uint32_t)size, 2);
	put_bytes(tpm, bytes, size);
}

static void put_blob(struct tpm *tpm, struct blob blob)
{
	put_bytes(tpm, blob.data, blob.size);
}

static void set16(struct tpm *tpm, size_t at, size_t value)
{
	tpm->command[at] = (uint8_t)(value >> 8);
	tpm->command[at + 1] = (uint8_t)value;
}

/* A structure whose size stands in front and is known at its end. */
static size_t open_sized(struct tpm *tpm)
{
	put(tpm, 0, 2);
	return tpm->at;
}

static void close_sized(struct tpm *tpm, size_t start)
{
	if (!tpm->bad)
		set16(tpm, start - 2, tpm->at - start);
}

static void begin(struct tpm *tpm, enum command command)
{
	tpm->name = rows[command].name;
	tpm->at = 0;
	tpm->bad = false;
	put(tpm, rows[command].auth ? SESSIONS : NO_SESSIONS, 2);
	put(tpm, 0, 4);
	put(tpm, rows[command].code, 4);
}

/* An authorization without nonce and authorization value: an empty password, or a policy. */
static void put_auth(struct tpm *tpm, uint32_t session)
{
	put(tpm, 9, 4);
	put(tpm, session, 4);
	put(tpm, 0, 2);
	put(tpm, KEEP_SESSION, 1);
	put(tpm, 0, 2);
}

static void put_selection(struct tpm *tpm, const uint8_t select[SELECT_BYTES])
{
	put(tpm, 1, 4);
	put(tpm, ALG_SHA256, 2);
	put(tpm, SELECT_BYTES, 1);
	put_bytes(tpm, select, SELECT_BYTES);
}

static void put_pcrs(struct tpm *tpm)
{
	uint8_t select[SELECT_BYTES] = { 0 };

	for (unsigned i = 0; i < TPM_PCRS; i++)
		select[tpm_pcrs[i] / 8] |= (uint8_t)(1u << tpm_pcrs[i] % 8);
	put_selection(tpm, select);
}

/* ---- Reading what comes back ---- */

static uint32_t get(struct tpm *tpm, unsigned bytes)
{
	uint32_t value = 0;

	if (bytes > tpm->end - tpm->at) {
		tpm->bad = true;
		return 0;
	}
	for (; bytes; bytes--)
		value = value << 8 | tpm->response[tpm->at++];
	return value;
}

static struct blob rest(const struct tpm *tpm)
{
	return (struct blob){ tpm->response + tpm->at, tpm->end - tpm->at };
}

bool tpm_cut(struct blob *from, struct blob *thing)
{
	size_t size;

	if (from->size < 2)
		return false;
	size = 2 + ((size_t)from->data[0] << 8 | from->data[1]);
	if (size > from->size)
		return false;
	*thing = (struct blob){ from->data, size };
	*from = (struct blob){ from->data + size, from->size - size };
	return true;
}

#define TICKET_HEAD 6u /* tag and hierarchy, in front of the digest */

bool tpm_cut_ticket(struct blob *from, struct blob *ticket)
{
	struct blob digest, after;

	if (from->size < TICKET_HEAD)
		return false;
	after = (struct blob){ from->data + TICKET_HEAD, from->size - TICKET_HEAD };
	if (!tpm_cut(&after, &digest))
		return false;
	*ticket = (struct blob){ from->data, TICKET_HEAD + digest.size };
	*from = after;
	return true;
}

/* The next thing with a size in front, which must be `size`. */
static bool get_sized(struct tpm *tpm, void *out, size_t size)
{
	struct blob from = rest(tpm), thing;

	if (!tpm_cut(&from, &thing) || thing.size != 2 + size)
		return false;
	memcpy(out, thing.data + 2, size);
	tpm->at += thing.size;
	return true;
}

static bool fail(struct tpm *tpm, uint32_t code)
{
	tpm->code = code;
	return code == 0;
}

/* Header, handle if there is to be one, size of parameters, which `at` and `end` then enclose. */
static uint32_t judge(struct tpm *tpm, const struct row *row, size_t bytes, uint32_t *handle)
{
	uint32_t tag, size, code;

	tpm->at = 0;
	tpm->end = bytes < TPM_BYTES ? bytes : TPM_BYTES;
	tag = get(tpm, 2);
	size = get(tpm, 4);
	code = get(tpm, 4);
	if (tpm->bad || size != tpm->end || code > 0xfffu)
		return TPM_MALFORMED;
	if (code)
		return code;
	if (tag != (row->auth ? SESSIONS : NO_SESSIONS))
		return TPM_MALFORMED;
	if (handle)
		*handle = get(tpm, 4);
	if (row->auth) {
		size = get(tpm, 4);
		if (size > tpm->end - tpm->at)
			return TPM_MALFORMED;
		tpm->end = tpm->at + size;
	}
	return tpm->bad ? TPM_MALFORMED : 0;
}

static bool again(uint32_t code)
{
	return code == RC_YIELDED || code == RC_TESTING || code == RC_RETRY;
}

static bool send(struct tpm *tpm, enum command command, uint32_t *handle)
{
	struct blob whole = { tpm->command, tpm->at };
	uint32_t code = RC_RETRY;

	if (tpm->bad)
		return fail(tpm, TPM_MALFORMED);
	set16(tpm, 4, tpm->at); /* of the size's four bytes; the upper two are 0 */
	for (unsigned i = 0; i < TRIES && again(code); i++) {
		size_t bytes = tpm->submit(tpm, whole, i > 0);

		tpm->bad = false;
		code = bytes ? judge(tpm, &rows[command], bytes, handle) : TPM_NO_ANSWER;
	}
	return fail(tpm, code);
}

/* ---- The commands ---- */

/* The command's parameters, one selection, are written; it is of `count` registers. */
static bool read_pcrs(struct tpm *tpm, unsigned count, uint8_t (*value)[SHA256_BYTES])
{
	if (!send(tpm, PCR_READ, NULL))
		return false;
	get(tpm, 4);
	/* What was read is what was asked for, or the bank is not in use. */
	for (size_t at = HEADER; at < HEADER + 4 + 2 + 1 + SELECT_BYTES; at++)
		if (get(tpm, 1) != tpm->command[at])
			return fail(tpm, TPM_MALFORMED);
	if (get(tpm, 4) != count)
		return fail(tpm, TPM_MALFORMED);
	for (unsigned i = 0; i < count; i++)
		if (!get_sized(tpm, value[i], SHA256_BYTES))
			return fail(tpm, TPM_MALFORMED);
	return true;
}

bool tpm_pcr_read(struct tpm *tpm, uint8_t value[TPM_PCRS][SHA256_BYTES])
{
	begin(tpm, PCR_READ);
	put_pcrs(tpm);
	return read_pcrs(tpm, TPM_PCRS, value);
}

bool tpm_pcr_range(struct tpm *tpm, unsigned first, uint8_t value[TPM_PCRS_READ][SHA256_BYTES])
{
	uint8_t select[SELECT_BYTES] = { 0 };

	select[first / 8] = 0xff;
	begin(tpm, PCR_READ);
	put_selection(tpm, select);
	return read_pcrs(tpm, TPM_PCRS_READ, value);
}

bool tpm_random(struct tpm *tpm, uint8_t out[SHA256_BYTES])
{
	begin(tpm, GET_RANDOM);
	put(tpm, SHA256_BYTES, 2);
	return send(tpm, GET_RANDOM, NULL) &&
	    (get_sized(tpm, out, SHA256_BYTES) || fail(tpm, TPM_MALFORMED));
}

bool tpm_primary(struct tpm *tpm, uint32_t *handle)
{
	size_t start;

	begin(tpm, CREATE_PRIMARY);
	put(tpm, RH_OWNER, 4);
	put_auth(tpm, RS_PASSWORD);
	put(tpm, 4, 2); /* neither authorization value nor data */
	put(tpm, 0, 4);
	start = open_sized(tpm);
	put(tpm, ALG_ECC, 2);
	put(tpm, ALG_SHA256, 2);
	put(tpm, PRIMARY, 4);
	put(tpm, 0, 2);
	put(tpm, ALG_AES, 2);
	put(tpm, 128, 2);
	put(tpm, ALG_CFB, 2);
	put(tpm, ALG_NULL, 2);
	put(tpm, ECC_NIST_P256, 2);
	put(tpm, ALG_NULL, 2);
	put(tpm, 0, 4); /* unique: neither x nor y */
	close_sized(tpm, start);
	put(tpm, 0, 2);
	put(tpm, 0, 4);
	return send(tpm, CREATE_PRIMARY, handle);
}

bool tpm_session(struct tpm *tpm, bool trial, uint32_t *handle)
{
	/* No HMAC is made with it, so a nonce that is known does no harm. */
	static const uint8_t nonce[NONCE_BYTES];

	begin(tpm, START_AUTH_SESSION);
	put(tpm, RH_NULL, 4);
	put(tpm, RH_NULL, 4);
	put_sized(tpm, nonce, sizeof(nonce));
	put(tpm, 0, 2);
	put(tpm, trial ? SESSION_TRIAL : SESSION_POLICY, 1);
	put(tpm, ALG_NULL, 2);
	put(tpm, ALG_SHA256, 2);
	return send(tpm, START_AUTH_SESSION, handle);
}

bool tpm_policy_pcr(struct tpm *tpm, uint32_t session, const uint8_t *digest)
{
	begin(tpm, POLICY_PCR);
	put(tpm, session, 4);
	put_sized(tpm, digest, digest ? SHA256_BYTES : 0);
	put_pcrs(tpm);
	return send(tpm, POLICY_PCR, NULL);
}

bool tpm_policy_digest(struct tpm *tpm, uint32_t session, uint8_t digest[SHA256_BYTES])
{
	begin(tpm, POLICY_GET_DIGEST);
	put(tpm, session, 4);
	return send(tpm, POLICY_GET_DIGEST, NULL) &&
	    (get_sized(tpm, digest, SHA256_BYTES) || fail(tpm, TPM_MALFORMED));
}

bool tpm_create(struct tpm *tpm, uint32_t parent, const uint8_t policy[SHA256_BYTES],
    struct blob secret, struct tpm_object *made)
{
	struct blob from, hash;
	size_t start;

	begin(tpm, CREATE);
	put(tpm, parent, 4);
	put_auth(tpm, RS_PASSWORD);
	start = open_sized(tpm);
	put(tpm, 0, 2);
	put_sized(tpm, secret.data, secret.size);
	close_sized(tpm, start);
	start = open_sized(tpm);
	put(tpm, ALG_KEYEDHASH, 2);
	put(tpm, ALG_SHA256, 2);
	put(tpm, FIXED_TPM | FIXED_PARENT | ADMIN_WITH_POLICY | NO_LOCKOUT, 4);
	put_sized(tpm, policy, SHA256_BYTES);
	put(tpm, ALG_NULL, 2);
	put(tpm, 0, 2);
	close_sized(tpm, start);
	put(tpm, 0, 2);
	put_pcrs(tpm);
	if (!send(tpm, CREATE, NULL))
		return false;
	from = rest(tpm);
	if (!tpm_cut(&from, &made->private_part) || !tpm_cut(&from, &made->public_part) ||
	    !tpm_cut(&from, &made->creation) || !tpm_cut(&from, &hash) ||
	    !tpm_cut_ticket(&from, &made->ticket) || from.size)
		return fail(tpm, TPM_MALFORMED);
	return true;
}

bool tpm_load(struct tpm *tpm, uint32_t parent, const struct tpm_object *object, uint32_t *handle)
{
	begin(tpm, LOAD);
	put(tpm, parent, 4);
	put_auth(tpm, RS_PASSWORD);
	put_blob(tpm, object->private_part);
	put_blob(tpm, object->public_part);
	return send(tpm, LOAD, handle);
}

bool tpm_certify(struct tpm *tpm, uint32_t handle, const struct tpm_object *object)
{
	uint8_t digest[SHA256_BYTES];
	struct sha256 hash;

	sha256_start(&hash);
	sha256_add(&hash, object->creation.data + 2, object->creation.size - 2);
	sha256_end(&hash, digest);
	begin(tpm, CERTIFY_CREATION);
	put(tpm, RH_NULL, 4); /* nobody is to be convinced by a signature */
	put(tpm, handle, 4);
	put_auth(tpm, RS_PASSWORD);
	put(tpm, 0, 2);
	put_sized(tpm, digest, sizeof(digest));
	put(tpm, ALG_NULL, 2);
	put_blob(tpm, object->ticket);
	return send(tpm, CERTIFY_CREATION, NULL);
}

bool tpm_unseal(struct tpm *tpm, uint32_t handle, uint32_t session, uint8_t *secret, size_t size)
{
	begin(tpm, UNSEAL);
	put(tpm, handle, 4);
	put_auth(tpm, session);
	return send(tpm, UNSEAL, NULL) &&
	    (get_sized(tpm, secret, size) || fail(tpm, TPM_MALFORMED));
}

void tpm_flush(struct tpm *tpm, uint32_t handle)
{
	const char *name = tpm->name;
	uint32_t code = tpm->code;

	begin(tpm, FLUSH_CONTEXT);
	put(tpm, handle, 4);
	send(tpm, FLUSH_CONTEXT, NULL);
	/* What went wrong before is what matters. */
	tpm->name = name;
	tpm->code = code;
}

bool tpm_wash(struct tpm *tpm)
{
	static const uint8_t zeroes[WASH_BYTES];
	uint8_t value[TPM_PCRS][SHA256_BYTES];

	scrub(tpm->command, sizeof(tpm->command));
	scrub(tpm->response, sizeof(tpm->response));
	begin(tpm, STIR_RANDOM);
	put_sized(tpm, zeroes, sizeof(zeroes));
	/* The second for a TPM that keeps responses elsewhere than commands: its own is as long. */
	return send(tpm, STIR_RANDOM, NULL) && tpm_pcr_read(tpm, value);
}

bool tpm_created_at(struct blob creation, const uint8_t digest[SHA256_BYTES])
{
	struct tpm wanted = { .at = 0 };

	put_pcrs(&wanted);
	put_sized(&wanted, digest, SHA256_BYTES);
	return creation.size >= 2 + wanted.at &&
	    bytes_equal(creation.data + 2, wanted.command, wanted.at);
}
