/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Leaving: what happens before the machine resets or powers off, by whichever path
 * (monitor_leaving() of arch/upcall.h). The panic path comes here too, so nothing here takes a
 * lock.
 */
#include "arch/cpu.h"
#include "arch/upcall.h"
#include "monitor/lib/string.h"
#include "monitor/monitor.h"

static struct {
	size_t count;
	struct {
		void *memory;
		size_t bytes;
	} secrets[LEAVE_SECRETS];
} leave;

void leave_scrubs(void *secret, size_t bytes)
{
	CHECK(leave.count < LEAVE_SECRETS);
	leave.secrets[leave.count].memory = secret;
	leave.secrets[leave.count].bytes = bytes;
	leave.count++;
}

/* Each caller scrubs everything: nobody waits for a CPU that a panic may have stopped half-way. */
void monitor_leaving(int how)
{
	for (size_t i = 0; i < leave.count; i++)
		scrub(leave.secrets[i].memory, leave.secrets[i].bytes);
}
