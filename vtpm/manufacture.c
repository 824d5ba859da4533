/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Manufacture: endorsement keys and NV memory by the TPM's own commands.
 */
#include "vtpm/manufacture.h"

#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/rsa.h>
#include <mbedtls/x509_crt.h>
#include <stdbool.h>
#include <string.h>

#include "vtpm/certificate.h"
#include "vtpm/platform/ossl_shim/shim.h"
#include "vtpm/platform/platform.h"
#include "vtpm/tpm.h"

/* ---- Commands ---- */

#define HEADER_BYTES 10u
#define SIZE_AT	     2u
#define CODE_AT	     6u
#define ONCE	     1024u /* libtpms's MAX_NV_BUFFER_SIZE; an index has room for 2,048 */

enum { NO_SESSIONS = 0x8001, SESSIONS = 0x8002 };

enum {
	NV_DEFINE_SPACE = 0x12a,
	CREATE_PRIMARY = 0x131,
	NV_WRITE = 0x137,
	NV_WRITE_LOCK = 0x138,
	FLUSH_CONTEXT = 0x165,
};

enum { SHA256 = 0xb, RS_PW = 0x40000009, ENDORSEMENT = 0x4000000b, PLATFORM = 0x4000000c };

struct message {
	uint8_t bytes[ONCE + 64];
	size_t size;
};

static void put(struct message *m, const void *bytes, size_t count)
{
	if (count > sizeof(m->bytes) - m->size)
		platform_halt("manufacture", "a command that is too long");
	memcpy(m->bytes + m->size, bytes, count);
	m->size += count;
}

static void put_number(struct message *m, uint32_t number, unsigned bytes)
{
	const uint8_t big_endian[] = { (uint8_t)(number >> 24), (uint8_t)(number >> 16),
		(uint8_t)(number >> 8), (uint8_t)number };

	put(m, big_endian + sizeof(big_endian) - bytes, bytes);
}

static void begin(struct message *m, unsigned tag, uint32_t code, uint32_t handle)
{
	m->size = 0;
	put_number(m, tag, 2);
	put_number(m, 0, 4);
	put_number(m, code, 4);
	put_number(m, handle, 4);
}

/* The empty password, of a hierarchy. */
static void authorize(struct message *m)
{
	put_number(m, 9, 4);
	put_number(m, RS_PW, 4);
	put_number(m, 0, 2);
	put_number(m, 0, 1);
	put_number(m, 0, 2);
}

static bool carry_out(struct message *m, struct vtpm_bytes *answer)
{
	static const uint8_t success[4];

	m->bytes[SIZE_AT + 2] = (uint8_t)(m->size >> 8);
	m->bytes[SIZE_AT + 3] = (uint8_t)m->size;
	return vtpm_command(0, (struct vtpm_bytes){ m->bytes, m->size }, answer) == VTPM_OK &&
	    answer->length >= HEADER_BYTES &&
	    memcmp(answer->bytes + CODE_AT, success, sizeof(success)) == 0;
}

static uint32_t number_at(const uint8_t *at, unsigned bytes)
{
	uint32_t number = 0;

	for (unsigned i = 0; i < bytes; i++)
		number = number << 8 | at[i];
	return number;
}

/* ---- Endorsement keys ---- */

#define PUBLIC_AT 20u /* in the answer: handle, size of parameters, size of the area are in front */

/* fixedTPM, fixedParent, sensitiveDataOrigin, adminWithPolicy, restricted, decrypt */
#define EK_ATTRIBUTES 0, 3, 0, 0xb2
/* PolicySecret of the endorsement hierarchy */
#define EK_POLICY                                                                                  \
	0, 32, 0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, \
	    0xd7, 0x24, 0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b,    \
	    0x33, 0x14, 0x69, 0xaa
#define AES_128_CFB_NO_SCHEME 0, 6, 0, 128, 0, 0x43, 0, 0x10

/* A public area up to its numbers, which are zero in a template: each behind its size. */
struct ek_template {
	const uint8_t *head;
	size_t head_bytes;
	unsigned numbers;
	unsigned number_bytes;
};

#define RSA_BYTES 256u
#define ECC_BYTES 32u

static const uint8_t rsa_head[] = { 0, 1, 0, SHA256, EK_ATTRIBUTES, EK_POLICY,
	AES_128_CFB_NO_SCHEME, 8, 0, 0, 0, 0, 0 };
static const uint8_t ecc_head[] = { 0, 0x23, 0, SHA256, EK_ATTRIBUTES, EK_POLICY,
	AES_128_CFB_NO_SCHEME, 0, 3, 0, 0x10 };
