/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * rt/heap.c: random use against a model, and every abuse that it promises to notice.
 */
#include "tests/unit/trustlets/fake.h"

#define PAGES 40u
#define PAGE  4096u
#define HELD  64u

static _Alignas(4096) uint8_t memory[PAGES * PAGE];

static void start(void)
{
	fake_start();
	memset(memory, 0xcc, sizeof(memory)); /* what was there does not matter, but it is zero */
	memset(memory, 0, sizeof(memory));
	heap_start(memory, sizeof(memory), 0x1234567890abcdefull);
}

static bool inside(const uint8_t *at, size_t bytes)
{
	return at >= memory && at + bytes <= memory + sizeof(memory);
}

static void check_fresh(const uint8_t *at, size_t bytes)
{
	assert_true(inside(at, bytes));
	assert_int_equal((uintptr_t)at % 16, 0);
	for (size_t i = 0; i < bytes; i++)
		assert_int_equal(at[i], 0);
}

struct held {
	uint8_t *at;
	size_t bytes;
	uint8_t mark;
};

static void check_held(const struct held *held)
{
	for (size_t i = 0; i < held->bytes; i++)
		assert_int_equal(held->at[i], held->mark);
}

static size_t random_size(void)
{
	static const size_t edges[] = { 0, 1, 23, 24, 25, 56, 57, 2039, 2040, 2041, 4087, 4088,
		4089 };
	uint64_t how = random_next() % 4;

	return how == 0 ? edges[random_next() % COUNT(edges)]
			: random_next() % (how == 1 ? 100 : 9000);
}

/*
 * Memory keeps what is written, does not overlap, comes zeroed; all of it is there again at the
 * end.
 */
static void keeps_what_is_written(void **state)
{
	static struct held held[HELD];
	uint64_t count = rounds(), taken = 0;

	start();
	for (uint64_t i = 0; i < count; i++) {
		struct held *one = &held[random_next() % HELD];

		check_held(one);
		if (one->at && random_next() % 3 == 0) {
			size_t bytes = random_size(),
			       kept = bytes < one->bytes ? bytes : one->bytes;
			uint8_t *moved = rt_realloc(one->at, bytes);

			if (!moved)
				continue;
			for (size_t k = 0; k < kept; k++)
				assert_int_equal(moved[k], one->mark);
			*one = (struct held){ moved, bytes, one->mark };
		} else {
			rt_free(one->at);
			one->bytes = random_size();
			one->at = rt_malloc(one->bytes);
			if (!one->at)
				one->bytes = 0;
			else
				check_fresh(one->at, one->bytes);
			taken += one->at != NULL;
			one->mark = (uint8_t)(random_next() | 1);
		}
		if (one->at)
			memset(one->at, one->mark, one->bytes);
	}
	assert_true(taken > count / 4);
	for (unsigned i = 0; i < HELD; i++)
		rt_free(held[i].at);
	assert_int_equal(trustlet_heap_use().used, 0);
	assert_non_null(rt_malloc((PAGES - 2) * PAGE));
}

static void is_bounded_and_says_so(void **state)
{
	void *at[PAGES * 200];
	size_t count = 0;

	start();
	assert_null(rt_malloc(sizeof(memory)));
	assert_null(rt_malloc(SIZE_MAX));
	assert_null(rt_malloc(SIZE_MAX - 7));
	assert_null(rt_calloc(SIZE_MAX / 2, 3));
	assert_null(rt_calloc(1ull << 33, 1ull << 33));
	while (count < COUNT(at) && (at[count] = rt_malloc(20)))
		count++;
	assert_in_range(count, (PAGES - 2) * 120, (PAGES - 1) * 128);
	assert_null(rt_realloc(at[0], 5000));
	while (count)
		rt_free(at[--count]);
	assert_non_null(rt_malloc((PAGES - 2) * PAGE));
	heap_start(memory, 0, 1);
	assert_null(rt_malloc(1));
	heap_start(memory, PAGE, 1);
	assert_null(rt_malloc(1));
}

static void small_cases(void **state)
{
	uint8_t *a, *b;

	start();
	rt_free(NULL);
	a = rt_malloc(0);
	b = rt_malloc(0);
	assert_non_null(a);
	assert_true(a != b);
	assert_ptr_equal(rt_realloc(a, 24), a);
	b = rt_realloc(NULL, 10);
	check_fresh(b, 10);
	check_fresh(rt_calloc(7, 9), 63);
}

/* ---- Abuse: how much, from where ---- */

struct abuse {
	size_t bytes;
	ptrdiff_t offset;
};

static void overflow(void *arg)
{
	const struct abuse *abuse = arg;
	uint8_t *at = rt_malloc(abuse->bytes);

	at[abuse->offset] ^= 1;
	rt_free(at);
}

static void overflow_realloc(void *arg)
{
	const struct abuse *abuse = arg;
	uint8_t *at = rt_malloc(abuse->bytes);

	at[abuse->offset] ^= 1;
	rt_realloc(at, abuse->bytes);
}

