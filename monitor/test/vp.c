/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The test build's VPs: arch/vp.h driven without any partition. A VP has frames taken from the
 * normal world, mapped in a row from TEST_VP_BASE on, and tables from the monitor's own data.
 */
#include "arch/vp.h"

#include "arch/cpu.h"
#include "arch/frame.h"
#include "monitor/call.h"
#include "monitor/guest_mem.h"
#include "monitor/test/take.h"
#include "monitor/test/test.h"

#define TABLES	  4u /* one of each level */
#define VP_FRAMES 4u

#define CALL(id, name, rights, arguments, results, statuses, summary) call_handler call_##name;
#include "monitor/test/testcalls.def"
#undef CALL

/* lock guards the tables; busy, what only who runs or changes the VP may use. */
static struct test_vp {
	_Atomic uint32_t busy;
	bool made;
	bool faulted;
	spa_t memory;
	uint64_t pages;
	struct spinlock lock;
	struct stage2_pool pool;
	struct stage2 map;
} vps[TEST_VPS];

static uint8_t tables[TEST_VPS][TABLES][FRAME_SIZE] __attribute__((aligned(FRAME_SIZE)));
static uint8_t own[TEST_VPS][VP_FRAMES][FRAME_SIZE] __attribute__((aligned(FRAME_SIZE)));

static struct vp *vp_of(uint64_t index)
{
	return (struct vp *)(void *)own[index];
}

static gpa_t gpa_of(uint64_t page)
{
	return (gpa_t){ TEST_VP_BASE + page * FRAME_SIZE };
}

/* OK: the caller has VP `index` for itself until give_back(). */
static uint64_t get(uint64_t index, bool made)
{
	if (index >= TEST_VPS)
		return call_error(REDOUBT_RANGE, 1);
	if (atomic_exchange(&vps[index].busy, 1))
		return REDOUBT_BUSY;
	if (vps[index].made == made)
		return REDOUBT_OK;
	atomic_store(&vps[index].busy, 0);
	return REDOUBT_STATE;
}

static uint64_t give_back(uint64_t index, uint64_t status)
{
	atomic_store(&vps[index].busy, 0);
	return status;
}

static void build_map(uint64_t index)
{
	struct test_vp *t = &vps[index];
	bool built;

	__builtin_memset(tables[index], 0, sizeof(tables[index]));
	t->lock.rank = LOCK_MAP;
	stage2_pool_init(&t->pool, tables[index], TABLES);
	CHECK(stage2_init(&t->map, &t->pool, &t->lock));
	spin_lock(&t->lock);
	built = stage2_prepare(&t->map, gpa_of(0), t->pages, true);
	CHECK(built);
	stage2_map(&t->map, gpa_of(0), t->memory, t->pages, (struct stage2_attr){ S2_RWX, S2_WB });
	spin_unlock(&t->lock);
}

static uint64_t decode_make(const uint64_t args[CALL_REGS])
{
	const struct guest_place code = { { FRAME_NORMAL, 0 }, { args[1] } };

	if (args[1] % FRAME_SIZE != 0)
		return call_error(REDOUBT_ALIGNMENT, 2);
	if (args[3] == 0 || args[3] > TEST_VP_PAGES || vp_pages() > VP_FRAMES)
		return call_error(REDOUBT_RANGE, 4);
	if (vp_pages() == 0 || !protect_take((spa_t){ args[2] }, args[3]))
		return REDOUBT_STATE;
	if (guest_read_in(&code, tables[args[0]], FRAME_SIZE))
		return REDOUBT_OK;
	CHECK(protect_give((spa_t){ args[2] }, args[3]));
	return call_error(REDOUBT_RANGE, 2);
}

/* The page at `code` is copied to the first frame by way of a table that is not yet one. */
static void invoke_make(const uint64_t args[CALL_REGS])
{
	struct test_vp *t = &vps[args[0]];
	const struct vp_start start = { .map = &t->map,
		.partition = (unsigned)args[0] + 1,
		.entry = TEST_VP_BASE,
		.ebx = TEST_VP_EBX,
		.esi = TEST_VP_ESI,
		.edi = TEST_VP_EDI };

	t->memory.v = args[2];
	t->pages = args[3];
	__builtin_memcpy(slot_map(t->memory, SLOT_WRITE), tables[args[0]], FRAME_SIZE);
	slot_unmap();
	build_map(args[0]);
	vp_reset(vp_of(args[0]), &start);
	t->made = true;
	t->faulted = false;
}

