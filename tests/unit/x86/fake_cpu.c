/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * See fake_cpu.h.
 */
#include "fake_cpu.h"

#include <stdlib.h>

#include "arch/cpu.h"
#include "arch/lock.h"
#include "arch/upcall.h"
#include "arch/x86/policy.h"
#include "arch/x86/start.h"
#include "arch/x86/trap.h"
#include "monitor/abi/cpuid.h"
#include "tests/unit/x86/fake_vendors.h"

#define KNOWN 256

struct fake_cpu fake;
struct monitor_image monitor_header; /* constant to all others */

static struct {
	uint32_t leaf, subleaf;
	struct cpuid_regs regs;
} leaves[KNOWN];
static unsigned leaf_count;

static struct {
	uint32_t msr;
	bool faults;
	uint64_t value;
} msrs[KNOWN];
static unsigned msr_count;

struct cpuid_regs cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs r = { fake.fill, fake.fill, fake.fill, fake.fill };

	for (unsigned i = leaf_count; i-- > 0;) {
		if (leaves[i].leaf == leaf && leaves[i].subleaf == subleaf)
			return leaves[i].regs;
	}
	if (leaf == 0)
		r = fake.maker == FAKE_AMD
		    ? (struct cpuid_regs){ fake.last, 0x68747541, 0x444d4163, 0x69746e65 }
		    : (struct cpuid_regs){ fake.last, 0x756e6547, 0x6c65746e, 0x49656e69 };
	else if (leaf == 0x80000000)
		r.eax = fake.extended;
	else if (leaf == 0x80000008)
		r.eax = 0x303930; /* 48 physical, 57 linear bits */
	return r;
}

void fake_set_cpuid(uint32_t leaf, uint32_t subleaf, struct cpuid_regs regs)
{
	assert_true(leaf_count < KNOWN);
	leaves[leaf_count].leaf = leaf;
	leaves[leaf_count].subleaf = subleaf;
	leaves[leaf_count++].regs = regs;
}

static int find_msr(uint32_t msr)
{
	for (unsigned i = 0; i < msr_count; i++) {
		if (msrs[i].msr == msr)
			return (int)i;
	}
	return -1;
}

static void note(uint32_t msr, bool write, uint64_t value)
{
	if (fake.access_count < COUNT(fake.accesses))
		fake.accesses[fake.access_count] = (struct fake_access){ msr, write, value };
	fake.access_count++;
}

void fake_set_msr(uint32_t msr, uint64_t value)
{
	int i = find_msr(msr);

	if (i < 0) {
		i = (int)msr_count++ % KNOWN; /* the sweep writes more than the array holds */
		msr_count = msr_count > KNOWN ? KNOWN : msr_count;
	}
	msrs[i].msr = msr;
	msrs[i].faults = false;
	msrs[i].value = value;
}

void fake_remove_msr(uint32_t msr)
{
	fake_set_msr(msr, 0);
	msrs[find_msr(msr)].faults = true;
}

uint64_t fake_msr(uint32_t msr)
{
	return find_msr(msr) < 0 ? 0 : msrs[find_msr(msr)].value;
}

bool rdmsr_safe(uint32_t msr, uint64_t *value)
{
	int i = find_msr(msr);

	*value = fake_msr(msr);
	note(msr, false, *value);
	return i < 0 ? fake.every_msr : !msrs[i].faults;
}

bool wrmsr_safe(uint32_t msr, uint64_t value)
{
	int i = find_msr(msr);

	note(msr, true, value);
	if (i < 0 ? !fake.every_msr : msrs[i].faults)
		return false;
	fake_set_msr(msr, value);
	return true;
}

/* All of a group of bits or none, and only with those it builds on. */
static bool group_ok(uint64_t value, uint64_t group, uint64_t needs)
{
	uint64_t set = value & group;

	return set == 0 || (set == group && (value & needs) == needs);
}

/* As the CPU: SDM 1 13.3. */
bool xsetbv_safe(uint32_t index, uint64_t value)
{
	struct cpuid_regs r = cpuid(0xd, 0);

	assert_int_equal(index, 0);
	if (!(value & 1) || value & ~((uint64_t)r.edx << 32 | r.eax) || !group_ok(value, 4, 2) ||
	    !group_ok(value, 0x18, 0) || !group_ok(value, 0xe0, 4) || !group_ok(value, 0x60000, 0))
		return false;
	fake.xcr0 = value;
	return true;
}

