/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The certificates of manufacture (manufacture.h): X.509 v3, signed by ECDSA with SHA-256, valid
 * from a fixed day on and without an end, since a partition has no calendar.
 *
 *   CA    self-signed, its name the subject's too; signs certificates, none of another CA
 *   EK    by the TCG's EK Credential Profile: no subject, the TPM's maker, model and version in
 *         its stead (critical), no CA, for what endorsement keys are for, specification
 */
#ifndef VTPM_CERTIFICATE_H
#define VTPM_CERTIFICATE_H

#include <stddef.h>
#include <stdint.h>

#define CERTIFICATE_UNIQUE 16u /* bytes of a serial number; random */

struct mbedtls_pk_context;

struct certificate {
	struct mbedtls_pk_context *ca;	/* signs */
	struct mbedtls_pk_context *key; /* whose certificate it is; `ca`: the CA's own */
	const char *ca_name;		/* as mbedtls_x509_string_to_names() has it */
	unsigned usage;			/* MBEDTLS_X509_KU_ */
};

/* Writes one, DER, to the end of the room. Returns its bytes; 0: it cannot be written. */
size_t certificate_write(const struct certificate *wanted, uint8_t *room, size_t room_bytes);

#endif
