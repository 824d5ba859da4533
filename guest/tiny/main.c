/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The smallest guest: takes the machine over from firmware, asks the monitor what it speaks, and
 * switches off. A place to start from when a new thing is to be tried above the monitor.
 */
#include "guest/lib/calls.h"
#include "guest/lib/guest.h"
#include "guest/lib/text.h"

void guest_in_firmware(void)
{
}

void guest_main(void)
{
	struct redoubt_version version = { 0, 0 };
	uint64_t rax = redoubt_version(&version);

	tap(rax == REDOUBT_OK && version.abi == REDOUBT_ABI_VERSION,
	    "tiny: the monitor answers (ABI %lx)", version.abi);
	tap_end();
}
