/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The judgement of an image file, from its length to its SVN.
 */
#ifndef CODEINT_JUDGE_H
#define CODEINT_JUDGE_H

#include "guest/trustlets/codeint/policy.h"

struct judge {
	const struct policy *policy;
	struct history history;
	uint8_t measurement[SIGNER_BYTES]; /* of the latest file with a trusted signer */
};

/* The longest block behind the pages: RSA-3072. */
#define SIGNATURE_BLOCK_MAX (sizeof(struct redoubt_image_signature) + 422 + 384)

/* The longest file. */
#define FILE_LENGTH_MAX ((uint64_t)IMAGE_MAX_PAGES * IMAGE_PAGE + SIGNATURE_BLOCK_MAX)

/*
 * REDOUBT_OK, and `signer` says by whom it is signed; or a status of statuses.def, and `signer` is
 * zeroes. Header and signature block are read once and judged as copies; the pages are hashed where
 * they are, so nobody may be able to write them (I3). Every byte of the file is read.
 */
uint64_t judge_file(struct judge *judge, const uint8_t *file, uint64_t bytes,
    struct signer *signer);

/* The header of the latest file. */
const struct redoubt_image *judge_header(void);

#endif
