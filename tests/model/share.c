/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Memory between the normal world and partitions against a model of who holds each frame and where,
 * on four CPUs that remember translations. After each operation the frames it named are looked up
 * in every map; every 1,000, and at the end, all maps are walked. Both notice one wrong entry.
 */
#include <string.h>

#include "arch/cpu.h"
#include "arch/host/host.h"
#include "arch/upcall.h"
#include "monitor/page_owner.h"
#include "monitor/partition.h"
#include "monitor/protect.h"
#include "monitor/share.h"
#include "monitor/test/invariant.h"
#include "tests/model/model.h"

#define CPUS	 4u
#define ROUND	 1000u
#define ROUNDS	 20u /* until the machine is built anew */
#define LOW	 0x100000ull
#define FRAMES	 0x600ull /* from LOW on */
#define USED	 5u	  /* partitions that are made */
#define PLACES	 64u	  /* where a partition gets memory: pages from PLACE on */
#define PLACE	 0x40000000ull
#define LIST_MAX 16u
#define MARK	 0xa5

struct known {
	enum frame_state state; /* FRAME_MONITOR: the region */
	unsigned partition;
	uint64_t at; /* in its map */
	bool marked; /* its bytes are MARK, else zero */
};

struct given {
	enum frame_state as;
	unsigned partition;
	uint64_t at;
	uint64_t count;
	uint64_t list[LIST_MAX];
};

static struct model model;
static struct known known[FRAMES];
static enum partition_state states[PARTITIONS + 1];
static uint64_t named[LIST_MAX + 1]; /* what the last operation named */
static uint64_t named_count;
static uint64_t hidden; /* frames that are out of devices' reach */

static _Noreturn void wrong(const char *what, uint64_t at)
{
	model_failed(&model, "%s at %llx", what, (unsigned long long)at);
}

static struct known *known_at(uint64_t spa)
{
	return spa >= LOW && spa < LOW + FRAMES * FRAME_SIZE ? &known[(spa - LOW) / FRAME_SIZE]
							     : NULL;
}

static uint64_t draw_frame(void)
{
	return LOW + draw(&model, FRAMES) * FRAME_SIZE;
}

static bool is_hidden(const struct known *frame)
{
	return frame->state != FRAME_NORMAL && frame->state != FRAME_SHARED;
}

static unsigned rights_of(enum frame_state as)
{
	return as == FRAME_LENT ? S2_R : S2_R | S2_W;
}

/* ---- Checks ---- */

static const char *wrong_bytes(uint64_t spa, const struct known *frame)
{
	uint8_t seen[2];

	if (frame->state == FRAME_MONITOR)
		return NULL;
	host_peek(spa, &seen[0], 1);
	host_peek(spa + FRAME_SIZE - 1, &seen[1], 1);
	return seen[0] == seen[1] && seen[0] == (frame->marked ? MARK : 0) ? NULL : "wrong bytes";
}

static const char *wrong_in_partition(uint64_t spa, const struct known *frame)
{
	struct stage2_leaf leaf;

	if (frame->partition == 0)
		return NULL;
	leaf = stage2_lookup(partition_map(frame->partition), (gpa_t){ frame->at });
	if (!leaf.present || leaf.spa.v != spa || leaf.prot != rights_of(frame->state))
		return "a partition's map that does not lead to its frame";
	return NULL;
}

/* What is wrong with one frame, its bytes aside; NULL: nothing. */
static const char *fault_of_holder(uint64_t spa)
{
	const struct known *frame = known_at(spa);
	struct stage2 *normal = monitor_normal_stage2();
	struct holding holding = frame_holding((spa_t){ spa });
	struct stage2_leaf leaf;
	const char *why;

	if (holding.state != frame->state || holding.partition != frame->partition)
		return "a wrong holder";
	spin_lock(normal->lock);
	leaf = stage2_lookup(normal, (gpa_t){ spa });
	why = wrong_in_partition(spa, frame);
	spin_unlock(normal->lock);
	if (why)
		return why;
	if (is_hidden(frame) ? leaf.present && leaf.spa.v != protect_ones().v
			     : !leaf.present || leaf.spa.v != spa || leaf.prot != S2_RWX)
		return "a wrong entry of the normal world's map";
	return NULL;
}

static const char *fault_of(uint64_t spa)
{
	const char *why = fault_of_holder(spa);

	return why ? why : wrong_bytes(spa, known_at(spa));
}

