/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * From firmware's CPU to the first guest: VMXON, a VMCS whose guest is the loader's own code one
 * instruction further on, VMLAUNCH.
 */
#include "arch/frame.h"
#include "arch/x86/io.h"
#include "arch/x86/mitigate.h"
#include "arch/x86/policy.h"
#include "arch/x86/vmx/vmx.h"
#include "monitor/abi/cpuid.h"

#define MSR_VMX_CR0_FIXED0 0x486u
#define MSR_VMX_CR0_FIXED1 0x487u

/* Bits for MSRs from 0 on and for those from c0000000 on, of reads, then the same of writes. */
#define MSR_MAP_PART 0x2000u

/*
 * EPT pointer: page-walk length 4, write-back walks, no accessed and dirty flags. SDM 3C 25.6.11.
 */
#define EPTP_WALK_4 (3ull << 3)
#define EPTP_WB	    6ull

static uint8_t *maps; /* two frames for ports; for MSRs; for MSRs where the TSC is the CPU's */

static void let_pass(uint8_t *map, const struct msr_row *row, unsigned write)
{
	for (uint32_t msr = row->first; msr <= row->last; msr++) {
		uint32_t part = 2 * write + (msr >> 31);
		uint32_t bit = part * MSR_MAP_PART + msr % MSR_MAP_PART;

		map[bit / 8] &= (uint8_t) ~(1u << bit % 8);
	}
}

static void fill_msr_map(uint8_t *map, bool exact_tsc)
{
	__builtin_memset(map, 0xff, FRAME_SIZE);
	for (const struct msr_row *row = vendor_msrs(); row->last != 0; row++)
		for (unsigned write = 0; write < 2; write++)
			if (policy_msr_passes(row, write, exact_tsc))
				let_pass(map, row, write);
}

enum launch_status vendor_init(void)
{
	maps = region_alloc(4);
	if (maps == NULL)
		return LAUNCH_BAD_REGION;
	io_fill_map(maps);
	fill_msr_map((uint8_t *)vmx_msr_bitmap(false), false);
	fill_msr_map((uint8_t *)vmx_msr_bitmap(true), true);
	return LAUNCH_OK;
}

uint64_t vmx_msr_bitmap(bool exact_tsc)
{
	return (uint64_t)maps + (exact_tsc ? 3 : 2) * (uint64_t)FRAME_SIZE;
}

/* Of all partitions, whatever names them: combined translations go with those of second stage. */
void vendor_flush_local(void)
{
	CHECK(invept(INVEPT_ALL, 0));
}

uint32_t arch_features(void)
{
	return REDOUBT_FEATURE_STAGE2 | REDOUBT_FEATURE_SELF | REDOUBT_FEATURE_CPU_POLICY |
	    REDOUBT_FEATURE_INIT_GUARD | (stage2_has_mbec() ? REDOUBT_FEATURE_MBEC : 0);
}

uint32_t arch_degraded(void)
{
	return (start_info()->power.pm1a_control != 0 ? REDOUBT_DEGRADED_SUSPEND
						      : REDOUBT_DEGRADED_SLEEP) |
	    REDOUBT_DEGRADED_SMM | REDOUBT_DEGRADED_MICROCODE |
	    (mitigate_siblings_leak() ? REDOUBT_DEGRADED_SMT : 0) |
	    (mitigate_flawed() ? REDOUBT_DEGRADED_FLAWS : 0) |
	    (stage2_has_mbec() ? 0 : REDOUBT_DEGRADED_NO_MBEC);
}

void vmx_make_vmcs(uint64_t spa)
{
	*(uint32_t *)spa = (uint32_t)rdmsr(MSR_VMX_BASIC) & 0x7fffffff;
	CHECK(vmclear(spa));
}

static void enable_vmx(struct percpu *cpu)
{
	uint64_t control = rdmsr(MSR_FEATURE_CONTROL);

	if (!(control & FEATURE_CONTROL_LOCKED))
		wrmsr(MSR_FEATURE_CONTROL, control | FEATURE_CONTROL_LOCKED | FEATURE_CONTROL_VMX);
	*(uint32_t *)cpu->vmxon_spa = (uint32_t)rdmsr(MSR_VMX_BASIC) & 0x7fffffff;
	CHECK(vmxon(cpu->vmxon_spa));
	vmx_make_vmcs(cpu->control_spa);
	CHECK(vmptrld(cpu->control_spa));
	cpu->vmcs_loaded = true;
}

