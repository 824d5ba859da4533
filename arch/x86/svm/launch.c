/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * From firmware's CPU to the first guest: EFER.SVME, a VMCB whose guest is the loader's own code
 * one instruction further on, VMRUN.
 */
#include "arch/frame.h"
#include "arch/x86/io.h"
#include "arch/x86/mitigate.h"
#include "arch/x86/policy.h"
#include "arch/x86/svm/svm.h"
#include "monitor/abi/cpuid.h"

#define ASID_NORMAL   1u
#define NESTED_ENABLE 1ull
#define IO_MAP_BYTES  0x3000u
#define MSR_MAP_PAGES 2u
#define MSR_MAP_BLOCK 0x2000u /* MSRs of a block, two bits each */
#define ATTR_DATA     0xc93u
#define ATTR_CODE_64  0xa9bu

uint8_t *svm_deny_map;
static uint8_t *io_map;
static uint8_t *msr_map;
static uint32_t init_redirected; /* CPUs on which VM_CR.R_INIT could be set */

/* Bit pairs of three blocks: reads, writes. APM 2 15.11. */
static void let_pass(uint8_t *map, const struct msr_row *row, unsigned write)
{
	for (uint32_t msr = row->first; msr <= row->last; msr++) {
		uint32_t block = msr < MSR_MAP_BLOCK ? 0 : 1 + (msr >> 16 & 1);
		uint32_t bit = 2 * (block * MSR_MAP_BLOCK + msr % MSR_MAP_BLOCK) + write;

		map[bit / 8] &= (uint8_t) ~(1u << bit % 8);
	}
}

static void fill_msr_map(uint8_t *map)
{
	__builtin_memset(map, 0xff, (size_t)MSR_MAP_PAGES * FRAME_SIZE);
	for (const struct msr_row *row = vendor_msrs(); row->last != 0; row++)
		for (unsigned write = 0; write < 2; write++)
			if (policy_msr_passes(row, write, false))
				let_pass(map, row, write);
}

enum launch_status vendor_init(void)
{
	io_map = region_alloc(2 * IO_MAP_BYTES / FRAME_SIZE);
	msr_map = region_alloc(MSR_MAP_PAGES);
	if (io_map == NULL || msr_map == NULL || !svm_devices_init())
		return LAUNCH_BAD_REGION;
	io_fill_map(io_map);
	svm_deny_map = __builtin_memset(io_map + IO_MAP_BYTES, 0xff, IO_MAP_BYTES);
	fill_msr_map(msr_map);
	return LAUNCH_OK;
}

uint64_t vcpu_tsc_offset(const struct vcpu *vcpu)
{
	return vmcb()->tsc_offset;
}

void vcpu_set_tsc_offset(struct vcpu *vcpu, uint64_t offset)
{
	vmcb()->tsc_offset = offset;
}

void svm_flush(struct vmcb *v)
{
	v->tlb_control = svm_caps()->features & SVM_FLUSH_ASID ? TLB_FLUSH_GUEST : TLB_FLUSH_ALL;
}

/*
 * Nested translations go with the guest's own (APM 2 15.25.7). Those of partitions need no word
 * here: they never outlast an entry (vp.c).
 */
void vendor_flush_local(void)
{
	svm_flush(vmcb());
}

uint32_t arch_features(void)
{
	return REDOUBT_FEATURE_STAGE2 | REDOUBT_FEATURE_SELF | REDOUBT_FEATURE_CPU_POLICY |
	    REDOUBT_FEATURE_INIT_GUARD;
}

uint32_t arch_degraded(void)
{
	return (start_info()->power.pm1a_control != 0 ? REDOUBT_DEGRADED_SUSPEND
						      : REDOUBT_DEGRADED_SLEEP) |
	    REDOUBT_DEGRADED_SMM | REDOUBT_DEGRADED_MICROCODE | REDOUBT_DEGRADED_NO_MBEC |
	    (mitigate_siblings_leak() ? REDOUBT_DEGRADED_SMT : 0) |
	    (init_redirected == cpu_count() ? 0 : REDOUBT_DEGRADED_INIT);
}

/*
 * INIT as #SX in root mode instead of a reset of the CPU: where VM_CR has the bit, no device's
 * message can take the CPU away. APM 2 15.30.1.
 */
static void redirect_init(void)
{
	uint64_t control;

	if (!rdmsr_safe(MSR_VM_CR, &control))
		return;
	if (wrmsr_safe(MSR_VM_CR, (control & ~VM_CR_SVMDIS) | VM_CR_R_INIT) &&
	    rdmsr_safe(MSR_VM_CR, &control) && control & VM_CR_R_INIT)
		__atomic_fetch_add(&init_redirected, 1, __ATOMIC_RELAXED);
}

/*
 * Root mode's control registers; VMRUN saves them and every exit loads them. OSFXSR: so that FXSAVE
 * saves SSE's registers, as without EFER.FFXSR.
 */