static const struct ek_template rsa_template = { rsa_head, sizeof(rsa_head), 1, RSA_BYTES };
static const struct ek_template ecc_template = { ecc_head, sizeof(ecc_head), 2, ECC_BYTES };

static size_t public_bytes(const struct ek_template *t)
{
	return t->head_bytes + (size_t)t->numbers * (2 + t->number_bytes);
}

static void create_primary(struct message *m, const struct ek_template *t)
{
	static const uint8_t zeros[RSA_BYTES];

	begin(m, SESSIONS, CREATE_PRIMARY, ENDORSEMENT);
	authorize(m);
	put_number(m, 4, 2); /* no password, no data */
	put_number(m, 0, 4);
	put_number(m, (uint32_t)public_bytes(t), 2);
	put(m, t->head, t->head_bytes);
	for (unsigned i = 0; i < t->numbers; i++) {
		put_number(m, t->number_bytes, 2);
		put(m, zeros, t->number_bytes);
	}
	put_number(m, 0, 2); /* no outside information, no PCRs */
	put_number(m, 0, 4);
}

/* The answer's numbers, one behind the other; the area is the template's in all else. */
static bool take_numbers(const struct ek_template *t, struct vtpm_bytes answer, uint8_t *numbers)
{
	const uint8_t *p = answer.bytes + PUBLIC_AT;

	if (answer.length < PUBLIC_AT + public_bytes(t) || number_at(p - 2, 2) != public_bytes(t) ||
	    memcmp(p, t->head, t->head_bytes) != 0)
		return false;
	p += t->head_bytes;
	for (unsigned i = 0; i < t->numbers; i++) {
		if (number_at(p, 2) != t->number_bytes)
			return false;
		memcpy(numbers, p + 2, t->number_bytes);
		numbers += t->number_bytes;
		p += 2 + t->number_bytes;
	}
	return true;
}

static bool endorsement_key(const struct ek_template *t, uint8_t *numbers)
{
	struct message m;
	struct vtpm_bytes answer;

	create_primary(&m, t);
	if (!carry_out(&m, &answer) || !take_numbers(t, answer, numbers))
		return false;
	begin(&m, NO_SESSIONS, FLUSH_CONTEXT, number_at(answer.bytes + HEADER_BYTES, 4));
	return carry_out(&m, &answer);
}

#define CA_NAME	   "CN=Redoubt vTPM CA,serialNumber="
#define UNIQUE	   16u /* random bytes that tell one machine's CA from others */
#define NAME_BYTES (sizeof(CA_NAME) + 2 * (size_t)UNIQUE)

struct making {
	mbedtls_pk_context rsa, ecc, ca;
	char ca_name[NAME_BYTES];
	uint8_t *ca_key;
};

static bool setup(mbedtls_pk_context *key, mbedtls_pk_type_t type)
{
	return mbedtls_pk_setup(key, mbedtls_pk_info_from_type(type)) == 0;
}

static bool rsa_key(struct making *making)
{
	static const uint8_t exponent[] = { 1, 0, 1 };
	uint8_t n[RSA_BYTES];

	return endorsement_key(&rsa_template, n) && setup(&making->rsa, MBEDTLS_PK_RSA) &&
	    mbedtls_rsa_import_raw(mbedtls_pk_rsa(making->rsa), n, sizeof(n), NULL, 0, NULL, 0,
		NULL, 0, exponent, sizeof(exponent)) == 0 &&
	    mbedtls_rsa_complete(mbedtls_pk_rsa(making->rsa)) == 0;
}

static bool ecc_point(const uint8_t *uncompressed, size_t bytes, mbedtls_ecp_keypair *key)
{
	mbedtls_ecp_group group;
	mbedtls_ecp_point point;
	bool good;

	mbedtls_ecp_group_init(&group);
	mbedtls_ecp_point_init(&point);
	good = mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_SECP256R1) == 0 &&
	    mbedtls_ecp_point_read_binary(&group, &point, uncompressed, bytes) == 0 &&
	    mbedtls_ecp_check_pubkey(&group, &point) == 0 &&
	    mbedtls_ecp_set_public_key(MBEDTLS_ECP_DP_SECP256R1, key, &point) == 0;
	mbedtls_ecp_point_free(&point);
	mbedtls_ecp_group_free(&group);
	return good;
}

static bool ecc_key(struct making *making)
{
	uint8_t point[1 + 2 * ECC_BYTES] = { 4 }; /* uncompressed */

	return endorsement_key(&ecc_template, point + 1) && setup(&making->ecc, MBEDTLS_PK_ECKEY) &&
	    ecc_point(point, sizeof(point), mbedtls_pk_ec(making->ecc));
}

/* ---- The CA ---- */