/* Root mode's control registers; they are also what every exit loads. */
static void own_control_registers(void)
{
	write_cr0(
	    (CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG | rdmsr(MSR_VMX_CR0_FIXED0)) &
	    rdmsr(MSR_VMX_CR0_FIXED1));
	write_cr4(CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_VMXE |
	    (policy_cr4() & (CR4_OSXSAVE | CR4_SMEP | CR4_SMAP | CR4_UMIP)));
}

void vmx_write_controls(const struct vmx_controls *c, const struct stage2 *map, uint16_t vpid)
{
	vmwrite(VMCS_PIN_CONTROLS, c->pin);
	vmwrite(VMCS_PRIMARY_CONTROLS, c->primary);
	vmwrite(VMCS_SECONDARY_CONTROLS, c->secondary);
	vmwrite(VMCS_EXIT_CONTROLS, c->exit);
	vmwrite(VMCS_ENTRY_CONTROLS, c->entry);
	vmwrite(VMCS_EXCEPTION_BITMAP, 1u << VECTOR_DB | 1u << VECTOR_AC | 1u << VECTOR_MC);
	VMCS_ZERO(VMCS_PF_ERROR_MASK, VMCS_PF_ERROR_MATCH, VMCS_CR3_TARGETS, VMCS_EXIT_MSR_STORES,
	    VMCS_EXIT_MSR_LOADS, VMCS_ENTRY_MSR_LOADS, VMCS_ENTRY_EVENT, VMCS_TSC_OFFSET);
	vmwrite(VMCS_IO_BITMAP_A, (uint64_t)maps);
	vmwrite(VMCS_IO_BITMAP_B, (uint64_t)maps + FRAME_SIZE);
	vmwrite(VMCS_MSR_BITMAP, vmx_msr_bitmap(true));
	vmwrite(VMCS_EPT_POINTER, (uint64_t)map->root | EPTP_WB | EPTP_WALK_4);
	vmwrite(VMCS_VPID, vpid);
	vmwrite(VMCS_LINK_POINTER, UINT64_MAX);
	if (c->secondary & CPU2_XSAVES)
		vmwrite(VMCS_XSS_EXITING, 0);
	if (c->secondary & CPU2_ENCLS_EXITING)
		vmwrite(VMCS_ENCLS_EXITING, UINT64_MAX);
}

void vmx_write_host(const struct percpu *cpu)
{
	vmwrite(VMCS_HOST_CR0, read_cr0());
	vmwrite(VMCS_HOST_CR3, cpu->cr3);
	vmwrite(VMCS_HOST_CR4, read_cr4());
	vmwrite(VMCS_HOST_CS, SEL_CODE);
	vmwrite(VMCS_HOST_SS, SEL_DATA);
	vmwrite(VMCS_HOST_DS, SEL_DATA);
	vmwrite(VMCS_HOST_ES, SEL_DATA);
	vmwrite(VMCS_HOST_TR, SEL_TSS);
	vmwrite(VMCS_HOST_TR_BASE, (uint64_t)&cpu->tss);
	vmwrite(VMCS_HOST_GDTR_BASE, (uint64_t)cpu->gdt);
	vmwrite(VMCS_HOST_IDTR_BASE, (uint64_t)trap_idt);
	VMCS_ZERO(VMCS_HOST_FS, VMCS_HOST_GS, VMCS_HOST_FS_BASE, VMCS_HOST_GS_BASE,
	    VMCS_HOST_SYSENTER_CS, VMCS_HOST_SYSENTER_ESP, VMCS_HOST_SYSENTER_EIP);
	vmwrite(VMCS_HOST_PAT, PAT_RESET);
	vmwrite(VMCS_HOST_EFER, rdmsr(MSR_EFER));
	vmwrite(VMCS_HOST_RSP, PERCPU_STACK_TOP);
	vmwrite(VMCS_HOST_RIP,
	    (uint64_t)(cpu->mitigations & MITIGATE_EXITS ? vmx_exit_entry_mitigated
							 : vmx_exit_entry));
}

