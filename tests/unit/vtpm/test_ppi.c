/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * vtpm/ppi.c: requests, what becomes of them, and stores of any kind, beside the registers of
 * vtpm/crb.c in the same page. Numbers are those of TCG PC Client Platform Physical Presence
 * Interface 1.30.
 */
#include "tests/unit/unit.h"
#include "vtpm/crb.h"
#include "vtpm/ppi.h"

#define SUBMIT	 0x800u
#define PENDING	 0x804u
#define LAST	 0x808u
#define RESPONSE 0x80cu
#define BUSY	 0x80000000u
#define ABORTED	 0xfffffff0u

static struct ppi ppi;
static struct crb crb;
static _Alignas(CRB_PAGE) uint32_t window[TPM_PAGES][CRB_PAGE / 4];

static const uint32_t clears[] = { 5, 14, 21, 22 };

static uint32_t get(unsigned at)
{
	return window[0][at / 4];
}

static bool is_clear(uint32_t operation)
{
	for (unsigned i = 0; i < COUNT(clears); i++)
		if (clears[i] == operation)
			return true;
	return false;
}

static size_t no_command(unsigned locality, const uint8_t command[CRB_PAGE],
    uint8_t response[CRB_PAGE], bool *held)
{
	return 10;
}

/* As vtpm/main.c has it. */
static bool store(uint64_t offset, uint64_t value, uint64_t bytes, bool keeps)
{
	if (offset == PPI_AT)
		return ppi_store(&ppi, value, bytes, keeps);
	crb_store(&crb, offset, value, bytes);
	return false;
}

static void start_with(const void *part, size_t size)
{
	memset(window, 0, sizeof(window));
	crb_start(&crb, window, no_command);
	ppi_start(&ppi, (struct nv_bytes){ part, size });
	ppi_show(&ppi, window);
}

static int setup(void **state)
{
	start_with(NULL, 0);
	return 0;
}

static void expect(uint32_t submit, uint32_t pending, uint32_t last, uint32_t response)
{
	assert_int_equal(get(SUBMIT), submit);
	assert_int_equal(get(PENDING), pending);
	assert_int_equal(get(LAST), last);
	assert_int_equal(get(RESPONSE), response);
}

/* ---- Requests ---- */

static void test_nothing(void **state)
{
	expect(0, 0, 0, 0);
	assert_false(store(SUBMIT, 0, 4, true));
	ppi_kept(&ppi);
	expect(0, 0, 0, 0);
}

/* Accepted when it is kept, and not before. */
static void test_request(void **state)
{
	for (unsigned i = 0; i < COUNT(clears); i++) {
		setup(state);
		assert_true(store(SUBMIT, BUSY | clears[i], 4, true));
		expect(BUSY | clears[i], 0, 0, 0);
		assert_int_equal(ppi.next.pending, clears[i]);
		ppi_kept(&ppi);
		expect(0, clears[i], 0, 0);
	}
}

static void test_others_there_are_none_of(void **state)
{
	for (uint32_t operation = 1; operation < 300; operation++) {
		if (is_clear(operation))
			continue;
		assert_false(store(SUBMIT, BUSY | operation, 4, true));
		expect(1, 0, 0, 0);
	}
	assert_false(store(SUBMIT, UINT32_MAX, 4, true));
	expect(1, 0, 0, 0);
}

static void test_without_a_keeper(void **state)
{
	assert_false(store(SUBMIT, BUSY | 5, 4, false));
	expect(2, 0, 0, 0);
	assert_true(store(SUBMIT, BUSY | 5, 4, true));
	ppi_kept(&ppi);
	/* It is there: nothing is to be written. */
	assert_false(store(SUBMIT, BUSY | 5, 4, false));
	expect(0, 5, 0, 0);
	assert_false(store(SUBMIT, BUSY, 4, false));
	expect(2, 5, 0, 0);
}

static void test_withdrawn(void **state)
{
	assert_false(store(SUBMIT, BUSY, 4, true));
	expect(0, 0, 0, 0);
	assert_true(store(SUBMIT, BUSY | 5, 4, true));
	ppi_kept(&ppi);
	assert_true(store(SUBMIT, BUSY, 4, true));
	expect(BUSY, 5, 0, 0);
	ppi_kept(&ppi);
	expect(0, 0, 0, 0);
}

/* Another one changes nothing of what waits. */
static void test_while_it_waits(void **state)
{
	assert_true(store(SUBMIT, BUSY | 22, 4, true));
	assert_false(store(SUBMIT, BUSY | 22, 4, true));
	assert_false(store(SUBMIT, BUSY, 4, true));
	assert_false(store(SUBMIT, 7, 4, true));
	expect(BUSY | 22, 0, 0, 0);
	ppi_kept(&ppi);
	expect(0, 22, 0, 0);
}

/* ---- Starts ---- */

static void test_goes_on(void **state)
{
	struct ppi_part part = { 1, 14, 5, ABORTED };

	start_with(&part, sizeof(part));
	expect(0, 14, 5, ABORTED);
	ppi_start(&ppi, (struct nv_bytes){ (const uint8_t *)&part, sizeof(part) });
	assert_int_equal(ppi.part.pending, 14);
	ppi_done(&ppi, 0x9a2);
	ppi_show(&ppi, window);
	expect(0, 0, 14, 0x9a2);
	assert_memory_equal(&ppi.next, &ppi.part, sizeof(part));
}

