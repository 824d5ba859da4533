/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * MTRRs: what may be written, and the type of every address against a model that knows only SDM 3A
 * 12.11.
 */
#include "arch/x86/mtrr.h"
#include "monitor/abi/bootinfo.h"

#include "fake_cpu.h"

#define PAGES	     512u /* of the model's view, from where it looks */
#define VALID	     (1ull << 11)
#define ENABLE	     (1ull << 11)
#define FIXED_ENABLE (1ull << 10)

static const uint64_t types[] = { 0, 1, 4, 5, 6 };

/* Figure by figure as the manual has it, for one page; no shared code with mtrr.c. */
static unsigned model_type(const struct mtrr_state *s, uint64_t page)
{
	unsigned seen = 0;
	uint64_t address = page << 12;

	if (!(s->default_type & ENABLE))
		return 0;
	if (page < 256 && (s->default_type & FIXED_ENABLE) && (s->capability & 0x100)) {
		unsigned slot = page < 128 ? (unsigned)page / 16
		    : page < 192	   ? 8 + (unsigned)(page - 128) / 4
					   : 24 + (unsigned)(page - 192);

		return ((const uint8_t *)s->fixed)[slot];
	}
	for (unsigned i = 0; i < (s->capability & 0xff); i++) {
		uint64_t mask = s->mask[i] & 0xffffffffff000ull;

		/* From the lowest bit that is set on all count as set. */
		for (unsigned bit = 13; bit < 52; bit++)
			mask |= (mask >> (bit - 1) & 1) << bit;
		if ((s->mask[i] & VALID) && mask && (address & mask) == (s->base[i] & mask))
			seen |= 1u << (s->base[i] & 7);
	}
	if (seen == 0)
		return s->default_type & 7;
	if ((seen & (seen - 1)) == 0)
		return (unsigned)__builtin_ctz(seen);
	return seen == (1u << 4 | 1u << 6) ? 4 : 0;
}

static uint64_t random_type(void)
{
	return types[fake_random() % COUNT(types)];
}

/* Ranges around `near`; masks with and without holes. */
static void random_state(struct mtrr_state *s, uint64_t near)
{
	unsigned count = (unsigned)(fake_random() % 9);

	*s = (struct mtrr_state){ .capability = 0x500 | count };
	s->default_type = random_type() | (fake_random() % 16 ? ENABLE : 0) |
	    (fake_random() % 2 ? FIXED_ENABLE : 0);
	if (fake_random() % 8 == 0)
		s->capability &= ~0x100ull;
	for (unsigned i = 0; i < sizeof(s->fixed); i++)
		((uint8_t *)s->fixed)[i] = (uint8_t)(fake_random() % 3 ? 6 : random_type());
	for (unsigned i = 0; i < count; i++) {
		uint64_t size = 1ull << (12 + fake_random() % 12);
		uint64_t mask = ~(size - 1) & 0xffffffffff000ull;

		if (fake_random() % 4 == 0)
			mask &= ~(fake_random() << 12 & 0xff000);
		if (fake_random() % 16 == 0)
			mask &= 0xfffffff000ull;
		s->base[i] = ((near + (fake_random() % 0x400000)) &
				 ~(fake_random() % 2 ? size - 1 : 0xfff)) |
		    random_type();
		s->base[i] &= ~0xf00ull;
		s->mask[i] = mask | (fake_random() % 4 ? VALID : 0);
	}
}

static void check_state(const struct mtrr_state *s, uint64_t first)
{
	uint64_t page = first;

	while (page < first + PAGES) {
		uint64_t gpa = (page << 12) + fake_random() % 4096;
		uint64_t end = 0;
		unsigned type = model_type(s, page);
		uint64_t stop = page;

		assert_int_equal(mtrr_type(s, gpa, &end), type);
		while (stop < first + PAGES && model_type(s, stop) == type)
			stop++;
		if (stop < first + PAGES)
			assert_int_equal(end, stop << 12);
		else
			assert_true(end >= stop << 12);
		page = stop;
	}
}

