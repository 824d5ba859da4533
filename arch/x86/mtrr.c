/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * MTRRs as data: which register a number names, what may be written, and the type of an address.
 * SDM 3A 12.11; APM 2 7.7. At the end the one state that the second-stage tables follow: the guest
 * writes its MTRRs on one CPU after the other; the last complete state counts for all.
 */
#include "arch/x86/mtrr.h"

#include "arch/lock.h"
#include "arch/upcall.h"
#include "arch/x86/asm.h"

#define MSR_CAPABILITY	 0xfeu
#define MSR_VARIABLE	 0x200u /* base and mask in turns */
#define MSR_FIXED	 0x250u /* the first one */
#define MSR_DEFAULT_TYPE 0x2ffu

#define CAPABILITY_COUNT     0xffull
#define CAPABILITY_FIXED     (1ull << 8)
#define CAPABILITY_WC	     (1ull << 10)
#define DEFAULT_FIXED_ENABLE (1ull << 10)
#define DEFAULT_ENABLE	     (1ull << 11)
#define MASK_VALID	     (1ull << 11)
#define TYPE_BITS	     0xffull
#define PAGE_BITS	     0xffffffffff000ull /* addresses have at most 52 bits */

#define FIXED_END  0x100000ull
#define CPUID_MTRR (1u << 12)

static const uint16_t fixed_msr[MTRR_FIXED] = { MSR_FIXED, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b,
	0x26c, 0x26d, 0x26e, 0x26f };

static unsigned variable_count(const struct mtrr_state *state)
{
	return (unsigned)(state->capability & CAPABILITY_COUNT);
}

uint64_t *mtrr_register(struct mtrr_state *state, uint32_t msr)
{
	unsigned index = (msr - MSR_VARIABLE) / 2;

	if (state->capability == 0)
		return NULL;
	if (msr == MSR_CAPABILITY)
		return &state->capability;
	if (msr == MSR_DEFAULT_TYPE)
		return &state->default_type;
	for (unsigned i = 0; i < MTRR_FIXED; i++)
		if (fixed_msr[i] == msr)
			return state->capability & CAPABILITY_FIXED ? &state->fixed[i] : NULL;
	if (msr < MSR_VARIABLE || index >= variable_count(state))
		return NULL;
	return msr & 1 ? &state->mask[index] : &state->base[index];
}

void mtrr_read(struct mtrr_state *state)
{
	uint64_t capability, count;

	*state = (struct mtrr_state){ 0 };
	if ((cpuid(1, 0).edx & CPUID_MTRR) == 0) {
		state->default_type = DEFAULT_ENABLE | S2_WB;
		return;
	}
	capability = rdmsr(MSR_CAPABILITY);
	count = capability & CAPABILITY_COUNT;
	state->capability = (capability & (CAPABILITY_FIXED | CAPABILITY_WC)) |
	    (count < MTRR_MAX_VARIABLE ? count : MTRR_MAX_VARIABLE);
	state->default_type = rdmsr(MSR_DEFAULT_TYPE);
	for (uint32_t msr = MSR_VARIABLE; msr < MSR_DEFAULT_TYPE; msr++) {
		uint64_t *own = mtrr_register(state, msr);

		if (own != NULL)
			*own = rdmsr(msr);
	}
}

/* ---- Writes ---- */

/* UC, WC, WT, WP, WB. */
static bool is_type(uint64_t type)
{
	return type <= S2_WB && type != 2 && type != 3;
}

static bool type_valid(const struct mtrr_state *state, uint64_t type)
{
	return is_type(type) && (type != S2_WC || (state->capability & CAPABILITY_WC) != 0);
}