static void check_step(void)
{
	uint64_t looked_into = named_count ? draw(&model, named_count) : 0;
	uint64_t at;
	const char *why;

	for (uint64_t i = 0; i < named_count; i++) {
		if (!known_at(named[i]))
			continue;
		why = i == looked_into ? fault_of(named[i]) : fault_of_holder(named[i]);
		if (why)
			wrong(why, named[i]);
	}
	if (!host_coherent(&at))
		wrong("a stale translation", at);
	if (host_dma_blocked() != hidden)
		wrong("frames in and out of devices' reach do not add up", host_dma_blocked());
}

static void check_whole(void)
{
	struct invariant_report report = invariant_walk();

	if (report.broken != NOTHING_BROKEN)
		wrong(report.why, report.broken);
	for (uint64_t i = 0; i < FRAMES; i++)
		if (fault_of(LOW + i * FRAME_SIZE))
			wrong(fault_of(LOW + i * FRAME_SIZE), LOW + i * FRAME_SIZE);
}

/* ---- The model's side of each transition ---- */

static void become_given(const struct given *given)
{
	for (uint64_t i = 0; i < given->count; i++) {
		struct known *frame = known_at(given->list[i]);

		*frame = (struct known){ given->as, given->partition, given->at + i * FRAME_SIZE,
			given->as != FRAME_PARTITION && frame->marked };
	}
}

static void become_normal(struct known *frame)
{
	hidden -= is_hidden(frame);
	*frame = (struct known){ .state = FRAME_NORMAL,
		.marked = frame->state == FRAME_SHARED && frame->marked };
}

static void name(const uint64_t *list, uint64_t count)
{
	memcpy(named, list, count * sizeof(*list));
	named_count = count;
}

/* ---- Operations ---- */

static void do_mark(void)
{
	static const uint8_t bytes[FRAME_SIZE] = { [0 ... FRAME_SIZE - 1] = MARK };
	uint64_t spa = draw_frame();
	struct known *frame = known_at(spa);

	name(&spa, 1);
	if (frame->state == FRAME_MONITOR)
		return;
	host_poke(spa, bytes, sizeof(bytes));
	frame->marked = true;
}

static void do_touch(void)
{
	uint64_t spa = draw_frame();
	unsigned access = 1 + (unsigned)draw(&model, 7);
	const struct known *frame = known_at(spa);
	bool refused = is_hidden(frame) && access != ACCESS_READ;
	struct host_access result = host_touch(spa, access);

	name(&spa, 1);
	if (result.faulted != refused)
		wrong("a wrong fault in the normal world", spa);
	if (!refused && result.spa != (is_hidden(frame) ? protect_ones().v : spa))
		wrong("an access that leads elsewhere", spa);
}

/* One that lives, most often. */
static unsigned draw_partition(void)
{
	unsigned id = 1 + (unsigned)draw(&model, USED);

	for (unsigned i = 0; i < 8 && states[id] != PARTITION_BUILDING; i++)
		id = 1 + (unsigned)draw(&model, USED);
	return id;
}

static uint64_t draw_place(void)
{
	return PLACE + draw(&model, PLACES) * FRAME_SIZE;
}

/* The frame that a partition finds at a place; NULL: none. */
static struct known *known_in(unsigned partition, uint64_t at, uint64_t *spa)
{
	for (uint64_t i = 0; i < FRAMES; i++) {
		*spa = LOW + i * FRAME_SIZE;
		if (known[i].partition == partition && known[i].at == at)
			return &known[i];
	}
	return NULL;
}

static void do_partition_touch(void)
{
	unsigned partition = draw_partition();
	uint64_t at = draw_place();
	unsigned access = 1 + (unsigned)draw(&model, 7);
	uint64_t spa = 0;
	const struct known *frame = known_in(partition, at, &spa);
	bool granted = frame && !((access & ACCESS_WRITE) && frame->state == FRAME_LENT) &&
	    !(access & ACCESS_FETCH);
	struct host_access result = host_touch_in(partition_map(partition), at, access);

	if (result.faulted == granted)
		wrong("a wrong fault in a partition", at);
	if (granted && result.spa != spa)
		wrong("a partition's access that leads elsewhere", at);
}

static bool is_normal(uint64_t spa)
{
	const struct known *frame = known_at(spa);

	return frame && frame->state == FRAME_NORMAL;
}

