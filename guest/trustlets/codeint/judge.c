/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The order of judgement: form, signer, signature, policy. A key is compared with those trusted
 * before anything computes with it, so the mathematics sees hostile signatures but no hostile keys.
 */
#include "guest/trustlets/codeint/judge.h"

#include "guest/trustlets/codeint/signature.h"
#include "guest/trustlets/image/image.h"
#include "monitor/abi/call.h"

_Static_assert(SIGNER_BYTES == DIGEST_BYTES, "a signer is a digest");

/* What is judged: copies, for there is one VP and one judgement at a time. */
static struct redoubt_image header;
static _Alignas(8) uint8_t block[SIGNATURE_BLOCK_MAX];

const struct redoubt_image *judge_header(void)
{
	return &header;
}

/* Copies header and block in and finds the signature. */
static uint64_t judge_form(const uint8_t *file, uint64_t bytes, struct image_signature *found)
{
	uint64_t loaded;

	if (bytes < sizeof(header))
		return CODEINT_BAD_FORM;
	copy_in_once(&header, file, sizeof(header));
	if (image_check(&header, bytes) != IMAGE_OK)
		return CODEINT_BAD_FORM;
	loaded = (uint64_t)header.pages * IMAGE_PAGE;
	if (bytes == loaded)
		return CODEINT_UNSIGNED;
	if (bytes - loaded > sizeof(block))
		return CODEINT_BAD_FORM;
	copy_in_once(block, file + loaded, bytes - loaded);
	return image_signature_check(block, bytes - loaded, found) == IMAGE_OK ? REDOUBT_OK
									       : CODEINT_BAD_FORM;
}

static uint64_t judge_signature(const uint8_t *file, const struct image_signature *found,
    uint8_t digest[DIGEST_BYTES])
{
	digest_pages(&header, file + sizeof(header),
	    (size_t)header.pages * IMAGE_PAGE - sizeof(header), digest);
	switch (signature_check(found, digest)) {
	case SIGNATURE_TRUE:
		return REDOUBT_OK;
	case SIGNATURE_NO_MEMORY:
		return CODEINT_NO_ROOM;
	default:
		return CODEINT_BAD_SIGNATURE;
	}
}

uint64_t judge_file(struct judge *judge, const uint8_t *file, uint64_t bytes, struct signer *signer)
{
	struct image_signature found;
	struct signer by;
	uint64_t status;

	*signer = (struct signer){ 0 };
	status = judge_form(file, bytes, &found);
	if (status != REDOUBT_OK)
		return status;
	digest_key(&found, by.key);
	if (!policy_trusts(judge->policy, &by))
		return CODEINT_UNKNOWN_SIGNER;
	status = judge_signature(file, &found, judge->measurement);
	if (status == REDOUBT_OK)
		status = policy_accept(judge->policy, &judge->history, &header, &by);
	if (status == REDOUBT_OK)
		*signer = by;
	return status;
}
