/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * monitor/keys.c: random numbers, keys, reports, time; each call as partition 1 makes it, or 2.
 * What a key should be is computed here, from the text of keys.h and with HMAC of our own reading.
 */
#include "monitor/keys.h"

#include "arch/cpu.h"
#include "arch/host/host.h"
#include "arch/upcall.h"
#include "arch/vp.h"
#include "monitor/abi/image.h"
#include "monitor/call.h"
#include "monitor/lib/sha256.h"
#include "monitor/partition.h"
#include "tests/unit/unit.h"

#define IMAGE(n) (0x200000ull + (n)*0x100000ull)
#define DATA(n)	 (IMAGE(n) + 0x80000ull)

static const uint8_t root[SHA256_BYTES] = { 0x11, 0x22, 0x33 };

/* ---- A program that makes one call a request ---- */

static struct call wanted, got;
static bool at_start[PARTITIONS + 1];
static bool asked[PARTITIONS + 1];

static struct vp_exit play(const struct vp_start *start, struct call *call, uint64_t cycles)
{
	unsigned id = start->partition;

	if (!at_start[id] && !asked[id]) {
		*call = wanted;
		asked[id] = true;
		return (struct vp_exit){ .stop = VP_CALLED };
	}
	if (asked[id])
		got = *call;
	asked[id] = false;
	at_start[id] = false;
	*call = (struct call){ REDOUBT_CALL_next_request, { 0 } };
	return (struct vp_exit){ .stop = VP_CALLED };
}

static void describe(unsigned n, const char *id, uint32_t svn)
{
	static const uint8_t pages[3 * FRAME_SIZE];
	struct bootinfo_partition *p = &host_info()->partitions[n];
	struct sha256 hash;

	*p = (struct bootinfo_partition){ .image_base = IMAGE(n),
		.data_base = DATA(n),
		.text_pages = 1,
		.rodata_pages = 1,
		.data_pages = 4,
		.svn = svn };
	memcpy(p->id, id, strlen(id));
	sha256_start(&hash);
	sha256_add(&hash, pages, sizeof(pages));
	sha256_end(&hash, p->measurement);
}

static void prepare(uint32_t flags, uint32_t svn)
{
	struct host_machine machine = host_default();

	machine.flags |= flags;
	host_build(&machine);
	memset(host_info()->entropy, 0x77, sizeof(host_info()->entropy));
	if (flags & BOOTINFO_ROOT_KEY)
		memcpy(host_info()->root_key, root, sizeof(root));
	host_info()->tsc_khz = 2000000;
	describe(0, "one", svn);
	describe(1, "two", 1);
	memset(at_start, true, sizeof(at_start));
	memset(asked, false, sizeof(asked));
	host_set_program(play);
}

static void launch(void)
{
	assert_true(bootinfo_valid(host_info()));
	assert_int_equal(monitor_init(host_info()), LAUNCH_OK);
}

static int boot(void **state)
{
	prepare(BOOTINFO_ROOT_KEY, 5);
	launch();
	return 0;
}

static struct call made_by(unsigned id, uint64_t call, uint64_t a, uint64_t b, uint64_t c)
{
	struct call request = { REDOUBT_CALL_partition_call, { id } };

	wanted = (struct call){ call, { a, b, c } };
	do {
		request = (struct call){ REDOUBT_CALL_partition_call, { id } };
		got = (struct call){ ~0ull, { 0 } };
		monitor_call(&request);
		assert_int_equal(request.rax, REDOUBT_OK);
	} while (got.rax == ~0ull);
	return got;
}

static void expect_same(const void *a, const void *b, bool same)
{
	assert_true((memcmp(a, b, SHA256_BYTES) == 0) == same);
}

/* ---- HMAC ---- */

/* RFC 4231, 4.2 to 4.4: keys of at most 32 bytes, zeros behind. */
static void hmac_of_the_standards_messages(void **state)
{
	static const struct {
		uint8_t key[SHA256_BYTES];
		const char *data;
		uint8_t mac[8]; /* its first bytes */
	} rows[] = {
		{ { 0xb, 0xb, 0xb, 0xb, 0xb, 0xb, 0xb, 0xb, 0xb, 0xb, 0xb, 0xb, 0xb, 0xb, 0xb, 0xb,
		      0xb, 0xb, 0xb, 0xb },
		    "Hi There", { 0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53 } },
		{ "Jefe", "what do ya want for nothing?",
		    { 0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e } },
	};
	uint8_t mac[SHA256_BYTES], key[SHA256_BYTES];

	for (unsigned i = 0; i < COUNT(rows); i++) {
		hmac_sha256(rows[i].key, rows[i].data, strlen(rows[i].data), mac);
		assert_memory_equal(mac, rows[i].mac, sizeof(rows[i].mac));
		memcpy(key, rows[i].key, sizeof(key));
		hmac_sha256(key, rows[i].data, strlen(rows[i].data), key);
		expect_same(key, mac, true);
	}
}

/* ---- Calls ---- */

