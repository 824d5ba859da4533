/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * codeint/policy.c: signers, floors, debug images, and what was accepted before.
 */
#include "guest/trustlets/codeint/policy.h"

#include "monitor/abi/call.h"
#include "tests/unit/trustlets/fake.h"

static const struct signer us = { "us" }, them = { "them" };
static const struct signer signers[] = { { "us" }, { "them" } };
static const struct floor floors[] = { { "vault", 5 }, { "vault-2", 7 }, { "vault", 3 } };
static const struct policy release = { signers, COUNT(signers), floors, COUNT(floors), false };
static const struct policy tests_only = { signers, COUNT(signers), floors, COUNT(floors), true };
static const struct policy nobody = { NULL, 0, NULL, 0, false };

static struct history history;

static struct redoubt_image image(const char *id, uint32_t svn)
{
	struct redoubt_image made = { .svn = svn };

	memcpy(made.id, id, strlen(id));
	return made;
}

static uint64_t accept_by(const struct signer *signer, const char *id, uint32_t svn)
{
	struct redoubt_image asked = image(id, svn);
	struct history before = history;
	uint64_t status = policy_accept(&release, &history, &asked, signer);

	if (status != REDOUBT_OK)
		assert_memory_equal(&before, &history, sizeof(before));
	return status;
}

static void start(void)
{
	memset(&history, 0, sizeof(history));
}

static void each_bit_of_a_signer_counts(void **state)
{
	assert_true(policy_trusts(&release, &us));
	assert_true(policy_trusts(&release, &them));
	assert_false(policy_trusts(&nobody, &us));
	for (unsigned bit = 0; bit < 8 * SIGNER_BYTES; bit++) {
		struct signer other = us;

		other.key[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(policy_trusts(&release, &other));
	}
}

static void floors_hold_for_their_id_only(void **state)
{
	start();
	assert_int_equal(accept_by(&us, "vault", 4), CODEINT_OLD_SVN);
	assert_int_equal(accept_by(&us, "vault", 5), REDOUBT_OK);
	assert_int_equal(accept_by(&them, "vault", 4), CODEINT_OLD_SVN);
	assert_int_equal(accept_by(&us, "vault-2", 6), CODEINT_OLD_SVN);
	assert_int_equal(accept_by(&us, "vault-2", 7), REDOUBT_OK);
	assert_int_equal(accept_by(&us, "vault-", 1), REDOUBT_OK);
	assert_int_equal(accept_by(&us, "vaul", 1), REDOUBT_OK);
	assert_int_equal(accept_by(&us, "avault", IMAGE_MAX_SVN), REDOUBT_OK);
}

static void debug_images_are_for_tests(void **state)
{
	struct redoubt_image asked = image("vault", 4);

	start();
	asked.flags = IMAGE_DEBUG;
	assert_int_equal(policy_accept(&release, &history, &asked, &us), CODEINT_DEBUG_IMAGE);
	assert_int_equal(policy_accept(&tests_only, &history, &asked, &us), CODEINT_OLD_SVN);
	asked.svn = 5;
	assert_int_equal(policy_accept(&release, &history, &asked, &us), CODEINT_DEBUG_IMAGE);
	assert_int_equal(history.count, 0);
	assert_int_equal(policy_accept(&tests_only, &history, &asked, &us), REDOUBT_OK);
}

static void an_older_one_does_not_come_after_a_newer_one(void **state)
{
	start();
	assert_int_equal(accept_by(&us, "a", 3), REDOUBT_OK);
	assert_int_equal(accept_by(&us, "a", 3), REDOUBT_OK);
	assert_int_equal(accept_by(&us, "a", 2), CODEINT_OLD_SVN);
	assert_int_equal(accept_by(&us, "a", 9), REDOUBT_OK);
	assert_int_equal(accept_by(&us, "a", 8), CODEINT_OLD_SVN);
	assert_int_equal(accept_by(&us, "a", 3), CODEINT_OLD_SVN);
	assert_int_equal(accept_by(&them, "a", 1), REDOUBT_OK);
	assert_int_equal(accept_by(&us, "aa", 1), REDOUBT_OK);
	assert_int_equal(accept_by(&us, "a", 9), REDOUBT_OK);
	assert_int_equal(history.count, 3);
}

/* What is full refuses new ids; it forgets none, and those it knows still have their turn. */
static void a_full_history_forgets_nothing(void **state)
{
	char id[IMAGE_ID_BYTES];

	start();
	for (unsigned i = 0; i < HISTORY_ENTRIES; i++) {
		snprintf(id, sizeof(id), "id-%u", i);
		assert_int_equal(accept_by(i % 2 ? &us : &them, id, 5), REDOUBT_OK);
	}
	assert_int_equal(accept_by(&us, "one-more", 5), CODEINT_NO_ROOM);
	assert_int_equal(accept_by(&us, "id-0", 5), CODEINT_NO_ROOM);
	for (unsigned i = 0; i < HISTORY_ENTRIES; i++) {
		snprintf(id, sizeof(id), "id-%u", i);
		assert_int_equal(accept_by(i % 2 ? &us : &them, id, 4), CODEINT_OLD_SVN);
		assert_int_equal(accept_by(i % 2 ? &us : &them, id, 6), REDOUBT_OK);
		assert_int_equal(accept_by(i % 2 ? &us : &them, id, 5), CODEINT_OLD_SVN);
	}
	assert_int_equal(history.count, HISTORY_ENTRIES);
}

/* At random, against a table of the highest SVN of each. */
static void as_a_model_says(void **state)
{
	uint64_t count = rounds();
	uint32_t highest[2][8] = { 0 };

	start();
	for (uint64_t i = 0; i < count; i++) {
		unsigned who = random_next() % 2, which = random_next() % 8;
		uint32_t svn = 1 + (uint32_t)(random_next() % (2 + i / 16 % IMAGE_MAX_SVN));
		char id[2] = { (char)('a' + which), 0 };
		bool good = svn >= highest[who][which];

		assert_int_equal(accept_by(who ? &us : &them, id, svn),
		    good ? REDOUBT_OK : CODEINT_OLD_SVN);
		if (good)
			highest[who][which] = svn;
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(each_bit_of_a_signer_counts),
	cmocka_unit_test(floors_hold_for_their_id_only),
	cmocka_unit_test(debug_images_are_for_tests),
	cmocka_unit_test(an_older_one_does_not_come_after_a_newer_one),
	cmocka_unit_test(a_full_history_forgets_nothing),
	cmocka_unit_test(as_a_model_says),
};

UNIT_MAIN(tests)
