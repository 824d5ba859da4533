/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The entry point. It runs on firmware's stack and tables, without exception handlers of our own
 * until start_run(): nothing here may fault, and nothing is logged before MONITOR_INIT has a
 * console.
 */
#include "arch/x86/start.h"

#include <stddef.h>

#include "arch/cpu.h"
#include "arch/frame.h"
#include "arch/iommu.h"
#include "arch/upcall.h"
#include "arch/x86/asm.h"
#include "arch/x86/bits.h"
#include "arch/x86/header.h"
#include "arch/x86/mmu.h"
#include "arch/x86/percpu.h"
#include "arch/x86/policy.h"
#include "arch/x86/region.h"
#include "arch/x86/trap.h"

enum stage { STAGE_NEW, STAGE_READY, STAGE_FAILED };

/* Entropy and root key in the block, in its first frame. */
#define SECRETS_AT  offsetof(struct bootinfo, entropy)
#define SECRETS_END offsetof(struct bootinfo, partitions)
_Static_assert(SECRETS_END <= FRAME_SIZE, "the secrets lie in one frame");

static enum stage stage;
static struct bootinfo info_copy;
static spa_t loaders_block;

/* Overwritten early in MONITOR_INIT; before that nothing has secrets or input. */
__attribute__((used)) uint64_t __stack_chk_guard = 0x00ff0a0d5e6b3a91ull;
__attribute__((used)) _Noreturn void __stack_chk_fail(void);

_Noreturn void __stack_chk_fail(void)
{
	panic("stack overwritten");
}

const struct bootinfo *start_info(void)
{
	return &info_copy;
}

void arch_take_secrets(void)
{
	const uint8_t *frame = slot_map(loaders_block, SLOT_READ);

	__builtin_memcpy((uint8_t *)&info_copy + SECRETS_AT, frame + SECRETS_AT,
	    SECRETS_END - SECRETS_AT);
	slot_unmap();
}

static uint32_t own_apic_id(void)
{
	struct cpuid_regs topology = cpuid_basic(0xb, 0);

	return topology.ebx != 0 ? topology.edx : cpuid(1, 0).ebx >> 24;
}

/* Copied once (I4); only the copy is looked at. The secrets follow (arch_take_secrets()). */
static enum launch_status take_info(const struct bootinfo *info)
{
	__builtin_memcpy(&info_copy, info, SECRETS_AT);
	__builtin_memcpy((uint8_t *)&info_copy + SECRETS_END, (const uint8_t *)info + SECRETS_END,
	    sizeof(info_copy) - SECRETS_END);
	loaders_block.v = (uint64_t)info;
	if (loaders_block.v % FRAME_SIZE != 0 || !bootinfo_valid(&info_copy))
		return LAUNCH_BAD_BOOTINFO;
	return info_copy.region_base == (uint64_t)image_start ? LAUNCH_OK : LAUNCH_BAD_REGION;
}

/* Private areas as seen through firmware's identity map. */
static bool prepare_cpus(void)
{
	for (uint32_t i = 0; i < start_info()->cpu_count; i++) {
		struct percpu *cpu = region_percpu(i);
		uint64_t *frames = region_alloc(3);

		if (frames == NULL)
			return false;
		cpu->vcpu.index = i;
		cpu->sync = sync_of(i);
		cpu->vmxon_spa = (uint64_t)frames;
		cpu->control_spa = (uint64_t)frames + FRAME_SIZE;
		cpu->host_spa = (uint64_t)frames + 2ull * FRAME_SIZE;
	}
	return true;
}

/*
 * Firmware's task state segment, read while its descriptor table is mapped. Limit 0: none is in
 * use.
 */
static void save_task(struct firmware_state *state)
{
	uint16_t offset = state->tr & ~7u;
	const uint64_t *descriptor = (const uint64_t *)(state->gdtr.base + offset);

	state->tr_base = 0;
	state->tr_limit = 0;
	if (offset == 0 || offset + 15u > state->gdtr.limit)
		return;
	state->tr_base = (descriptor[0] >> 16 & 0xffffff) | (descriptor[0] >> 56) << 24 |
	    descriptor[1] << 32;
	state->tr_limit = (descriptor[0] & 0xffff) | (uint32_t)(descriptor[0] >> 48 & 15) << 16;
}

static void save_firmware(struct firmware_state *state)
{
	state->cr0 = read_cr0();
	state->cr3 = read_cr3();
	state->cr4 = read_cr4();
	state->efer = rdmsr(MSR_EFER);
	__asm__ volatile("sgdt %0" : "=m"(state->gdtr));
	__asm__ volatile("sidt %0" : "=m"(state->idtr));
	__asm__ volatile("mov %%es, %0" : "=r"(state->es));
	__asm__ volatile("mov %%cs, %0" : "=r"(state->cs));
	__asm__ volatile("mov %%ss, %0" : "=r"(state->ss));
	__asm__ volatile("mov %%ds, %0" : "=r"(state->ds));
	__asm__ volatile("mov %%fs, %0" : "=r"(state->fs));
	__asm__ volatile("mov %%gs, %0" : "=r"(state->gs));
	__asm__ volatile("sldt %0" : "=r"(state->ldtr));
	__asm__ volatile("str %0" : "=r"(state->tr));
	save_task(state);
}

