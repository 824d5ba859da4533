/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The call decoder: each input is a list of calls, any registers at all or aimed at one row
 * (fuzz_call_NAME). What holds for every call is checked for each: the status is one that its row
 * lists, unnamed results are zero, all are on an error, and nothing stays locked. Each row checks
 * the rest. Now and then the map's invariants are.
 */
#include <stdlib.h>
#include <string.h>

#include "arch/cpu.h"
#include "arch/host/host.h"
#include "arch/upcall.h"
#include "arch/vp.h"
#include "monitor/abi/image.h"
#include "monitor/abi/result.h"
#include "monitor/audit.h"
#include "monitor/lib/sha256.h"
#include "monitor/log.h"
#include "monitor/page_owner.h"
#include "monitor/partition.h"
#include "monitor/test/invariant.h"
#include "redoubt_calls.h"
#include "redoubt_status.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FRAME	     0x300000ull
#define PLACED_IMAGE 0x500000ull
#define PLACED_DATA  0x520000ull
#define GIVEN	     0x600000ull /* frames for those that are made */
#define GIVEN_LIST   0x700000ull

/* What an input has left. */
struct input {
	const uint8_t *data;
	size_t size;
};

static void require(bool condition)
{
	if (!condition)
		abort();
}

static uint64_t take(struct input *input, size_t bytes)
{
	uint64_t value = 0;

	bytes = bytes < input->size ? bytes : input->size;
	memcpy(&value, input->data, bytes);
	input->data += bytes;
	input->size -= bytes;
	return value;
}

/* ---- What holds for every call ---- */

#define STATUS_BIT(name)			(1u << REDOUBT_##name)
#define STATUSES_1(a)				STATUS_BIT(a)
#define STATUSES_2(a, b)			(STATUS_BIT(a) | STATUS_BIT(b))
#define STATUSES_3(a, b, c)			(STATUSES_2(a, b) | STATUS_BIT(c))
#define STATUSES_4(a, b, c, d)			(STATUSES_3(a, b, c) | STATUS_BIT(d))
#define STATUSES_5(a, b, c, d, e)		(STATUSES_4(a, b, c, d) | STATUS_BIT(e))
#define STATUSES_6(a, b, c, d, e, f)		(STATUSES_5(a, b, c, d, e) | STATUS_BIT(f))
#define PICK(_1, _2, _3, _4, _5, _6, name, ...) name
#define STATUSES(...)                                                                              \
	PICK(__VA_ARGS__, STATUSES_6, STATUSES_5, STATUSES_4, STATUSES_3, STATUSES_2,              \
	    STATUSES_1, )                                                                          \
	(__VA_ARGS__)
#define RET(name, meaning) 0
#define RETS(...)	   (sizeof((const char[]){ 0, __VA_ARGS__ }) - 1)

static const struct {
	uint32_t statuses;
	uint32_t rets;
} rows[] = {
#define CALL(id, name, rights, args, rets, statuses, summary) [id] = { statuses, rets },
#include "monitor/abi/calls.def"
#undef CALL
};

static void check_result(uint64_t id, const struct call *call)
{
	unsigned status = redoubt_status_of(call->rax);
	uint32_t allowed = STATUS_BIT(UNKNOWN_CALL);
	unsigned rets = 0;

	if (id < REDOUBT_CALL_COUNT) {
		allowed = rows[id].statuses | STATUS_BIT(DENIED) | STATUS_BIT(INVALID);
		rets = rows[id].rets;
	}
	require(redoubt_status_name(status) && (allowed & 1u << status));
	require(call->rax >> 24 == 0 && redoubt_status_arg(call->rax) <= CALL_REGS);
	for (unsigned i = status == REDOUBT_OK ? rets : 0; i < CALL_REGS; i++)
		require(call->regs[i] == 0);
	require(!spin_held(monitor_normal_stage2()->lock));
}

uint64_t redoubt_raw_call(uint64_t id, uint64_t regs[CALL_REGS])
{
	struct call call = { .rax = id };

	memcpy(call.regs, regs, sizeof(call.regs));
	monitor_call(&call);
	check_result(id, &call);
	memcpy(regs, call.regs, sizeof(call.regs));
	return call.rax;
}

