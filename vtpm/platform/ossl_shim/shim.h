/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Between the files of the shim. Mbed TLS's types are named by their tags: a header of the tree
 * compiles without the library.
 */
#ifndef VTPM_OSSL_SHIM_H
#define VTPM_OSSL_SHIM_H

#include <stddef.h>

struct bignum_st;
struct ec_group_st;
struct ec_point_st;
struct mbedtls_ecp_group;
struct mbedtls_ecp_point;
struct mbedtls_mpi;
struct mbedtls_rsa_context;
struct rsa_st;

/* Random bytes as Mbed TLS asks for them; returns 0, for it halts rather than fail. */
int shim_random(void *unused, unsigned char *to, size_t bytes);

/* A number's own; NULL for NULL. */
struct mbedtls_mpi *shim_mpi(struct bignum_st *a);
const struct mbedtls_mpi *shim_const_mpi(const struct bignum_st *a);

/*
 * The library's of a group or a point. It wants those of groups writable: it keeps tables of
 * multiples of the generator there.
 */
struct mbedtls_ecp_group *shim_group(const struct ec_group_st *group);
const struct mbedtls_ecp_point *shim_point(const struct ec_point_st *point);

/* A digest as Mbed TLS numbers it (mbedtls_md_type_t). */
struct evp_md_st {
	const char *name;
	int type;
	int bytes;
};

/* One reference more. */
void shim_rsa_hold(struct rsa_st *rsa);

/*
 * The library's context for the private operations of a key, with blinding and the factors, made at
 * its first use and kept in a small cache; NULL if the key is none.
 */
struct mbedtls_rsa_context *shim_rsa_private(const struct rsa_st *rsa);

/* One for the public operations, to be freed by the caller; 0, or the library's error. */
int shim_rsa_public(const struct rsa_st *rsa, struct mbedtls_rsa_context *context);

/* Wipes the cached private keys. */
void shim_rsa_forget(void);

#endif