/* A list of what the normal world has, most often; or one with a lie in it. */
static uint64_t draw_list(uint64_t *list)
{
	uint64_t count = 1 + draw(&model, LIST_MAX);
	uint64_t at = draw_frame();
	bool blind = chance(&model, 8);

	for (uint64_t i = 0; i < count; i++) {
		while (!blind && known_at(at) && !is_normal(at))
			at += FRAME_SIZE;
		list[i] = at;
		at += (1 + (chance(&model, 4) ? draw(&model, 40) : 0)) * FRAME_SIZE;
	}
	if (chance(&model, 6))
		list[draw(&model, count)] = draw(&model, 2) ? draw_frame() : draw(&model, ~0ull);
	return count;
}

static bool list_is_sound(const uint64_t *list, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		if (!is_normal(list[i]) || list[i] % FRAME_SIZE != 0 ||
		    (i > 0 && list[i] <= list[i - 1]))
			return false;
	}
	return true;
}

static bool place_is_free(unsigned partition, uint64_t at, uint64_t count)
{
	uint64_t spa, i = 0;

	while (i < count && !known_in(partition, at + i * FRAME_SIZE, &spa))
		i++;
	return i == count;
}

static enum redoubt_status expected_of(const struct given *given, bool refuse)
{
	if (states[given->partition] != PARTITION_BUILDING)
		return REDOUBT_STATE;
	if (!place_is_free(given->partition, given->at, given->count))
		return REDOUBT_BUSY;
	if (!list_is_sound(given->list, given->count))
		return REDOUBT_RANGE;
	return refuse && given->as != FRAME_SHARED ? REDOUBT_NO_RESOURCE : REDOUBT_OK;
}

static void do_make(void)
{
	static const enum frame_state kinds[] = { FRAME_PARTITION, FRAME_LENT, FRAME_SHARED };
	struct given given = { .as = kinds[draw(&model, 3)],
		.partition = draw_partition(),
		.at = draw_place() };
	struct guest_place place = { { given.as, given.partition }, { given.at } };
	bool refuse = chance(&model, 20);
	enum redoubt_status expected;

	given.count = draw_list(given.list);
	name(given.list, given.count);
	expected = expected_of(&given, refuse);
	host_refuse_dma(refuse);
	if (share_make(&place, &(struct frame_set){ given.list, 0, given.count }) != expected)
		wrong("a wrong status of giving", given.list[0]);
	host_refuse_dma(false);
	if (expected != REDOUBT_OK)
		return;
	become_given(&given);
	hidden += given.as == FRAME_SHARED ? 0 : given.count;
}

static void do_create(void)
{
	unsigned id;

	for (id = 1; id <= USED && states[id] != PARTITION_FREE;)
		id++;
	if (id > USED)
		return;
	if (partition_create() != id)
		wrong("a partition that was not the first free one", id);
	states[id] = PARTITION_BUILDING;
}

/* Frames in the first row of a partition's: consecutive pages, ascending, held alike. */
static uint64_t first_row(unsigned id, uint64_t row[PLACES + LIST_MAX])
{
	const struct known *last = NULL;
	uint64_t count = 0;
	uint64_t spa;

	for (uint64_t at = PLACE; at < PLACE + (PLACES + LIST_MAX) * FRAME_SIZE; at += FRAME_SIZE) {
		const struct known *frame = known_in(id, at, &spa);

		if (last && (!frame || spa <= row[count - 1] || frame->state != last->state))
			break;
		if (frame)
			row[count++] = spa;
		last = frame;
	}
	return count;
}

/* One step. */
static void bury(unsigned id)
{
	uint64_t row[PLACES + LIST_MAX];
	uint64_t count = first_row(id, row);

	if (partition_bury(id) != (count ? REDOUBT_BUSY : REDOUBT_OK))
		wrong("a wrong status of burying", id);
	for (uint64_t i = 0; i < count; i++)
		become_normal(known_at(row[i]));
	name(row, count < LIST_MAX ? count : LIST_MAX);
	if (count == 0)
		states[id] = PARTITION_FREE;
	if (partition_state(id) != states[id])
		wrong("a wrong state of a partition", id);
}

static void do_kill(void)
{
	unsigned id = 1 + (unsigned)draw(&model, USED);

	if (states[id] != PARTITION_BUILDING || !chance(&model, 8))
		return;
	partition_kill(id);
	states[id] = PARTITION_DEAD;
}

static void do_bury(void)
{
	unsigned id = 1 + (unsigned)draw(&model, USED);

	if (states[id] == PARTITION_DEAD)
		bury(id);
	else if (partition_bury(id) != REDOUBT_STATE)
		wrong("a partition that was buried alive", id);
}