static void own_control_registers(void)
{
	write_cr0(CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG);
	write_cr4(CR4_PAE | CR4_MCE | CR4_OSFXSR |
	    (policy_cr4() & (CR4_OSXSAVE | CR4_SMEP | CR4_SMAP | CR4_UMIP)));
}

void svm_write_controls(struct vmcb *v)
{
	v->cr_writes = CR_WRITE_CR4;
	v->exceptions = 1u << VECTOR_DB | 1u << VECTOR_AC | 1u << VECTOR_MC;
	v->intercepts = INTERCEPT(EXIT_NMI) | INTERCEPT(EXIT_SMI) | INTERCEPT(EXIT_INIT) |
	    INTERCEPT_CR0 | INTERCEPT(EXIT_RDPMC) | INTERCEPT(EXIT_CPUID) | INTERCEPT(EXIT_INVD) |
	    INTERCEPT(EXIT_INVLPGA) | INTERCEPT(EXIT_IO) | INTERCEPT(EXIT_MSR) |
	    INTERCEPT(EXIT_TASK_SWITCH) | INTERCEPT(EXIT_SHUTDOWN);
	v->intercepts_more = INTERCEPT(EXIT_VMRUN) | INTERCEPT(EXIT_VMMCALL) |
	    INTERCEPT(EXIT_VMLOAD) | INTERCEPT(EXIT_VMSAVE) | INTERCEPT(EXIT_STGI) |
	    INTERCEPT(EXIT_CLGI) | INTERCEPT(EXIT_SKINIT) | INTERCEPT(EXIT_WBINVD) |
	    INTERCEPT(EXIT_XSETBV) | (svm_caps()->rdpru ? INTERCEPT(EXIT_RDPRU) : 0);
	v->io_map = (uint64_t)io_map;
	v->msr_map = (uint64_t)msr_map;
	v->asid = ASID_NORMAL;
	v->tlb_control = TLB_FLUSH_ALL;
	v->nested_control = NESTED_ENABLE;
	v->nested_cr3 = (uint64_t)monitor_normal_stage2()->root;
}

/* Flat 64-bit segments as UEFI prescribes them; selectors as firmware had them. */
static struct vmcb_segment flat(uint16_t selector, uint16_t attributes)
{
	return (struct vmcb_segment){ selector, selector ? attributes : 0, UINT32_MAX, 0 };
}

/* After VMSAVE: FS, GS and the MSRs are firmware's, TR and LDTR root mode's. */
static void write_segments(struct vmcb *v, const struct firmware_state *fw)
{
	v->es = flat(fw->es, ATTR_DATA);
	v->cs = flat(fw->cs, ATTR_CODE_64);
	v->ss = flat(fw->ss, ATTR_DATA);
	v->ds = flat(fw->ds, ATTR_DATA);
	v->ldtr = (struct vmcb_segment){ fw->ldtr, ATTR_LDT, 0, 0 };
	v->tr = (struct vmcb_segment){ fw->tr, ATTR_TSS_BUSY,
		fw->tr_limit != 0 ? fw->tr_limit : 0xffff, fw->tr_base };
	v->gdtr = (struct vmcb_segment){ 0, 0, fw->gdtr.limit, fw->gdtr.base };
	v->idtr = (struct vmcb_segment){ 0, 0, fw->idtr.limit, fw->idtr.base };
}

static void write_state(struct vmcb *v, const struct firmware_state *fw)
{
	v->dr7 = read_dr7();
	v->dr6 = read_dr6();
	v->cr0 = fw->cr0;
	v->cr2 = read_cr2();
	v->cr3 = fw->cr3;
	v->cr4 = fw->cr4;
	v->efer = fw->efer | EFER_SVME;
	v->pat = rdmsr(MSR_PAT);
	v->rflags = fw->rflags;
	v->rip = fw->rip;
	v->rsp = fw->rsp;
}

static void vmsave(uint64_t spa)
{
	__asm__ volatile("vmsave" : : "a"(spa) : "memory");
}

void vendor_launch(const struct firmware_state *state)
{
	struct percpu *cpu = this_cpu();

	own_control_registers();
	mitigate_init(cpu);
	redirect_init();
	wrmsr(MSR_EFER, (rdmsr(MSR_EFER) & ~EFER_FFXSR) | EFER_SVME | EFER_NXE);
	wrmsr(MSR_VM_HSAVE_PA, cpu->vmxon_spa);
	__asm__ volatile("clgi" : : : "memory");
	vmsave(cpu->host_spa);
	vmsave(cpu->control_spa);
	svm_write_controls(vmcb());
	write_segments(vmcb(), state);
	write_state(vmcb(), state);
	svm_device_note();
	atomic_store(&cpu->sync->seen, 0);
	atomic_store(&cpu->sync->covered, 1);
	svm_enter_first(svm_ready());
}
