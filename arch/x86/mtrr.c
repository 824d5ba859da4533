/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * MTRRs as data: which register a number names, and what may be written. SDM 3A 12.11; APM 2 7.7.
 */
#include "arch/x86/mtrr.h"

#include "arch/x86/asm.h"

#define MSR_CAPABILITY	 0xfeu
#define MSR_VARIABLE	 0x200u /* base and mask in turns */
#define MSR_FIXED	 0x250u /* the first one */
#define MSR_DEFAULT_TYPE 0x2ffu

#define CAPABILITY_WC (1ull << 10)
#define CPUID_MTRR    (1u << 12)

static const uint16_t fixed_msr[MTRR_FIXED] = { MSR_FIXED, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b,
	0x26c, 0x26d, 0x26e, 0x26f };

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
			return state->capability & MTRR_HAS_FIXED ? &state->fixed[i] : NULL;
	if (msr < MSR_VARIABLE || index >= (state->capability & MTRR_COUNT))
		return NULL;
	return msr & 1 ? &state->mask[index] : &state->base[index];
}

void mtrr_read(struct mtrr_state *state)
{
	uint64_t capability, count;

	*state = (struct mtrr_state){ 0 };
	if ((cpuid(1, 0).edx & CPUID_MTRR) == 0) {
		state->default_type = MTRR_ENABLE | S2_WB;
		return;
	}
	capability = rdmsr(MSR_CAPABILITY);
	count = capability & MTRR_COUNT;
	state->capability = (capability & (MTRR_HAS_FIXED | CAPABILITY_WC)) |
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
bool mtrr_is_type(uint64_t type)
{
	return type <= S2_WB && type != 2 && type != 3;
}

static bool type_valid(const struct mtrr_state *state, uint64_t type)
{
	return mtrr_is_type(type) && (type != S2_WC || (state->capability & CAPABILITY_WC) != 0);
}

static bool types_valid(const struct mtrr_state *state, uint64_t types)
{
	for (unsigned shift = 0; shift < 64; shift += 8)
		if (!type_valid(state, types >> shift & MTRR_TYPE))
			return false;
	return true;
}

static bool value_valid(const struct mtrr_state *state, uint32_t msr, uint64_t value,
    unsigned phys_bits)
{
	uint64_t address = ((1ull << phys_bits) - 1) & MTRR_PAGE;
	uint64_t known = address | MTRR_TYPE;

	if (msr == MSR_DEFAULT_TYPE)
		known = MTRR_TYPE | MTRR_ENABLE |
		    (state->capability & MTRR_HAS_FIXED ? MTRR_FIXED_ENABLE : 0);
	else if (msr >= MSR_FIXED)
		return types_valid(state, value);
	else if (msr & 1)
		return (value & ~(address | MTRR_VALID)) == 0;
	return (value & ~known) == 0 && type_valid(state, value & MTRR_TYPE);
}

bool mtrr_set(struct mtrr_state *state, uint32_t msr, uint64_t value, unsigned phys_bits)
{
	uint64_t *own = mtrr_register(state, msr);

	if (own == NULL || msr == MSR_CAPABILITY || !value_valid(state, msr, value, phys_bits))
		return false;
	*own = value;
	return true;
}
