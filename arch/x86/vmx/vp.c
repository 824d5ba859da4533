/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * VPs of partitions (arch/vp.h): a frame of registers and a VMCS each. The VMCS is on a CPU only
 * while vp_run() runs there; VMCLEAR lets it go on elsewhere, so each entry is a VMLAUNCH.
 *
 * What would be the normal world's (interrupts, NMIs, INIT) exits and waits: an interrupt in the
 * APIC, since exits do not acknowledge it; an NMI as one that came in root mode, which also makes
 * the VP exit before its next instruction (vendor_nmi_pending()); INIT in init_arrived. SIPI is
 * nothing to a CPU that runs. SDM 3C 26, 27, 28.
 */
#include "arch/vp.h"

#include "arch/frame.h"
#include "arch/x86/mitigate.h"
#include "arch/x86/nmi.h"
#include "arch/x86/vmx/skip.h"
#include "arch/x86/vp_start.h"

#define FX_BYTES      512u
#define FX_MXCSR      24u
#define CONTROL_START 0x37fu
#define MXCSR_START   0x1f80u

#define MISC_TIMER_SHIFT(misc) ((unsigned)(misc)&31)
#define RIGHTS_FLAT_CODE       0xc09bu
#define RIGHTS_FLAT_DATA       0xc093u

/*
 * What a VP may change of CR0; of CR4 it may change nothing. A machine check with MCE clear would
 * stop the CPU.
 */
#define CR0_OWN	  (CR0_PG | CR0_AM | CR0_WP | CR0_TS | CR0_EM | CR0_MP)
#define CR0_START (CR0_PE | CR0_ET | CR0_NE)
#define CR4_START (CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXC)

/* State of a world that no VMCS holds. */
struct world {
	uint8_t fx[FX_BYTES] __attribute__((aligned(16)));
	uint64_t cr2, kernel_gs;
};

struct vp {
	struct world own, other; /* the other one: while the VP runs */
	struct guest_regs regs;
	uint64_t vmcs; /* SPA: the next frame */
	uint64_t vpid;
	struct vp_exit exit;
};

#define GO_ON (VP_FAULTED + 1u)

_Static_assert(sizeof(struct vp) <= FRAME_SIZE, "the VMCS is in the next frame");
_Static_assert(offsetof(struct guest_regs, rsp) == 120, "entry.S keeps root mode's RSP there");

size_t vp_pages(void)
{
	return 2;
}

struct call *vp_call(struct vp *vp)
{
	return &vp->regs.call;
}

/* Root mode's NMI handler may come in between: it counts, and whoever is owed one is told last. */
static void use_vmcs(uint64_t spa, uint32_t controls)
{
	struct percpu *cpu = this_cpu();

	cpu->vmcs_loaded = false;
	CHECK(vmptrld(spa));
	cpu->processor_controls = controls;
	cpu->vmcs_loaded = true;
	vmwrite(VMCS_PRIMARY_CONTROLS, controls);
	vmx_nmi_owed();
}

static void write_start(const struct vp_start *start)
{
	uint64_t cr4 = CR4_START | (read_cr4() & (CR4_SMEP | CR4_UMIP));

	VMCS_ZERO(VMCS_GUEST_CR3, VMCS_GUEST_GDTR_BASE, VMCS_GUEST_GDTR_LIMIT, VMCS_GUEST_IDTR_BASE,
	    VMCS_GUEST_IDTR_LIMIT, VMCS_GUEST_RSP, VMCS_GUEST_PENDING_DEBUG,
	    VMCS_GUEST_INTERRUPTIBILITY, VMCS_GUEST_ACTIVITY, VMCS_GUEST_DEBUGCTL,
	    VMCS_GUEST_SYSENTER_CS, VMCS_GUEST_SYSENTER_ESP, VMCS_GUEST_SYSENTER_EIP);
	for (unsigned i = 0; i < SEGMENT_LDTR; i++)
		vmx_write_segment(i, SEL_DATA, RIGHTS_FLAT_DATA, UINT32_MAX, 0);
	vmx_write_segment(SEGMENT_CS, SEL_CODE, RIGHTS_FLAT_CODE, UINT32_MAX, 0);
	vmx_write_segment(SEGMENT_LDTR, 0, RIGHTS_UNUSABLE, 0, 0);
	vmx_write_segment(SEGMENT_TR, 0, TSS_BUSY, 0xffff, 0);
	vmwrite(VMCS_GUEST_CR0, CR0_START);
	vmwrite(VMCS_CR0_SHADOW, CR0_START);
	vmwrite(VMCS_CR0_MASK, ~CR0_OWN);
	vmwrite(VMCS_GUEST_CR4, cr4 | CR4_VMXE);
	vmwrite(VMCS_CR4_SHADOW, cr4);
	vmwrite(VMCS_CR4_MASK, UINT64_MAX);
	vmwrite(VMCS_GUEST_EFER, EFER_LME | EFER_NXE);
	vmwrite(VMCS_GUEST_PAT, PAT_RESET);
	vmwrite(VMCS_GUEST_DR7, DR7_FIXED);
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED);
	vmwrite(VMCS_GUEST_RIP, start->entry);
}

/*
 * In this order: an NMI between the two must find a VMCS that is current, to note in it that one is
 * owed.
 */
static void leave_vmcs(const struct vp *vp)
{
	use_vmcs(this_cpu()->control_spa, vmx_controls(WORLD_NORMAL)->primary);
	CHECK(vmclear(vp->vmcs));
}

