/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Certificates by Mbed TLS; of the EK profile's extensions it has not all.
 */
#include "vtpm/certificate.h"

#include <mbedtls/asn1write.h>
#include <mbedtls/oid.h>
#include <mbedtls/x509_crt.h>
#include <stdbool.h>
#include <string.h>

#include "vtpm/platform/ossl_shim/shim.h"
#include "vtpm/platform/platform.h"

/* A partition has no calendar: a fixed day, and X.509's word for no end. */
#define NOT_BEFORE "20260101000000"
#define NOT_AFTER  "99991231235959"

/* What the TPM says of itself, but for the model: libtpms's version is not ours. */
#define TPM_MANUFACTURER       "id:49424D00"
#define TPM_MODEL	       "Redoubt vTPM"
#define TPM_VERSION	       "id:20191023"
#define SPECIFICATION_FAMILY   "2.0"
#define SPECIFICATION_LEVEL    0
#define SPECIFICATION_REVISION 164

#define TCG_OID	      "\x67\x81\x05" /* 2.23.133 */
#define TCG_OID_BYTES 5u	     /* with what is behind it here */

#define SEQUENCE       (MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE)
#define SET	       (MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SET)
#define DIRECTORY_NAME (MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED | 4)

/* DER is written from its end to its begin. */
struct der {
	unsigned char bytes[128];
	unsigned char *p;
	bool bad;
};

static void wrote(struct der *d, int bytes)
{
	if (bytes < 0)
		d->bad = true;
}

/* What was written since `end`, as one of this tag. */
static void wrap(struct der *d, const unsigned char *end, unsigned char tag)
{
	wrote(d, mbedtls_asn1_write_len(&d->p, d->bytes, (size_t)(end - d->p)));
	wrote(d, mbedtls_asn1_write_tag(&d->p, d->bytes, tag));
}

static void tcg_oid(struct der *d, const char oid[TCG_OID_BYTES])
{
	wrote(d, mbedtls_asn1_write_oid(&d->p, d->bytes, oid, TCG_OID_BYTES));
}

static void text(struct der *d, const char *utf8)
{
	wrote(d, mbedtls_asn1_write_utf8_string(&d->p, d->bytes, utf8, strlen(utf8)));
}

static void attribute(struct der *d, const char *oid, const char *value)
{
	const unsigned char *end = d->p;

	text(d, value);
	tcg_oid(d, oid);
	wrap(d, end, SEQUENCE);
	wrap(d, end, SET);
}

static void alternative_name(struct der *d)
{
	const unsigned char *end = d->p;

	attribute(d, TCG_OID "\2\3", TPM_VERSION);
	attribute(d, TCG_OID "\2\2", TPM_MODEL);
	attribute(d, TCG_OID "\2\1", TPM_MANUFACTURER);
	wrap(d, end, SEQUENCE);
	wrap(d, end, DIRECTORY_NAME);
	wrap(d, end, SEQUENCE);
}

static void no_ca(struct der *d)
{
	wrap(d, d->p, SEQUENCE);
}

static void purpose(struct der *d)
{
	const unsigned char *end = d->p;

	tcg_oid(d, TCG_OID "\10\1"); /* tcg-kp-EKCertificate */
	wrap(d, end, SEQUENCE);
}

static void specification(struct der *d)
{
	const unsigned char *end = d->p;

	wrote(d, mbedtls_asn1_write_int(&d->p, d->bytes, SPECIFICATION_REVISION));
	wrote(d, mbedtls_asn1_write_int(&d->p, d->bytes, SPECIFICATION_LEVEL));
	text(d, SPECIFICATION_FAMILY);
	wrap(d, end, SEQUENCE);
	wrap(d, end, SET);
	tcg_oid(d, TCG_OID "\2\20");
	wrap(d, end, SEQUENCE);
	wrap(d, end, SEQUENCE);
}

/* The library writes the others, this one not, or not as critical as the profile has it. */
static const struct {
	const char *oid;
	bool critical;
	void (*write)(struct der *d);
} extensions[] = {
	{ MBEDTLS_OID_SUBJECT_ALT_NAME, true, alternative_name },
	{ MBEDTLS_OID_BASIC_CONSTRAINTS, true, no_ca },
	{ MBEDTLS_OID_EXTENDED_KEY_USAGE, false, purpose },
	{ MBEDTLS_OID_SUBJECT_DIRECTORY_ATTRS, false, specification },
};

static bool extend(mbedtls_x509write_cert *c)
{
	bool good = true;

	for (size_t i = 0; good && i < sizeof(extensions) / sizeof(extensions[0]); i++) {
		struct der d = { .p = d.bytes + sizeof(d.bytes) };
		const char *oid = extensions[i].oid;

		extensions[i].write(&d);
		good = !d.bad &&
		    mbedtls_x509write_crt_set_extension(c, oid, strlen(oid), extensions[i].critical,
			d.p, (size_t)(d.bytes + sizeof(d.bytes) - d.p)) == 0;
	}
	return good;
}

static bool is_for_ca(mbedtls_x509write_cert *c, const char *name)
{
	return mbedtls_x509write_crt_set_subject_name(c, name) == 0 &&
	    mbedtls_x509write_crt_set_basic_constraints(c, 1, 0) == 0 &&
	    mbedtls_x509write_crt_set_subject_key_identifier(c) == 0;
}

static bool is_for_ek(mbedtls_x509write_cert *c)
{
	return extend(c) && mbedtls_x509write_crt_set_authority_key_identifier(c) == 0;
}

static bool describe(mbedtls_x509write_cert *c, const struct certificate *wanted)
{
	uint8_t serial[CERTIFICATE_UNIQUE];

	platform_random(serial, sizeof(serial));
	serial[0] = (serial[0] & 0x7f) | 0x40; /* above zero, and always as long */
	mbedtls_x509write_crt_set_md_alg(c, MBEDTLS_MD_SHA256);
	mbedtls_x509write_crt_set_issuer_key(c, wanted->ca);
	mbedtls_x509write_crt_set_subject_key(c, wanted->key);
	return mbedtls_x509write_crt_set_serial_raw(c, serial, sizeof(serial)) == 0 &&
	    mbedtls_x509write_crt_set_validity(c, NOT_BEFORE, NOT_AFTER) == 0 &&
	    mbedtls_x509write_crt_set_issuer_name(c, wanted->ca_name) == 0 &&
	    mbedtls_x509write_crt_set_key_usage(c, wanted->usage) == 0 &&
	    (wanted->key == wanted->ca ? is_for_ca(c, wanted->ca_name) : is_for_ek(c));
}

size_t certificate_write(const struct certificate *wanted, uint8_t *room, size_t room_bytes)
{
	mbedtls_x509write_cert c;
	int bytes = -1;

	mbedtls_x509write_crt_init(&c);
	if (describe(&c, wanted))
		bytes = mbedtls_x509write_crt_der(&c, room, room_bytes, shim_random, NULL);
	mbedtls_x509write_crt_free(&c);
	return bytes > 0 ? (size_t)bytes : 0;
}