static void free_at(void *arg)
{
	const struct abuse *abuse = arg;

	rt_free((uint8_t *)rt_malloc(abuse->bytes) + abuse->offset);
}

static void free_twice(void *arg)
{
	const struct abuse *abuse = arg;
	void *other = rt_malloc(abuse->bytes), *at = rt_malloc(abuse->bytes);

	rt_free(at);
	rt_free(abuse->offset ? other : NULL);
	rt_free(at);
}

static void write_stale(void *arg)
{
	const struct abuse *abuse = arg;
	uint8_t *keep = rt_malloc(abuse->bytes), *at = rt_malloc(abuse->bytes);

	rt_free(at);
	at[abuse->offset] = 1;
	assert_non_null(keep);
	rt_malloc(abuse->bytes);
}

static void free_foreign(void *arg)
{
	rt_free(arg);
}

static void an_overflow_is_noticed(void **state)
{
	static struct abuse small = { 24, 24 }, last = { 2040, 2047 }, run = { 5000, 8184 };

	start();
	assert_panics(overflow, &small, "heap: written behind memory of 24 bytes");
	assert_panics(overflow_realloc, &small, "heap: written behind memory of 24 bytes");
	assert_panics(overflow, &last, "heap: written behind memory of 2040 bytes");
	assert_panics(overflow, &run, "heap: written behind memory of 8184 bytes");
	small.offset = 23;
	assert_false(ends(overflow, &small));
}

static void a_wrong_pointer_is_noticed(void **state)
{
	static struct abuse inner = { 100, 16 }, odd = { 100, 1 }, page = { 9000, 4096 },
			    in = { 9000, 16 };
	uint64_t local = 0;

	start();
	assert_panics(free_at, &inner, "heap: not memory in use");
	assert_panics(free_at, &odd, "heap: not memory in use");
	assert_panics(free_at, &page, "heap: not memory in use");
	assert_panics(free_at, &in, "heap: not memory in use");
	assert_panics(free_foreign, &local, "heap: not of the heap");
	assert_panics(free_foreign, memory, "heap: not of the heap");
	assert_panics(free_foreign, memory + sizeof(memory), "heap: not of the heap");
	assert_panics(free_foreign, memory + sizeof(memory) - PAGE, "heap: not memory in use");
}

static void freeing_twice_is_noticed(void **state)
{
	static struct abuse small = { 100, 0 }, alone = { 100, 1 }, run = { 9000, 0 };

	start();
	assert_panics(free_twice, &small, "heap: not memory in use");
	assert_panics(free_twice, &run, "heap: not memory in use");
	start();
	assert_panics(free_twice, &alone, "heap: not memory in use");
}

static void a_write_after_free_is_noticed(void **state)
{
	static struct abuse first = { 100, 0 }, last = { 100, 127 }, run = { 9000, 4096 };

	start();
	assert_panics(write_stale, &first, "heap: written to after free");
	start();
	assert_panics(write_stale, &last, "heap: written to after free");
	start();
	assert_panics(write_stale, &run, "heap: written to after free");
}

static void freed_memory_keeps_nothing(void **state)
{
	uint8_t *small, *run;

	start();
	small = rt_malloc(100);
	run = rt_malloc(9000);
	memset(small, 0x5a, 100);
	memset(run, 0x5a, 9000);
	rt_free(small);
	rt_free(run);
	for (unsigned i = 0; i < 9000; i++)
		assert_int_equal(run[i], 0);
	for (unsigned i = 0; i < 128; i++)
		assert_int_equal(small[i], 0);
}

static void use_is_counted(void **state)
{
	void *small, *run;

	start();
	assert_int_equal(trustlet_heap_use().pages, PAGES - 1);
	assert_int_equal(trustlet_heap_use().peak, 0);
	small = rt_malloc(100);
	run = rt_malloc(9000);
	assert_int_equal(trustlet_heap_use().used, 4);
	rt_free(run);
	assert_int_equal(trustlet_heap_use().used, 1);
	run = rt_malloc(5000);
	assert_null(rt_malloc(sizeof(memory)));
	assert_int_equal(trustlet_heap_use().used, 3);
	rt_free(run);
	rt_free(small);
	assert_int_equal(trustlet_heap_use().used, 0);
	assert_int_equal(trustlet_heap_use().peak, 4);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(keeps_what_is_written),
	cmocka_unit_test(is_bounded_and_says_so),
	cmocka_unit_test(small_cases),
	cmocka_unit_test(an_overflow_is_noticed),
	cmocka_unit_test(a_wrong_pointer_is_noticed),
	cmocka_unit_test(freeing_twice_is_noticed),
	cmocka_unit_test(a_write_after_free_is_noticed),
	cmocka_unit_test(freed_memory_keeps_nothing),
	cmocka_unit_test(use_is_counted),
};

UNIT_MAIN(tests)