void vp_reset(struct vp *vp, const struct vp_start *start)
{
	const struct vmx_controls *own = vmx_controls(WORLD_VP);

	CHECK(start->partition > 0 && start->partition <= UINT16_MAX - VPID_NORMAL);
	__builtin_memset(vp, 0, vp_pages() * FRAME_SIZE);
	vp->vmcs = region_spa(vp).v + FRAME_SIZE;
	vp->vpid = VPID_NORMAL + start->partition;
	vmx_make_vmcs(vp->vmcs);
	use_vmcs(vp->vmcs, own->primary);
	vmx_write_controls(own, start->map, (uint16_t)vp->vpid);
	/* The same on each CPU, but for CR3. */
	vmx_write_host(this_cpu());
	vmwrite(VMCS_HOST_RSP, (uint64_t)&vp->regs);
	vmwrite(VMCS_HOST_RIP, (uint64_t)vmx_vp_exit_entry);
	write_start(start);
	leave_vmcs(vp);
	*(uint16_t *)(void *)vp->own.fx = CONTROL_START;
	*(uint32_t *)(void *)(vp->own.fx + FX_MXCSR) = MXCSR_START;
	vp->regs.rbx = start->ebx | cpuid_start();
	vp->regs.rsi = start->esi;
	vp->regs.rdi = start->edi;
}

static void change(struct world *from, const struct world *to)
{
	__asm__ volatile("fxsave64 %0" : "=m"(from->fx));
	__asm__ volatile("fxrstor64 %0" : : "m"(to->fx));
	from->cr2 = read_cr2();
	write_cr2(to->cr2);
	from->kernel_gs = rdmsr(MSR_KERNEL_GS);
	wrmsr(MSR_KERNEL_GS, to->kernel_gs);
	mitigate_switch();
}

/* Calls are the kernel's alone. */
static unsigned called(struct percpu *cpu, struct vp *vp)
{
	bool kernel = RIGHTS_DPL(vmread(VMCS_GUEST_SS_RIGHTS)) == 0;

	if (__builtin_expect(kernel, 1))
		vmx_skip(&cpu->vcpu);
	vp->exit.rip = vmread(VMCS_GUEST_RIP);
	return kernel ? VP_CALLED : VP_FAULTED;
}

/* What another exit means: an enum vp_stop, or GO_ON. */
static unsigned judge(struct percpu *cpu, struct vp_exit *exit)
{
	exit->rip = vmread(VMCS_GUEST_RIP);
	exit->fact = vmread(VMCS_EXIT_QUALIFICATION);
	switch (exit->reason) {
	case EXIT_EXCEPTION:
		exit->fact = vmread(VMCS_EXIT_EVENT);
		/* One that is now owed makes the next entry exit at once, a kick does not. */
		return vmx_nmi_exit((uint32_t)exit->fact) ? GO_ON : VP_FAULTED;
	case EXIT_PREEMPTION_TIMER:
		return GO_ON;
	case EXIT_INIT:
		atomic_store(&cpu->init_arrived, 1);
		return VP_INTERRUPTED;
	case EXIT_INTERRUPT:
	case EXIT_NMI_WINDOW:
		return VP_INTERRUPTED;
	case EXIT_EPT_VIOLATION:
		exit->fact = vmread(VMCS_GUEST_PHYSICAL);
		return VP_FAULTED;
	default:
		CHECK(exit->reason != EXIT_EPT_MISCONFIGURATION);
		if (exit->reason & EXIT_ENTRY_FAILED)
			vmx_report_entry_failure(exit->reason);
		return VP_FAULTED;
	}
}

/*
 * One entry and exit. Translations are dropped each time: the VP may have changed its tables on
 * another CPU, and VPs of one partition have one VPID.
 */
static unsigned enter(struct percpu *cpu, struct vp *vp, uint64_t cycles)
{
	const struct vmx_controls *own = vmx_controls(WORLD_VP);
	/* Rounded down: what is left of the time ends it at the next look. */
	uint64_t ticks = cycles >> MISC_TIMER_SHIFT(rdmsr(MSR_VMX_MISC));
	unsigned stop;

	use_vmcs(vp->vmcs, own->primary);
	if (own->pin & PIN_PREEMPTION_TIMER)
		vmwrite(VMCS_PREEMPTION_TIMER, ticks < UINT32_MAX ? ticks : UINT32_MAX);
	vmwrite(VMCS_HOST_CR3, cpu->cr3);
	CHECK(invvpid(INVVPID_SINGLE, vp->vpid));
	sync_enter(cpu->sync);
	vmx_vp_enter(&vp->regs, cpu->mitigations & MITIGATE_RETURNS);
	sync_leave(cpu->sync);
	vp->exit.reason = (uint32_t)vmread(VMCS_EXIT_REASON);
	stop = __builtin_expect(vp->exit.reason == EXIT_VMCALL, 1) ? called(cpu, vp)
								   : judge(cpu, &vp->exit);
	leave_vmcs(vp);
	return stop;
}

enum vp_stop vp_run(struct vp *vp, uint64_t until)
{
	struct percpu *cpu = this_cpu();
	unsigned stop = atomic_load(&cpu->init_arrived) ? VP_INTERRUPTED : GO_ON;

	change(&vp->other, &vp->own);
	while (stop == GO_ON) {
		uint64_t now = rdtsc();

		stop = now < until ? enter(cpu, vp, until - now) : VP_EXPIRED;
	}
	change(&vp->own, &vp->other);
	if (stop == VP_FAULTED &&
	    ((vp->exit.reason & 0xffff) == EXIT_MACHINE_CHECK_ENTRY ||
		(vp->exit.reason == EXIT_EXCEPTION && EVENT_VECTOR(vp->exit.fact) == VECTOR_MC)))
		vmx_machine_check(&cpu->vcpu);
	return (enum vp_stop)stop;
}

struct vp_exit vp_last_exit(const struct vp *vp)
{
	return vp->exit;
}
