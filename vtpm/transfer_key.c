/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The machine's key for packages (transfer_key.h), by Mbed TLS.
 */
#include "vtpm/transfer_key.h"

#include <mbedtls/ecdh.h>
#include <mbedtls/ecp.h>
#include <string.h>

#include "guest/trustlets/rt/sha256.h"
#include "guest/trustlets/rt/trustlet.h"

#define LABEL "vtpm transfer"

/* One pair of keys, or the private half alone, or the public one. */
struct pair {
	mbedtls_ecp_group group;
	mbedtls_mpi own;
	mbedtls_ecp_point point;
};

static void pair_free(struct pair *pair)
{
	mbedtls_ecp_point_free(&pair->point);
	mbedtls_mpi_free(&pair->own); /* which scrubs it */
	mbedtls_ecp_group_free(&pair->group);
}

static bool pair_start(struct pair *pair)
{
	mbedtls_ecp_group_init(&pair->group);
	mbedtls_mpi_init(&pair->own);
	mbedtls_ecp_point_init(&pair->point);
	return mbedtls_ecp_group_load(&pair->group, MBEDTLS_ECP_DP_SECP256R1) == 0;
}

static int fresh(void *unused, unsigned char *to, size_t bytes)
{
	trustlet_random(to, bytes);
	return 0;
}

/* The root key's: HMAC of a counter. The library draws until a number is below the order. */
struct stream {
	uint8_t key[TRUSTLET_KEY_BYTES];
	uint32_t count;
};

static int derived(void *state, unsigned char *to, size_t bytes)
{
	struct stream *stream = state;

	for (size_t done = 0; done < bytes; done += SHA256_BYTES) {
		size_t left = bytes - done;
		uint8_t block[SHA256_BYTES];
		struct hmac mac;

		hmac_start(&mac, stream->key, sizeof(stream->key));
		hmac_add(&mac, &stream->count, sizeof(stream->count));
		hmac_end(&mac, block);
		stream->count++;
		memcpy(to + done, block, left < sizeof(block) ? left : sizeof(block));
		trustlet_scrub(block, sizeof(block));
	}
	return 0;
}

/* The machine's private key. */
static bool derive(struct pair *pair)
{
	struct stream stream = { .count = 0 };
	bool good = trustlet_key(LABEL, trustlet_svn(), stream.key) &&
	    mbedtls_ecp_gen_privkey(&pair->group, &pair->own, derived, &stream) == 0;

	trustlet_scrub(&stream, sizeof(stream));
	return good;
}

static bool write_point(struct pair *pair, uint8_t point[TRANSFER_POINT])
{
	size_t length;

	return mbedtls_ecp_mul(&pair->group, &pair->point, &pair->own, &pair->group.G, fresh,
		   NULL) == 0 &&
	    mbedtls_ecp_point_write_binary(&pair->group, &pair->point, MBEDTLS_ECP_PF_UNCOMPRESSED,
		&length, point, TRANSFER_POINT) == 0;
}

static bool agree(struct pair *pair, const uint8_t other[TRANSFER_POINT],
    uint8_t secret[TRANSFER_SECRET])
{
	mbedtls_mpi x;
	bool good;

	mbedtls_mpi_init(&x);
	good = mbedtls_ecp_point_read_binary(&pair->group, &pair->point, other, TRANSFER_POINT) ==
		0 &&
	    mbedtls_ecp_check_pubkey(&pair->group, &pair->point) == 0 &&
	    mbedtls_ecdh_compute_shared(&pair->group, &x, &pair->point, &pair->own, fresh, NULL) ==
		0 &&
	    mbedtls_mpi_write_binary(&x, secret, TRANSFER_SECRET) == 0;
	mbedtls_mpi_free(&x);
	return good;
}

bool transfer_public(uint8_t point[TRANSFER_POINT])
{
	struct pair pair;
	bool good = pair_start(&pair) && derive(&pair) && write_point(&pair, point);

	pair_free(&pair);
	return good;
}

bool transfer_secret(const uint8_t other[TRANSFER_POINT], uint8_t secret[TRANSFER_SECRET])
{
	struct pair pair;
	bool good = pair_start(&pair) && derive(&pair) && agree(&pair, other, secret);

	pair_free(&pair);
	return good;
}

bool transfer_once(const uint8_t other[TRANSFER_POINT], uint8_t point[TRANSFER_POINT],
    uint8_t secret[TRANSFER_SECRET])
{
	struct pair pair;
	bool good = pair_start(&pair) &&
	    mbedtls_ecp_gen_privkey(&pair.group, &pair.own, fresh, NULL) == 0 &&
	    write_point(&pair, point) && agree(&pair, other, secret);

	pair_free(&pair);
	return good;
}
