/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The shim's prototypes and layouts against OpenSSL's headers: the compiler refuses a declaration
 * that does not agree, the assertions a layout.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/aes.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/camellia.h>
#include <openssl/des.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include "vtpm/platform/ossl_shim/ossl.h"

#define SHAstate_st	our_sha1
#define SHA256state_st	our_sha256
#define SHA512state_st	our_sha512
#define aes_key_st	our_aes
#define camellia_key_st our_camellia
#define DES_ks		our_des
#include "vtpm/platform/ossl_shim/layouts.h"
#undef SHAstate_st
#undef SHA256state_st
#undef SHA512state_st
#undef aes_key_st
#undef camellia_key_st
#undef DES_ks

#define SAME(type, ours)                                                                           \
	_Static_assert(sizeof(type) == sizeof(struct ours), "size of " #type);                     \
	_Static_assert(_Alignof(type) == _Alignof(struct ours), "alignment of " #type)
#define SAME_FIELD(type, field, ours, our_field)                                                   \
	_Static_assert(offsetof(type, field) == offsetof(struct ours, our_field),                  \
	    #type "." #field);                                                                     \
	_Static_assert(sizeof(((type *)0)->field) == sizeof(((struct ours *)0)->our_field),        \
	    "size of " #type "." #field)

SAME(SHA_CTX, our_sha1);
_Static_assert(offsetof(SHA_CTX, h4) == offsetof(struct our_sha1, h[4]), "SHA_CTX.h4");
SAME_FIELD(SHA_CTX, Nl, our_sha1, rest.low);
SAME_FIELD(SHA_CTX, Nh, our_sha1, rest.high);
SAME_FIELD(SHA_CTX, data, our_sha1, rest.data);
SAME_FIELD(SHA_CTX, num, our_sha1, rest.num);

SAME(SHA256_CTX, our_sha256);
SAME_FIELD(SHA256_CTX, h, our_sha256, h);
SAME_FIELD(SHA256_CTX, Nl, our_sha256, rest.low);
SAME_FIELD(SHA256_CTX, Nh, our_sha256, rest.high);
SAME_FIELD(SHA256_CTX, data, our_sha256, rest.data);
SAME_FIELD(SHA256_CTX, num, our_sha256, rest.num);
SAME_FIELD(SHA256_CTX, md_len, our_sha256, md_len);

SAME(SHA512_CTX, our_sha512);
SAME_FIELD(SHA512_CTX, h, our_sha512, h);
SAME_FIELD(SHA512_CTX, Nl, our_sha512, low);
SAME_FIELD(SHA512_CTX, Nh, our_sha512, high);
SAME_FIELD(SHA512_CTX, u, our_sha512, data);
SAME_FIELD(SHA512_CTX, num, our_sha512, num);
SAME_FIELD(SHA512_CTX, md_len, our_sha512, md_len);

SAME(AES_KEY, our_aes);
SAME_FIELD(AES_KEY, rd_key, our_aes, rd_key);
SAME_FIELD(AES_KEY, rounds, our_aes, rounds);

SAME(CAMELLIA_KEY, our_camellia);
SAME_FIELD(CAMELLIA_KEY, u, our_camellia, rd_key);
SAME_FIELD(CAMELLIA_KEY, grand_rounds, our_camellia, grand_rounds);

_Static_assert(sizeof(DES_key_schedule) == sizeof(struct our_des), "DES_key_schedule");
_Static_assert(_Alignof(DES_key_schedule) >= _Alignof(struct our_des), "DES_key_schedule");

_Static_assert(OSSL_PKEY_RSA == EVP_PKEY_RSA && OSSL_PAD_PKCS1 == RSA_PKCS1_PADDING &&
	OSSL_PAD_NONE == RSA_NO_PADDING && OSSL_PAD_OAEP == RSA_PKCS1_OAEP_PADDING &&
	OSSL_PAD_PSS == RSA_PKCS1_PSS_PADDING && OSSL_SALT_OF_DIGEST == RSA_PSS_SALTLEN_DIGEST,
    "constants of the archive");
