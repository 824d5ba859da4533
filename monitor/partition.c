/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Secure partitions (partition.h).
 */
#include "monitor/partition.h"

#include <stdatomic.h>

#include "arch/cpu.h"
#include "arch/frame.h"
#include "arch/test_switch.h"
#include "arch/upcall.h"
#include "arch/vp.h"
#include "monitor/abi/audit.h"
#include "monitor/abi/tpm.h"
#include "monitor/abi/trustlet.h"
#include "monitor/call.h"
#include "monitor/guest_mem.h"
#include "monitor/lib/string.h"
#include "monitor/protect.h"
#include "monitor/share.h"
#include "monitor/tpm.h"

#define CODEINT "codeint" /* the id of the one that judges images */

/* A token: the turn, one for each request, the VP's state, the partition's id. */
#define TOKEN_ID   0xffull
#define TOKEN_VP   0x300ull
#define TOKEN_TURN 0x400ull

/* Idle, too, is one whose request was cancelled. */
enum vp_state { VP_IDLE = 0x000, VP_SUSPENDED = 0x100, VP_BUSY = 0x200 };

struct partition {
	_Atomic enum partition_state state;
	struct stage2 map;
	struct vp *vp;
	_Atomic uint64_t token;
	struct bootinfo_partition is;
	uint32_t rights; /* RIGHT_ of abi/call.h */
	bool placed;
	bool fresh;   /* the VP is to be put into its start state */
	bool parked;  /* it stands in next_request, and nothing is pending */
	bool pending; /* `words` are a request that its next_request gets */
	bool gave_up;
	uint64_t left;	/* cycles for this request */
	uint64_t since; /* when it was suspended */
	uint64_t served;
	uint64_t words[CALL_REGS];
};

static struct {
	struct stage2_pool pool;
	struct partition list[PARTITIONS];
	uint8_t running[BOOTINFO_MAX_CPUS]; /* what each CPU runs */
} partitions;

static struct partition *of(uint64_t id)
{
	CHECK(id != 0 && id <= PARTITIONS);
	return &partitions.list[id - 1];
}

enum partition_state partition_state(uint64_t id)
{
	return id != 0 && id <= PARTITIONS ? of(id)->state : PARTITION_FREE;
}

struct stage2 *partition_map(unsigned id)
{
	return &of(id)->map;
}

const struct bootinfo_partition *partition_is(unsigned id)
{
	return &of(id)->is;
}

unsigned partition_running(void)
{
	return partitions.running[cpu_index()];
}

/* ---- The VP's owner ---- */

/* Takes the VP if the token is as expected. */
static bool take(struct partition *p, uint64_t token, uint64_t turns)
{
	return atomic_compare_exchange_strong(&p->token, &token,
	    (token & ~TOKEN_VP) + turns + VP_BUSY);
}

/* Takes one that does not run. */
static bool take_stopped(struct partition *p)
{
	uint64_t token = atomic_load(&p->token);

	return (token & TOKEN_VP) != VP_BUSY && take(p, token, 0);
}

/*
 * Takes one that serves no request, or one for whose token nobody came in time. This CPU's clock
 * may be behind that of the one that suspended it.
 */
static bool take_free(struct partition *p, uint64_t turns)
{
	uint64_t token = atomic_load(&p->token);
	enum vp_state state = (enum vp_state)(token & TOKEN_VP);

	return (state == VP_IDLE ||
		   (state == VP_SUSPENDED && cpu_cycles() > p->since + SUSPENSION_CYCLES)) &&
	    take(p, token, turns);
}

static void put(struct partition *p, enum vp_state state)
{
	atomic_store(&p->token, (atomic_load(&p->token) & ~TOKEN_VP) + state);
}

/* The partition whose suspended request a token names, taken; NULL: none. */
static struct partition *take_suspended(uint64_t token)
{
	uint64_t id = token & TOKEN_ID;

	if ((token & TOKEN_VP) != VP_SUSPENDED || id == 0 || id > PARTITIONS ||
	    !take(of(id), token, 0))
		return NULL;
	return of(id);
}

/* ---- States ---- */

static bool change(uint64_t id, enum partition_state from, enum partition_state to)
{
	bool done;

	spin_lock(map_lock());
	done = partition_state(id) == from;
	if (done)
		of(id)->state = to;
	spin_unlock(map_lock());
	return done;
}

