/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * rt/include/limits.h against the host's own: values and types.
 */
#include <limits.h>

#include "tests/unit/unit.h"

#define SIGNED                                                                                     \
	{                                                                                          \
		CHAR_BIT, SCHAR_MIN, SCHAR_MAX, UCHAR_MAX, CHAR_MIN, CHAR_MAX, SHRT_MIN, SHRT_MAX, \
		    USHRT_MAX, INT_MIN, INT_MAX, LONG_MIN, LONG_MAX, LLONG_MIN, LLONG_MAX          \
	}
#define UNSIGNED                                                                                   \
	{                                                                                          \
		UINT_MAX, ULONG_MAX, ULLONG_MAX                                                    \
	}
#define TYPES                                                                                      \
	{                                                                                          \
		sizeof(UCHAR_MAX), sizeof(USHRT_MAX), sizeof(INT_MIN), sizeof(UINT_MAX),           \
		    sizeof(LONG_MIN), sizeof(ULONG_MAX), sizeof(LLONG_MIN)                         \
	}

static const long long host_signed[] = SIGNED;
static const unsigned long long host_unsigned[] = UNSIGNED;
static const size_t host_types[] = TYPES;

#undef CHAR_BIT
#undef SCHAR_MIN
#undef SCHAR_MAX
#undef UCHAR_MAX
#undef CHAR_MIN
#undef CHAR_MAX
#undef MB_LEN_MAX
#undef SHRT_MIN
#undef SHRT_MAX
#undef USHRT_MAX
#undef INT_MIN
#undef INT_MAX
#undef UINT_MAX
#undef LONG_MIN
#undef LONG_MAX
#undef ULONG_MAX
#undef LLONG_MIN
#undef LLONG_MAX
#undef ULLONG_MAX
#include "guest/trustlets/rt/include/limits.h"

static const long long our_signed[] = SIGNED;
static const unsigned long long our_unsigned[] = UNSIGNED;
static const size_t our_types[] = TYPES;

static void are_the_hosts(void **state)
{
	assert_memory_equal(our_signed, host_signed, sizeof(host_signed));
	assert_memory_equal(our_unsigned, host_unsigned, sizeof(host_unsigned));
	assert_memory_equal(our_types, host_types, sizeof(host_types));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(are_the_hosts),
};

UNIT_MAIN(tests)
