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
 *
 *   FREE -> BUILDING -> JUDGED -> READY <-> CRASHED
 *               |          |        |          |
 *               +----------+--------+----------+--> DEAD -> FREE
 *
 * What the loader placed skips JUDGED, and stays READY or CRASHED. What the normal world offers is
 * given in BUILDING and frozen in JUDGED: the partition `codeint` reads it, checks its signature
 * and says what it is, or the normal world gives it up (I3).
 *
 * The map's lock guards states and maps; the VP, and all that changes while it serves, belongs to
 * whoever has moved the token's state to busy. A state changes from READY only by who has the VP.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/stage2.h"
#include "monitor/abi/bootinfo.h"
#include "monitor/abi/call.h"

/* Ids run from 1. */
#define PARTITIONS 16u

/*
 * Cycles that one request may take, the start of a partition before the first included, and that a
 * suspended one waits at least before it counts as cancelled.
 */
#define REQUEST_CYCLES	  (1ull << 36)
#define SUSPENSION_CYCLES (1ull << 35)

enum partition_state {
	PARTITION_FREE,
	PARTITION_BUILDING, /* is given memory, does not run yet */
	PARTITION_JUDGED,   /* is given nothing any more, may be launched */
	PARTITION_READY,    /* serves requests */
	PARTITION_CRASHED,  /* runs no more; may be started anew */
	PARTITION_DEAD	    /* runs no more; its memory goes back */
};

/*
 * Makes maps and VPs, and those partitions that the loader has placed; after protect_init(). false:
 * the region is too small, or what the loader placed is not what it said.
 */
bool partition_init(const struct bootinfo *info);

/* Takes a free one, without image. 0: there is none. */
unsigned partition_create(void);

/*
 * Ends one: OK, it is DEAD then, or was, and partition_bury() gives back its memory; STATE: there
 * is none, or the loader placed it; BUSY: it runs.
 */
enum redoubt_status partition_kill(uint64_t id);

/*
 * Gives back up to PASS_MAX frames of a dead one. OK: none was left, it is FREE again; BUSY: there
 * may be more; STATE: it is not dead.
 */
enum redoubt_status partition_bury(uint64_t id);

/*
 * PARTITION_FREE for ids that do not exist. May change at once unless the map's lock is held.
 */
enum partition_state partition_state(uint64_t id);

/* The map of one that exists. */
struct stage2 *partition_map(unsigned id);

/* What one that is READY or CRASHED is. */
const struct bootinfo_partition *partition_is(unsigned id);

/* RIGHT_ bits of abi/call.h of one that runs. */
uint32_t partition_rights(unsigned id);

/* From now on it is given no memory. false: it is not being built. */
bool partition_freeze(uint64_t id);

/* The partition whose call the running CPU carries out; 0: the normal world's. */
unsigned partition_running(void);

/* Scrubs what VPs hold, which do not run any more then; the machine is about to end. */
void partition_leave(void);