void vmx_write_segment(unsigned index, uint16_t selector, uint32_t rights, uint32_t limit,
    uint64_t base)
{
	unsigned step = index * VMCS_SEGMENT_STEP;

	vmwrite(VMCS_GUEST_ES + step, selector);
	vmwrite(VMCS_GUEST_ES_LIMIT + step, limit);
	vmwrite(VMCS_GUEST_ES_RIGHTS + step, rights);
	vmwrite(VMCS_GUEST_ES_BASE + step, base);
}

/* Flat 64-bit segments as UEFI prescribes them; selectors as firmware had them. */
static void write_guest_segments(const struct firmware_state *fw)
{
	const uint16_t selectors[] = { fw->es, fw->cs, fw->ss, fw->ds, fw->fs, fw->gs };

	for (unsigned i = 0; i < SEGMENT_LDTR; i++)
		vmx_write_segment(i, selectors[i],
		    selectors[i] == 0	  ? RIGHTS_UNUSABLE
			: i == SEGMENT_CS ? 0xa09b
					  : 0xc093,
		    UINT32_MAX, i >= SEGMENT_FS ? rdmsr(MSR_FS_BASE + i - SEGMENT_FS) : 0);
	vmx_write_segment(SEGMENT_LDTR, fw->ldtr, RIGHTS_UNUSABLE, 0, 0);
	/* Where firmware runs without a task register, VM entry wants one that is never used. */
	vmx_write_segment(SEGMENT_TR, fw->tr, TSS_BUSY, fw->tr_limit != 0 ? fw->tr_limit : 0xffff,
	    fw->tr_base);
	vmwrite(VMCS_GUEST_GDTR_BASE, fw->gdtr.base);
	vmwrite(VMCS_GUEST_GDTR_LIMIT, fw->gdtr.limit);
	vmwrite(VMCS_GUEST_IDTR_BASE, fw->idtr.base);
	vmwrite(VMCS_GUEST_IDTR_LIMIT, fw->idtr.limit);
}

static void write_guest(const struct firmware_state *fw)
{
	write_guest_segments(fw);
	vmx_cr_setup(fw->cr0, fw->cr4);
	vmwrite(VMCS_GUEST_CR3, fw->cr3);
	vmwrite(VMCS_GUEST_DR7, read_dr7());
	vmwrite(VMCS_GUEST_RSP, fw->rsp);
	vmwrite(VMCS_GUEST_RIP, fw->rip);
	vmwrite(VMCS_GUEST_RFLAGS, fw->rflags);
	VMCS_ZERO(VMCS_GUEST_PENDING_DEBUG, VMCS_GUEST_INTERRUPTIBILITY, VMCS_GUEST_ACTIVITY,
	    VMCS_GUEST_DEBUGCTL);
	vmwrite(VMCS_GUEST_PAT, rdmsr(MSR_PAT));
	vmwrite(VMCS_GUEST_EFER, fw->efer);
	vmwrite(VMCS_GUEST_SYSENTER_CS, rdmsr(MSR_SYSENTER_CS) & UINT32_MAX);
	vmwrite(VMCS_GUEST_SYSENTER_ESP, rdmsr(MSR_SYSENTER_ESP));
	vmwrite(VMCS_GUEST_SYSENTER_EIP, rdmsr(MSR_SYSENTER_EIP));
}

void vendor_launch(const struct firmware_state *state)
{
	struct percpu *cpu = this_cpu();

	own_control_registers();
	enable_vmx(cpu);
	mitigate_init(cpu);
	cpu->processor_controls = vmx_controls(WORLD_NORMAL)->primary;
	vmx_write_controls(vmx_controls(WORLD_NORMAL), monitor_normal_stage2(), VPID_NORMAL);
	vmx_write_host(cpu);
	write_guest(state);
	CHECK(invvpid(INVVPID_SINGLE, VPID_NORMAL));
	vendor_flush_local();
	atomic_store(&cpu->sync->seen, 0);
	atomic_store(&cpu->sync->covered, 1);
	vmx_nmi_owed();
	sync_enter(cpu->sync);
	vmx_enter_first();
	vmx_resume_failed();
}
