/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * codeint: judges images of trustlets for the monitor. Its requests stand in requests.def.
 */
#include <string.h>

#include "guest/trustlets/codeint/judge.h"
#include "monitor/abi/call.h"

static struct judge judge;

REQUEST_HANDLER(verify)
{
	struct signer signer;
	uint64_t status;

	if (!judge_range(args[0], args[1]))
		return REDOUBT_INVALID;
	status = judge_file(&judge, (const uint8_t *)args[0], args[1], &signer);
	memcpy(results, &signer, REQUEST_WORDS * sizeof(results[0]));
	return status;
}

REQUEST_HANDLER(heap)
{
	struct heap_use use = trustlet_heap_use();

	results[0] = use.peak;
	results[1] = use.pages;
	return REDOUBT_OK;
}

int main(void)
{
	judge.policy = &built_policy;
	trustlet_log("codeint: ready, %zu signers trusted, debug images %s",
	    built_policy.signer_count, built_policy.debug ? "accepted" : "refused");
	trustlet_serve();
}
