/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Can this CPU be covered, and with which controls? Wanted bits are constants; the capability MSRs
 * allow or refuse them (SDM 3D A). Nothing here faults: an MSR is read only after CPUID or another
 * capability MSR has said that it exists.
 */
#include "arch/x86/policy.h"
#include "arch/x86/vmx/vmx.h"

#define MSR_VMX_SECONDARY    0x48bu
#define MSR_VMX_EPT_VPID     0x48cu
#define MSR_VMX_TRUE_PIN     0x48du
#define MSR_VMX_TRUE_PRIMARY 0x48eu
#define MSR_VMX_TRUE_EXIT    0x48fu
#define MSR_VMX_TRUE_ENTRY   0x490u

#define MISC_WAIT_SIPI	    (1ull << 8)
#define BASIC_TRUE_CONTROLS (1ull << 55)
#define BASIC_ANY_ERROR	    (1ull << 56) /* any exception may be injected with an error code */
#define BASIC_TYPE(basic)   ((basic) >> 50 & 15)
#define BASIC_TYPE_WB	    6u

#define EPT_WALK_4	   (1ull << 6)
#define EPT_TYPE_UC	   (1ull << 8)
#define EPT_TYPE_WB	   (1ull << 14)
#define EPT_2M		   (1ull << 16)
#define EPT_1G		   (1ull << 17)
#define EPT_INVEPT	   (1ull << 20)
#define EPT_INVEPT_ALL	   (1ull << 26)
#define EPT_INVVPID	   (1ull << 32)
#define EPT_INVVPID_SINGLE (1ull << 41)
#define EPT_NEEDED                                                                                 \
	(EPT_WALK_4 | EPT_TYPE_UC | EPT_TYPE_WB | EPT_2M | EPT_INVEPT | EPT_INVEPT_ALL |           \
	    EPT_INVVPID | EPT_INVVPID_SINGLE)

#define MSR_TME_ACTIVATE       0x982u
#define TME_ENABLED	       (1ull << 1)
#define TME_KEY_BITS(activate) ((unsigned)((activate) >> 32 & 15))
#define CPUID7_TME	       (1u << 13)
#define STAGE2_BITS	       48u
#define CPUID1_VMX	       (1u << 5)
#define CPUID7_INVPCID	       (1u << 10)
#define CPUIDD_XSAVES	       (1u << 3)
#define CPUID80000001_RDTSCP   (1u << 27)

/*
 * One group of controls: what must be on, what is taken where offered, what must be off; and the
 * same of VPs of partitions, for which everything but their own memory exits (arch/vp.h).
 */
struct control_demand {
	uint32_t msr;
	uint32_t needed, vp_needed;
	uint32_t wanted, vp_wanted;
	uint32_t forbidden;
};

/* In the order of struct vmx_controls, and of the statuses where one cannot be met. */
static const struct control_demand demands[] = {
	/* Our own NMIs are told apart from the guest's. */
	{
	    .msr = MSR_VMX_TRUE_PIN,
	    .needed = PIN_NMI_EXITING | PIN_VIRTUAL_NMIS,
	    .vp_needed = PIN_INTERRUPT_EXITING | PIN_NMI_EXITING | PIN_VIRTUAL_NMIS,
	    .vp_wanted = PIN_PREEMPTION_TIMER,
	},
	/* Exits on CR3 would cost one each context switch. */
	{
	    .msr = MSR_VMX_TRUE_PRIMARY,
	    .needed = CPU_TSC_OFFSETTING | CPU_RDPMC_EXITING | CPU_IO_BITMAPS | CPU_MSR_BITMAPS |
		CPU_SECONDARY,
	    .vp_needed = CPU_HLT_EXITING | CPU_MWAIT_EXITING | CPU_RDPMC_EXITING |
		CPU_CR8_LOAD_EXITING | CPU_CR8_STORE_EXITING | CPU_DR_EXITING | CPU_IO_EXITING |
		CPU_MONITOR_EXITING | CPU_SECONDARY,
	    .forbidden = CPU_CR3_LOAD_EXITING | CPU_CR3_STORE_EXITING,
	},
	/*
     * Instructions that the guest's CPUID offers work without exits; SGX, which it does not, exits.
     */
	{
	    .msr = MSR_VMX_SECONDARY,
	    .needed = CPU2_EPT | CPU2_VPID | CPU2_UNRESTRICTED,
	    .vp_needed = CPU2_EPT | CPU2_VPID | CPU2_UNRESTRICTED | CPU2_WBINVD_EXITING,
	    .vp_wanted = CPU2_MBEC | CPU2_ENCLS_EXITING,
	    .wanted = CPU2_RDTSCP | CPU2_INVPCID | CPU2_XSAVES | CPU2_MBEC | CPU2_ENCLS_EXITING,
	},
	{
	    .msr = MSR_VMX_TRUE_EXIT,
	    .needed = EXIT_SAVE_DEBUG | EXIT_HOST_64 | EXIT_SAVE_PAT | EXIT_LOAD_PAT |
		EXIT_SAVE_EFER | EXIT_LOAD_EFER,
	    .forbidden = EXIT_ACK_INTERRUPT,
	},
	{
	    .msr = MSR_VMX_TRUE_ENTRY,
	    .needed = ENTRY_LOAD_DEBUG | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER | ENTRY_IA32E,
	},
};
#define DEMANDS (sizeof(demands) / sizeof(demands[0]))
_Static_assert(LAUNCH_NO_PIN_CONTROL + DEMANDS == LAUNCH_NO_ENTRY_CONTROL + 1, "in order");

