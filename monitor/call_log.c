/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The calls about the log and the audit ring: log_read, audit_read, boot_done.
 */

#include "arch/console.h"
#include "arch/iommu.h"
#include "monitor/audit.h"
#include "monitor/call.h"
#include "monitor/guest_mem.h"
#include "monitor/lib/string.h"
#include "monitor/log.h"

/* Both rings: arguments are where to read, which frame receives it, how much, at most `most`. */
static uint64_t decode_read(const uint64_t args[CALL_REGS], uint64_t end, uint64_t most)
{
	if (args[0] > end)
		return call_error(REDOUBT_INVALID, 1);
	if (args[1] % FRAME_SIZE != 0)
		return call_error(REDOUBT_ALIGNMENT, 2);
	return args[2] == 0 || args[2] > most ? call_error(REDOUBT_INVALID, 3) : REDOUBT_OK;
}

/* `size`: bytes of what the part counts. Nothing has changed if the frame is not the caller's. */
static uint64_t invoke_read(uint64_t frame, const struct log_part *part, const void *from,
    size_t size, uint64_t rets[CALL_REGS])
{
	const struct guest_place to = { { FRAME_NORMAL, 0 }, { frame } };

	if (!guest_write_in(&to, from, part->copied * size))
		return call_error(REDOUBT_RANGE, 2);
	memcpy(rets, part, sizeof(*part));
	return REDOUBT_OK;
}

uint64_t call_log_read(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	uint64_t status = decode_read(args, log_end(), FRAME_SIZE);
	char text[FRAME_SIZE];
	struct log_part part;

	if (status != REDOUBT_OK)
		return status;
	part = log_copy(args[0], text, args[2]);
	return invoke_read(args[1], &part, text, 1, rets);
}

uint64_t call_audit_read(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	struct redoubt_audit_record records[REDOUBT_AUDIT_PAGE];
	struct log_part part;
	uint64_t status;

	dma_report();
	status = decode_read(args, audit_end(), REDOUBT_AUDIT_PAGE);
	if (status != REDOUBT_OK)
		return status;
	part = audit_copy(args[0], records, args[2]);
	return invoke_read(args[1], &part, records, sizeof(records[0]), rets);
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
