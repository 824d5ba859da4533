/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Leaving: what happens before the machine resets or powers off, by whichever path
 * (monitor_leaving() of arch/upcall.h). The panic path comes here too, so nothing here takes a
 * lock, and each caller scrubs everything: nobody waits for a CPU that a panic may have stopped
 * half-way.
 */
#include "arch/upcall.h"
#include "monitor/keys.h"
#include "monitor/page_owner.h"
#include "monitor/partition.h"

void monitor_leaving(void)
{
	keys_leave();
	partition_leave();
	page_owner_scrub();
}