unsigned partition_create(void)
{
	for (unsigned id = 1; id <= PARTITIONS; id++)
		if (change(id, PARTITION_FREE, PARTITION_BUILDING))
			return id;
	return 0;
}

enum redoubt_status partition_kill(uint64_t id)
{
	if (partition_state(id) == PARTITION_FREE || of(id)->placed)
		return REDOUBT_STATE;
	if (!take_stopped(of(id)))
		return REDOUBT_BUSY;
	for (unsigned from = PARTITION_BUILDING; from < PARTITION_DEAD; from++)
		change(id, (enum partition_state)from, PARTITION_DEAD);
	put(of(id), VP_IDLE);
	return REDOUBT_OK;
}

/* One hold of the lock, so that nobody else buries it meanwhile and takes it anew. */
enum redoubt_status partition_bury(uint64_t id)
{
	enum redoubt_status status = REDOUBT_STATE;

	spin_lock(map_lock());
	if (partition_state(id) == PARTITION_DEAD)
		status = share_take_apart((unsigned)id) ? REDOUBT_OK : REDOUBT_BUSY;
	if (status == REDOUBT_OK)
		of(id)->state = PARTITION_FREE;
	spin_unlock(map_lock());
	return status;
}

/* ---- Those that the loader has placed ---- */

static bool give(struct guest_place place, struct frame_set frames)
{
	for (uint64_t pages; frames.count != 0; frames.count -= pages) {
		pages = frames.count < PASS_MAX ? frames.count : PASS_MAX;
		if (share_make(&place, &(struct frame_set){ NULL, frames.base, pages }) !=
		    REDOUBT_OK)
			return false;
		place.at.v += pages * FRAME_SIZE;
		frames.base += pages * FRAME_SIZE;
	}
	return true;
}

static uint64_t image_pages(const struct bootinfo_partition *is)
{
	return 1ull + is->text_pages + is->rodata_pages;
}

/* Judged when nobody else reaches it any more (I3). */
static bool is_as_measured(const struct bootinfo_partition *is)
{
	uint8_t digest[SHA256_BYTES];

	guest_measure(&(struct frame_set){ NULL, is->image_base, image_pages(is) }, digest);
	return memcmp(digest, is->measurement, sizeof(digest)) == 0;
}

/* Whether there are as many pages of text as it is said to have. The map's lock is held. */
static bool has_text(const struct stage2 *map, const struct bootinfo_partition *is)
{
	uint64_t at = TRUSTLET_IMAGE_BASE;

	for (uint32_t i = 0; i <= is->text_pages; i++, at += FRAME_SIZE)
		if (at >= TRUSTLET_DATA_BASE || !stage2_lookup(map, (gpa_t){ at }).present)
			return false;
	return true;
}

/* What was judged gets its rights, and runs at the first request. */
static bool make_ready(unsigned id, enum partition_state from, const struct bootinfo_partition *is)
{
	struct partition *p = of(id);
	bool done;

	spin_lock(map_lock());
	done = p->state == from && has_text(&p->map, is);
	if (done) {
		p->is = *is;
		p->fresh = true;
		p->gave_up = false;
		p->served = 0;
		stage2_protect(&p->map, (gpa_t){ TRUSTLET_IMAGE_BASE + FRAME_SIZE }, is->text_pages,
		    S2_R | S2_X);
		p->state = PARTITION_READY;
	}
	spin_unlock(map_lock());
	if (done)
		klog(LOG_INFO, "partition %u: %s, SVN %u, image at %lx, memory at %lx", id, is->id,
		    is->svn, (unsigned long)is->image_base, (unsigned long)is->data_base);
	return done;
}

static bool place(const struct bootinfo_partition *is)
{
	unsigned id = partition_create();
	struct guest_place image = { { FRAME_LENT, id }, { TRUSTLET_IMAGE_BASE } };
	struct guest_place data = { { FRAME_PARTITION, id }, { TRUSTLET_DATA_BASE } };

	if (!give(image, (struct frame_set){ NULL, is->image_base, image_pages(is) }) ||
	    !give(data, (struct frame_set){ NULL, is->data_base, is->data_pages }) ||
	    !is_as_measured(is))
		return false;
	of(id)->placed = true;
	if (memcmp(is->id, TPM_ID, sizeof(TPM_ID)) == 0 && !tpm_show(id, is))
		return false;
	if (memcmp(is->id, CODEINT, sizeof(CODEINT)) == 0)
		of(id)->rights |= RIGHT_CODEINT;
	return make_ready(id, PARTITION_BUILDING, is);
}

