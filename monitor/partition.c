/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Secure partitions (partition.h).
 */
#include "monitor/partition.h"

#include <stdatomic.h>

#include "arch/cpu.h"
#include "arch/frame.h"
#include "arch/upcall.h"
#include "arch/vp.h"
#include "monitor/abi/audit.h"
#include "monitor/abi/image.h"
#include "monitor/call.h"
#include "monitor/guest_mem.h"
#include "monitor/lib/string.h"
#include "monitor/protect.h"
#include "monitor/share.h"

#define TOKEN_SHIFT 8u
#define TURN_MASK   0xffffffu

/* Whoever moves it to BUSY has the VP, and all of struct partition but map and state, to himself. */
enum vp_state { VP_IDLE, VP_BUSY, VP_SUSPENDED, VP_CANCELLED };

struct partition {
	_Atomic enum partition_state state; /* changed under the map's lock */
	struct stage2 map;		    /* this too */
	const struct bootinfo_partition *origin;
	struct vp *vp;
	_Atomic uint32_t vp_state;
	uint32_t turn; /* of the token; one for each request */
	bool fresh;    /* the VP is to be put into its start state */
	bool parked;   /* it stands in next_request */
	bool pending;  /* `words` are a request to be handed to it */
	bool gave_up;
	uint64_t used; /* cycles of this request */
	uint64_t served;
	uint64_t words[CALL_REGS]; /* request, or answer */
};

static struct {
	struct stage2_pool pool;
	struct partition list[PARTITIONS];
	uint8_t running[BOOTINFO_MAX_CPUS]; /* what each CPU runs */
} partitions;

static struct spinlock *map_lock(void)
{
	return monitor_normal_stage2()->lock;
}

static struct partition *of(unsigned id)
{
	CHECK(id != 0 && id <= PARTITIONS);
	return &partitions.list[id - 1];
}

enum partition_state partition_state(unsigned id)
{
	return id != 0 && id <= PARTITIONS ? of(id)->state : PARTITION_FREE;
}

struct stage2 *partition_map(unsigned id)
{
	return &of(id)->map;
}

const struct bootinfo_partition *partition_origin(unsigned id)
{
	return of(id)->origin;
}

uint64_t partition_served(unsigned id)
{
	return of(id)->served;
}

unsigned partition_running(void)
{
	return partitions.running[cpu_index()];
}

/* ---- States ---- */

/* Changes the state of the first one, of `id` if it is not 0, that is in the state expected. */
static unsigned change(unsigned id, enum partition_state from, enum partition_state to)
{
	unsigned found = 0;

	spin_lock(map_lock());
	for (unsigned i = 1; i <= PARTITIONS && found == 0; i++)
		if ((id == 0 || id == i) && partition_state(i) == from)
			found = i;
	if (found != 0)
		of(found)->state = to;
	spin_unlock(map_lock());
	return found;
}

unsigned partition_create(void)
{
	return change(0, PARTITION_FREE, PARTITION_BUILDING);
}

void partition_kill(unsigned id)
{
	change(id, PARTITION_BUILDING, PARTITION_DEAD);
}

bool partition_bury(unsigned id)
{
	if (partition_state(id) != PARTITION_DEAD || of(id)->origin || share_take_apart(id))
		return false;
	return change(id, PARTITION_DEAD, PARTITION_FREE) != 0;
}

/* ---- Those that the loader has placed ---- */

static bool give(unsigned id, enum share_kind kind, unsigned prot, gpa_t at,
    struct frame_set frames)
{
	uint64_t handle;

	for (uint64_t pages; frames.count != 0; frames.count -= pages) {
		struct share_place place = { id, at, prot };

		pages = frames.count < PASS_MAX ? frames.count : PASS_MAX;
		if (share_make(kind, &place, &(struct frame_set){ NULL, frames.base, pages },
			&handle) != REDOUBT_OK)
			return false;
		at.v += pages * FRAME_SIZE;
		frames.base += pages * FRAME_SIZE;
	}
	return true;
}

/* Judged when nobody else reaches it any more (I3). */
static bool is_as_measured(const struct bootinfo_partition *from)
{
	uint64_t pages = 1ull + from->text_pages + from->rodata_pages;
	uint8_t digest[SHA256_BYTES];

	guest_measure(&(struct frame_set){ NULL, from->image_base, pages }, digest);
	return memcmp(digest, from->measurement, sizeof(digest)) == 0;
}