static void test_property(void **state)
{
	unsigned long rounds = fake_rounds(100000);

	for (unsigned long i = 0; i < rounds; i++) {
		struct mtrr_state s;
		uint64_t first = fake_random() % 4 == 0 ? 0
		    : fake_random() % 4 == 0		? 0x40000 - PAGES / 2
							: fake_random() % 0x1000000;

		random_state(&s, first << 12);
		check_state(&s, first);
	}
}

/* Few ranges far apart: the next edge is found wherever it is. */
static void test_far(void **state)
{
	struct mtrr_state s = { .capability = 0x508, .default_type = ENABLE | 6 };
	uint64_t end;

	s.base[0] = 0xc0000000;
	s.mask[0] = 0xffffc0000000 | VALID;
	s.base[1] = 0x800000000000 | 4;
	s.mask[1] = 0xffffffe00000 | VALID;
	assert_int_equal(mtrr_type(&s, 0, &end), 6);
	assert_int_equal(end, 0xc0000000);
	assert_int_equal(mtrr_type(&s, 0xbffff123, &end), 6);
	assert_int_equal(end, 0xc0000000);
	assert_int_equal(mtrr_type(&s, 0xc0000000, &end), 0);
	assert_int_equal(end, 0x100000000);
	assert_int_equal(mtrr_type(&s, 0x800000200000, &end), 6);
	assert_int_equal(end, ~0xfffull);
	assert_int_equal(mtrr_type(&s, 0x800000001000, &end), 4);
	assert_int_equal(end, 0x800000200000);
	assert_int_equal(mtrr_type(&s, 0x7fffffffffff, &end), 6);
	assert_int_equal(end, 0x800000000000);
	s.default_type = 6;
	assert_int_equal(mtrr_type(&s, 0xc0000000, &end), 0);
}

/* Whatever a guest writes: types change in no more regions than tables are reserved for. */
static void test_splits(void **state)
{
	for (unsigned round = 0; round < 1000; round++) {
		struct mtrr_state s = { .capability = 0x500 | MTRR_MAX_VARIABLE,
			.default_type = ENABLE | FIXED_ENABLE | 6 };
		uint64_t last = ~0ull;
		unsigned regions = 0;

		for (unsigned i = 0; i < sizeof(s.fixed); i++)
			((uint8_t *)s.fixed)[i] = (uint8_t)random_type();
		for (unsigned i = 0; i < MTRR_MAX_VARIABLE; i++) {
			s.base[i] = (fake_random() & 0xfffffffff000) | random_type();
			s.mask[i] = (0xfffffffff000ull << fake_random() % 20) & 0xfffffffff000;
			if (fake_random() % 4 == 0)
				s.mask[i] &= fake_random();
			s.mask[i] |= VALID;
		}
		for (uint64_t at = 0, end; at < 1ull << 48; at = end) {
			mtrr_type(&s, at, &end);
			regions += end >> LARGE_SHIFT != last && end % LARGE_SIZE != 0;
			last = end >> LARGE_SHIFT;
		}
		assert_in_range(regions, 0, TYPE_SPLITS + 1); /* the end of all addresses */
	}
}

