/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * BIO: nothing but TPMLIB_DecodeBlob() asks for one, and nobody calls that. There are none.
 */
#include "vtpm/platform/ossl_shim/ossl.h"

const struct bio_method_st *BIO_f_base64(void)
{
	return NULL;
}

struct bio_st *BIO_new(const struct bio_method_st *type)
{
	return NULL;
}

struct bio_st *BIO_new_mem_buf(const void *buf, int len)
{
	return NULL;
}

struct bio_st *BIO_push(struct bio_st *b, struct bio_st *append)
{
	return NULL;
}

void BIO_set_flags(struct bio_st *b, int flags)
{
}

int BIO_read(struct bio_st *b, void *data, int dlen)
{
	return -1;
}

int BIO_free(struct bio_st *a)
{
	return 1;
}

void BIO_free_all(struct bio_st *a)
{
}