static bool place(const struct bootinfo_partition *from)
{
	unsigned id = partition_create();
	uint64_t text = from->image_base + FRAME_SIZE;
	uint64_t rodata = text + (uint64_t)from->text_pages * FRAME_SIZE;
	uint64_t shift = TRUSTLET_IMAGE_BASE - from->image_base;

	if (id == 0 ||
	    !give(id, SHARE_LEND, S2_R, (gpa_t){ TRUSTLET_IMAGE_BASE },
		(struct frame_set){ NULL, from->image_base, 1 }) ||
	    !give(id, SHARE_LEND, S2_R | S2_X, (gpa_t){ text + shift },
		(struct frame_set){ NULL, text, from->text_pages }) ||
	    !give(id, SHARE_LEND, S2_R, (gpa_t){ rodata + shift },
		(struct frame_set){ NULL, rodata, from->rodata_pages }) ||
	    !give(id, SHARE_DONATE, S2_R | S2_W, (gpa_t){ TRUSTLET_DATA_BASE },
		(struct frame_set){ NULL, from->data_base, from->data_pages }) ||
	    !is_as_measured(from))
		return false;
	of(id)->origin = from;
	of(id)->fresh = true;
	klog(LOG_INFO, "partition %u: %s, SVN %u", id, from->id, from->svn);
	return change(id, PARTITION_BUILDING, PARTITION_READY) != 0;
}

bool partition_init(const struct bootinfo *info)
{
	void *tables = region_alloc(MONITOR_PARTITION_TABLES);
	uint8_t *vps = region_alloc(PARTITIONS * vp_pages());

	if (!tables || !vps)
		return false;
	share_init();
	stage2_pool_init(&partitions.pool, tables, MONITOR_PARTITION_TABLES);
	for (unsigned i = 0; i < PARTITIONS; i++) {
		partitions.list[i] = (struct partition){ .vp = (struct vp *)(void *)vps };
		CHECK(stage2_init(&partitions.list[i].map, &partitions.pool, map_lock()));
		vps += vp_pages() * FRAME_SIZE;
	}
	for (unsigned i = 0; i < BOOTINFO_PARTITIONS; i++)
		if (info->partitions[i].image_base != 0 && !place(&info->partitions[i]))
			return false;
	return true;
}

/* ---- Running ---- */

void partition_park(const uint64_t words[CALL_REGS])
{
	struct partition *p = of(partition_running());

	p->parked = true;
	/* What it parks with at its start, or after a request that was cancelled, is no answer. */
	if (!p->pending)
		memcpy(p->words, words, sizeof(p->words));
}

void partition_give_up(uint64_t reason)
{
	struct partition *p = of(partition_running());

	klog(LOG_WARN, "partition %u: exit %lx", partition_running(), (unsigned long)reason);
	p->gave_up = true;
}

/* Puts the VP into its start state, or hands it the request it waits for. */
static void prepare(unsigned id)
{
	struct partition *p = of(id);

	if (p->fresh) {
		vp_reset(p->vp,
		    &(struct vp_start){ .map = &p->map,
			.partition = id,
			.entry = TRUSTLET_IMAGE_BASE + FRAME_SIZE,
			.ebx = TRUSTLET_DATA_BASE | vp_start_bits(),
			.esi = p->origin->data_pages });
		p->fresh = false;
		p->parked = false;
	} else if (p->parked && p->pending) {
		struct call *call = vp_call(p->vp);

		call->rax = REDOUBT_OK;
		memcpy(call->regs, p->words, sizeof(call->regs));
		p->parked = false;
		p->pending = false;
	}
}

/* Runs the VP until it stops for something that the monitor does not answer by itself. */
static struct vp_exit run(unsigned id)
{
	struct partition *p = of(id);
	struct vp_exit exit;

	do {
		uint64_t start = cpu_cycles();

		prepare(id);
		exit = vp_run(p->vp, REQUEST_CYCLES - p->used);
		if (exit.stop == VP_CALLED)
			monitor_partition_call(vp_call(p->vp));
		if (p->parked && !p->pending)
			return exit;
		p->used += cpu_cycles() - start;
		if (p->used >= REQUEST_CYCLES)
			exit.stop = VP_EXPIRED;
	} while (exit.stop == VP_CALLED && !p->gave_up);
	return exit;
}

