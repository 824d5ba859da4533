/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * MTRRs as data: which register a number names, what may be written, and the type of an address.
 * SDM 3A 12.11; APM 2 7.7.
 */
#include "arch/x86/mtrr.h"

#include <stddef.h>

#include "arch/x86/asm.h"

#define MSR_CAPABILITY	 0xfeu
#define MSR_DEFAULT_TYPE 0x2ffu
#define MSR_VARIABLE	 0x200u

#define CAPABILITY_COUNT     0xffull
#define CAPABILITY_FIXED     (1ull << 8)
#define CAPABILITY_WC	     (1ull << 10)
#define DEFAULT_FIXED_ENABLE (1ull << 10)
#define DEFAULT_ENABLE	     (1ull << 11)
#define MASK_VALID	     (1ull << 11)
#define TYPE_BITS	     0xffull
#define PAGE_BITS	     (~0xfffull)

#define FIXED_END  0x100000ull
#define CPUID_MTRR (1u << 12)

static const uint16_t fixed_msr[MTRR_FIXED] = { 0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b,
	0x26c, 0x26d, 0x26e, 0x26f };

static unsigned variable_count(const struct mtrr_state *state)
{
	return (unsigned)(state->capability & CAPABILITY_COUNT);
}

void mtrr_read(struct mtrr_state *state)
{
	uint64_t count;

	*state = (struct mtrr_state){ 0 };
	if ((cpuid(1, 0).edx & CPUID_MTRR) == 0) {
		state->default_type = DEFAULT_ENABLE | S2_WB;
		return;
	}
	state->capability = rdmsr(MSR_CAPABILITY);
	count = state->capability & CAPABILITY_COUNT;
	if (count > MTRR_MAX_VARIABLE)
		count = MTRR_MAX_VARIABLE;
	state->capability &= CAPABILITY_FIXED | CAPABILITY_WC;
	state->capability |= count;
	state->default_type = rdmsr(MSR_DEFAULT_TYPE);
	for (unsigned i = 0; i < MTRR_FIXED && (state->capability & CAPABILITY_FIXED) != 0; i++)
		state->fixed[i] = rdmsr(fixed_msr[i]);
	for (unsigned i = 0; i < count; i++) {
		state->base[i] = rdmsr(MSR_VARIABLE + 2 * i);
		state->mask[i] = rdmsr(MSR_VARIABLE + 2 * i + 1);
	}
}

/* Index of a fixed-range register, or -1. */
static int fixed_index(uint32_t msr)
{
	for (int i = 0; i < (int)MTRR_FIXED; i++) {
		if (fixed_msr[i] == msr)
			return i;
	}
	return -1;
}

bool mtrr_has(const struct mtrr_state *state, uint32_t msr)
{
	if (state->capability == 0)
		return false;
	if (msr == MSR_CAPABILITY || msr == MSR_DEFAULT_TYPE)
		return true;
	if (fixed_index(msr) >= 0)
		return (state->capability & CAPABILITY_FIXED) != 0;
	return msr >= MSR_VARIABLE && msr < MSR_VARIABLE + 2 * variable_count(state);
}

uint64_t mtrr_get(const struct mtrr_state *state, uint32_t msr)
{
	int fixed = fixed_index(msr);

	if (!mtrr_has(state, msr))
		return 0;
	if (msr == MSR_CAPABILITY)
		return state->capability;
	if (msr == MSR_DEFAULT_TYPE)
		return state->default_type;
	if (fixed >= 0)
		return state->fixed[fixed];
	return (msr & 1) != 0 ? state->mask[(msr - MSR_VARIABLE) / 2]
			      : state->base[(msr - MSR_VARIABLE) / 2];
}

static bool type_valid(const struct mtrr_state *state, uint64_t type)
{
	if (type == S2_WC)
		return (state->capability & CAPABILITY_WC) != 0;
	return type == S2_UC || type == S2_WT || type == S2_WP || type == S2_WB;
}

