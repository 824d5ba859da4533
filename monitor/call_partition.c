/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The calls about partitions, and those that partitions make.
 */
#include "monitor/abi/trustlet.h"
#include "monitor/call.h"
#include "monitor/lib/checked.h"
#include "monitor/lib/string.h"
#include "monitor/share.h"

#define LINE_MAX 256u /* bytes of log_write */

/* The number of a partition, 0 if none can have it. */
static unsigned id_of(uint64_t number)
{
	return number <= PARTITIONS ? (unsigned)number : 0;
}

uint64_t call_partition_call(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	return partition_request(args, rets);
}

uint64_t call_partition_resume(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	return partition_resume(args[0], rets);
}

uint64_t call_partition_cancel(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	return partition_cancel(args[0]);
}

uint64_t call_partition_restart(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	return partition_restart(id_of(args[0]));
}

uint64_t call_partition_info(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	unsigned id = args[0] == 0 ? partition_running() : id_of(args[0]);
	uint64_t item = args[1];
	enum partition_state state = partition_state(id);
	const struct bootinfo_partition *is;

	if (item >= REDOUBT_INFO_ITEMS)
		return call_error(REDOUBT_INVALID, 2);
	if (state != PARTITION_READY && state != PARTITION_CRASHED)
		return REDOUBT_STATE;
	is = partition_is(id);
	if (item != REDOUBT_INFO_SUMMARY) {
		memcpy(rets, is->items[item - 1], sizeof(is->items[0]));
		return REDOUBT_OK;
	}
	rets[0] = state | (uint64_t)REDOUBT_SVN << 32;
	rets[1] = is->svn | (uint64_t)is->flags << 32;
	rets[2] = partition_served(id);
	rets[3] = 1ull + is->text_pages + is->rodata_pages + is->data_pages;
	return REDOUBT_OK;
}

/* Arguments and results are the VP's registers, which partition_park() fills or leaves. */
uint64_t call_next_request(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	partition_park();
	return REDOUBT_OK;
}

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

uint64_t call_partition_exit(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	klog(LOG_WARN, "partition %u: exit %lx, %lx, %lx", partition_running(),
	    (unsigned long)args[0], (unsigned long)args[1], (unsigned long)args[2]);
	partition_give_up();
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
	unsigned id = id_of(args[0]);
	enum redoubt_status status = partition_kill(id);

	return status == REDOUBT_OK ? partition_bury(id) : status;
}

uint64_t call_image_read(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	struct guest_place from = { { FRAME_LENT, id_of(args[0]) },
		{ TRUSTLET_IMAGE_BASE + args[1] } };
	struct guest_place to = call_place(args[2]);
	uint8_t piece[REDOUBT_IMAGE_PIECE];

	if (args[1] % sizeof(piece) != 0)
		return call_error(REDOUBT_ALIGNMENT, 2);
	if (args[2] % sizeof(piece) != 0)
		return call_error(REDOUBT_ALIGNMENT, 3);
	if (!partition_freeze(from.as.partition))
		return REDOUBT_STATE;
	if (args[1] >= TRUSTLET_DATA_BASE - TRUSTLET_IMAGE_BASE ||
	    !guest_read_in(&from, piece, sizeof(piece)))
		return call_error(REDOUBT_RANGE, 2);
	return guest_write_in(&to, piece, sizeof(piece)) ? REDOUBT_OK
							 : call_error(REDOUBT_RANGE, 3);
}

uint64_t call_partition_launch(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	struct guest_place place = call_place(args[1]);
	struct bootinfo_partition is;

	if (!guest_read_in(&place, &is, sizeof(is)) || is.id[sizeof(is.id) - 1] != 0)
		return call_error(REDOUBT_RANGE, 2);
	return partition_launch(id_of(args[0]), &is) ? REDOUBT_OK : REDOUBT_STATE;
}
