/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Whom codeint trusts, and which SVN it accepts.
 */
#ifndef CODEINT_POLICY_H
#define CODEINT_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/trustlets/rt/trustlet.h"
#include "monitor/abi/image.h"

#define SIGNER_BYTES 32u

enum codeint_status {
#define STATUS(name, value, sentence) CODEINT_##name = REQUEST_OWN_STATUS + (value),
#include "guest/trustlets/codeint/statuses.def"
#undef STATUS
};

/* SHA-256 of a DER SubjectPublicKeyInfo. */
struct signer {
	uint8_t key[SIGNER_BYTES];
};

struct floor {
	char id[IMAGE_ID_BYTES];
	uint32_t svn;
};

/* What was decided when the trustlet was built. */
struct policy {
	const struct signer *signers;
	size_t signer_count;
	const struct floor *floors;
	size_t floor_count;
	bool debug; /* images with the debug flag are accepted */
};

/* That of this build (tables.c). */
extern const struct policy built_policy;

/*
 * What was accepted since the start: one entry for each id and signer, with the highest SVN. Begins
 * as zeroes; entries are never removed.
 */
#define HISTORY_ENTRIES 64u

struct history {
	size_t count;
	struct {
		char id[IMAGE_ID_BYTES];
		struct signer signer;
		uint32_t svn;
	} seen[HISTORY_ENTRIES];
};

bool policy_trusts(const struct policy *policy, const struct signer *signer);

/*
 * Whether an image that its signature proves genuine may be used: REDOUBT_OK, and it is remembered;
 * or CODEINT_DEBUG_IMAGE, CODEINT_OLD_SVN, CODEINT_NO_ROOM, and nothing changes. The header's form
 * is right.
 */
uint64_t policy_accept(const struct policy *policy, struct history *history,
    const struct redoubt_image *image, const struct signer *signer);

#endif