static bool set_default(struct mtrr_state *state, uint64_t value)
{
	uint64_t known = TYPE_BITS | DEFAULT_ENABLE;

	if ((state->capability & CAPABILITY_FIXED) != 0)
		known |= DEFAULT_FIXED_ENABLE;
	if ((value & ~known) != 0 || !type_valid(state, value & TYPE_BITS))
		return false;
	state->default_type = value;
	return true;
}

static bool set_fixed(struct mtrr_state *state, int index, uint64_t value)
{
	for (unsigned shift = 0; shift < 64; shift += 8) {
		if (!type_valid(state, value >> shift & TYPE_BITS))
			return false;
	}
	state->fixed[index] = value;
	return true;
}

/*
 * A mask in use has to be one run of ones that reaches bit 35 at least. The CPU would take one
 * with holes, which no software writes; it could ask for any number of small pages (T74).
 */
static bool mask_valid(uint64_t mask)
{
	uint64_t run = mask >> FRAME_SHIFT;

	if ((mask & MASK_VALID) == 0)
		return true;
	if (mask >> 35 == 0)
		return false;
	run >>= __builtin_ctzll(run);
	return (run & (run + 1)) == 0;
}

static bool set_variable(struct mtrr_state *state, uint32_t msr, uint64_t value, unsigned phys_bits)
{
	uint64_t address_bits = ((1ull << phys_bits) - 1) & PAGE_BITS;
	unsigned index = (msr - MSR_VARIABLE) / 2;

	if ((msr & 1) != 0) {
		if ((value & ~(address_bits | MASK_VALID)) != 0 || !mask_valid(value))
			return false;
		state->mask[index] = value;
		return true;
	}
	if ((value & ~(address_bits | TYPE_BITS)) != 0 || !type_valid(state, value & TYPE_BITS))
		return false;
	state->base[index] = value;
	return true;
}

bool mtrr_set(struct mtrr_state *state, uint32_t msr, uint64_t value, unsigned phys_bits)
{
	int fixed = fixed_index(msr);

	if (!mtrr_has(state, msr) || msr == MSR_CAPABILITY)
		return false;
	if (msr == MSR_DEFAULT_TYPE)
		return set_default(state, value);
	if (fixed >= 0)
		return set_fixed(state, fixed, value);
	return set_variable(state, msr, value, phys_bits);
}

/* SDM 3A 12.11.4.1: UC wins, WT wins over WB; what it leaves undefined is UC here. */
static enum s2_type combine(enum s2_type a, enum s2_type b)
{
	if (a == b)
		return a;
	if ((a == S2_WT && b == S2_WB) || (a == S2_WB && b == S2_WT))
		return S2_WT;
	return S2_UC;
}

/* Firmware's registers are taken unseen: what is no type of the architecture is UC. */
static enum s2_type known_type(uint64_t type)
{
	switch (type & TYPE_BITS) {
	case S2_WC:
	case S2_WT:
	case S2_WP:
	case S2_WB:
		return (enum s2_type)(type & TYPE_BITS);
	default:
		return S2_UC;
	}
}

static bool covers(const struct mtrr_state *state, unsigned i, uint64_t gpa)
{
	uint64_t mask = state->mask[i] & PAGE_BITS;

	return (state->mask[i] & MASK_VALID) != 0 && (gpa & mask) == (state->base[i] & mask);
}

/*
 * First address behind `gpa` where a pair's covers() changes; ~0 if there is none. Any mask is
 * served, as firmware's are taken unseen.
 */
