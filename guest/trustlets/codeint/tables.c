/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The policy of this build. The Makefile makes built.h and signers.def, of DEBUG_IMAGES= and
 * SIGNERS=.
 */
#include <built.h>

#include "guest/trustlets/codeint/policy.h"

#define SIGNER(name, ...) { { __VA_ARGS__ } },
static const struct signer signers[] = {
#include <signers.def>
};
#undef SIGNER

#define FLOOR(name, lowest) { .id = (name), .svn = (lowest) },
static const struct floor floors[] = {
#include "guest/trustlets/codeint/floors.def"
};
#undef FLOOR

#define FLOOR(name, lowest)                                                                        \
	_Static_assert(sizeof(name) > 1 && sizeof(name) <= IMAGE_ID_BYTES && (lowest) >= 1 &&      \
		(lowest) <= IMAGE_MAX_SVN,                                                         \
	    "a floor that no image can meet");
#include "guest/trustlets/codeint/floors.def"
#undef FLOOR

const struct policy built_policy = {
	.signers = signers,
	.signer_count = sizeof(signers) / sizeof(signers[0]),
	.floors = floors,
	.floor_count = sizeof(floors) / sizeof(floors[0]),
	.debug = CODEINT_DEBUG_IMAGES,
};
