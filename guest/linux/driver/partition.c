// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause-Patent
/* Partitions: what they are, requests to them, starting one anew. */
#include <linux/build_bug.h>
#include <linux/delay.h>
#include <linux/preempt.h>
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

int redoubt_partition_named(const char *id)
{
	char found[32];
	u32 number;
	u64 rax;

	for (number = 1; number <= REDOUBT_PARTITION_MAX; number++) {
		rax = info_words(number, REDOUBT_INFO_ID, found);
		if (!rax && !strncmp(found, id, sizeof(found)))
			return number;
		if (rax && redoubt_status(rax) != REDOUBT_STATE)
			return redoubt_error(rax);
	}
	return -ENOENT;
}

/* Between suspension and resumption; not 0 ends the request. */
static int let_others_run(u64 token)
{
	if (fatal_signal_pending(current)) {
		redoubt_partition_cancel(token);
		return -EINTR;
	}
	cond_resched();
	return 0;
}

/*
 * Makes the request and carries it to its end: it is suspended when an interrupt
 * of ours comes in between. A token that is no longer good means that the monitor
 * has taken the partition from us: it was restarted, or we let it wait too long.
 */
static int carry_through(const struct redoubt_ioc_request *arg, bool whole,
			 struct redoubt_partition_call *answer)
{
	u64 target = arg->partition | (u64)arg->number << 32;
	struct redoubt_partition_resume more;
	u64 rax;

	rax = redoubt_partition_call(target, arg->words[0], arg->words[1], arg->words[2], answer);
	while (!rax && answer->state & REDOUBT_SUSPENDED) {
		int error = whole ? 0 : let_others_run(answer->first);

		if (error)
			return error;
		rax = redoubt_partition_resume(answer->first, &more);
		if (redoubt_status(rax) == REDOUBT_STATE)
			return -ECANCELED;
		*answer = (struct redoubt_partition_call){ more.state, more.first, more.second,
							   more.third };
	}
	return redoubt_error(rax);
}

/* Interrupts stay on: one that is pending suspends the request, and is taken before it resumes. */
static int request_once(const struct redoubt_ioc_request *arg, unsigned int how,
			struct redoubt_partition_call *answer)
{
	int error;

	if (!(how & REDOUBT_WHOLE))
		return carry_through(arg, false, answer);
	preempt_disable();
	error = carry_through(arg, true, answer);
	preempt_enable();
	return error;
}

/* Not 0: a signal. */
static unsigned long nap(u32 milliseconds, unsigned int how)
{
	if (!(how & REDOUBT_DEAF))
		return msleep_interruptible(milliseconds);
	msleep(milliseconds);
	return 0;
}

int redoubt_request(struct redoubt_ioc_request *arg, unsigned int how)
{
	struct redoubt_partition_call answer;
	u32 left = arg->wait_ms;
	u32 pause = 1;
	int error = request_once(arg, how, &answer);

	while (error == -EBUSY && left) {
		pause = min(pause, left);
		if (nap(pause, how))
			return -EINTR;
		left -= pause;
		pause = min(2 * pause, PAUSE_MS);
		error = request_once(arg, how, &answer);
	}
	if (error)
		return error;
	arg->status = answer.state;
	arg->words[0] = answer.first;
	arg->words[1] = answer.second;
	arg->words[2] = answer.third;
	return 0;
}

int redoubt_ioc_request(struct redoubt_ioc_request *arg)
{
	int error = redoubt_check_request(arg);

	return error ?: redoubt_request(arg, 0);
}

int redoubt_ioc_restart(const struct redoubt_ioc_restart *arg)
{
	int error = redoubt_check_restart(arg);

	return error ?: redoubt_error(redoubt_partition_restart(arg->partition));
}