bool partition_init(const struct bootinfo *info)
{
	void *tables = region_reserve(MONITOR_PARTITION_TABLES);
	uint8_t *vps = region_alloc(PARTITIONS * vp_pages());

	if (!tables || !vps)
		return false;
	stage2_pool_init(&partitions.pool, tables, MONITOR_PARTITION_TABLES);
	for (unsigned i = 0; i < PARTITIONS; i++) {
		partitions.list[i] = (struct partition){ .vp = (struct vp *)(void *)vps,
			.token = i + 1,
			.rights = RIGHT_PARTITION };
		CHECK(stage2_init(&partitions.list[i].map, &partitions.pool, map_lock()));
		vps += vp_pages() * FRAME_SIZE;
	}
	for (unsigned i = 0; i < BOOTINFO_PARTITIONS; i++)
		if (info->partitions[i].image_base != 0 && !place(&info->partitions[i]))
			return false;
	return true;
}

/* ---- Those that the normal world offers ---- */

uint32_t partition_rights(unsigned id)
{
	return of(id)->rights;
}

bool partition_freeze(uint64_t id)
{
	return change(id, PARTITION_BUILDING, PARTITION_JUDGED) ||
	    partition_state(id) == PARTITION_JUDGED;
}

uint64_t call_partition_launch(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	struct guest_place place = call_place(args[1]);
	struct bootinfo_partition is;

	if (!guest_read_in(&place, &is, sizeof(is)) || is.id[sizeof(is.id) - 1] != 0)
		return call_error(REDOUBT_RANGE, 2);
	return partition_state(args[0]) == PARTITION_JUDGED &&
		make_ready((unsigned)args[0], PARTITION_JUDGED, &is)
	    ? REDOUBT_OK
	    : REDOUBT_STATE;
}

uint64_t call_partition_info(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	uint64_t id = args[0] == 0 ? partition_running() : args[0];
	uint64_t item = args[1];
	enum partition_state state = partition_state(id);
	const struct bootinfo_partition *is;

	if (item >= REDOUBT_INFO_ITEMS)
		return call_error(REDOUBT_INVALID, 2);
	if (state != PARTITION_READY && state != PARTITION_CRASHED)
		return REDOUBT_STATE;
	is = &of(id)->is;
	if (item != REDOUBT_INFO_SUMMARY) {
		memcpy(rets, is->items[item - 1], sizeof(is->items[0]));
		return REDOUBT_OK;
	}
	rets[0] = state | (uint64_t)REDOUBT_SVN << 32;
	rets[1] = is->svn | (uint64_t)is->flags << 32;
	rets[2] = of(id)->served;
	rets[3] = image_pages(is) + is->data_pages;
	return REDOUBT_OK;
}

/* ---- Running ---- */

/*
 * Arguments and results are the VP's registers: the answer stays there. What it asks with at its
 * start, or after a request that was cancelled, is none.
 */
uint64_t call_next_request(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	struct partition *p = of(partition_running());

	if (p->pending)
		__builtin_memcpy(vp_call(p->vp)->regs, p->words, sizeof(p->words));
	p->parked = !p->pending;
	p->pending = false;
	return REDOUBT_OK;
}

uint64_t call_partition_exit(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	klog(LOG_WARN, "partition %u: exit %lx, %lx, %lx", partition_running(),
	    (unsigned long)args[0], (unsigned long)args[1], (unsigned long)args[2]);
	of(partition_running())->gave_up = true;
	return REDOUBT_OK;
}

static void start(struct partition *p, unsigned id)
{
	vp_reset(p->vp,
	    &(struct vp_start){ .map = &p->map,
		.partition = id,
		.entry = TRUSTLET_IMAGE_BASE + FRAME_SIZE,
		.ebx = TRUSTLET_DATA_BASE,
		.esi = p->is.data_pages });
	p->fresh = false;
	p->parked = false;
}

static uint64_t request_cycles(void)
{
	return test_switch(TEST_SHORT_REQUESTS) ? REQUEST_CYCLES >> 14 : REQUEST_CYCLES;
}

/* Runs the VP until it stops for something that the monitor does not answer by itself. */
static enum vp_stop run(struct partition *p)
{
	uint64_t until = cpu_cycles() + p->left;
	enum vp_stop stop;
	uint64_t now;