/* ---- One for each row ---- */

static void fuzz_call_version(struct input *input)
{
	struct redoubt_version version;

	require(redoubt_version(&version) == REDOUBT_OK);
	require(version.abi == REDOUBT_ABI_VERSION);
	require(memcmp(&version.build, host_info()->monitor_digest, 8) == 0);
}

static void fuzz_call_features(struct input *input)
{
	struct redoubt_features features;

	require(redoubt_features(&features) == REDOUBT_OK);
	require(features.features == monitor_features() && features.degraded == monitor_degraded());
	require(features.cpus == host_info()->cpu_count);
}

/* An address of each kind, off by a little now and then. */
static uint64_t draw_gpa(struct input *input)
{
	const struct bootinfo *info = host_info();
	const uint64_t bases[] = { FRAME, info->region_base, info->record_base, 0x9e000, 0xa0000,
		0xfee00000, 0x100fff000, 0x101000000 };
	uint64_t how = take(input, 1);

	if (how >= 0xf0)
		return take(input, 8);
	return bases[how % 8] + (how >= 0x80 ? take(input, 1) << (how >= 0xc0 ? 12 : 0) : 0);
}

/* The status that the table and the sentences of status.def ask for, of both rings. */
static uint64_t expected_read(bool valid, uint64_t frame, uint64_t count, uint64_t most)
{
	if (!valid)
		return REDOUBT_INVALID | 1 << 16;
	if (frame % FRAME_SIZE != 0)
		return REDOUBT_ALIGNMENT | 2 << 16;
	if (count - 1 >= most)
		return REDOUBT_INVALID | 3 << 16;
	return frame_state((spa_t){ frame }) == FRAME_NORMAL ? REDOUBT_OK : REDOUBT_RANGE | 2 << 16;
}

/* A length of the row's edges, or any. */
static uint64_t draw_length(struct input *input)
{
	static const uint64_t edges[] = { 0, 1, FRAME_SIZE - 1, FRAME_SIZE, FRAME_SIZE + 1, ~0ull };
	uint64_t how = take(input, 1);

	return how < 6 ? edges[how] : how < 16 ? take(input, 8) : take(input, 2) % FRAME_SIZE;
}

static void fuzz_call_log_read(struct input *input)
{
	static uint8_t before[FRAME_SIZE], after[FRAME_SIZE];
	struct redoubt_log_read result;
	uint64_t position = take(input, 1) & 1 ? take(input, 8) : log_end() - take(input, 2);
	uint64_t frame = draw_gpa(input);
	uint64_t length = draw_length(input);
	uint64_t expected = expected_read(position <= log_end(), frame, length, FRAME_SIZE);

	if (expected == REDOUBT_OK)
		host_peek(frame, before, FRAME_SIZE);
	require(redoubt_log_read(position, frame, length, &result) == expected);
	if (expected != REDOUBT_OK)
		return;
	host_peek(frame, after, FRAME_SIZE);
	require(result.copied <= length && result.next == position + result.copied + result.lost);
	require(result.copied == length || result.next == log_end());
	require(
	    memcmp(before + result.copied, after + result.copied, FRAME_SIZE - result.copied) == 0);
	log_copy(result.next - result.copied, (char *)before, result.copied);
	require(memcmp(before, after, result.copied) == 0);
}

/* Each record's digest is what the next one starts with. */
static void check_chain(const struct redoubt_audit_record *records, uint64_t count)
{
	uint8_t digest[SHA256_BYTES];
	struct sha256 hash;

	for (uint64_t i = 0; i + 1 < count; i++) {
		sha256_start(&hash);
		sha256_add(&hash, &records[i], sizeof(records[i]));
		sha256_end(&hash, digest);
		require(memcmp(digest, records[i + 1].chain, sizeof(digest)) == 0);
		require(records[i + 1].number == records[i].number + 1);
	}
}

