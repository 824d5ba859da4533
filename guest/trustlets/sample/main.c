/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The sample: a trustlet that adds, echoes and counts. Its requests stand in requests.def.
 */
#include "guest/trustlets/rt/trustlet.h"
#include "monitor/abi/call.h"

static uint64_t count;

REQUEST_HANDLER(add)
{
	return __builtin_add_overflow(args[0], args[1], &results[0]) ? REDOUBT_INVALID : REDOUBT_OK;
}

REQUEST_HANDLER(echo)
{
	results[0] = args[0];
	return REDOUBT_OK;
}

REQUEST_HANDLER(count)
{
	results[0] = ++count;
	return REDOUBT_OK;
}

int main(void)
{
	trustlet_log("sample: ready");
	trustlet_serve();
}