static bool types_valid(const struct mtrr_state *state, uint64_t types)
{
	for (unsigned shift = 0; shift < 64; shift += 8)
		if (!type_valid(state, types >> shift & TYPE_BITS))
			return false;
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

static bool value_valid(const struct mtrr_state *state, uint32_t msr, uint64_t value,
    unsigned phys_bits)
{
	uint64_t address = ((1ull << phys_bits) - 1) & PAGE_BITS;
	uint64_t known = address | TYPE_BITS;

	if (msr == MSR_DEFAULT_TYPE)
		known = TYPE_BITS | DEFAULT_ENABLE |
		    (state->capability & CAPABILITY_FIXED ? DEFAULT_FIXED_ENABLE : 0);
	else if (msr >= MSR_FIXED)
		return types_valid(state, value);
	else if (msr & 1)
		return (value & ~(address | MASK_VALID)) == 0 && mask_valid(value);
	return (value & ~known) == 0 && type_valid(state, value & TYPE_BITS);
}

bool mtrr_set(struct mtrr_state *state, uint32_t msr, uint64_t value, unsigned phys_bits)
{
	uint64_t *own = mtrr_register(state, msr);

	if (own == NULL || msr == MSR_CAPABILITY || !value_valid(state, msr, value, phys_bits))
		return false;
	*own = value;
	return true;
}

/* ---- Types ---- */

/* SDM 3A 12.11.4.1: UC wins, WT wins over WB; what it leaves undefined is UC here. */
static enum s2_type combine(enum s2_type a, enum s2_type b)
{
	if (a == b)
		return a;
	return (a == S2_WT && b == S2_WB) || (a == S2_WB && b == S2_WT) ? S2_WT : S2_UC;
}

/* Firmware's registers are taken unseen: what is no type of the architecture is UC. */
static enum s2_type known_type(uint64_t type)
{
	return is_type(type & TYPE_BITS) ? (enum s2_type)(type & TYPE_BITS) : S2_UC;
}

/*
 * First address behind `gpa` that agrees with base under mask where gpa does not, or the other way
 * round; ~0 if there is none. Any mask is served, as firmware's are taken unseen.
 */
static uint64_t next_edge(uint64_t base, uint64_t mask, uint64_t gpa)
{
	uint64_t differs = (gpa ^ base) & mask;
	uint64_t low, free;

	if (mask == 0)
		return ~0ull;
	if (differs == 0)
		return (gpa | ((mask & -mask) - 1)) + 1;
	/*
	 * The least address above that agrees: what the mask leaves free is gpa's above the highest
	 * bit that differs, zero below it. Where gpa is too high at that bit already, it counts up
	 * by one: the carry runs through ones everywhere else.
	 */
	low = ~0ull >> __builtin_clzll(differs);
	free = (base & (low ^ low >> 1)) != 0 ? gpa & ~low : (gpa | mask | low) + 1;
	return (free & ~mask) | base;
}

static enum s2_type variable_type(const struct mtrr_state *state, uint64_t gpa, uint64_t *end)
{
	enum s2_type type = known_type(state->default_type);
	bool found = false;

	for (unsigned i = 0; i < variable_count(state); i++) {
		uint64_t mask = state->mask[i] & PAGE_BITS;
		uint64_t base = state->base[i] & mask;
		enum s2_type own = known_type(state->base[i]);
		uint64_t edge = next_edge(base, mask, gpa);

		if ((state->mask[i] & MASK_VALID) == 0)
			continue;
		if (edge < *end)
			*end = edge;
		if ((gpa & mask) != base)
			continue;
		type = found ? combine(type, own) : own;
		found = true;
	}
	return type;
}

/* 64 ranges of 4 KiB, 16 of 16 KiB, 8 of 64 KiB; from the highest ones down. */
static enum s2_type fixed_type(const struct mtrr_state *state, uint64_t gpa, uint64_t *end)
{
	static const struct {
		uint32_t base, shift, index;
	} parts[] = { { 0xc0000, 12, 24 }, { 0x80000, 14, 8 }, { 0, 16, 0 } };
	unsigned i = gpa >= parts[0].base ? 0 : gpa >= parts[1].base ? 1 : 2;
	uint64_t index = parts[i].index + ((gpa - parts[i].base) >> parts[i].shift);

	*end = ((gpa >> parts[i].shift) + 1) << parts[i].shift;
	return known_type(state->fixed[index / 8] >> index % 8 * 8);
}

/* Type at `gpa` and the first address behind it where another register may count. */
static enum s2_type type_until(const struct mtrr_state *state, uint64_t gpa, uint64_t *end)
{
	*end = ~0ull;
	if ((state->default_type & DEFAULT_ENABLE) == 0)
		return S2_UC;
	if (gpa < FIXED_END && (state->capability & CAPABILITY_FIXED) != 0 &&
	    (state->default_type & DEFAULT_FIXED_ENABLE) != 0)
		return fixed_type(state, gpa, end);
	return variable_type(state, gpa, end);
}

enum s2_type mtrr_type(const struct mtrr_state *state, uint64_t gpa, uint64_t *same_until)
{
	uint64_t limit = (gpa | (HUGE_SIZE - 1)) + 1;
	uint64_t end, next;
	enum s2_type type = type_until(state, gpa, &end);

	while (end < limit && type_until(state, end, &next) == type)
		end = next;
	*same_until = end < limit ? end : limit;
	return type;
}

/* ---- The state that the tables follow ---- */

static struct {
	struct spinlock lock; /* of `state` */
	struct mtrr_state state;
} agreed = { .lock = { .rank = LOCK_MEMTYPE } };

void memtype_init(const struct mtrr_state *state)
{
	agreed.state = *state;
}

void memtype_update(const struct mtrr_state *state)
{
	bool changed;

	if ((state->default_type & DEFAULT_ENABLE) == 0)
		return;
	spin_lock(&agreed.lock);
	changed = __builtin_memcmp(&agreed.state, state, sizeof(*state)) != 0;
	if (changed)
		agreed.state = *state;
	spin_unlock(&agreed.lock);
	if (changed)
		monitor_retype();
}

enum s2_type arch_memory_type(gpa_t gpa, uint64_t *same_until)
{
	enum s2_type type;

	spin_lock(&agreed.lock);
	type = mtrr_type(&agreed.state, gpa.v, same_until);
	spin_unlock(&agreed.lock);
	return type;
}
