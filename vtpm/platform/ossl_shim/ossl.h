/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * OpenSSL 3.0's functions that libtpms's archive calls, as they are declared there: what each does
 * is what OpenSSL's manual says, as far as libtpms uses it; where ours does less, its file says so.
 * A program of the tests includes this behind OpenSSL's own headers, and so the compiler proves
 * that the prototypes agree.
 *
 * Structures are of ours behind OpenSSL's names, but for those in layouts.h.
 */
#ifndef VTPM_OSSL_H
#define VTPM_OSSL_H

#include <stddef.h>

struct bignum_st;
struct bignum_ctx;
struct bn_gencb_st;
struct bio_st;
struct bio_method_st;
struct ec_group_st;
struct ec_key_st;
struct ec_point_st;
struct ECDSA_SIG_st;
struct engine_st;
struct evp_cipher_st;
struct evp_cipher_ctx_st;
struct evp_md_st;
struct evp_pkey_st;
struct evp_pkey_ctx_st;
struct rsa_st;
struct SHAstate_st;
struct SHA256state_st;
struct SHA512state_st;
struct aes_key_st;
struct camellia_key_st;
struct DES_ks;

/* Constants that are compiled into the archive. */
#define OSSL_PKEY_RSA	    6 /* EVP_PKEY_RSA */
#define OSSL_PAD_PKCS1	    1 /* RSA_PKCS1_PADDING */
#define OSSL_PAD_NONE	    3
#define OSSL_PAD_OAEP	    4
#define OSSL_PAD_PSS	    6
#define OSSL_SALT_OF_DIGEST (-1) /* RSA_PSS_SALTLEN_DIGEST */

/* ---- digests.c ---- */
int SHA1_Init(struct SHAstate_st *c);
int SHA1_Update(struct SHAstate_st *c, const void *data, size_t len);
int SHA1_Final(unsigned char *md, struct SHAstate_st *c);
int SHA256_Init(struct SHA256state_st *c);
int SHA256_Update(struct SHA256state_st *c, const void *data, size_t len);
int SHA256_Final(unsigned char *md, struct SHA256state_st *c);
int SHA384_Init(struct SHA512state_st *c);
int SHA384_Update(struct SHA512state_st *c, const void *data, size_t len);
int SHA384_Final(unsigned char *md, struct SHA512state_st *c);
int SHA512_Init(struct SHA512state_st *c);
int SHA512_Update(struct SHA512state_st *c, const void *data, size_t len);
int SHA512_Final(unsigned char *md, struct SHA512state_st *c);
const struct evp_md_st *EVP_get_digestbyname(const char *name);
int EVP_MD_get_size(const struct evp_md_st *md);

/* ---- block.c ---- */
int AES_set_encrypt_key(const unsigned char *user_key, const int bits, struct aes_key_st *key);
void AES_encrypt(const unsigned char *in, unsigned char *out, const struct aes_key_st *key);
int Camellia_set_key(const unsigned char *user_key, const int bits, struct camellia_key_st *key);
void Camellia_encrypt(const unsigned char *in, unsigned char *out,
    const struct camellia_key_st *key);
int DES_random_key(unsigned char (*key)[8]);
void DES_set_key_unchecked(unsigned char (*key)[8], struct DES_ks *schedule);
void DES_ecb3_encrypt(unsigned char (*in)[8], unsigned char (*out)[8], struct DES_ks *k1,
    struct DES_ks *k2, struct DES_ks *k3, int encrypt);

/* ---- ciphers.c ---- */
struct evp_cipher_ctx_st *EVP_CIPHER_CTX_new(void);
void EVP_CIPHER_CTX_free(struct evp_cipher_ctx_st *c);
int EVP_CIPHER_CTX_set_padding(struct evp_cipher_ctx_st *c, int pad);
int EVP_CIPHER_CTX_get_iv_length(const struct evp_cipher_ctx_st *c);
const unsigned char *EVP_CIPHER_CTX_iv(const struct evp_cipher_ctx_st *c);
int EVP_EncryptInit_ex(struct evp_cipher_ctx_st *c, const struct evp_cipher_st *cipher,
    struct engine_st *engine, const unsigned char *key, const unsigned char *iv);
int EVP_EncryptUpdate(struct evp_cipher_ctx_st *c, unsigned char *out, int *outl,
    const unsigned char *in, int inl);
int EVP_EncryptFinal_ex(struct evp_cipher_ctx_st *c, unsigned char *out, int *outl);
int EVP_DecryptInit_ex(struct evp_cipher_ctx_st *c, const struct evp_cipher_st *cipher,
    struct engine_st *engine, const unsigned char *key, const unsigned char *iv);
int EVP_DecryptUpdate(struct evp_cipher_ctx_st *c, unsigned char *out, int *outl,
    const unsigned char *in, int inl);
int EVP_DecryptFinal(struct evp_cipher_ctx_st *c, unsigned char *out, int *outl);