static void expect_denied(uint64_t id)
{
	struct call call = { id, { 0 } };

	monitor_call(&call);
	assert_int_equal(call.rax, REDOUBT_DENIED);
}

void test_call_entropy(void **state);
void test_call_entropy(void **state)
{
	struct call draws[6];

	for (unsigned i = 0; i < COUNT(draws); i++) {
		draws[i] = made_by(1 + i % 2, REDOUBT_CALL_entropy, 0, 0, 0);
		assert_int_equal(draws[i].rax, REDOUBT_OK);
		for (unsigned k = 0; k < i; k++)
			expect_same(draws[i].regs, draws[k].regs, false);
	}
	/* Another seed gives others. */
	prepare(0, 5);
	host_info()->entropy[31] ^= 1;
	launch();
	expect_same(made_by(1, REDOUBT_CALL_entropy, 0, 0, 0).regs, draws[0].regs, false);
	expect_denied(REDOUBT_CALL_entropy);
}

void test_call_time(void **state);
void test_call_time(void **state)
{
	struct call call;

	host_set_cycles(1000, 1);
	call = made_by(1, REDOUBT_CALL_time, 0, 0, 0);
	assert_int_equal(call.rax, REDOUBT_OK);
	assert_in_range(call.regs[0], 1000, 1100);
	assert_int_equal(call.regs[1], 2000000);
	expect_denied(REDOUBT_CALL_time);
}

static void expected_key(const uint8_t by[SHA256_BYTES], uint64_t svn, uint8_t key[SHA256_BYTES])
{
	const uint64_t flags = 0;
	uint8_t text[8 + 16 + 8 + 8 + 32 + 32] = "seal";

	memcpy(text + 8, "labelOfAKey\0\0\0\0\0", 16);
	memcpy(text + 24, &svn, 8);
	memcpy(text + 32, &flags, 8);
	memcpy(text + 40, "one", 3);
	hmac_sha256(by, text, sizeof(text), key);
}

#define OWN(svn) ((svn) | (uint64_t)REDOUBT_SVN << 32)

static struct call key_of(unsigned id, uint64_t svn)
{
	uint64_t label[2];

	memcpy(label, "labelOfAKey\0\0\0\0\0", 16);
	return made_by(id, REDOUBT_CALL_key_derive, label[0], label[1], OWN(svn));
}

/* The root key of the SVN before is the SHA-256 of this one's. */
static void older_monitors_key(const uint64_t *not_this)
{
	uint8_t before[SHA256_BYTES], key[SHA256_BYTES];
	struct sha256 hash;
	uint64_t label[2];
	struct call call;

	memcpy(label, "labelOfAKey\0\0\0\0\0", 16);
	call = made_by(1, REDOUBT_CALL_key_derive, label[0], label[1],
	    5 | (uint64_t)(REDOUBT_SVN - 1) << 32);
	sha256_start(&hash);
	sha256_add(&hash, root, sizeof(root));
	sha256_end(&hash, before);
	expected_key(before, 5, key);
	expect_same(call.regs, key, true);
	expect_same(call.regs, not_this, false);
}

void test_call_key_derive(void **state);
void test_call_key_derive(void **state)
{
	static const uint64_t newer[] = { OWN(6), OWN(UINT32_MAX), 5 | (REDOUBT_SVN + 1ull) << 32,
		5 | 1ull << 63, ~0ull };
	uint8_t key[SHA256_BYTES];
	struct call mine = key_of(1, 5);
	struct call older = key_of(1, 4);

	assert_int_equal(mine.rax, REDOUBT_OK);
	expected_key(root, 5, key);
	expect_same(mine.regs, key, true);
	expected_key(root, 4, key);
	expect_same(older.regs, key, true);
	expect_same(made_by(1, REDOUBT_CALL_key_derive, 1, 0, OWN(5)).regs, mine.regs, false);
	expect_same(made_by(1, REDOUBT_CALL_key_derive, 0, 1, OWN(5)).regs, mine.regs, false);
	expect_same(key_of(2, 1).regs, key_of(1, 1).regs, false);
	/* An older SVN gets no newer one's (T56). */
	for (unsigned i = 0; i < COUNT(newer); i++) {
		struct call refused = made_by(1, REDOUBT_CALL_key_derive, 0, 0, newer[i]);

		assert_int_equal(refused.rax, REDOUBT_RANGE | 3 << 16);
		assert_int_equal(refused.regs[0] | refused.regs[1], 0);
	}
	expect_denied(REDOUBT_CALL_key_derive);
	older_monitors_key(mine.regs);
	/* The one before opens what it has sealed, and the next one opens that too. */
	prepare(BOOTINFO_ROOT_KEY, 4);
	launch();
	expect_same(key_of(1, 4).regs, older.regs, true);
	prepare(BOOTINFO_ROOT_KEY, 4);
	host_info()->partitions[0].flags = IMAGE_DEBUG;
	launch();
	expect_same(key_of(1, 4).regs, older.regs, false);
	prepare(BOOTINFO_ROOT_KEY, 4);
	host_info()->partitions[0].signer[31] = 1;
	launch();
	expect_same(key_of(1, 4).regs, older.regs, false);
	prepare(0, 4);
	launch();
	assert_int_equal(key_of(1, 4).rax, REDOUBT_STATE);
}