static enum redoubt_status die(unsigned id, const struct vp_exit *exit)
{
	klog(LOG_WARN, "partition %u died: stop %u, exit %x at %lx, %lx", id, exit->stop,
	    exit->reason, (unsigned long)exit->rip, (unsigned long)exit->fact);
	audit(REDOUBT_AUDIT_PARTITION_DEATH, id, (uint64_t)exit->stop << 32 | exit->reason);
	change(id, PARTITION_READY, PARTITION_DEAD);
	atomic_store(&of(id)->vp_state, VP_IDLE);
	return REDOUBT_DEAD;
}

/* Goes on with a VP that is taken. */
static enum redoubt_status go_on(unsigned id, struct partition_answer *answer)
{
	struct partition *p = of(id);
	struct vp_exit exit;

	partitions.running[cpu_index()] = (uint8_t)id;
	exit = run(id);
	partitions.running[cpu_index()] = 0;
	*answer = (struct partition_answer){ 0 };
	if (exit.stop == VP_INTERRUPTED) {
		answer->token = p->turn << TOKEN_SHIFT | id;
		atomic_store(&p->vp_state, VP_SUSPENDED);
		return REDOUBT_OK;
	}
	if (!p->parked)
		return die(id, &exit);
	memcpy(answer->words, p->words, sizeof(answer->words));
	answer->words[0] &= UINT32_MAX;
	p->served++;
	atomic_store(&p->vp_state, VP_IDLE);
	return REDOUBT_OK;
}

static bool take(unsigned id, uint32_t from)
{
	return atomic_compare_exchange_strong(&of(id)->vp_state, &from, VP_BUSY);
}

enum redoubt_status partition_request(unsigned id, const uint64_t words[CALL_REGS],
    struct partition_answer *answer)
{
	struct partition *p;

	if (partition_state(id) < PARTITION_READY)
		return REDOUBT_STATE;
	p = of(id);
	if (!take(id, VP_IDLE) && !take(id, VP_CANCELLED))
		return partition_state(id) == PARTITION_DEAD ? REDOUBT_DEAD : REDOUBT_BUSY;
	/* Nobody else ends it from here on. */
	if (partition_state(id) != PARTITION_READY) {
		atomic_store(&p->vp_state, VP_IDLE);
		return REDOUBT_DEAD;
	}
	memcpy(p->words, words, sizeof(p->words));
	p->turn = (p->turn + 1) & TURN_MASK;
	p->used = 0;
	p->pending = true;
	return go_on(id, answer);
}

/* The partition whose suspended request a token names, taken; 0: none. */
static unsigned take_suspended(uint64_t token)
{
	unsigned id = token & ((1u << TOKEN_SHIFT) - 1);

	if (id == 0 || id > PARTITIONS || !take(id, VP_SUSPENDED))
		return 0;
	if (of(id)->turn == token >> TOKEN_SHIFT)
		return id;
	atomic_store(&of(id)->vp_state, VP_SUSPENDED);
	return 0;
}

enum redoubt_status partition_resume(uint64_t token, struct partition_answer *answer)
{
	unsigned id = take_suspended(token);

	return id == 0 ? REDOUBT_STATE : go_on(id, answer);
}

enum redoubt_status partition_cancel(uint64_t token)
{
	unsigned id = take_suspended(token);

	if (id == 0)
		return REDOUBT_STATE;
	atomic_store(&of(id)->vp_state, VP_CANCELLED);
	return REDOUBT_OK;
}

enum redoubt_status partition_restart(unsigned id)
{
	struct partition *p;

	if (partition_state(id) != PARTITION_DEAD)
		return REDOUBT_STATE;
	p = of(id);
	if (!p->origin || !take(id, VP_IDLE))
		return REDOUBT_STATE;
	/* Another may have been quicker. */
	if (partition_state(id) == PARTITION_DEAD) {
		share_renew(id);
		p->fresh = true;
		p->gave_up = false;
		change(id, PARTITION_DEAD, PARTITION_READY);
	}
	atomic_store(&p->vp_state, VP_IDLE);
	return REDOUBT_OK;
}