/* CIPHER(name, algorithm, bits of the key, mode) for each EVP_name(). */
#define OSSL_CIPHERS_OF(family, algorithm, bits)                                                   \
	CIPHER(family##_##bits##_ecb, algorithm, bits, ECB)                                        \
	CIPHER(family##_##bits##_cbc, algorithm, bits, CBC)                                        \
	CIPHER(family##_##bits##_cfb128, algorithm, bits, CFB)                                     \
	CIPHER(family##_##bits##_ofb, algorithm, bits, OFB)                                        \
	CIPHER(family##_##bits##_ctr, algorithm, bits, CTR)
#define OSSL_CIPHERS                                                                               \
	OSSL_CIPHERS_OF(aes, AES, 128)                                                             \
	OSSL_CIPHERS_OF(aes, AES, 192)                                                             \
	OSSL_CIPHERS_OF(aes, AES, 256)                                                             \
	OSSL_CIPHERS_OF(camellia, CAMELLIA, 128)                                                   \
	OSSL_CIPHERS_OF(camellia, CAMELLIA, 192)                                                   \
	OSSL_CIPHERS_OF(camellia, CAMELLIA, 256)                                                   \
	CIPHER(des_ede3, DES, 192, ECB)                                                            \
	CIPHER(des_ede3_ecb, DES, 192, ECB)                                                        \
	CIPHER(des_ede3_cbc, DES, 192, CBC)                                                        \
	CIPHER(des_ede3_cfb64, DES, 192, CFB)                                                      \
	CIPHER(des_ede3_ofb, DES, 192, OFB)
#define CIPHER(name, algorithm, bits, mode) const struct evp_cipher_st *EVP_##name(void);
OSSL_CIPHERS
#undef CIPHER

/* ---- bn.c ---- */
struct bignum_st *BN_new(void);
void BN_free(struct bignum_st *a);
void BN_clear_free(struct bignum_st *a);
void BN_set_flags(struct bignum_st *a, int flags);
struct bignum_st *BN_bin2bn(const unsigned char *s, int len, struct bignum_st *ret);
int BN_bn2bin(const struct bignum_st *a, unsigned char *to);
int BN_num_bits(const struct bignum_st *a);
int BN_is_zero(const struct bignum_st *a);
int BN_cmp(const struct bignum_st *a, const struct bignum_st *b);
struct bignum_st *BN_copy(struct bignum_st *to, const struct bignum_st *from);
struct bignum_st *BN_dup(const struct bignum_st *a);
int BN_set_word(struct bignum_st *a, unsigned long w);
int BN_add_word(struct bignum_st *a, unsigned long w);
int BN_sub(struct bignum_st *r, const struct bignum_st *a, const struct bignum_st *b);
int BN_mul(struct bignum_st *r, const struct bignum_st *a, const struct bignum_st *b,
    struct bignum_ctx *ctx);
int BN_div(struct bignum_st *quotient, struct bignum_st *rest, const struct bignum_st *a,
    const struct bignum_st *divisor, struct bignum_ctx *ctx);
int BN_mod_exp(struct bignum_st *r, const struct bignum_st *a, const struct bignum_st *p,
    const struct bignum_st *m, struct bignum_ctx *ctx);
struct bignum_st *BN_mod_inverse(struct bignum_st *ret, const struct bignum_st *a,
    const struct bignum_st *n, struct bignum_ctx *ctx);
struct bignum_ctx *BN_CTX_new(void);
void BN_CTX_free(struct bignum_ctx *c);
void BN_CTX_start(struct bignum_ctx *c);
struct bignum_st *BN_CTX_get(struct bignum_ctx *c);
void BN_CTX_end(struct bignum_ctx *c);

/* ---- ec.c ---- */
struct ec_group_st *EC_GROUP_new_curve_GFp(const struct bignum_st *p, const struct bignum_st *a,
    const struct bignum_st *b, struct bignum_ctx *ctx);
int EC_GROUP_set_generator(struct ec_group_st *group, const struct ec_point_st *generator,
    const struct bignum_st *order, const struct bignum_st *cofactor);
void EC_GROUP_free(struct ec_group_st *group);
struct ec_point_st *EC_POINT_new(const struct ec_group_st *group);
void EC_POINT_free(struct ec_point_st *point);
void EC_POINT_clear_free(struct ec_point_st *point);
int EC_POINT_set_affine_coordinates(const struct ec_group_st *group, struct ec_point_st *point,
    const struct bignum_st *x, const struct bignum_st *y, struct bignum_ctx *ctx);
int EC_POINT_get_affine_coordinates(const struct ec_group_st *group,
    const struct ec_point_st *point, struct bignum_st *x, struct bignum_st *y,
    struct bignum_ctx *ctx);
int EC_POINT_add(const struct ec_group_st *group, struct ec_point_st *r,
    const struct ec_point_st *a, const struct ec_point_st *b, struct bignum_ctx *ctx);
int EC_POINT_mul(const struct ec_group_st *group, struct ec_point_st *r, const struct bignum_st *n,
    const struct ec_point_st *q, const struct bignum_st *m, struct bignum_ctx *ctx);
int EC_POINTs_mul(const struct ec_group_st *group, struct ec_point_st *r, const struct bignum_st *n,
    size_t num, const struct ec_point_st *p[], const struct bignum_st *m[], struct bignum_ctx *ctx);

/* ---- ecdsa.c ---- */
struct ec_key_st *EC_KEY_new(void);
void EC_KEY_free(struct ec_key_st *key);
int EC_KEY_set_group(struct ec_key_st *key, const struct ec_group_st *group);
int EC_KEY_set_private_key(struct ec_key_st *key, const struct bignum_st *d);
int EC_KEY_set_public_key(struct ec_key_st *key, const struct ec_point_st *q);
const struct bignum_st *EC_KEY_get0_private_key(const struct ec_key_st *key);
int EC_KEY_generate_key(struct ec_key_st *key);
struct ECDSA_SIG_st *ECDSA_SIG_new(void);
void ECDSA_SIG_free(struct ECDSA_SIG_st *sig);
void ECDSA_SIG_get0(const struct ECDSA_SIG_st *sig, const struct bignum_st **r,
    const struct bignum_st **s);
int ECDSA_SIG_set0(struct ECDSA_SIG_st *sig, struct bignum_st *r, struct bignum_st *s);
struct ECDSA_SIG_st *ECDSA_do_sign(const unsigned char *digest, int len, struct ec_key_st *key);
int ECDSA_do_verify(const unsigned char *digest, int len, const struct ECDSA_SIG_st *sig,
    struct ec_key_st *key);

/* ---- rsa.c ---- */
struct rsa_st *RSA_new(void);
void RSA_free(struct rsa_st *rsa);
void RSA_set_flags(struct rsa_st *rsa, int flags);
int RSA_set0_key(struct rsa_st *rsa, struct bignum_st *n, struct bignum_st *e, struct bignum_st *d);
void RSA_get0_key(const struct rsa_st *rsa, const struct bignum_st **n, const struct bignum_st **e,
    const struct bignum_st **d);
int RSA_set0_crt_params(struct rsa_st *rsa, struct bignum_st *dmp1, struct bignum_st *dmq1,
    struct bignum_st *iqmp);
void RSA_get0_factors(const struct rsa_st *rsa, const struct bignum_st **p,
    const struct bignum_st **q);
int RSA_generate_key_ex(struct rsa_st *rsa, int bits, struct bignum_st *e, struct bn_gencb_st *cb);

/* ---- pkey.c ---- */
struct evp_pkey_st *EVP_PKEY_new(void);
void EVP_PKEY_free(struct evp_pkey_st *key);
int EVP_PKEY_assign(struct evp_pkey_st *key, int type, void *what);
struct rsa_st *EVP_PKEY_get1_RSA(struct evp_pkey_st *key);
struct evp_pkey_ctx_st *EVP_PKEY_CTX_new(struct evp_pkey_st *key, struct engine_st *engine);
void EVP_PKEY_CTX_free(struct evp_pkey_ctx_st *c);
int EVP_PKEY_CTX_set_rsa_padding(struct evp_pkey_ctx_st *c, int padding);
int EVP_PKEY_CTX_set_rsa_pss_saltlen(struct evp_pkey_ctx_st *c, int length);
int EVP_PKEY_CTX_set_rsa_oaep_md(struct evp_pkey_ctx_st *c, const struct evp_md_st *md);
int EVP_PKEY_CTX_set0_rsa_oaep_label(struct evp_pkey_ctx_st *c, void *label, int length);
int EVP_PKEY_CTX_set_signature_md(struct evp_pkey_ctx_st *c, const struct evp_md_st *md);
int EVP_PKEY_encrypt_init(struct evp_pkey_ctx_st *c);
int EVP_PKEY_encrypt(struct evp_pkey_ctx_st *c, unsigned char *out, size_t *out_len,
    const unsigned char *in, size_t in_len);
int EVP_PKEY_decrypt_init(struct evp_pkey_ctx_st *c);
int EVP_PKEY_decrypt(struct evp_pkey_ctx_st *c, unsigned char *out, size_t *out_len,
    const unsigned char *in, size_t in_len);
int EVP_PKEY_sign_init(struct evp_pkey_ctx_st *c);
int EVP_PKEY_sign(struct evp_pkey_ctx_st *c, unsigned char *sig, size_t *sig_len,
    const unsigned char *digest, size_t digest_len);
int EVP_PKEY_verify_init(struct evp_pkey_ctx_st *c);
int EVP_PKEY_verify(struct evp_pkey_ctx_st *c, const unsigned char *sig, size_t sig_len,
    const unsigned char *digest, size_t digest_len);

/* ---- rand.c ---- */
int RAND_bytes(unsigned char *buf, int num);

/* ---- bio.c ---- */
const struct bio_method_st *BIO_f_base64(void);
struct bio_st *BIO_new(const struct bio_method_st *type);
struct bio_st *BIO_new_mem_buf(const void *buf, int len);
struct bio_st *BIO_push(struct bio_st *b, struct bio_st *append);
void BIO_set_flags(struct bio_st *b, int flags);
int BIO_read(struct bio_st *b, void *data, int dlen);
int BIO_free(struct bio_st *a);
void BIO_free_all(struct bio_st *a);

#endif
