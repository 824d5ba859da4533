// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause-Patent
/* Partitions: what they are, requests to them, starting one anew. */
#include <linux/build_bug.h>
#include <linux/delay.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "args.h"
#include "driver.h"

/* Longest pause between two attempts at a partition that has no free VP. */
#define PAUSE_MS 16u

static_assert(REDOUBT_STATE_READY == (int)REDOUBT_PARTITION_READY &&
	      REDOUBT_STATE_CRASHED == (int)REDOUBT_PARTITION_CRASHED);

/* Of the memory that partition_info counts. */
#define PAGE_BYTES 4096

static u64 info_words(u32 number, enum redoubt_info item, void *to)
{
	struct redoubt_partition_info info;
	u64 rax = redoubt_partition_info(number, item, &info);

	memcpy(to, &info, 32);
	return rax;
}

int redoubt_ioc_partition(struct redoubt_ioc_partition *arg)
{
	int error = redoubt_check_partition(arg);
	u64 summary[4];
	u64 rax;

	if (error)
		return error;
	rax = info_words(arg->number, REDOUBT_INFO_SUMMARY, summary);
	if (!rax)
		rax = info_words(arg->number, REDOUBT_INFO_ID, arg->id);
	if (!rax)
		rax = info_words(arg->number, REDOUBT_INFO_MEASUREMENT, arg->measurement);
	if (!rax)
		rax = info_words(arg->number, REDOUBT_INFO_SIGNER, arg->signer);
	if (redoubt_status(rax) == REDOUBT_STATE)
		return -ENOENT;
	if (rax)
		return redoubt_error(rax);
	arg->state = summary[0];
	arg->svn = summary[1];
	arg->flags = summary[1] >> 32;
	arg->served = summary[2];
	arg->memory = summary[3] * PAGE_BYTES;
	return 0;
}

/*
 * Makes the request and carries it to its end: it is suspended when an interrupt
 * of ours comes in between. A token that is no longer good means that the monitor
 * has taken the partition from us: it was restarted, or we let it wait too long.
 */
static int request_once(const struct redoubt_ioc_request *arg,
			struct redoubt_partition_call *answer)
{
	u64 target = arg->partition | (u64)arg->number << 32;
	struct redoubt_partition_resume more;
	u64 rax;

	rax = redoubt_partition_call(target, arg->words[0], arg->words[1], arg->words[2], answer);
	while (!rax && answer->state & REDOUBT_SUSPENDED) {
		if (fatal_signal_pending(current)) {
			redoubt_partition_cancel(answer->first);
			return -EINTR;
		}
		cond_resched();
		rax = redoubt_partition_resume(answer->first, &more);
		if (redoubt_status(rax) == REDOUBT_STATE)
			return -ECANCELED;
		*answer = (struct redoubt_partition_call){ more.state, more.first, more.second,
							   more.third };
	}
	return redoubt_error(rax);
}

int redoubt_ioc_request(struct redoubt_ioc_request *arg)
{
	struct redoubt_partition_call answer;
	u32 left = arg->wait_ms;
	u32 pause = 1;
	int error = redoubt_check_request(arg);

	if (error)
		return error;
	error = request_once(arg, &answer);
	while (error == -EBUSY && left) {
		pause = min(pause, left);
		if (msleep_interruptible(pause))
			return -EINTR;
		left -= pause;
		pause = min(2 * pause, PAUSE_MS);
		error = request_once(arg, &answer);
	}
	if (error)
		return error;
	arg->status = answer.state;
	arg->words[0] = answer.first;
	arg->words[1] = answer.second;
	arg->words[2] = answer.third;
	return 0;
}

int redoubt_ioc_restart(const struct redoubt_ioc_restart *arg)
{
	int error = redoubt_check_restart(arg);

	return error ?: redoubt_error(redoubt_partition_restart(arg->partition));
}
