/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The CPU on the host, as the run-time tells of it in a partition.
 */
#include "guest/trustlets/rt/trustlet.h"
#include "vtpm/host/has_sha.h"

bool trustlet_has_sha(void)
{
	return host_has_sha();
}