static void fuzz_call_audit_read(struct input *input)
{
	static struct redoubt_audit_record records[REDOUBT_AUDIT_PAGE];
	static uint8_t before[FRAME_SIZE], after[FRAME_SIZE];
	const size_t size = sizeof(records[0]);
	struct redoubt_audit_read result;
	uint64_t position = take(input, 1) & 1 ? take(input, 8) : audit_end() - take(input, 1);
	uint64_t frame = draw_gpa(input);
	uint64_t count = take(input, 1) < 0xf0 ? take(input, 1) % 44 : take(input, 8);
	uint64_t expected = expected_read(position <= audit_end(), frame, count,
	    REDOUBT_AUDIT_PAGE);

	if (expected == REDOUBT_OK)
		host_peek(frame, before, FRAME_SIZE);
	require(redoubt_audit_read(position, frame, count, &result) == expected);
	if (expected != REDOUBT_OK)
		return;
	host_peek(frame, after, FRAME_SIZE);
	require(result.copied <= count && result.next == position + result.copied + result.lost);
	require(result.copied == count || result.next == audit_end());
	require(memcmp(before + result.copied * size, after + result.copied * size,
		    FRAME_SIZE - result.copied * size) == 0);
	host_peek(frame, records, sizeof(records));
	check_chain(records, result.copied);
}

static void fuzz_call_audit_head(struct input *input)
{
	struct redoubt_audit_head head, same;
	struct redoubt_audit_record record;
	uint64_t end = audit_end();

	require(redoubt_audit_head(&head) == REDOUBT_OK);
	audit(take(input, 1), take(input, 1), take(input, 8));
	require(redoubt_audit_head(&same) == REDOUBT_OK);
	require((memcmp(&head, &same, sizeof(head)) == 0) == (audit_end() == end));
	if (audit_end() != end && audit_copy(end, &record, 1).copied == 1)
		require(memcmp(record.chain, &head, sizeof(head)) == 0);
}

static void fuzz_call_boot_done(struct input *input)
{
	static bool done;

	require(redoubt_boot_done() == (done ? REDOUBT_CLOSED : REDOUBT_OK));
	done = true;
}

/* ---- Partitions: one that is placed, whose program makes calls out of the same input ---- */

static struct input *playing; /* what its program draws from */
static bool started;

static struct host_exit play(const struct vp_start *start, struct call *call, uint64_t cycles)
{
	struct host_exit exit = { .stop = VP_CALLED };
	uint64_t how = take(playing, 1);

	require(start->partition == 1 && cycles > 0 && cycles <= REQUEST_CYCLES);
	*call = (struct call){ REDOUBT_CALL_next_request, { 0 } };
	if (!started) {
		started = true;
	} else if (how - 1 < 0x20) {
		exit.stop = (enum vp_stop)(how % 4);
	} else if (how - 1 < 0x60) {
		call->rax = how & 1 ? take(playing, 8) : take(playing, 1) % 26;
		for (unsigned i = 0; i < CALL_REGS; i++)
			call->regs[i] = how & 2u << i ? take(playing, 8) : 0;
	} else if (how - 1 < 0x70) {
		bool read = take(playing, 1) & 7;

		*call = (struct call){ read ? REDOUBT_CALL_image_read
					    : REDOUBT_CALL_partition_launch,
			{ 1 + take(playing, 1) % 4,
			    read ? take(playing, 1) * 1024 : TRUSTLET_DATA_BASE,
			    read ? TRUSTLET_DATA_BASE + take(playing, 1) * 1024 : 0 } };
	} else if (how - 1 < 0x80) {
		call->rax = how & 1 ? REDOUBT_CALL_log_write : REDOUBT_CALL_report_check;
		call->regs[0] = TRUSTLET_DATA_BASE - 0x100 + take(playing, 2);
		call->regs[1] = how & 1 ? take(playing, 2) % 300 : 0;
	}
	return exit;
}

static uint64_t token; /* of the last that was suspended */

/* What a request may come to in the state before. */
static void check_answer(enum partition_state before, uint64_t status, uint64_t state,
    uint64_t first)
{
	enum partition_state after = partition_state(1);

	require(status == REDOUBT_OK || state == 0);
	require(status == REDOUBT_DEAD ? after == PARTITION_CRASHED : after == before);
	if (status == REDOUBT_OK && state == REDOUBT_SUSPENDED)
		token = first;
}