uint64_t call_test_vp_make(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	uint64_t status = get(args[0], false);

	if (status != REDOUBT_OK)
		return status;
	status = decode_make(args);
	if (status == REDOUBT_OK)
		invoke_make(args);
	return give_back(args[0], status);
}

uint64_t call_test_vp_run(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	uint64_t status = get(args[0], true);
	struct vp_exit exit;

	if (status != REDOUBT_OK)
		return status;
	if (vps[args[0]].faulted)
		return give_back(args[0], REDOUBT_STATE);
	exit = vp_run(vp_of(args[0]), args[1]);
	vps[args[0]].faulted = exit.stop == VP_FAULTED;
	rets[0] = exit.stop;
	rets[1] = exit.reason;
	rets[2] = exit.rip;
	rets[3] = exit.fact;
	return give_back(args[0], REDOUBT_OK);
}

uint64_t call_test_vp_regs(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	uint64_t status = get(args[0], true);
	const struct call *call;

	if (status != REDOUBT_OK)
		return status;
	call = vp_call(vp_of(args[0]));
	rets[0] = call->rax;
	for (unsigned i = 1; i < CALL_REGS; i++)
		rets[i] = call->regs[i - 1];
	return give_back(args[0], REDOUBT_OK);
}

uint64_t call_test_vp_answer(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	uint64_t status = get(args[0], true);
	struct call *call;

	if (status != REDOUBT_OK)
		return status;
	call = vp_call(vp_of(args[0]));
	call->rax = args[1];
	call->regs[0] = args[2];
	call->regs[1] = args[3];
	return give_back(args[0], REDOUBT_OK);
}

/* Of a VP that may run: who makes and drops it does not do so at the same time. */
static uint64_t look_at(uint64_t index, uint64_t page)
{
	if (index >= TEST_VPS)
		return call_error(REDOUBT_RANGE, 1);
	if (!vps[index].made)
		return REDOUBT_STATE;
	return page < vps[index].pages ? REDOUBT_OK : call_error(REDOUBT_RANGE, 2);
}

uint64_t call_test_vp_peek(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	uint64_t status = look_at(args[0], args[1] / FRAME_SIZE);
	uint64_t offset = args[1] % FRAME_SIZE;
	const volatile uint64_t *words;

	if (status != REDOUBT_OK)
		return status;
	if (offset % (CALL_REGS * sizeof(*words)) != 0)
		return call_error(REDOUBT_ALIGNMENT, 2);
	words = slot_map((spa_t){ vps[args[0]].memory.v + args[1] - offset }, SLOT_READ);
	for (unsigned i = 0; i < CALL_REGS; i++)
		rets[i] = words[offset / sizeof(*words) + i];
	slot_unmap();
	return REDOUBT_OK;
}

uint64_t call_test_vp_protect(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	uint64_t status = look_at(args[0], args[1]);
	struct test_vp *t = &vps[args[0]];

	if (status != REDOUBT_OK)
		return status;
	if (args[2] > S2_RWX || (args[2] != 0 && !(args[2] & S2_R)) ||
	    !(args[2] & S2_UX) != !(args[2] & S2_KX))
		return call_error(REDOUBT_RANGE, 3);
	spin_lock(&t->lock);
	stage2_protect(&t->map, gpa_of(args[1]), 1, (unsigned)args[2]);
	cpu_flush_all();
	spin_unlock(&t->lock);
	return REDOUBT_OK;
}

uint64_t call_test_vp_drop(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	uint64_t status = get(args[0], true);

	if (status != REDOUBT_OK)
		return status;
	vps[args[0]].made = false;
	/* Flushes all CPUs, so the tables are nobody's any more. */
	CHECK(protect_give(vps[args[0]].memory, vps[args[0]].pages));
	return give_back(args[0], REDOUBT_OK);
}