static const struct {
	uint32_t msr;
	uint64_t value;
	bool accepted;
} writes[] = {
	{ 0xfe, 0x508, false },
	{ 0x2ff, 0xc06, true },
	{ 0x2ff, 0xc00, true },
	{ 0x2ff, 0, true },
	{ 0x2ff, 0xc02, false },
	{ 0x2ff, 0xc03, false },
	{ 0x2ff, 0xc07, false },
	{ 0x2ff, 0xd06, false },
	{ 0x2ff, 0x1c06, false },
	{ 0x2ff, 0x100000c06, false },
	{ 0x250, 0x0606060606060606, true },
	{ 0x250, 0x0001040506000000, true },
	{ 0x250, 0x0606060606060602, false },
	{ 0x26f, 0x0806060606060606, false },
	{ 0x251, 0, false },
	{ 0x200, 0xfffffffff006, true },
	{ 0x200, 0xfffffffff001, true },
	{ 0x200, 0x1000000000006, false },
	{ 0x200, 0x106, false },
	{ 0x200, 0x807, false },
	{ 0x200, 0x3, false },
	{ 0x201, 0xffff80000800, true },
	{ 0x201, 0xfffffffff800, true },
	{ 0x201, 0xfffff0000800, true },
	{ 0x201, 0xf80000800, true }, /* a 36-bit mask on a wider CPU */
	{ 0x201, 0x1ffff80000800, false },
	{ 0x201, 0xffff80000801, false },
	{ 0x201, 0xffef80000800, true }, /* a hole */
	{ 0x201, 0x800, true },		 /* no size: no range */
	{ 0x201, 0xfff780000000, true }, /* not in use */
	{ 0x20f, 0, true },
	{ 0x210, 0, false }, /* the ninth pair of eight */
	{ 0x1ff, 0, false },
	{ 0x277, 0, false },
};

static void test_writes(void **state)
{
	for (unsigned i = 0; i < COUNT(writes); i++) {
		struct mtrr_state s = { .capability = 0x508, .default_type = ENABLE | 6 };
		struct mtrr_state before = s;
		bool accepted = mtrr_set(&s, writes[i].msr, writes[i].value, 48);

		if (accepted != writes[i].accepted)
			fail_msg("MSR %x value %lx: %d", writes[i].msr, writes[i].value, accepted);
		if (accepted)
			assert_int_equal(*mtrr_register(&s, writes[i].msr), writes[i].value);
		else
			assert_memory_equal(&s, &before, sizeof(s));
	}
}

/* Registers that are not there; types that are not there. */
static void test_capability(void **state)
{
	struct mtrr_state none = { .default_type = ENABLE | 6 };
	struct mtrr_state plain = { .capability = 2 };
	uint64_t end;

	for (uint32_t msr = 0; msr < 0x300; msr++)
		assert_null(mtrr_register(&none, msr));
	assert_int_equal(mtrr_type(&none, 0xa0000, &end), 6);
	assert_non_null(mtrr_register(&plain, 0x203));
	assert_null(mtrr_register(&plain, 0x204));
	assert_null(mtrr_register(&plain, 0x250));
	assert_false(mtrr_set(&plain, 0x2ff, 0xc06, 48));
	assert_true(mtrr_set(&plain, 0x2ff, 0x806, 48));
	assert_false(mtrr_set(&plain, 0x200, 1, 48));
}

static void test_read(void **state)
{
	struct vcpu vcpu;
	struct mtrr_state s;

	fake_reset(FAKE_INTEL, &vcpu);
	fake_set_msr(0xfe, 0xd20); /* 32 pairs, SMRR */
	fake_set_msr(0x2ff, 0xc06);
	fake_set_msr(0x26f, 0x0505050505050505);
	fake_set_msr(0x21e, 0xc0000000);
	fake_set_msr(0x21f, 0xffffc0000800);
	mtrr_read(&s);
	assert_int_equal(s.capability, 0x510);
	assert_int_equal(s.fixed[10], 0x0505050505050505);
	assert_int_equal(*mtrr_register(&s, 0x21e), 0xc0000000);
	assert_int_equal(*mtrr_register(&s, 0x21f), 0xffffc0000800);
	assert_null(mtrr_register(&s, 0x220));
	fake_set_cpuid(1, 0, (struct cpuid_regs){ 0, 0, 0, 0 });
	mtrr_read(&s);
	assert_int_equal(s.capability, 0);
	assert_int_equal(s.default_type, ENABLE | 6);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_property),
	cmocka_unit_test(test_far),
	cmocka_unit_test(test_splits),
	cmocka_unit_test(test_writes),
	cmocka_unit_test(test_capability),
	cmocka_unit_test(test_read),
};

UNIT_MAIN(tests)
