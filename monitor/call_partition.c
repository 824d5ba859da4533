/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The calls about partitions, and those that partitions make.
 */
#include "monitor/call.h"
#include "monitor/guest_mem.h"
#include "monitor/lib/string.h"
#include "monitor/partition.h"

#define LINE_MAX 256u /* bytes of log_write */

static uint64_t answered(enum redoubt_status status, const struct partition_answer *answer,
    uint64_t rets[CALL_REGS])
{
	if (status != REDOUBT_OK)
		return status;
	memcpy(rets, answer->words, sizeof(answer->words));
	if (answer->suspended)
		rets[0] = REDOUBT_SUSPENDED;
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
	unsigned id = args[0] == 0  ? partition_running()
	    : args[0] <= PARTITIONS ? (unsigned)args[0]
				    : 0;
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

uint64_t call_next_request(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	partition_park(args);
	return REDOUBT_OK;
}

uint64_t call_log_write(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	char line[LINE_MAX + 1] = { 0 };

	if (args[1] == 0 || args[1] > LINE_MAX)
		return call_error(REDOUBT_INVALID, 2);
	if (!guest_read_in(partition_running(), (gpa_t){ args[0] }, line, args[1]))
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
