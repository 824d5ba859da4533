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
	fake.refuse = MONITOR_TIME;
	assert_panics(ask_time, &time, "call 70: status 3");
	fake.refuse = MONITOR_NEXT_REQUEST;
	assert_panics(serve, NULL, "call 64: status 3");
	fake_start();
	fake.time = 17;
	assert_false(ends(ask_time, &time));
	assert_int_equal(time, 17);
}

static void derive(void *label)
{
	uint8_t key[TRUSTLET_KEY_BYTES];

	trustlet_key(label, key);
	assert_int_equal(key[0], *(char *)label);
	assert_int_equal(key[31], (uint8_t)(*(char *)label + 31));
}

static void keys_have_a_label_of_1_to_64_bytes(void **context)
{
	char label[66] = { 0 };

	fake_start();
	assert_panics(derive, label, "trustlet_key: a label of 0 bytes");
	memset(label, 'k', 64);
	assert_false(ends(derive, label));
	for (unsigned i = 0; i < EXCHANGE_BYTES; i++)
		assert_int_equal(exchange[i], 0);
	label[64] = 'k';
	assert_panics(derive, label, "trustlet_key: a label of 65 bytes");
}

static void a_report_holds_the_nonce(void **context)
{
	uint8_t nonce[TRUSTLET_NONCE_BYTES];
	struct monitor_report made;

	fake_start();
	memset(nonce, 0x3c, sizeof(nonce));
	trustlet_report(nonce, &made);
	assert_memory_equal(made.nonce, nonce, sizeof(nonce));
	assert_int_equal(made.id[0], 1);
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
	cmocka_unit_test(a_report_holds_the_nonce),
	cmocka_unit_test(a_long_line_is_cut_off),
};

UNIT_MAIN(tests)