	do {
		stop = vp_run(p->vp, until);
		if (stop == VP_CALLED)
			monitor_partition_call(vp_call(p->vp));
		if (p->parked)
			return VP_CALLED;
		now = cpu_cycles();
		/* More time left than any request has: it was made shorter meanwhile. */
		if (now >= until || until - now > request_cycles())
			return VP_EXPIRED;
	} while (stop == VP_CALLED && !p->gave_up);
	p->left = until - now;
	return stop;
}

static enum redoubt_status crash(uint64_t id, enum vp_stop stop)
{
	struct vp_exit exit = vp_last_exit(of(id)->vp);

	klog(LOG_WARN, "partition %lu died: stop %u, exit %x at %lx, %lx", id, stop, exit.reason,
	    (unsigned long)exit.rip, (unsigned long)exit.fact);
	audit(REDOUBT_AUDIT_PARTITION_DEATH, id, (uint64_t)stop << 32 | exit.reason);
	change(id, PARTITION_READY, PARTITION_CRASHED);
	put(of(id), VP_IDLE);
	return REDOUBT_DEAD;
}

/* Goes on with a VP that is taken. */
static enum redoubt_status go_on(struct partition *p, uint64_t id, uint64_t answer[CALL_REGS])
{
	enum vp_stop stop;

	partitions.running[cpu_index()] = (uint8_t)id;
	stop = run(p);
	partitions.running[cpu_index()] = 0;
	if (p->parked) {
		__builtin_memcpy(answer, vp_call(p->vp)->regs, sizeof(p->words));
		answer[0] &= UINT32_MAX;
		p->served++;
		put(p, VP_IDLE);
		return REDOUBT_OK;
	}
	if (stop != VP_INTERRUPTED)
		return crash(id, stop);
	p->since = cpu_cycles();
	answer[0] = REDOUBT_SUSPENDED;
	answer[1] = (atomic_load(&p->token) & ~TOKEN_VP) + VP_SUSPENDED;
	answer[2] = answer[3] = 0;
	put(p, VP_SUSPENDED);
	return REDOUBT_OK;
}

uint64_t call_partition_call(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	uint32_t id = (uint32_t)args[0];
	struct partition *p;
	uint64_t *words;

	if (partition_state(id) < PARTITION_READY)
		return REDOUBT_STATE;
	p = of(id);
	if (!take_free(p, TOKEN_TURN))
		return REDOUBT_BUSY;
	/* Nobody else ends it from here on. */
	if (partition_state(id) != PARTITION_READY) {
		put(p, VP_IDLE);
		return REDOUBT_DEAD;
	}
	if (p->fresh)
		start(p, id);
	p->left = request_cycles();
	p->pending = !p->parked;
	p->parked = false;
	words = p->pending ? p->words : vp_call(p->vp)->regs;
	__builtin_memcpy(words, args, sizeof(p->words));
	words[0] >>= 32; /* the number of the request */
	return go_on(p, id, rets);
}

uint64_t call_partition_resume(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	struct partition *p = take_suspended(args[0]);

	return p ? go_on(p, args[0] & TOKEN_ID, rets) : REDOUBT_STATE;
}

uint64_t call_partition_cancel(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	struct partition *p = take_suspended(args[0]);

	if (!p)
		return REDOUBT_STATE;
	put(p, VP_IDLE);
	return REDOUBT_OK;
}

uint64_t call_partition_restart(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	uint64_t id = args[0];
	enum redoubt_status status = REDOUBT_STATE;

	/* A TPM starts anew with the machine alone: its PCRs tell of all that has run since. */
	if (partition_state(id) != PARTITION_CRASHED || id == tpm_partition() ||
	    !take_free(of(id), 0))
		return REDOUBT_STATE;
	/* Another may have been quicker. */
	if (partition_state(id) == PARTITION_CRASHED) {
		spin_lock(map_lock());
		share_scrub((unsigned)id);
		spin_unlock(map_lock());
		of(id)->fresh = true;
		of(id)->gave_up = false;
		change(id, PARTITION_CRASHED, PARTITION_READY);
		status = REDOUBT_OK;
	}
	put(of(id), VP_IDLE);
	return status;
}

void partition_leave(void)
{
	/* One that runs needs its VP: root mode's way back leads through it. */
	for (unsigned id = 1; id <= PARTITIONS; id++)
		if (of(id)->vp && take_stopped(of(id)))
			scrub(of(id)->vp, vp_pages() * FRAME_SIZE);
}