/* Of another version, another size, or with what this image cannot do. */
static void test_parts_of_others(void **state)
{
	const struct ppi_part parts[] = { { 2, 5, 0, 0 }, { 0, 5, 0, 0 }, { 1, 6, 5, 1 },
		{ 1, BUSY | 5, 5, 1 } };
	const struct ppi_part right = { 1, 5, 5, 0 };

	for (unsigned i = 0; i < COUNT(parts); i++) {
		start_with(&parts[i], sizeof(parts[i]));
		expect(0, 0, 0, 0);
		assert_int_equal(ppi.next.version, 1);
	}
	start_with(&right, sizeof(right) - 1);
	expect(0, 0, 0, 0);
}

/* ---- Stores of any kind ---- */

static void test_elsewhere(void **state)
{
	const uint64_t offsets[] = { PENDING, LAST, RESPONSE, SUBMIT - 4, SUBMIT + 1, SUBMIT + 2,
		SUBMIT + 0x10, CRB_PAGE + SUBMIT, 4 * CRB_PAGE + SUBMIT, 5 * CRB_PAGE, 1ull << 32,
		(1ull << 32) + SUBMIT, UINT64_MAX - 3 };

	for (unsigned i = 0; i < COUNT(offsets); i++)
		for (uint64_t bytes = 1; bytes <= 8; bytes *= 2)
			assert_false(store(offsets[i], 0x8000000580000005, bytes, true));
	assert_false(store(SUBMIT, BUSY | 5, 1, true));
	assert_false(store(SUBMIT, BUSY | 5, 2, true));
	assert_false(store(SUBMIT, (5ull << 32) | BUSY | 5, 8, true));
	assert_false(store(SUBMIT, 5, 4, true));
	expect(0, 0, 0, 0);
}

/* What was stored while a command was carried out stands there as it is, and asks for nothing. */
static void test_posted(void **state)
{
	window[0][SUBMIT / 4] = BUSY | 21;
	window[0][PENDING / 4] = 5;
	window[0][LAST / 4] = window[0][RESPONSE / 4] = UINT32_MAX;
	assert_false(store(SUBMIT, 0, 1, true));
	expect(0, 0, 0, 0);
	window[0][SUBMIT / 4] = BUSY | 21;
	assert_true(store(SUBMIT, BUSY | 21, 4, true));
	expect(BUSY | 21, 0, 0, 0);
	window[0][SUBMIT / 4] = 0;
	ppi_kept(&ppi);
	expect(0, 21, 0, 0);
}

static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Somewhere in the page, most often at the registers. */
static uint64_t some_place(uint64_t r)
{
	if (r & 1)
		return SUBMIT;
	return r & 6 ? SUBMIT + (r >> 3 & 0xf) : (r >> 3) % (TPM_LOCALITIES * CRB_PAGE);
}

/* Whatever is stored: what is pending is what was kept, and was nothing but a clear. */
static void test_random(void **state)
{
	static const uint32_t values[] = { BUSY, BUSY | 5, BUSY | 14, BUSY | 6, 5, UINT32_MAX, 22 };
	uint64_t seed = 0x9e3779b97f4a7c15;
	unsigned kept = 0;

	for (unsigned i = 0; i < 200000; i++) {
		uint64_t r = next(&seed), place = some_place(next(&seed));
		uint32_t before = ppi.part.pending, value = values[r % COUNT(values)];
		bool keeps = r >> 20 & 1, waited = ppi.waits, changed;

		if (r >> 21 & 1)
			memcpy((uint8_t *)window[0] + place % (CRB_PAGE - 8), &value,
			    1u << (r >> 22 & 1));
		changed = store(place, value, 1u << (r >> 24 & 3), keeps);
		assert_true(!changed || (keeps && !waited && ppi.waits));
		if (place == SUBMIT)
			expect(ppi.submitted, before, 0, 0);
		assert_int_equal(ppi.submitted >> 31, ppi.waits);
		assert_int_equal(ppi.part.pending, before);
		assert_true(!changed || (place == SUBMIT && value & BUSY));
		assert_true(ppi.next.pending == 0 || is_clear(ppi.next.pending));
		if ((r >> 26 & 7) != 0)
			continue;
		kept += ppi.waits;
		before = ppi.next.pending;
		ppi_kept(&ppi);
		assert_int_equal(ppi.part.pending, before);
	}
	assert_true(kept > 1000);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

static const struct CMUnitTest tests[] = {
	TEST(test_nothing),
	TEST(test_request),
	TEST(test_others_there_are_none_of),
	TEST(test_without_a_keeper),
	TEST(test_withdrawn),
	TEST(test_while_it_waits),
	TEST(test_goes_on),
	TEST(test_parts_of_others),
	TEST(test_elsewhere),
	TEST(test_posted),
	TEST(test_random),
};

UNIT_MAIN(tests)
