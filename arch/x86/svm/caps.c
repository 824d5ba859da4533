/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Can this CPU be covered, and what does it offer? Nothing here faults: an MSR is read only after
 * CPUID has said that it exists. APM 2 15.4; APM 3 E.4.9.
 */
#include "arch/x86/policy.h"
#include "arch/x86/svm/svm.h"

#define LEAF_EXTENDED  0x80000000u
#define LEAF_FEATURES  0x80000001u
#define LEAF_SIZES     0x80000008u
#define LEAF_SVM       0x8000000au
#define LEAF_MEMORY    0x8000001fu
#define FEATURE_SVM    (1u << 2)  /* ECX */
#define FEATURE_NX     (1u << 20) /* EDX */
#define FEATURE_HUGE   (1u << 26) /* EDX */
#define SIZES_RDPRU    (1u << 4)  /* EBX */
#define MEMORY_BITS(b) ((b) >> 6 & 63)
#define MSR_SYSCFG     0xc0010010u
#define SYSCFG_ENCRYPT (1ull << 23)
#define STAGE2_BITS    48u
#define ASIDS_NEEDED   3u /* root mode's, the normal world's, partitions' */

static struct svm_caps chosen; /* with SVM_NESTED, once there are some */

const struct svm_caps *svm_caps(void)
{
	return &chosen;
}

static enum launch_status check_basics(void)
{
	if (cpuid(LEAF_EXTENDED, 0).eax < LEAF_SVM || !(cpuid(LEAF_FEATURES, 0).ecx & FEATURE_SVM))
		return LAUNCH_NO_VIRTUALIZATION;
	if (rdmsr(MSR_EFER) & EFER_SVME)
		return LAUNCH_ALREADY_RUNNING;
	/* Root mode's tables have four levels, and the switch to them cannot change that. */
	if (read_cr4() & CR4_LA57)
		return LAUNCH_FIVE_LEVEL;
	/*
	 * The loader's calls stand on firmware's shadow stack, which the guest would go on without;
	 * and root mode's own entries are not marked for branch tracking.
	 */
	if (read_cr4() & CR4_CET)
		return LAUNCH_SHADOW_STACK;
	/* Not locked it is switched on at launch. */
	if ((rdmsr(MSR_VM_CR) & (VM_CR_SVMDIS | VM_CR_LOCK)) == (VM_CR_SVMDIS | VM_CR_LOCK))
		return LAUNCH_LOCKED_OFF;
	return LAUNCH_OK;
}

/*
 * Bits of an address that select memory. Where firmware has activated memory encryption one of them
 * says whether a frame is encrypted, and would give the guest a second name for every frame (T11).
 */
static unsigned address_bits(void)
{
	unsigned bits = cpuid(LEAF_SIZES, 0).eax & 0xff;

	if (cpuid(LEAF_EXTENDED, 0).eax >= LEAF_MEMORY && cpuid(LEAF_MEMORY, 0).eax & 1 &&
	    rdmsr(MSR_SYSCFG) & SYSCFG_ENCRYPT)
		bits -= MEMORY_BITS(cpuid(LEAF_MEMORY, 0).ebx);
	return bits < STAGE2_BITS ? bits : STAGE2_BITS;
}

static enum launch_status get_caps(struct svm_caps *caps)
{
	struct cpuid_regs svm = cpuid(LEAF_SVM, 0);
	struct cpuid_regs features = cpuid(LEAF_FEATURES, 0);

	caps->features = svm.edx;
	caps->asids = svm.ebx;
	caps->address_bits = address_bits();
	caps->huge = features.edx & FEATURE_HUGE;
	caps->rdpru = cpuid(LEAF_SIZES, 0).ebx & SIZES_RDPRU;
	if (!(svm.edx & SVM_NESTED) || !(features.edx & FEATURE_NX))
		return LAUNCH_NO_STAGE2;
	return svm.ebx < ASIDS_NEEDED ? LAUNCH_NO_ASID : LAUNCH_OK;
}

enum launch_status vendor_check(void)
{
	enum launch_status status = check_basics();
	struct svm_caps own = { 0 };

	if (status == LAUNCH_OK)
		status = get_caps(&own);
	if (status != LAUNCH_OK)
		return status;
	if (chosen.features != 0)
		return __builtin_memcmp(&own, &chosen, sizeof(own)) == 0 ? LAUNCH_OK
									 : LAUNCH_CPU_MISMATCH;
	chosen = own;
	return LAUNCH_OK;
}

bool stage2_has_huge(void)
{
	return chosen.huge;
}

/* One execute right for all privilege levels. */
bool vendor_delivers_cp(void)
{
	return true;
}

bool stage2_has_mbec(void)
{
	return false;
}

uint64_t stage2_limit(void)
{
	return 1ull << chosen.address_bits;
}

/*
 * HyperTransport's: interrupt messages, configuration, I/O by other names. AMD I/O Virtualization
 * Technology (IOMMU) Specification 2.1.2.
 */
struct withheld stage2_withheld(void)
{
	return (struct withheld){ 0xfd00000000, 0x10000000000 };
}
