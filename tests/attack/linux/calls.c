// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause-Patent
/* Calls to the monitor, with tokens that are none and memory that is given twice. */
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/string.h>
#include <asm/processor.h>

#include "hostile.h"

#define MANY	1000000u

static bool by_vmmcall;

void hostile_calls_init(void)
{
	by_vmmcall = boot_cpu_data.x86_vendor != X86_VENDOR_INTEL;
}

void hostile_call(struct call *call)
{
	register u64 r8 asm("r8") = call->regs[2];
	register u64 r9 asm("r9") = call->regs[3];

	if (by_vmmcall)
		asm volatile("vmmcall"
			     : "+a"(call->rax), "+c"(call->regs[0]), "+d"(call->regs[1]), "+r"(r8),
			       "+r"(r9) : : "memory");
	else
		asm volatile("vmcall"
			     : "+a"(call->rax), "+c"(call->regs[0]), "+d"(call->regs[1]), "+r"(r8),
			       "+r"(r9) : : "memory");
	call->regs[2] = r8;
	call->regs[3] = r9;
}

u64 hostile_do(u64 id, u64 a, u64 b, u64 c, u64 d)
{
	struct call call = { id, { a, b, c, d } };

	hostile_call(&call);
	return call.rax & 0xffff;
}

/* The call is suspended, and made anew where the partition is busy, as an interrupt comes. */
static bool finish(struct call *call)
{
	for (u32 i = 0; i < MANY; i++) {
		if (call->rax != REDOUBT_OK)
			return false;
		if (call->regs[0] != REDOUBT_SUSPENDED)
			return (u32)call->regs[0] == REDOUBT_OK;
		*call = (struct call){ REDOUBT_CALL_partition_resume, { call->regs[1] } };
		hostile_call(call);
	}
	return false;
}

bool hostile_request(u32 partition, u32 number, u64 a, u64 b, u64 words[3])
{
	struct call call = { REDOUBT_CALL_partition_call, { partition | (u64)number << 32, a, b } };
	bool good;

	hostile_call(&call);
	good = finish(&call);
	memcpy(words, &call.regs[1], 3 * sizeof(words[0]));
	return good;
}

u64 hostile_create(u64 *partition)
{
	struct call call = { REDOUBT_CALL_partition_create };

	hostile_call(&call);
	*partition = call.regs[0];
	return call.rax & 0xffff;
}

u64 hostile_give(u64 partition, u64 what, u64 *list, u64 count, u64 page)
{
	return hostile_do(REDOUBT_CALL_partition_give, partition | what << 32, virt_to_phys(list),
			  count, page);
}

u64 hostile_end(u64 partition)
{
	u64 status;

	do {
		status = hostile_do(REDOUBT_CALL_partition_end, partition, 0, 0, 0);
	} while (status == REDOUBT_BUSY);
	return status;
}

/* ---- Forged tokens ---- */

/* A request that is suspended: by the timer, some time. */
static u64 pending_token(void)
{
	for (u32 i = 0; i < MANY; i++) {
		struct call call = { REDOUBT_CALL_partition_call,
				     { PROBE | (u64)HEAP_WORK << 32, 20000, 1 } };

		hostile_call(&call);
		if (call.rax == REDOUBT_OK && call.regs[0] == REDOUBT_SUSPENDED)
			return call.regs[1];
	}
	return 0;
}

void hostile_tokens(void)
{
	u64 token = pending_token();
	struct call real = { REDOUBT_CALL_partition_resume, { token } };
	unsigned int taken = 0;

	for (unsigned int bit = 0; bit < 64; bit++) {
		taken += hostile_do(REDOUBT_CALL_partition_cancel, token ^ 1ull << bit, 0, 0, 0) !=
			 REDOUBT_STATE;
		taken += hostile_do(REDOUBT_CALL_partition_resume, token ^ 1ull << bit, 0, 0, 0) !=
			 REDOUBT_STATE;
	}
	for (u64 guess = 0; guess < 4096; guess++)
		if (guess != token)
			taken += hostile_do(REDOUBT_CALL_partition_cancel, guess, 0, 0, 0) !=
				 REDOUBT_STATE;
	hostile_point(token && !taken,
		      "T40 Linux: forged tokens are none while a request is pending");
	hostile_call(&real);
	hostile_point(finish(&real), "T40 Linux: the pending request is answered all the same");
	hostile_point(hostile_do(REDOUBT_CALL_partition_resume, token, 0, 0, 0) == REDOUBT_STATE,
		      "T40 Linux: its token is used up");
}

/* ---- Memory given twice ---- */

static u64 *one_page(void)
{
	return (u64 *)get_zeroed_page(GFP_KERNEL);
}

static void give_twice(u64 partition, u64 *list, u64 *page)
{
	u64 at = virt_to_phys(page);

	list[0] = at;
	list[1] = at;
	hostile_point(hostile_give(partition, REDOUBT_GIVE_DATA, list, 2, 0) == REDOUBT_RANGE,
		      "T39 Linux: a frame twice in one list is refused");
	hostile_point(hostile_give(partition, REDOUBT_GIVE_SHARED, list, 1, 0) == REDOUBT_OK &&
		      hostile_give(partition, REDOUBT_GIVE_SHARED, list, 1, 8) == REDOUBT_RANGE,
		      "T39 Linux: kernel memory is shared once");
	hostile_point(hostile_give(partition, REDOUBT_GIVE_DATA, list, 1, 0) == REDOUBT_RANGE &&
		      *page == MARK,
		      "T39 Linux: what is shared is not donated, and stays as it is");
	for (unsigned int i = 0; i < ARRAY_SIZE(hostile_frames); i++) {
		list[0] = hostile_frames[i].base;
		hostile_point(hostile_give(partition, REDOUBT_GIVE_DATA, list, 1, 0) ==
			      REDOUBT_RANGE, "T38 Linux: %s is not the kernel's to give",
			      hostile_frames[i].what);
	}
	hostile_point(hostile_give(partition, REDOUBT_GIVE_DATA,
				   phys_to_virt(hostile_frames[HOSTILE_MEMORY].base), 1, 0) ==
		      REDOUBT_RANGE, "T38 Linux: a list in a partition's memory is refused");
}

void hostile_twice(void)
{
	u64 *list = one_page(), *page = one_page(), *donated = one_page(), partition = 0;

	if (!list || !page || !donated || hostile_create(&partition) != REDOUBT_OK) {
		hostile_point(false, "no memory, or no partition");
		return;
	}
	*page = MARK;
	give_twice(partition, list, page);
	*donated = MARK;
	list[0] = virt_to_phys(donated);
	hostile_point(hostile_give(partition, REDOUBT_GIVE_DATA, list, 1, 0) == REDOUBT_OK &&
		      READ_ONCE(*donated) == ONES,
		      "T11 Linux: kernel memory that was donated is out of reach");
	hostile_point(hostile_give(partition, REDOUBT_GIVE_DATA, list, 1, 8) == REDOUBT_RANGE,
		      "T39 Linux: it is not donated again");
	hostile_point(hostile_end(partition) == REDOUBT_OK && READ_ONCE(*donated) == 0 &&
		      *page == MARK,
		      "T15 Linux: it comes back zeroed, what was shared as it was");
	free_page((unsigned long)donated);
	free_page((unsigned long)page);
	free_page((unsigned long)list);
}