static void fuzz_call_partition_call(struct input *input)
{
	struct redoubt_partition_call result = { 0 };
	enum partition_state before = partition_state(1);
	uint64_t how = take(input, 1);
	uint64_t target = how & 1 ? take(input, 8) : 1 | how << 32;
	uint64_t status;

	playing = input;
	status = redoubt_partition_call(target, take(input, 1), 0, how, &result);
	require((uint32_t)target != 1 || status != REDOUBT_STATE);
	if ((uint32_t)target == 1)
		check_answer(before, status, result.state, result.first);
}

static void fuzz_call_partition_resume(struct input *input)
{
	struct redoubt_partition_resume result = { 0 };
	enum partition_state before = partition_state(1);
	uint64_t which = take(input, 1) & 3 ? token : take(input, 8);
	uint64_t status;

	playing = input;
	status = redoubt_partition_resume(which, &result);
	if (status != REDOUBT_STATE)
		check_answer(before, status, result.state, result.first);
}

static void fuzz_call_partition_cancel(struct input *input)
{
	uint64_t which = take(input, 1) & 1 ? token : take(input, 8);
	uint64_t status = redoubt_partition_cancel(which);

	/* What was cancelled is suspended no more. */
	require(status != REDOUBT_OK || redoubt_partition_cancel(which) == REDOUBT_STATE);
}

static void fuzz_call_partition_restart(struct input *input)
{
	enum partition_state before = partition_state(1);
	uint64_t id = take(input, 1) & 7 ? 1 : take(input, 8);
	uint64_t status = redoubt_partition_restart(id);
	uint8_t byte;

	require(id != 1 || (status == REDOUBT_OK) == (before == PARTITION_CRASHED));
	if (status != REDOUBT_OK || id != 1)
		return;
	started = false;
	require(partition_state(1) == PARTITION_READY);
	host_peek(PLACED_DATA, &byte, 1);
	require(byte == 0);
}

static bool runs(enum partition_state state)
{
	return state == PARTITION_READY || state == PARTITION_CRASHED;
}

static void fuzz_call_partition_info(struct input *input)
{
	struct redoubt_partition_info result;
	uint64_t id = take(input, 1) & 1 ? 1 : take(input, 8);
	uint64_t item = take(input, 1) % 6;
	uint64_t status = redoubt_partition_info(id, item, &result);

	if (item >= REDOUBT_INFO_ITEMS)
		require(status == (REDOUBT_INVALID | 2 << 16));
	else
		require((status == REDOUBT_OK) ==
		    (id == 1 || (id <= PARTITIONS && runs(partition_state((unsigned)id)))));
	if (status == REDOUBT_OK && item == REDOUBT_INFO_SUMMARY)
		require((uint32_t)result.word0 == partition_state((unsigned)id));
}

/* The normal world may not make these; the program above does. */
static void expect_denied(struct input *input, uint64_t id)
{
	uint64_t regs[CALL_REGS] = { take(input, 8), take(input, 8), take(input, 1), 0 };

	require(redoubt_raw_call(id, regs) == REDOUBT_DENIED);
}

static void fuzz_call_next_request(struct input *input)
{
	expect_denied(input, REDOUBT_CALL_next_request);
}

static void fuzz_call_log_write(struct input *input)
{
	expect_denied(input, REDOUBT_CALL_log_write);
}

static void fuzz_call_partition_exit(struct input *input)
{
	expect_denied(input, REDOUBT_CALL_partition_exit);
}

static void fuzz_call_entropy(struct input *input)
{
	expect_denied(input, REDOUBT_CALL_entropy);
}

static void fuzz_call_time(struct input *input)
{
	expect_denied(input, REDOUBT_CALL_time);
}

static void fuzz_call_key_derive(struct input *input)
{
	expect_denied(input, REDOUBT_CALL_key_derive);
}

static void fuzz_call_report_make(struct input *input)
{
	expect_denied(input, REDOUBT_CALL_report_make);
}

static void fuzz_call_report_check(struct input *input)
{
	expect_denied(input, REDOUBT_CALL_report_check);
}

/* ---- Partitions that are made while it runs ---- */