bool test_switch(unsigned number)
{
	return false;
}

uint64_t rdmsr(uint32_t msr)
{
	uint64_t value;

	assert_true(rdmsr_safe(msr, &value));
	return value;
}

void wrmsr(uint32_t msr, uint64_t value)
{
	assert_true(wrmsr_safe(msr, value));
}

/* The vendors' halves of the policy, both of them, by the maker that the test has chosen. */
const struct msr_row *vendor_msrs(void)
{
	return fake.maker == FAKE_AMD ? amd_msrs() : intel_msrs();
}

void vendor_msr_init(struct vcpu *vcpu)
{
	if (fake.maker == FAKE_AMD)
		amd_msr_init(vcpu);
	else
		intel_msr_init(vcpu);
}

/* AMD's needs a control block: test_svm_cr.c, test_svm_device.c. */
bool vendor_rdmsr(const struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	return fake.maker == FAKE_INTEL && intel_rdmsr(vcpu, msr, value);
}

bool vendor_wrmsr(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	return fake.maker == FAKE_INTEL && intel_wrmsr(vcpu, msr, value);
}

bool fake_passes(uint32_t msr, bool write, bool exact_tsc)
{
	for (const struct msr_row *row = vendor_msrs(); row->last != 0; row++)
		if (msr >= row->first && msr <= row->last)
			return policy_msr_passes(row, write, exact_tsc);
	return false;
}

bool vendor_delivers_cp(void)
{
	return !fake.no_cp;
}

uint64_t rdtsc(void)
{
	return fake.tsc;
}

void fake_forget(void)
{
	fake.access_count = 0;
}

void fake_reset(enum fake_maker maker, struct vcpu *vcpu)
{
	leaf_count = 0;
	msr_count = 0;
	fake = (struct fake_cpu){ .maker = maker,
		.fill = ~0u,
		.last = 0x23,
		.extended = 0x80000028,
		.every_msr = true,
		.tsc = 0x1000000 };
	fake_set_msr(0x1b, 0xfee00900);
	fake_set_msr(0xfe, 0x150a); /* 10 variable ranges, fixed ones, WC */
	fake_set_msr(0x2ff, 0xc06); /* on, WB */
	*vcpu = (struct vcpu){ .index = 3 };
	monitor_header.vendor = maker == FAKE_AMD ? REDOUBT_VENDOR_SVM : REDOUBT_VENDOR_VMX;
	policy_vcpu_init(vcpu);
	fake_forget();
}

uint64_t fake_random(void)
{
	static uint64_t state;

	if (state == 0) {
		const char *seed = getenv("SEED");

		state = (seed != NULL ? strtoull(seed, NULL, 0) : 1) * 0x9e3779b97f4a7c15ull | 1;
	}
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dull;
}

unsigned long fake_rounds(unsigned long otherwise)
{
	const char *n = getenv("N");

	return n != NULL ? strtoul(n, NULL, 0) : otherwise;
}

/* What the policy asks of others. */

uint64_t vcpu_cr4(const struct vcpu *vcpu)
{
	return fake.cr4;
}

uint64_t vcpu_tsc_offset(const struct vcpu *vcpu)
{
	return fake.tsc_offset;
}

void vcpu_set_tsc_offset(struct vcpu *vcpu, uint64_t offset)
{
	if (fake.maker == FAKE_INTEL)
		vmx_move_deadline(offset - fake.tsc_offset);
	fake.tsc_offset = offset;
}

const struct bootinfo *start_info(void)
{
	static const struct bootinfo info = { .attempts = 2,
		.monitor_digest = { 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99 } };

	return &info;
}

uint32_t monitor_features(void)
{
	return 0xf00d;
}

uint32_t monitor_degraded(void)
{
	return 0xbad;
}

unsigned cpu_covered(void)
{
	return 4;
}

void spin_lock(struct spinlock *lock)
{
	assert_int_equal(lock->serving, lock->next);
	lock->next++;
}

void spin_unlock(struct spinlock *lock)
{
	lock->serving++;
	assert_int_equal(lock->serving, lock->next);
}

void monitor_retype(void)
{
	uint64_t end;

	/* It asks back: the lock must be free. */
	(void)arch_memory_type((gpa_t){ 0 }, &end);
	fake.retypes++;
}
