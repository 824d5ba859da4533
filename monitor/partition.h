/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Secure partitions: their second-stage maps, their VPs, requests to them, and what state each is
 * in.
 *
 * A partition is a program that serves requests. It asks for one by the call next_request, which
 * answers the one before; between requests its VP stands in that call. A request of the normal
 * world's is carried out on the CPU that makes it. It is suspended when something of the normal
 * world's is pending, and goes on, on any CPU, by its token. One that was cancelled is carried out
 * to its end by whoever asks next, and its answer dropped: a partition is never cut off in the
 * midst of a change to what it keeps.
 */
#ifndef MONITOR_PARTITION_H
#define MONITOR_PARTITION_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/stage2.h"
#include "monitor/abi/bootinfo.h"
#include "monitor/abi/call.h"

/* Ids run from 1. */
#define PARTITIONS 16u

/* Cycles that one request may take, and the start of a partition before the first. */
#define REQUEST_CYCLES (1ull << 36)

/* FREE -> BUILDING -> READY <-> DEAD, BUILDING -> DEAD -> FREE. */
enum partition_state {
	PARTITION_FREE,
	PARTITION_BUILDING, /* is given memory, does not run yet */
	PARTITION_READY,    /* serves requests */
	PARTITION_DEAD	    /* runs no more; may be started anew or buried */
};

/*
 * Makes maps and VPs, and those partitions that the loader has placed; after protect_init(). false:
 * the region is too small, or what the loader placed is not what it said.
 */
bool partition_init(const struct bootinfo *info);

/* Takes a free one, without image. 0: there is none. */
unsigned partition_create(void);

/* Ends one that is BUILDING. Its memory is given back by partition_bury(). */
void partition_kill(unsigned id);

/* Gives back one grant of a dead one; true when there was none left: it is FREE again. */
bool partition_bury(unsigned id);

/*
 * PARTITION_FREE for ids that do not exist. May change at once unless the map's lock is held.
 */
enum partition_state partition_state(unsigned id);

/* The map of one that exists. */
struct stage2 *partition_map(unsigned id);

/* What the loader said of one that it placed; NULL: it did not. */
const struct bootinfo_partition *partition_origin(unsigned id);

/* Requests that one has answered since launch. */
uint64_t partition_served(unsigned id);

/* The partition whose call the running CPU carries out; 0: the normal world's. */
unsigned partition_running(void);

/* What a request came to. */
struct partition_answer {
	uint32_t token;		   /* not 0: it is suspended */
	uint64_t words[CALL_REGS]; /* the answer; the first is 32 bits wide */
};

/*
 * Makes a request, words[0] being its number, and runs the partition until it answers or is
 * suspended. OK; STATE: there is no such partition; BUSY: it serves another request; DEAD: it is
 * dead, or died of this one. Holds no lock; on the slow way only.
 */
enum redoubt_status partition_request(unsigned id, const uint64_t words[CALL_REGS],
    struct partition_answer *answer);

/* Goes on with a suspended request. OK; STATE: the token names none; DEAD. */
enum redoubt_status partition_resume(uint64_t token, struct partition_answer *answer);

/* Gives a suspended request up. OK; STATE: the token names none. */
enum redoubt_status partition_cancel(uint64_t token);

/* Starts a dead one anew that the loader had placed. OK; STATE: it is not dead, or not placed. */
enum redoubt_status partition_restart(unsigned id);

/* next_request() of the running partition: the answer to the request before. */
void partition_park(const uint64_t words[CALL_REGS]);

/* exit() of the running partition. */
void partition_give_up(uint64_t reason);

#endif
