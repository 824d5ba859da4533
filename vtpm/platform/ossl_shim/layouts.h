/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Structures whose layout is compiled into libtpms's archive: it has objects of them in structures
 * of its own, and saves those of digests, field by field, in the volatile state. Sizes and offsets
 * are OpenSSL 3.0's; a test compares them with its headers.
 */
#ifndef VTPM_OSSL_LAYOUTS_H
#define VTPM_OSSL_LAYOUTS_H

#include <stdint.h>

/* What SHA-1 and SHA-256 have in common: bits so far, and what waits for a whole block. */
struct md32_rest {
	uint32_t low, high;
	uint32_t data[16];
	uint32_t num; /* bytes in data */
};

struct SHAstate_st {
	uint32_t h[5];
	struct md32_rest rest;
};

struct SHA256state_st {
	uint32_t h[8];
	struct md32_rest rest;
	uint32_t md_len;
};

/* SHA-384's too. */
struct SHA512state_st {
	uint64_t h[8];
	uint64_t low, high;
	uint64_t data[16];
	uint32_t num, md_len;
};

struct aes_key_st {
	uint32_t rd_key[60];
	int rounds;
};

struct camellia_key_st {
	uint32_t rd_key[68] __attribute__((aligned(8)));
	int grand_rounds;
};

struct DES_ks {
	uint32_t subkeys[32];
};

_Static_assert(sizeof(struct SHAstate_st) == 96, "SHA_CTX");
_Static_assert(sizeof(struct SHA256state_st) == 112, "SHA256_CTX");
_Static_assert(sizeof(struct SHA512state_st) == 216, "SHA512_CTX");
_Static_assert(sizeof(struct aes_key_st) == 244, "AES_KEY");
_Static_assert(sizeof(struct camellia_key_st) == 280, "CAMELLIA_KEY");
_Static_assert(sizeof(struct DES_ks) == 128, "DES_key_schedule");

#endif