static uint64_t run(uint64_t op, struct percpu *cpu)
{
	struct firmware_state *state = &cpu->firmware;
	uint64_t flags;
	uint64_t result;

	__asm__ volatile("pushfq; pop %0; cli" : "=r"(flags) : : "memory");
	save_firmware(state);
	wrmsr(MSR_EFER, state->efer | EFER_NXE);
	result = start_run(cpu->cr3, PERCPU_STACK_TOP, op);
	/* Back without a guest. */
	wrmsr(MSR_EFER, state->efer);
	__asm__ volatile("lgdt %0; lidt %1" : : "m"(state->gdtr), "m"(state->idtr) : "memory");
	start_load_segments(state->cs, state->ss);
	__asm__ volatile("mov %0, %%ds; mov %1, %%es" : : "r"(state->ds), "r"(state->es));
	__asm__ volatile("push %0; popfq" : : "r"(flags) : "memory", "cc");
	return result;
}

static enum launch_status init(const struct bootinfo *info)
{
	enum launch_status status = take_info(info);

	if (status != LAUNCH_OK)
		return status;
	if (!region_init() || !sync_init() || !mmu_init(info_copy.cpu_count) || !prepare_cpus())
		return LAUNCH_BAD_REGION;
	trap_init();
	return (enum launch_status)run(MONITOR_INIT, region_percpu(0));
}

static enum launch_status end(void)
{
	if (stage != STAGE_READY || cpu_covered() != 0)
		return LAUNCH_WRONG_STATE;
	stage = STAGE_FAILED;
	return (enum launch_status)run(MONITOR_END, region_percpu(0));
}

/* The guest goes on behind the loader's call, with LAUNCH_OK. */
static void prepare_guest(struct percpu *cpu, const struct entry_frame *frame)
{
	struct guest_regs *regs = &cpu->vcpu.regs;

	cpu->firmware.rip = frame->rip;
	cpu->firmware.rsp = (uint64_t)(frame + 1);
	cpu->firmware.rflags = frame->rflags;
	regs->rax = LAUNCH_OK;
	regs->rbx = frame->rbx;
	regs->rbp = frame->rbp;
	regs->r12 = frame->r12;
	regs->r13 = frame->r13;
	regs->r14 = frame->r14;
	regs->r15 = frame->r15;
}

static enum launch_status launch(uint64_t cpu, const struct entry_frame *frame)
{
	if (stage != STAGE_READY)
		return LAUNCH_WRONG_STATE;
	if (cpu >= start_info()->cpu_count || info_copy.apic_ids[cpu] != own_apic_id())
		return LAUNCH_CPU_UNKNOWN;
	if (atomic_load(&sync_of((unsigned)cpu)->covered))
		return LAUNCH_ALREADY_RUNNING;
	prepare_guest(region_percpu((uint32_t)cpu), frame);
	return (enum launch_status)run(MONITOR_LAUNCH, region_percpu((uint32_t)cpu));
}

/* What the region is used for; tests/bench reads this line. */
static void report_memory(void)
{
	const struct bootinfo *info = start_info();
	const struct stage2_pool *pool = monitor_normal_stage2()->pool;
	const struct stage2 *devices = dma_map();
	uint64_t tables = pool->total + (devices ? devices->pool->total : 0);
	uint64_t cpus = (uint64_t)info->cpu_count * REGION_PAGES_PER_CPU;

	klog(LOG_INFO, "own memory %lu bytes, CPUs %lu, second-stage tables %lu used of %lu",
	    (info->region_pages - tables - cpus) * FRAME_SIZE, cpus * FRAME_SIZE,
	    (pool->total - pool->available) * FRAME_SIZE, pool->total * FRAME_SIZE);
}

/* No secret stays behind, and no device goes by our tables. */
static bool give_back(void)
{
	monitor_leaving();
	return dma_end();
}

/* Under the monitor's tables and on its stack. */
uint64_t start_root(uint64_t op)
{
	struct percpu *cpu = this_cpu();
	enum launch_status status;

	/* MONITOR_INIT goes without a task register: it gives firmware's back unchanged. */
	trap_load(op == MONITOR_LAUNCH);
	if (op == MONITOR_LAUNCH) {
		policy_vcpu_init(&cpu->vcpu);
		vendor_launch(&cpu->firmware);
	}
	if (op == MONITOR_END)
		return give_back() ? LAUNCH_OK : LAUNCH_WRONG_STATE;
	policy_vcpu_init(&cpu->vcpu);
	status = monitor_init(&info_copy);
	if (status == LAUNCH_OK)
		status = vendor_init();
	if (status == LAUNCH_OK) {
		memtype_update(&cpu->vcpu.mtrr);
		report_memory();
	} else {
		give_back();
	}
	return status;
}

__attribute__((no_stack_protector)) uint64_t start_entry(uint64_t op, const struct bootinfo *info,
    uint64_t cpu, const struct entry_frame *frame)
{
	enum launch_status status;

	if (op == MONITOR_CHECK)
		return vendor_check();
	if (op == MONITOR_LAUNCH)
		return launch(cpu, frame);
	if (op == MONITOR_END)
		return end();
	if (op != MONITOR_INIT)
		return LAUNCH_BAD_OPERATION;
	if (stage != STAGE_NEW)
		return LAUNCH_WRONG_STATE;
	__stack_chk_guard ^= rdtsc() << 8;
	status = init(info);
	stage = status == LAUNCH_OK ? STAGE_READY : STAGE_FAILED;
	return status;
}
