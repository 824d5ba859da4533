/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * rt/serve.c and rt/services.c: requests as requests.def here has them; calls to the monitor.
 */
#include "monitor/abi/call.h"
#include "tests/unit/trustlets/fake.h"

REQUEST_HANDLER(none)
{
	results[0] = results[1] = results[2] = ~0ull;
	return REDOUBT_OK;
}

REQUEST_HANDLER(one)
{
	results[0] = args[0];
	results[1] = results[2] = ~0ull;
	return args[0] == 99 ? REQUEST_OWN_STATUS : REDOUBT_OK;
}

REQUEST_HANDLER(three)
{
	results[0] = args[2];
	results[1] = args[1];
	results[2] = args[0];
	return args[2];
}

/* Requests (id, three words), and what each must be answered with. */
static const uint64_t asked[][4] = {
	{ 7, 0, 0, 0 },
	{ 7, 0, 0, 1 },
	{ 8, 5, 0, 0 },
	{ 8, 99, 0, 0 },
	{ 8, 5, 1, 0 },
	{ 0x100000009, 1, 2, 0 },
	{ 0x100000009, 1, 2, 0x777 },
	{ 9, 1, 2, 0 },
	{ 0, 0, 0, 0 },
	{ ~0ull, 1, 2, 3 },
};
static const uint64_t answered[][4] = {
	{ REDOUBT_OK, 0, 0, 0 },
	{ REDOUBT_INVALID, 0, 0, 0 },
	{ REDOUBT_OK, 5, 0, 0 },
	{ REQUEST_OWN_STATUS, 0, 0, 0 },
	{ REDOUBT_INVALID, 0, 0, 0 },
	{ REDOUBT_OK, 0, 2, 1 },
	{ 0x777, 0, 0, 0 },
	{ REDOUBT_UNKNOWN_CALL, 0, 0, 0 },
	{ REDOUBT_UNKNOWN_CALL, 0, 0, 0 },
	{ REDOUBT_UNKNOWN_CALL, 0, 0, 0 },
};
static size_t at;

static void next_request(struct monitor_call *regs)
{
	if (at > 0) {
		assert_int_equal(regs->rcx, answered[at - 1][0]);
		assert_int_equal(regs->rdx, answered[at - 1][1]);
		assert_int_equal(regs->r8, answered[at - 1][2]);
		assert_int_equal(regs->r9, answered[at - 1][3]);
	}
	if (at == COUNT(asked))
		longjmp(fake.end, 1);
	regs->rcx = asked[at][0];
	regs->rdx = asked[at][1];
	regs->r8 = asked[at][2];
	regs->r9 = asked[at][3];
	at++;
}

static void serve(void *arg)
{
	trustlet_serve();
}

static void requests_are_answered_as_the_table_says(void **context)
{
	fake_start();
	at = 0;
	fake.next_request = next_request;
	assert_true(ends(serve, NULL));
	assert_int_equal(at, COUNT(asked));
}

static void ask_time(void *arg)
{
	*(uint64_t *)arg = trustlet_time();
}

static void a_call_that_fails_is_the_end(void **context)
{
	uint64_t time = 0;

	fake_start();
	fake.refuse = REDOUBT_CALL_time;
	assert_panics(ask_time, &time, "call 13: status 3");
	fake.refuse = REDOUBT_CALL_next_request;
	assert_panics(serve, NULL, "call 9: status 3");
	fake_start();
	fake.time = 17;
	assert_false(ends(ask_time, &time));
	assert_int_equal(time, 17);
}

/* Nanoseconds, without overflow however long the machine runs. */
static void cycles_become_nanoseconds(void **context)
{
	fake_start();
	fake.khz = 2000000;
	fake.time = 2000000;
	assert_int_equal(trustlet_time(), 1000000);
	fake.time = 3;
	assert_int_equal(trustlet_time(), 1);
	fake.khz = 3;
	fake.time = 10;
	assert_int_equal(trustlet_time(), 3333333);
	fake.khz = 4000000;
	fake.time = ~0ull;
	assert_int_equal(trustlet_time(), (~0ull) / 4);
}

static void derive(void *label)
{
	uint8_t key[TRUSTLET_KEY_BYTES];

	assert_true(trustlet_key(label, trustlet_svn(), key));
}

static void keys_have_a_label_of_1_to_64_bytes(void **context)
{
	char label[66] = { 0 };

	fake_start();
	assert_panics(derive, label, "trustlet_key: a label of 0 bytes");
	memset(label, 'k', 64);
	assert_false(ends(derive, label));
	label[64] = 'k';
	assert_panics(derive, label, "trustlet_key: a label of 65 bytes");
}

/* What a key is made of is the label's SHA-256; the first 16 bytes here are those of "abc". */
static void a_key_is_of_a_label_and_an_svn(void **context)
{
	uint8_t key[TRUSTLET_KEY_BYTES] = { 0 };
	uint64_t label[2];

	fake_start();
	fake.svn = 7;
	memcpy(label, "\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23", 16);
	assert_int_equal(trustlet_svn(), MONITOR_SVN << 32 | 7);
	assert_true(trustlet_key("abc", 6, key));
	assert_int_equal(key[0], (uint8_t)(label[0] + label[1] + 6));
	assert_int_equal(key[31], (uint8_t)(key[0] + 31));
	assert_false(trustlet_key("abc", 8, key));
	assert_true(trustlet_key("abc", MONITOR_SVN << 32 | 7, key));
	assert_false(trustlet_key("abc", (MONITOR_SVN + 1) << 32 | 7, key));
	fake.refuse = REDOUBT_CALL_key_derive;
	assert_false(trustlet_key("abc", 1, key));
}

static void a_report_holds_the_nonce_and_what_the_monitor_says(void **context)
{
	uint8_t nonce[TRUSTLET_NONCE_BYTES];
	struct redoubt_report made;

	fake_start();
	fake.svn = 9;
	memset(nonce, 0x3c, sizeof(nonce));
	trustlet_report(nonce, &made);
	assert_memory_equal(made.nonce, nonce, sizeof(nonce));
	assert_int_equal(made.svn, 9);
	assert_int_equal(made.flags, 1);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(made.items[i][0], 0x40 * (i + 1));
	assert_int_equal(made.mac[0], 0x3c);
	assert_int_equal(made.mac[31], 0x3c + 31);
	fake.genuine = 0x3c + 31;
	assert_true(trustlet_report_genuine(&made));
	fake.genuine = 0;
	assert_false(trustlet_report_genuine(&made));
}

static void a_long_line_is_cut_off(void **context)
{
	char text[400] = { 0 };

	fake_start();
	memset(text, 'a', 300);
	trustlet_log("%s", text);
	assert_int_equal(strlen(fake.log), 257);
	fake.log[0] = 0;
	trustlet_log("%s", "");
	assert_string_equal(fake.log, "");
	trustlet_log("%d and %s", -1, "b");
	assert_string_equal(fake.log, "-1 and b\n");
	text[256] = 0;
	fake.log[0] = 0;
	trustlet_log("%s", text);
	assert_int_equal(strlen(fake.log), 257);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(requests_are_answered_as_the_table_says),
	cmocka_unit_test(a_call_that_fails_is_the_end),
	cmocka_unit_test(keys_have_a_label_of_1_to_64_bytes),
	cmocka_unit_test(a_key_is_of_a_label_and_an_svn),
	cmocka_unit_test(cycles_become_nanoseconds),
	cmocka_unit_test(a_report_holds_the_nonce_and_what_the_monitor_says),
	cmocka_unit_test(a_long_line_is_cut_off),
};

UNIT_MAIN(tests)
