/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * boot/secure_boot_state.c: off only where firmware says so in due form.
 */
#include "boot/secure_boot_state.h"
#include "tests/unit/unit.h"

static const struct secure_boot_answer on = { .attributes = 6, .size = 1, .value = 1 };
static const struct secure_boot_answer off = { .attributes = 6, .size = 1, .value = 0 };

static void due_form_is_believed(void **state)
{
	struct secure_boot_answer absent = { .absent = true, .failed = true };

	assert_int_equal(secure_boot_state(&on), SECURE_BOOT_ON);
	assert_int_equal(secure_boot_state(&off), SECURE_BOOT_OFF);
	assert_int_equal(secure_boot_state(&absent), SECURE_BOOT_OFF);
}

static void an_error_is_not_off(void **state)
{
	struct secure_boot_answer answer = off;

	answer.failed = true;
	assert_int_equal(secure_boot_state(&answer), SECURE_BOOT_UNKNOWN);
}

static void other_attributes_are_not_off(void **state)
{
	struct secure_boot_answer answer = off;

	for (unsigned bit = 0; bit < 32; bit++) {
		answer.attributes = off.attributes ^ 1u << bit;
		assert_int_equal(secure_boot_state(&answer), SECURE_BOOT_UNKNOWN);
	}
}

static void another_size_is_not_off(void **state)
{
	static const size_t sizes[] = { 0, 2, 4, 257, SIZE_MAX };
	struct secure_boot_answer answer = off;

	for (unsigned i = 0; i < COUNT(sizes); i++) {
		answer.size = sizes[i];
		assert_int_equal(secure_boot_state(&answer), SECURE_BOOT_UNKNOWN);
	}
}

static void another_value_is_not_off(void **state)
{
	struct secure_boot_answer answer = off;

	for (unsigned value = 2; value < 256; value++) {
		answer.value = (uint8_t)value;
		assert_int_equal(secure_boot_state(&answer), SECURE_BOOT_UNKNOWN);
	}
}

static void texts_differ(void **state)
{
	assert_string_equal(secure_boot_text(SECURE_BOOT_ON), "is on");
	assert_string_equal(secure_boot_text(SECURE_BOOT_OFF), "is off");
	assert_non_null(strstr(secure_boot_text(SECURE_BOOT_UNKNOWN), "taken as on"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(due_form_is_believed),
	cmocka_unit_test(an_error_is_not_off),
	cmocka_unit_test(other_attributes_are_not_off),
	cmocka_unit_test(another_size_is_not_off),
	cmocka_unit_test(another_value_is_not_off),
	cmocka_unit_test(texts_differ),
};

UNIT_MAIN(tests)
