/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The calls about the log: log_read, boot_done.
 */

#include "arch/console.h"
#include "monitor/call.h"
#include "monitor/guest_mem.h"
#include "monitor/log.h"

static uint64_t decode_log_read(const uint64_t args[CALL_REGS], struct guest_frame *to)
{
	if (args[0] > log_end())
		return call_error(REDOUBT_INVALID, 1);
	if (args[1] % FRAME_SIZE != 0)
		return call_error(REDOUBT_ALIGNMENT, 2);
	if (args[2] == 0 || args[2] > FRAME_SIZE)
		return call_error(REDOUBT_INVALID, 3);
	if (!guest_claim((gpa_t){ args[1] }, to))
		return call_error(REDOUBT_RANGE, 2);
	return REDOUBT_OK;
}

static struct log_part invoke_log_read(struct guest_frame *to, uint64_t position, size_t bytes)
{
	char text[FRAME_SIZE];
	struct log_part part = log_copy(position, text, bytes);

	guest_copy_out(to, 0, text, part.copied);
	guest_release(to);
	return part;
}

uint64_t call_log_read(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	struct guest_frame to;
	uint64_t status = decode_log_read(args, &to);
	struct log_part part;

	if (status != REDOUBT_OK)
		return status;
	part = invoke_log_read(&to, args[0], args[2]);
	rets[0] = part.next;
	rets[1] = part.copied;
	rets[2] = part.lost;
	return REDOUBT_OK;
}

uint64_t call_boot_done(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	static atomic_bool done;

	if (atomic_exchange(&done, true))
		return REDOUBT_CLOSED;
	klog(LOG_INFO, "the firmware phase is over");
	console_release();
	return REDOUBT_OK;
}