/* What the first CPU offers; the others must offer the same. */
static struct offer {
	struct vmx_controls controls[VMX_WORLDS];
	uint64_t ept; /* with EPT_NEEDED, once there is an offer */
	uint64_t address_bits, any_error;
} chosen;

const struct vmx_controls *vmx_controls(enum vmx_world world)
{
	return &chosen.controls[world];
}

/* Low half of a capability MSR: bits that must be 1. High half: bits that may be 1. */
static bool combine(const struct control_demand *demand, uint32_t *value, uint32_t *vp)
{
	uint64_t capability = rdmsr(demand->msr);
	uint32_t must = (uint32_t)capability;
	uint32_t may = (uint32_t)(capability >> 32);

	*value = (demand->needed | demand->wanted | must) & may;
	*vp = (demand->vp_needed | demand->vp_wanted | must) & may;
	return (*value & demand->needed) == demand->needed &&
	    (*vp & demand->vp_needed) == demand->vp_needed && (*value & demand->forbidden) == 0;
}

/* Instructions that a guest would find in CPUID and get #UD for. */
static bool has_what_cpuid_shows(uint32_t secondary)
{
	return (secondary & CPU2_INVPCID || !(cpuid_basic(7, 0).ebx & CPUID7_INVPCID)) &&
	    (secondary & CPU2_RDTSCP || !(cpuid(0x80000001, 0).edx & CPUID80000001_RDTSCP)) &&
	    (secondary & CPU2_XSAVES || !(cpuid_basic(0xd, 1).eax & CPUIDD_XSAVES));
}

static enum launch_status get_controls(struct vmx_controls *normal, struct vmx_controls *vp)
{
	for (unsigned i = 0; i < DEMANDS; i++)
		if (!combine(&demands[i], &normal->in_order[i], &vp->in_order[i]))
			return (enum launch_status)(LAUNCH_NO_PIN_CONTROL + i);
	vp->exit = normal->exit;
	vp->entry = normal->entry & ~ENTRY_IA32E;
	return has_what_cpuid_shows(normal->secondary) ? LAUNCH_OK : LAUNCH_NO_SECONDARY_CONTROL;
}

static enum launch_status check_basics(void)
{
	uint64_t control;

	if (!(cpuid(1, 0).ecx & CPUID1_VMX))
		return LAUNCH_NO_VIRTUALIZATION;
	if (read_cr4() & CR4_VMXE)
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
	control = rdmsr(MSR_FEATURE_CONTROL);
	if (control & FEATURE_CONTROL_LOCKED && !(control & FEATURE_CONTROL_VMX))
		return LAUNCH_LOCKED_OFF;
	if (!(rdmsr(MSR_VMX_BASIC) & BASIC_TRUE_CONTROLS) ||
	    BASIC_TYPE(rdmsr(MSR_VMX_BASIC)) != BASIC_TYPE_WB ||
	    !(rdmsr(MSR_VMX_MISC) & MISC_WAIT_SIPI))
		return LAUNCH_NO_CAPABILITY;
	/* The secondary controls exist where the primary ones may activate them. */
	if (!(rdmsr(MSR_VMX_TRUE_PRIMARY) >> 32 & CPU_SECONDARY))
		return LAUNCH_NO_STAGE2;
	return LAUNCH_OK;
}

static enum launch_status check_stage2(void)
{
	uint64_t secondary = rdmsr(MSR_VMX_SECONDARY) >> 32;

	if (!(secondary & CPU2_EPT) || !(secondary & CPU2_VPID) ||
	    (rdmsr(MSR_VMX_EPT_VPID) & EPT_NEEDED) != EPT_NEEDED)
		return LAUNCH_NO_STAGE2;
	return secondary & CPU2_UNRESTRICTED ? LAUNCH_OK : LAUNCH_NO_UNRESTRICTED;
}

/*
 * Bits of an address that select memory. Where firmware has activated memory encryption with
 * several keys the upper ones select a key, and would give the guest a second name for every frame
 * (T11); CPUID does not tell. Tables have four levels.
 */
static unsigned address_bits(void)
{
	unsigned bits = cpuid(0x80000008, 0).eax & 0xff;
	uint64_t activate = 0;

	if (cpuid_basic(7, 0).ecx & CPUID7_TME)
		activate = rdmsr(MSR_TME_ACTIVATE);
	if (activate & TME_ENABLED)
		bits -= TME_KEY_BITS(activate);
	return bits < STAGE2_BITS ? bits : STAGE2_BITS;
}

enum launch_status vendor_check(void)
{
	enum launch_status status = check_basics();
	struct offer own = { 0 };

	if (status == LAUNCH_OK)
		status = check_stage2();
	if (status == LAUNCH_OK)
		status = get_controls(&own.controls[WORLD_NORMAL], &own.controls[WORLD_VP]);
	if (status != LAUNCH_OK)
		return status;
	own.ept = rdmsr(MSR_VMX_EPT_VPID);
	own.address_bits = address_bits();
	own.any_error = rdmsr(MSR_VMX_BASIC) & BASIC_ANY_ERROR;
	if (chosen.ept != 0)
		return __builtin_memcmp(&own, &chosen, sizeof(own)) == 0 ? LAUNCH_OK
									 : LAUNCH_CPU_MISMATCH;
	chosen = own;
	return LAUNCH_OK;
}

bool vendor_delivers_cp(void)
{
	return chosen.any_error;
}

bool stage2_has_huge(void)
{
	return chosen.ept & EPT_1G;
}

bool stage2_has_mbec(void)
{
	return chosen.controls[WORLD_NORMAL].secondary & CPU2_MBEC;
}

uint64_t stage2_limit(void)
{
	return 1ull << chosen.address_bits;
}

struct withheld stage2_withheld(void)
{
	return (struct withheld){ 0, 0 };
}
