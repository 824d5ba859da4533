/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The form of an image file. A key has one encoding, so that it is compared and not parsed: what
 * stands before the point or the modulus, and behind it, is constant.
 */
#include "guest/trustlets/image/image.h"

#include <stdbool.h>
#include <string.h>

/* SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING { 04, x, y } } */
static const uint8_t ecdsa_head[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce,
	0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42,
	0x00, 0x04 };

/* SEQUENCE { SEQUENCE { rsaEncryption, NULL }, BIT STRING { SEQUENCE { n, 65537 } } } */
static const uint8_t rsa_head[] = { 0x30, 0x82, 0x01, 0xa2, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86,
	0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x8f, 0x00, 0x30,
	0x82, 0x01, 0x8a, 0x02, 0x82, 0x01, 0x81, 0x00 };
static const uint8_t rsa_tail[] = { 0x02, 0x03, 0x01, 0x00, 0x01 };

static const struct form {
	const uint8_t *head, *tail;
	size_t head_size, tail_size, key_size, signature_size;
} forms[] = {
	[IMAGE_SIGNATURE_ECDSA_P256] = { ecdsa_head, NULL, sizeof(ecdsa_head), 0,
	    sizeof(ecdsa_head) + 64, 64 },
	[IMAGE_SIGNATURE_RSA3072] = { rsa_head, rsa_tail, sizeof(rsa_head), sizeof(rsa_tail),
	    sizeof(rsa_head) + 384 + sizeof(rsa_tail), 384 },
};
#define FORMS (sizeof(forms) / sizeof(forms[0]))

static bool key_has_form(const uint8_t *key, const struct form *form)
{
	const uint8_t *tail = key + form->key_size - form->tail_size;

	return memcmp(key, form->head, form->head_size) == 0 &&
	    (form->tail_size == 0 || memcmp(tail, form->tail, form->tail_size) == 0);
}

enum image_fault image_signature_check(const void *block, size_t size,
    struct image_signature *found)
{
	const struct redoubt_image_signature *head = block;
	const uint8_t *key = (const uint8_t *)block + sizeof(*head);
	const struct form *form;

	*found = (struct image_signature){ 0 };
	if (size < sizeof(*head) || head->magic != IMAGE_SIGNATURE_MAGIC || head->algorithm == 0 ||
	    head->algorithm >= FORMS)
		return IMAGE_BAD_SIGNATURE_BLOCK;
	form = &forms[head->algorithm];
	if (head->key_size != form->key_size || head->signature_size != form->signature_size ||
	    size != sizeof(*head) + form->key_size + form->signature_size ||
	    (head->reserved[0] | head->reserved[1] | head->reserved[2]) != 0 ||
	    !key_has_form(key, form))
		return IMAGE_BAD_SIGNATURE_BLOCK;
	*found = (struct image_signature){ head->algorithm, key, form->key_size,
		key + form->key_size, form->signature_size };
	return IMAGE_OK;
}

enum image_fault image_file_check(const void *file, size_t size, struct image_signature *found)
{
	const struct redoubt_image *image = file;
	enum image_fault fault = image_check(image, size);
	size_t loaded;

	*found = (struct image_signature){ 0 };
	if (fault != IMAGE_OK)
		return fault;
	loaded = (size_t)image->pages * IMAGE_PAGE;
	if (size == loaded)
		return IMAGE_OK;
	return image_signature_check((const uint8_t *)file + loaded, size - loaded, found);
}