static struct redoubt_report report_of(unsigned n)
{
	struct bootinfo_partition *p = &host_info()->partitions[n - 1];
	struct redoubt_report report = { .svn = p->svn, .flags = p->flags, .nonce = { 1, 2, 3 } };
	uint64_t nonce[3];
	struct call call;

	memcpy(report.items, p->items, sizeof(report.items));
	memcpy(nonce, report.nonce, sizeof(nonce));
	call = made_by(n, REDOUBT_CALL_report_make, nonce[0], nonce[1], nonce[2]);
	assert_int_equal(call.rax, REDOUBT_OK);
	memcpy(report.mac, call.regs, sizeof(report.mac));
	return report;
}

/* What partition 2 is told of a report. */
static uint64_t genuine(const struct redoubt_report *report)
{
	struct call call;

	host_poke(DATA(1) + 0x100, report, sizeof(*report));
	call = made_by(2, REDOUBT_CALL_report_check, TRUSTLET_DATA_BASE + 0x100, 0, 0);
	assert_int_equal(call.rax, REDOUBT_OK);
	return call.regs[0];
}

void test_call_report_make(void **state);
void test_call_report_make(void **state)
{
	struct redoubt_report report = report_of(1);

	assert_int_equal(genuine(&report), 1);
	report = report_of(2);
	assert_int_equal(genuine(&report), 1);
	expect_denied(REDOUBT_CALL_report_make);
	/* Of another launch: not genuine any more. */
	prepare(0, 5);
	host_info()->entropy[0] ^= 1;
	launch();
	assert_int_equal(genuine(&report), 0);
}

void test_call_report_check(void **state);
void test_call_report_check(void **state)
{
	static const uint64_t nowhere[] = { 0, TRUSTLET_IMAGE_BASE, TRUSTLET_DATA_BASE + 0xf70,
		TRUSTLET_DATA_BASE + 4 * FRAME_SIZE, ~0ull, ~0ull - 100, 1ull << 32 };
	struct redoubt_report report = report_of(1);

	for (unsigned bit = 0; bit < 8 * sizeof(report); bit++) {
		((uint8_t *)&report)[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(genuine(&report), 0);
		((uint8_t *)&report)[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(genuine(&report), 1);
	for (unsigned i = 0; i < COUNT(nowhere); i++)
		assert_int_equal(made_by(2, REDOUBT_CALL_report_check, nowhere[i], 0, 0).rax,
		    REDOUBT_RANGE | 1 << 16);
	expect_denied(REDOUBT_CALL_report_check);
}

/* ---- The end ---- */

static void expect_zero(const void *from, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		assert_int_equal(((const uint8_t *)from)[i], 0);
}

static void the_loaders_block_keeps_no_secret(void **state)
{
	expect_zero(host_info()->entropy, sizeof(host_info()->entropy));
	expect_zero(host_info()->root_key, sizeof(host_info()->root_key));
}

/* Whoever goes on, though the machine ends, finds no key and no memory. */
static void leaving_scrubs_keys_and_partitions(void **state)
{
	struct call request = { REDOUBT_CALL_partition_call, { 1 } };
	uint8_t bytes[FRAME_SIZE];

	assert_int_equal(key_of(1, 5).rax, REDOUBT_OK);
	host_poke(DATA(0) + FRAME_SIZE, "secret", 6);
	monitor_leaving();
	monitor_leaving();
	host_peek(DATA(0) + FRAME_SIZE, bytes, sizeof(bytes));
	expect_zero(bytes, sizeof(bytes));
	monitor_call(&request);
	assert_int_equal(request.rax, REDOUBT_BUSY);
}

/*
 * What random numbers come from behind it is the same whatever the seed was: nothing is left of it.
 */
static void leaving_scrubs_the_pool(void **state)
{
	uint64_t drawn[2][CALL_REGS];

	for (unsigned i = 0; i < 2; i++) {
		prepare(0, 5);
		host_info()->entropy[3] = (uint8_t)i;
		launch();
		monitor_leaving();
		assert_int_equal(call_entropy(drawn[i], drawn[i]), REDOUBT_OK);
	}
	expect_same(drawn[0], drawn[1], true);
}

#define TEST(name) cmocka_unit_test_setup(name, boot)

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(hmac_of_the_standards_messages),
	TEST(test_call_entropy),
	TEST(test_call_time),
	TEST(test_call_key_derive),
	TEST(test_call_report_make),
	TEST(test_call_report_check),
	TEST(the_loaders_block_keeps_no_secret),
	TEST(leaving_scrubs_keys_and_partitions),
	TEST(leaving_scrubs_the_pool),
};

UNIT_MAIN(tests)
