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
};

/* The longest block behind the pages: RSA-3072. */
#define SIGNATURE_BLOCK_MAX (sizeof(struct redoubt_image_signature) + 422 + 384)

/*
 * Whether a file may be there: page-aligned, not empty, no longer than a file can be, within the
 * shared window. Says nothing of what is lent.
 */
bool judge_range(uint64_t gpa, uint64_t bytes);

/*
 * REDOUBT_OK, and `signer` says by whom it is signed; or a status of statuses.def, and `signer` is
 * zeroes. Header and signature block are read once and judged as copies; the pages are hashed where
 * they are, so nobody may be able to write them (I3). Every byte of the file is read.
 */
uint64_t judge_file(struct judge *judge, const uint8_t *file, uint64_t bytes,
    struct signer *signer);

#endif