static uint64_t next_edge(const struct mtrr_state *state, unsigned i, uint64_t gpa)
{
	uint64_t mask = state->mask[i] & PAGE_BITS;
	uint64_t base = state->base[i] & mask;
	uint64_t differs = (gpa ^ base) & mask;
	uint64_t above, free, bit;

	if ((state->mask[i] & MASK_VALID) == 0 || mask == 0)
		return ~0ull;
	if (differs == 0)
		return (gpa | ((mask & -mask) - 1)) + 1;
	/*
	 * The least address that agrees with base under mask: keep the bits above the highest
	 * that differs.
	 */
	bit = 1ull << (63 - __builtin_clzll(differs));
	if ((base & bit) != 0)
		return (gpa & ~(bit | (bit - 1))) | (base & (bit | (bit - 1)));
	/* It is too high there already: count up one of the bits that the mask leaves free. */
	above = ~(bit | (bit - 1));
	free = ~mask & ~gpa & above;
	if (free == 0)
		return ~0ull;
	bit = free & -free;
	return (gpa & ~(bit | (bit - 1))) | bit | (base & (bit - 1));
}

static enum s2_type variable_type(const struct mtrr_state *state, uint64_t gpa)
{
	enum s2_type type = known_type(state->default_type);
	bool found = false;

	for (unsigned i = 0; i < variable_count(state); i++) {
		enum s2_type own = known_type(state->base[i]);

		if (!covers(state, i, gpa))
			continue;
		type = found ? combine(type, own) : own;
		found = true;
	}
	return type;
}

static enum s2_type fixed_type(const struct mtrr_state *state, uint64_t gpa, uint64_t *end)
{
	unsigned shift, index;

	if (gpa < 0x80000) {
		shift = 16;
		index = (unsigned)(gpa >> 16);
	} else if (gpa < 0xc0000) {
		shift = 14;
		index = 8 + (unsigned)((gpa - 0x80000) >> 14);
	} else {
		shift = 12;
		index = 24 + (unsigned)((gpa - 0xc0000) >> 12);
	}
	*end = ((gpa >> shift) + 1) << shift;
	return known_type(state->fixed[index / 8] >> index % 8 * 8);
}

/* Type at `gpa` and the first address behind it where another register may count. */
static enum s2_type type_until(const struct mtrr_state *state, uint64_t gpa, uint64_t *end)
{
	uint64_t fixed = CAPABILITY_FIXED;

	*end = ~0ull;
	if ((state->default_type & DEFAULT_ENABLE) == 0)
		return S2_UC;
	fixed &= state->capability;
	if (gpa < FIXED_END && fixed != 0 && (state->default_type & DEFAULT_FIXED_ENABLE) != 0)
		return fixed_type(state, gpa, end);
	for (unsigned i = 0; i < variable_count(state); i++) {
		uint64_t edge = next_edge(state, i, gpa);

		if (edge < *end)
			*end = edge;
	}
	return variable_type(state, gpa);
}

enum s2_type mtrr_type(const struct mtrr_state *state, uint64_t gpa, uint64_t *same_until)
{
	uint64_t limit = (gpa | (HUGE_SIZE - 1)) + 1;
	uint64_t end;
	enum s2_type type = type_until(state, gpa, &end);

	while (end < limit) {
		uint64_t next;

		if (type_until(state, end, &next) != type)
			break;
		end = next;
	}
	*same_until = end < limit ? end : limit;
	return type;
}

bool mtrr_same(const struct mtrr_state *a, const struct mtrr_state *b)
{
	uint64_t enabled = a->default_type & DEFAULT_ENABLE;

	if (enabled != (b->default_type & DEFAULT_ENABLE))
		return false;
	if (enabled == 0)
		return true;
	if (a->default_type != b->default_type || a->capability != b->capability)
		return false;
	for (unsigned i = 0; i < MTRR_FIXED && (a->default_type & DEFAULT_FIXED_ENABLE) != 0; i++) {
		if (a->fixed[i] != b->fixed[i])
			return false;
	}
	for (unsigned i = 0; i < variable_count(a); i++) {
		if (((a->mask[i] ^ b->mask[i]) & MASK_VALID) != 0)
			return false;
		if ((a->mask[i] & MASK_VALID) != 0 &&
		    (a->mask[i] != b->mask[i] || a->base[i] != b->base[i]))
			return false;
	}
	return true;
}
