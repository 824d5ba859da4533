/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The calls about partitions, and those that partitions make.
 */
#include "arch/upcall.h"
#include "monitor/call.h"
#include "monitor/guest_mem.h"
#include "monitor/lib/checked.h"
#include "monitor/lib/string.h"
#include "monitor/partition.h"

#define LINE_MAX 256u /* bytes of log_write */

static uint64_t answered(enum redoubt_status status, const struct partition_answer *answer,
    uint64_t rets[CALL_REGS])
{
	if (status != REDOUBT_OK)
		return status;
	memcpy(rets, answer->words, sizeof(answer->words));
	rets[0] |= (uint64_t)answer->token << 32;
	return REDOUBT_OK;
}

uint64_t call_partition_call(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	uint64_t words[CALL_REGS] = { args[0] >> 32, args[1], args[2], args[3] };
	struct partition_answer answer;

	return answered(partition_request((uint32_t)args[0], words, &answer), &answer, rets);
}

uint64_t call_partition_resume(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	struct partition_answer answer;

	return answered(partition_resume(args[0], &answer), &answer, rets);
}

uint64_t call_partition_cancel(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	return partition_cancel(args[0]);
}

uint64_t call_partition_restart(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	return args[0] > PARTITIONS ? REDOUBT_STATE : partition_restart((unsigned)args[0]);
}

uint64_t call_partition_info(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	unsigned id = args[0] <= PARTITIONS ? (unsigned)args[0] : 0;
	uint64_t item = args[1];
	enum partition_state state = partition_state(id);
	const struct bootinfo_partition *origin;

	if (item >= REDOUBT_INFO_ITEMS)
		return call_error(REDOUBT_INVALID, 2);
	if (state < PARTITION_READY || !partition_origin(id))
		return REDOUBT_STATE;
	origin = partition_origin(id);
	if (item == REDOUBT_INFO_SUMMARY) {
		rets[0] = state;
		rets[1] = origin->svn | (uint64_t)origin->flags << 32;
		rets[2] = partition_served(id);
		rets[3] = 0;
		return REDOUBT_OK;
	}
	memcpy(rets,
	    item == REDOUBT_INFO_ID		   ? (const void *)origin->id
		: item == REDOUBT_INFO_MEASUREMENT ? origin->measurement
						   : origin->signer,
	    CALL_REGS * sizeof(*rets));
	return REDOUBT_OK;
}

uint64_t call_next_request(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	partition_park(args);
	return REDOUBT_OK;
}

uint64_t call_log_write(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	uint64_t offset = args[0] % FRAME_SIZE;
	char line[LINE_MAX + 1];
	struct guest_frame from;

	if (args[1] == 0 || args[1] > LINE_MAX)
		return call_error(REDOUBT_INVALID, 2);
	if (!range_within(offset, args[1], FRAME_SIZE) ||
	    !guest_claim_in(partition_running(), (gpa_t){ args[0] - offset }, &from))
		return call_error(REDOUBT_RANGE, 1);
	guest_copy_in(&from, offset, line, args[1]);
	guest_release(&from);
	for (unsigned i = 0; i < args[1]; i++)
		if (line[i] < ' ' || line[i] > '~')
			line[i] = '?';
	line[args[1]] = 0;
	klog(LOG_INFO, "partition %u: %s", partition_running(), line);
	return REDOUBT_OK;
}

uint64_t call_partition_exit(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	partition_give_up(args[0]);
	return REDOUBT_OK;
}