static void one_operation(void)
{
	static void (*const operations[])(void) = { do_touch, do_touch, do_touch, do_mark,
		do_partition_touch, do_partition_touch, do_make, do_make, do_make, do_bury, do_bury,
		do_bury, do_kill, do_create };

	host_on((unsigned)draw(&model, CPUS));
	operations[draw(&model, sizeof(operations) / sizeof(operations[0]))]();
}

/* ---- Rounds ---- */

static void build(void)
{
	struct host_machine machine = host_default();

	machine.cpus = CPUS;
	machine.huge = !chance(&model, 3);
	machine.record_base = LOW + 0x1ff * FRAME_SIZE;
	machine.region_base = LOW + FRAMES * FRAME_SIZE;
	host_boot(&machine);
	memset(known, 0, sizeof(known));
	memset(states, 0, sizeof(states));
	known_at(host_info()->record_base)->state = FRAME_MONITOR;
	hidden = 0;
}

/* All goes back: the tables must be as small as at first. */
static void tear_down(void)
{
	for (unsigned id = 1; id <= USED; id++) {
		if (states[id] == PARTITION_BUILDING) {
			partition_kill(id);
			states[id] = PARTITION_DEAD;
		}
		while (states[id] != PARTITION_FREE)
			bury(id);
	}
	check_whole();
	if (hidden != 0 || host_dma_blocked() != 0)
		wrong("frames that stay hidden", hidden);
	if (partition_map(1)->pool->available != MONITOR_PARTITION_TABLES - PARTITIONS)
		wrong("tables that did not come back", partition_map(1)->pool->available);
}

static void set_entry(struct stage2 *map, uint64_t at, uint64_t spa, unsigned prot)
{
	spin_lock(map->lock);
	if (!stage2_prepare(map, (gpa_t){ at }, 1, true))
		wrong("no table", at);
	if (prot == 0)
		stage2_protect(map, (gpa_t){ at }, 1, 0);
	else
		stage2_map(map, (gpa_t){ at }, (spa_t){ spa }, 1,
		    (struct stage2_attr){ prot, S2_WB });
	spin_unlock(map->lock);
}

/* Whether the look at a frame, and the walk, find something wrong. */
static void expect_noticed(uint64_t spa, bool noticed)
{
	if ((fault_of(spa) != NULL) != noticed)
		wrong("the step's check and a wrong entry", spa);
	if ((invariant_walk().broken != NOTHING_BROKEN) != noticed)
		wrong("the walk and a wrong entry", spa);
}

static void check_the_checks(void)
{
	uint64_t spa = LOW + 8 * FRAME_SIZE;
	struct guest_place place = { { FRAME_PARTITION, 1 }, { PLACE } };
	struct given given = { FRAME_PARTITION, 1, PLACE, 1, { spa } };

	build();
	if (partition_create() != 1 ||
	    share_make(&place, &(struct frame_set){ given.list, 0, 1 }) != REDOUBT_OK)
		wrong("a refusal", PLACE);
	become_given(&given);
	expect_noticed(spa, false);
	set_entry(monitor_normal_stage2(), spa, spa, S2_R);
	expect_noticed(spa, true);
	set_entry(monitor_normal_stage2(), spa, 0, 0);
	expect_noticed(spa, false);
	set_entry(partition_map(1), PLACE, LOW, S2_R | S2_W);
	expect_noticed(spa, true);
	set_entry(partition_map(1), PLACE, spa, S2_R | S2_W | S2_X);
	expect_noticed(spa, true);
	set_entry(partition_map(1), PLACE, spa, S2_R | S2_W);
	expect_noticed(spa, false);
	if (partition_kill(1) != REDOUBT_OK || partition_bury(1) != REDOUBT_BUSY ||
	    partition_bury(1) != REDOUBT_OK)
		wrong("a partition that does not end", spa);
}

int main(void)
{
	model = model_start(2);
	check_the_checks();
	model_passed(&model, "one wrong entry is noticed by the step's check and by the walk");
	while (model.done < model.operations) {
		build();
		for (unsigned i = 0; i < ROUND * ROUNDS && model.done < model.operations; i++) {
			named_count = 0;
			one_operation();
			model.done++;
			check_step();
			if (model.done % ROUND == 0)
				check_whole();
		}
		tear_down();
	}
	model_passed(&model, "holders, maps, bytes and CPUs are as in the model");
	return 0;
}
