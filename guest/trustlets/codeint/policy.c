/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Trusted signers, SVN floors, and the history of what was accepted.
 */
#include "guest/trustlets/codeint/policy.h"

#include <string.h>

#include "monitor/abi/call.h"

static bool same_signer(const struct signer *a, const struct signer *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* Ids have zeroes to the end. */
static bool same_id(const char *a, const char *b)
{
	return memcmp(a, b, IMAGE_ID_BYTES) == 0;
}

bool policy_trusts(const struct policy *policy, const struct signer *signer)
{
	for (size_t i = 0; i < policy->signer_count; i++) {
		if (same_signer(&policy->signers[i], signer))
			return true;
	}
	return false;
}

static bool below_floor(const struct policy *policy, const struct redoubt_image *image)
{
	for (size_t i = 0; i < policy->floor_count; i++) {
		if (same_id(policy->floors[i].id, image->id) && image->svn < policy->floors[i].svn)
			return true;
	}
	return false;
}

static uint64_t remember(struct history *history, const struct redoubt_image *image,
    const struct signer *signer)
{
	size_t i = 0;

	while (i < history->count &&
	    !(same_id(history->seen[i].id, image->id) &&
		same_signer(&history->seen[i].signer, signer)))
		i++;
	if (i == HISTORY_ENTRIES)
		return CODEINT_NO_ROOM;
	if (i < history->count && image->svn < history->seen[i].svn)
		return CODEINT_OLD_SVN;
	memcpy(history->seen[i].id, image->id, IMAGE_ID_BYTES);
	history->seen[i].signer = *signer;
	history->seen[i].svn = image->svn;
	if (i == history->count)
		history->count++;
	return REDOUBT_OK;
}

uint64_t policy_accept(const struct policy *policy, struct history *history,
    const struct redoubt_image *image, const struct signer *signer)
{
	if (image->flags & IMAGE_DEBUG && !policy->debug)
		return CODEINT_DEBUG_IMAGE;
	if (below_floor(policy, image))
		return CODEINT_OLD_SVN;
	return remember(history, image, signer);
}
