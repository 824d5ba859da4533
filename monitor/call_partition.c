/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Calls about partitions and their memory; those that run one stand in partition.c.
 */
#include "monitor/abi/trustlet.h"
#include "monitor/call.h"
#include "monitor/lib/checked.h"
#include "monitor/share.h"

#define LINE_MAX 256u /* bytes of log_write */

uint64_t call_log_write(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	struct guest_place place = call_place(args[0]);
	char line[LINE_MAX + 1] = { 0 };

	if (args[1] == 0 || args[1] > LINE_MAX)
		return call_error(REDOUBT_INVALID, 2);
	if (!guest_read_in(&place, line, args[1]))
		return call_error(REDOUBT_RANGE, 1);
	klog(LOG_INFO, "partition %u: %s", partition_running(), line);
	return REDOUBT_OK;
}

/* ---- Partitions that the normal world offers ---- */

uint64_t call_partition_create(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	rets[0] = partition_create();
	return rets[0] != 0 ? REDOUBT_OK : REDOUBT_NO_RESOURCE;
}

uint64_t call_partition_give(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	static const struct {
		enum frame_state as;
		uint64_t base, end;
	} whats[] = {
		[REDOUBT_GIVE_DATA] = { FRAME_PARTITION, TRUSTLET_DATA_BASE, TRUSTLET_SHARED_BASE },
		[REDOUBT_GIVE_IMAGE] = { FRAME_LENT, TRUSTLET_IMAGE_BASE, TRUSTLET_DATA_BASE },
		[REDOUBT_GIVE_SHARED] = { FRAME_SHARED, TRUSTLET_SHARED_BASE,
		    TRUSTLET_SHARED_BASE + (uint64_t)TRUSTLET_SHARED_BYTES },
	};
	uint64_t what = args[0] >> 32;
	uint64_t pages;

	if (what >= sizeof(whats) / sizeof(whats[0]))
		return call_error(REDOUBT_INVALID, 1);
	if (args[1] % FRAME_SIZE != 0)
		return call_error(REDOUBT_ALIGNMENT, 2);
	pages = (whats[what].end - whats[what].base) / FRAME_SIZE;
	if (!range_within(args[3], args[2], pages))
		return call_error(REDOUBT_RANGE, 4);
	return share_list(&(struct guest_place){ { whats[what].as, (uint32_t)args[0] },
			      { whats[what].base + args[3] * FRAME_SIZE } },
	    (gpa_t){ args[1] }, args[2]);
}

uint64_t call_partition_end(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	enum redoubt_status status = partition_kill(args[0]);

	return status == REDOUBT_OK ? partition_bury(args[0]) : status;
}

uint64_t call_image_read(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	struct guest_place from = { { FRAME_LENT, (uint32_t)args[0] },
		{ TRUSTLET_IMAGE_BASE + args[1] } };
	struct guest_place to = call_place(args[2]);
	uint8_t piece[REDOUBT_IMAGE_PIECE];

	if (args[1] % sizeof(piece) != 0)
		return call_error(REDOUBT_ALIGNMENT, 2);
	if (args[2] % sizeof(piece) != 0)
		return call_error(REDOUBT_ALIGNMENT, 3);
	if (!partition_freeze(args[0]))
		return REDOUBT_STATE;
	if (args[1] >= TRUSTLET_DATA_BASE - TRUSTLET_IMAGE_BASE ||
	    !guest_read_in(&from, piece, sizeof(piece)))
		return call_error(REDOUBT_RANGE, 2);
	return guest_write_in(&to, piece, sizeof(piece)) ? REDOUBT_OK
							 : call_error(REDOUBT_RANGE, 3);
}