static void fuzz_call_partition_create(struct input *input)
{
	struct redoubt_partition_create result = { 0 };
	uint64_t status = redoubt_partition_create(&result);

	require(status == REDOUBT_OK
		? partition_state((unsigned)result.partition) == PARTITION_BUILDING
		: status == REDOUBT_NO_RESOURCE);
}

/* What is given is frames of the machine's, as often as not such as can be. */
static void fuzz_call_partition_give(struct input *input)
{
	uint64_t how = take(input, 1), list[16];
	uint64_t count = 1 + take(input, 1) % 16;
	uint64_t target = (how & 1 ? take(input, 8) : 1 + take(input, 1) % 4) |
	    (how >> 1 & 3) << 32;
	uint64_t page = how & 8 ? take(input, 8) : take(input, 1);
	enum frame_state before = frame_state((spa_t){ GIVEN });
	uint64_t status;

	for (unsigned i = 0; i < 16; i++)
		list[i] = how & 16 ? take(input, 8) : GIVEN + (i + take(input, 1) % 4) * FRAME_SIZE;
	host_poke(GIVEN_LIST, list, sizeof(list));
	status = redoubt_partition_give(target, how & 32 ? take(input, 8) : GIVEN_LIST, count,
	    page);
	require(status == REDOUBT_OK || frame_state((spa_t){ GIVEN }) == before);
}

static void fuzz_call_partition_end(struct input *input)
{
	uint64_t id = take(input, 1) & 7 ? 2 + take(input, 1) % 3 : take(input, 8);
	enum partition_state before = partition_state((unsigned)id);
	uint64_t status = redoubt_partition_end(id);

	if (id == 1 || id > PARTITIONS || before == PARTITION_FREE)
		require(status == REDOUBT_STATE);
	else if (status == REDOUBT_OK)
		require(partition_state((unsigned)id) == PARTITION_FREE);
}

static void fuzz_call_image_read(struct input *input)
{
	expect_denied(input, REDOUBT_CALL_image_read);
}

static void fuzz_call_partition_launch(struct input *input)
{
	expect_denied(input, REDOUBT_CALL_partition_launch);
}

static void place(void)
{
	static uint8_t image[3 * FRAME_SIZE];
	struct bootinfo_partition *p = &host_info()->partitions[0];
	struct sha256 hash;

	*p = (struct bootinfo_partition){ .image_base = PLACED_IMAGE,
		.data_base = PLACED_DATA,
		.text_pages = 1,
		.rodata_pages = 1,
		.data_pages = 8,
		.svn = 1,
		.id = "codeint" };
	sha256_start(&hash);
	sha256_add(&hash, image, sizeof(image));
	sha256_end(&hash, p->measurement);
}

/* ---- Inputs ---- */

/* Any registers: a small id as often as not, arguments zero as often as not. */
static void any_call(struct input *input)
{
	uint64_t how = take(input, 1);
	uint64_t id = how & 1 ? take(input, 8) : take(input, 1) % 26;
	uint64_t regs[CALL_REGS] = { 0 };

	for (unsigned i = 0; i < CALL_REGS; i++)
		if (how & 2u << i)
			regs[i] = take(input, 8);
	playing = input;
	if (redoubt_raw_call(id, regs) == REDOUBT_OK && id == REDOUBT_CALL_partition_restart)
		started = false;
}

static void make_lines(struct input *input)
{
	unsigned count = (unsigned)take(input, 1) % 32;

	for (unsigned i = 0; i < count; i++)
		klog(LOG_DEBUG, "line %u of %u", i, count);
}

static void (*const operations[])(struct input *) = {
#define CALL(id, name, rights, args, rets, statuses, summary) fuzz_call_##name,
#include "monitor/abi/calls.def"
#undef CALL
	any_call,
	any_call,
	make_lines,
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct host_machine machine = host_default();

	host_build(&machine);
	place();
	host_set_program(play);
	if (monitor_init(host_info()) != LAUNCH_OK)
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	static unsigned turn;

	while (input.size > 0)
		operations[take(&input, 1) % (sizeof(operations) / sizeof(operations[0]))](&input);
	if (++turn % 256 == 0)
		require(invariant_walk().broken == NOTHING_BROKEN);
	return 0;
}