static void name_ca(struct making *making)
{
	static const char digits[] = "0123456789abcdef";
	char *to = making->ca_name + sizeof(CA_NAME) - 1;
	uint8_t unique[UNIQUE];

	memcpy(making->ca_name, CA_NAME, sizeof(CA_NAME));
	platform_random(unique, sizeof(unique));
	for (unsigned i = 0; i < UNIQUE; i++) {
		*to++ = digits[unique[i] >> 4];
		*to++ = digits[unique[i] & 15];
	}
	*to = '\0';
}

static bool ca_key(struct making *making)
{
	mbedtls_ecp_keypair *key;
	size_t bytes;

	name_ca(making);
	if (!setup(&making->ca, MBEDTLS_PK_ECKEY))
		return false;
	key = mbedtls_pk_ec(making->ca);
	return mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, key, shim_random, NULL) == 0 &&
	    mbedtls_ecp_write_key_ext(key, &bytes, making->ca_key, VTPM_CA_KEY_BYTES) == 0 &&
	    bytes == VTPM_CA_KEY_BYTES;
}

/* ---- NV memory ---- */

/* PPWRITE, WRITEDEFINE, PPREAD, OWNERREAD, AUTHREAD, NO_DA, PLATFORMCREATE: outlives Clear. */
#define CERTIFICATE_ATTRIBUTES 0x42072001u

static void of_index(struct message *m, uint32_t code, uint32_t index)
{
	begin(m, SESSIONS, code, PLATFORM);
	if (code != NV_DEFINE_SPACE)
		put_number(m, index, 4);
	authorize(m);
}

static bool put_into_index(uint32_t index, const uint8_t *bytes, size_t count)
{
	struct message define, write, lock;
	struct vtpm_bytes answer;

	of_index(&define, NV_DEFINE_SPACE, index);
	put_number(&define, 0, 2);  /* no password */
	put_number(&define, 14, 2); /* bytes of what follows */
	put_number(&define, index, 4);
	put_number(&define, SHA256, 2);
	put_number(&define, CERTIFICATE_ATTRIBUTES, 4);
	put_number(&define, 0, 2); /* no policy */
	put_number(&define, (uint32_t)count, 2);
	of_index(&write, NV_WRITE, index);
	put_number(&write, (uint32_t)count, 2);
	put(&write, bytes, count);
	put_number(&write, 0, 2); /* from its first byte */
	of_index(&lock, NV_WRITE_LOCK, index);
	return carry_out(&define, &answer) && carry_out(&write, &answer) &&
	    carry_out(&lock, &answer);
}

/* ---- The whole ---- */

static bool issue(struct making *making, mbedtls_pk_context *key, unsigned usage, uint32_t index)
{
	const struct certificate wanted = { &making->ca, key, making->ca_name, usage };
	uint8_t der[ONCE];
	size_t bytes = certificate_write(&wanted, der, sizeof(der));

	return bytes > 0 && put_into_index(index, der + sizeof(der) - bytes, bytes);
}

static bool ca_certificate(struct making *making)
{
	return issue(making, &making->ca, MBEDTLS_X509_KU_KEY_CERT_SIGN, VTPM_CA_CERTIFICATE);
}

static bool rsa_certificate(struct making *making)
{
	return issue(making, &making->rsa, MBEDTLS_X509_KU_KEY_ENCIPHERMENT, VTPM_RSA_CERTIFICATE);
}

static bool ecc_certificate(struct making *making)
{
	return issue(making, &making->ecc, MBEDTLS_X509_KU_KEY_AGREEMENT, VTPM_ECC_CERTIFICATE);
}

static const struct {
	const char *what;
	bool (*make)(struct making *making);
} steps[] = {
	{ "the RSA endorsement key", rsa_key },
	{ "the ECC endorsement key", ecc_key },
	{ "the CA's key", ca_key },
	{ "the CA's certificate", ca_certificate },
	{ "the RSA key's certificate", rsa_certificate },
	{ "the ECC key's certificate", ecc_certificate },
};

const char *vtpm_manufacture(uint8_t ca_key[VTPM_CA_KEY_BYTES])
{
	struct making making = { .ca_key = ca_key };
	const char *failed = NULL;

	mbedtls_pk_init(&making.rsa);
	mbedtls_pk_init(&making.ecc);
	mbedtls_pk_init(&making.ca);
	for (size_t i = 0; !failed && i < sizeof(steps) / sizeof(steps[0]); i++)
		failed = steps[i].make(&making) ? NULL : steps[i].what;
	if (failed)
		mbedtls_platform_zeroize(ca_key, VTPM_CA_KEY_BYTES);
	mbedtls_pk_free(&making.rsa);
	mbedtls_pk_free(&making.ecc);
	mbedtls_pk_free(&making.ca);
	return failed;
}
