/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * ECDSA over P-256 (FIPS 186-5, 6.4.2) and RSASSA-PSS (RFC 8017, 8.1.2), both to verify only: no
 * random numbers, no secret. monitor/abi/image.h fixes the parameters.
 */
#include "guest/trustlets/codeint/signature.h"

#include <assert.h>
#include <stdbool.h>

#include <mbedtls/ecdsa.h>
#include <mbedtls/rsa.h>
#include <mbedtls/sha256.h>

#define COORDINATE    32u
#define POINT	      (1 + 2 * COORDINATE) /* 04, x, y: the key's last bytes */
#define MODULUS	      384u
#define RSA_TAIL      5u /* 02 03 01 00 01: the exponent */
#define EXPONENT      3u
#define RSA_SALT      32
#define FULL_MODULUS  3072u /* bits */
#define OUTER_ERROR   128
#define POINT_OF(sig) ((sig)->key + (sig)->key_size - POINT)

void digest_pages(const struct redoubt_image *header, const uint8_t *rest, size_t rest_bytes,
    uint8_t digest[DIGEST_BYTES])
{
	mbedtls_sha256_context hash;
	int bad;

	mbedtls_sha256_init(&hash);
	bad = mbedtls_sha256_starts(&hash, 0);
	bad |= mbedtls_sha256_update(&hash, (const uint8_t *)header, sizeof(*header));
	bad |= mbedtls_sha256_update(&hash, rest, rest_bytes);
	bad |= mbedtls_sha256_finish(&hash, digest);
	assert(bad == 0);
	mbedtls_sha256_free(&hash);
}

void digest_key(const struct image_signature *signature, uint8_t digest[DIGEST_BYTES])
{
	int bad = mbedtls_sha256(signature->key, signature->key_size, digest, 0);

	assert(bad == 0);
}

/* An error may be a sum: a multiple of 128 for the outer module, the rest from below. */
static enum signature_verdict verdict_of(int error)
{
	if (error % OUTER_ERROR == MBEDTLS_ERR_MPI_ALLOC_FAILED ||
	    error == MBEDTLS_ERR_ECP_ALLOC_FAILED || error == MBEDTLS_ERR_MD_ALLOC_FAILED)
		return SIGNATURE_NO_MEMORY;
	return error == 0 ? SIGNATURE_TRUE : SIGNATURE_FALSE;
}

static enum signature_verdict ecdsa(const struct image_signature *signature, const uint8_t *digest)
{
	mbedtls_ecp_group group;
	mbedtls_ecp_point key;
	mbedtls_mpi r, s;
	int error;

	mbedtls_ecp_group_init(&group);
	mbedtls_ecp_point_init(&key);
	mbedtls_mpi_init(&r);
	mbedtls_mpi_init(&s);
	error = mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_SECP256R1);
	if (!error)
		error = mbedtls_ecp_point_read_binary(&group, &key, POINT_OF(signature), POINT);
	if (!error)
		error = mbedtls_ecp_check_pubkey(&group, &key);
	if (!error)
		error = mbedtls_mpi_read_binary(&r, signature->signature, COORDINATE);
	if (!error)
		error = mbedtls_mpi_read_binary(&s, signature->signature + COORDINATE, COORDINATE);
	if (!error)
		error = mbedtls_ecdsa_verify(&group, digest, DIGEST_BYTES, &key, &r, &s);
	mbedtls_mpi_free(&s);
	mbedtls_mpi_free(&r);
	mbedtls_ecp_point_free(&key);
	mbedtls_ecp_group_free(&group);
	return verdict_of(error);
}

static enum signature_verdict rsa_pss(const struct image_signature *signature,
    const uint8_t *digest)
{
	const uint8_t *tail = signature->key + signature->key_size - RSA_TAIL;
	mbedtls_rsa_context rsa;
	int error;

	mbedtls_rsa_init(&rsa);
	error = mbedtls_rsa_set_padding(&rsa, MBEDTLS_RSA_PKCS_V21, MBEDTLS_MD_SHA256);
	if (!error)
		error = mbedtls_rsa_import_raw(&rsa, tail - MODULUS, MODULUS, NULL, 0, NULL, 0,
		    NULL, 0, tail + RSA_TAIL - EXPONENT, EXPONENT);
	if (!error)
		error = mbedtls_rsa_complete(&rsa);
	if (!error)
		error = mbedtls_rsa_check_pubkey(&rsa);
	if (!error && mbedtls_rsa_get_bitlen(&rsa) != FULL_MODULUS)
		error = MBEDTLS_ERR_RSA_KEY_CHECK_FAILED;
	if (!error)
		error = mbedtls_rsa_rsassa_pss_verify_ext(&rsa, MBEDTLS_MD_SHA256, DIGEST_BYTES,
		    digest, MBEDTLS_MD_SHA256, RSA_SALT, signature->signature);
	mbedtls_rsa_free(&rsa);
	return verdict_of(error);
}

enum signature_verdict signature_check(const struct image_signature *signature,
    const uint8_t digest[DIGEST_BYTES])
{
	if (signature->algorithm == IMAGE_SIGNATURE_ECDSA_P256)
		return ecdsa(signature, digest);
	if (signature->algorithm == IMAGE_SIGNATURE_RSA3072)
		return rsa_pss(signature, digest);
	return SIGNATURE_FALSE;
}
