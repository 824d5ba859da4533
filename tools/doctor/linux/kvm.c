/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Tries /dev/kvm; see kvm.h. Linux: Documentation/virt/kvm/api.rst.
 */
#include "tools/doctor/linux/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "tools/doctor/linux/kvm_layout.h"

#define PATH	      "/dev/kvm"
#define API_VERSION   12
#define CPUID_ENTRIES 256u
#define LIMIT_SECONDS 2

#define ENTRY_PRESENT_WRITE 3ull
#define ENTRY_LARGE	    0x80ull
#define CR0_START	    0x80000011ull /* PE, ET, PG */
#define CR4_PAE		    0x20ull
#define EFER_LONG_MODE	    0x500ull /* LME, LMA */
#define RFLAGS_START	    2ull

#define CPUID1_VMX	  (1u << 5) /* ECX */
#define CPUID80000001_SVM (1u << 2) /* ECX */

/* kvm_guest.S */
extern const uint8_t try_plain_start[], try_plain_end[];
extern const uint8_t try_vmx_start[], try_vmx_end[];
extern const uint8_t try_svm_start[], try_svm_end[];

struct supported {
	struct kvm_cpuid2 head;
	struct kvm_cpuid_entry2 entries[CPUID_ENTRIES];
};

/* One guest: descriptors, its memory, the page shared with KVM. */
struct guest {
	int vm, vcpu;
	uint8_t *memory;
	struct kvm_run *run;
	size_t run_size;
	struct kvm_report *report;
};

static void note(struct kvm_report *report, const char *step, int error)
{
	report->step = step;
	report->error = error;
}

/* An ioctl whose failure is noted with its name. */
static bool ask(struct guest *g, int fd, unsigned long request, void *argument, const char *name)
{
	if (ioctl(fd, request, argument) >= 0)
		return true;
	note(g->report, name, errno);
	return false;
}

static void build_tables(uint8_t *memory)
{
	uint64_t entry[3] = { (TRY_TABLES + 0x1000) | ENTRY_PRESENT_WRITE,
		(TRY_TABLES + 0x2000) | ENTRY_PRESENT_WRITE, ENTRY_PRESENT_WRITE | ENTRY_LARGE };

	for (unsigned i = 0; i < 3; i++)
		memcpy(memory + TRY_TABLES + 0x1000ul * i, &entry[i], sizeof(entry[i]));
}

static bool set_state(struct guest *g)
{
	static const struct kvm_segment code = { .selector = 8,
		.limit = ~0u,
		.type = 11,
		.present = 1,
		.s = 1,
		.l = 1,
		.g = 1 };
	static const struct kvm_segment data = { .selector = 16,
		.limit = ~0u,
		.type = 3,
		.present = 1,
		.s = 1,
		.db = 1,
		.g = 1 };
	struct kvm_regs regs = { .rip = TRY_CODE, .rsp = TRY_STACK, .rflags = RFLAGS_START };
	struct kvm_sregs sregs;
	struct kvm_segment *const segments[] = { &sregs.ds, &sregs.es, &sregs.ss, &sregs.fs,
		&sregs.gs };
	/* An exception's gate loads CS from the descriptor table. */
	static const uint64_t descriptors[3] = { 0, 0x00af9b000000ffffull, 0x00cf93000000ffffull };

	memcpy(g->memory, descriptors, sizeof(descriptors));
	if (!ask(g, g->vcpu, KVM_GET_SREGS, &sregs, "KVM_GET_SREGS"))
		return false;
	sregs.cs = code;
	for (unsigned i = 0; i < sizeof(segments) / sizeof(segments[0]); i++)
		*segments[i] = data;
	sregs.gdt.base = 0;
	sregs.gdt.limit = sizeof(descriptors) - 1;
	sregs.cr0 = CR0_START;
	sregs.cr3 = TRY_TABLES;
	sregs.cr4 = CR4_PAE;
	sregs.efer = EFER_LONG_MODE;
	return ask(g, g->vcpu, KVM_SET_SREGS, &sregs, "KVM_SET_SREGS") &&
	    ask(g, g->vcpu, KVM_SET_REGS, &regs, "KVM_SET_REGS");
}

static bool map_memory(struct guest *g)
{
	struct kvm_userspace_memory_region region = { .memory_size = TRY_SIZE };
	void *memory = mmap(NULL, TRY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
	    0);

	if (memory == MAP_FAILED) {
		note(g->report, "mmap", errno);
		return false;
	}
	g->memory = memory;
	region.userspace_addr = (uintptr_t)memory;
	return ask(g, g->vm, KVM_SET_USER_MEMORY_REGION, &region, "KVM_SET_USER_MEMORY_REGION");
}

static bool make_vcpu(struct guest *g, int kvm, struct supported *cpuid)
{
	void *run;
	int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	g->vcpu = ioctl(g->vm, KVM_CREATE_VCPU, 0ul);
	if (g->vcpu < 0 || size < (int)sizeof(struct kvm_run)) {
		note(g->report, "KVM_CREATE_VCPU", errno);
		return false;
	}
	g->run_size = (size_t)size;
	run = mmap(NULL, g->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, g->vcpu, 0);
	if (run == MAP_FAILED) {
		note(g->report, "mmap of a VP", errno);
		return false;
	}
	g->run = run;
	return ask(g, g->vcpu, KVM_SET_CPUID2, cpuid, "KVM_SET_CPUID2");
}

static void on_alarm(int number)
{
}

/* Runs until an exit that is no interruption. False: KVM failed, or the time is over. */
static bool run_once(struct guest *g)
{
	if (ioctl(g->vcpu, KVM_RUN, 0) == 0)
		return true;
	note(g->report, errno == EINTR ? "a guest that does not end" : "KVM_RUN",
	    errno == EINTR ? 0 : errno);
	return false;
}

/* The guest writes one byte to the port, the right one, and halts. */
static bool run_to_answer(struct guest *g)
{
	const struct kvm_run *run = g->run;

	if (!run_once(g))
		return false;
	if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR) {
		note(g->report, "an instruction that it can only emulate, and cannot", 0);
		return false;
	}
	if (run->exit_reason != KVM_EXIT_IO || run->io.direction != KVM_EXIT_IO_OUT ||
	    run->io.port != TRY_PORT || run->io.size != 1 || run->io.data_offset >= g->run_size) {
		note(g->report, "a guest that ends otherwise than it should", 0);
		return false;
	}
	if (((const uint8_t *)run)[run->io.data_offset] != TRY_ANSWER) {
		note(g->report, "a guest that finds instructions going wrong", 0);
		return false;
	}
	if (!run_once(g))
		return false;
	if (run->exit_reason != KVM_EXIT_HLT)
		note(g->report, "a guest that does not halt", 0);
	return run->exit_reason == KVM_EXIT_HLT;
}

/* With a timer that interrupts KVM_RUN again and again, so that none can be missed. */
static bool run_limited(struct guest *g)
{
	struct itimerval limit = { { 1, 0 }, { LIMIT_SECONDS, 0 } }, old_limit;
	struct sigaction action = { .sa_handler = on_alarm }, old;
	bool good;

	sigaction(SIGALRM, &action, &old);
	setitimer(ITIMER_REAL, &limit, &old_limit);
	good = run_to_answer(g);
	setitimer(ITIMER_REAL, &old_limit, NULL);
	sigaction(SIGALRM, &old, NULL);
	return good;
}

static void release(struct guest *g)
{
	if (g->run)
		munmap(g->run, g->run_size);
	if (g->memory)
		munmap(g->memory, TRY_SIZE);
	if (g->vcpu >= 0)
		close(g->vcpu);
	if (g->vm >= 0)
		close(g->vm);
}

struct code {
	const uint8_t *start, *end;
};

static bool run_guest(int kvm, struct supported *cpuid, struct code code, struct kvm_report *report)
{
	struct guest g = { .vm = ioctl(kvm, KVM_CREATE_VM, 0ul), .vcpu = -1, .report = report };
	bool good = false;

	if (g.vm < 0) {
		note(report, "KVM_CREATE_VM", errno);
		return false;
	}
	if (map_memory(&g) && make_vcpu(&g, kvm, cpuid)) {
		build_tables(g.memory);
		memcpy(g.memory + TRY_CODE, code.start, (size_t)(code.end - code.start));
		good = set_state(&g) && run_limited(&g);
	}
	release(&g);
	return good;
}

/* What KVM offers its guests: REDOUBT_VENDOR_, or 0. */
static uint32_t offered(const struct supported *cpuid)
{
	for (unsigned i = 0; i < cpuid->head.nent && i < CPUID_ENTRIES; i++) {
		const struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		if (entry->function == 1 && entry->ecx & CPUID1_VMX)
			return REDOUBT_VENDOR_VMX;
		if (entry->function == 0x80000001 && entry->ecx & CPUID80000001_SVM)
			return REDOUBT_VENDOR_SVM;
	}
	return 0;
}

static void try_guests(int kvm, struct supported *cpuid, struct kvm_report *report)
{
	const struct code plain = { try_plain_start, try_plain_end };
	const struct code vmx = { try_vmx_start, try_vmx_end };
	const struct code svm = { try_svm_start, try_svm_end };

	report->state = KVM_STATE_BROKEN;
	cpuid->head.nent = CPUID_ENTRIES;
	if (ioctl(kvm, KVM_GET_API_VERSION, 0) != API_VERSION) {
		note(report, "KVM_GET_API_VERSION", 0);
		return;
	}
	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid) < 0) {
		note(report, "KVM_GET_SUPPORTED_CPUID", errno);
		return;
	}
	if (!run_guest(kvm, cpuid, plain, report))
		return;
	report->state = KVM_STATE_PLAIN;
	report->vendor = offered(cpuid);
	if (report->vendor &&
	    run_guest(kvm, cpuid, report->vendor == REDOUBT_VENDOR_VMX ? vmx : svm, report))
		report->state = KVM_STATE_NESTED;
}

void kvm_try(struct kvm_report *report)
{
	struct supported *cpuid;
	int kvm = open(PATH, O_RDWR | O_CLOEXEC);

	*report = (struct kvm_report){ .state = KVM_STATE_ABSENT };
	if (kvm < 0) {
		if (errno == EACCES || errno == EPERM)
			report->state = KVM_STATE_NO_ACCESS;
		note(report, "open", errno);
		return;
	}
	cpuid = calloc(1, sizeof(*cpuid));
	if (cpuid)
		try_guests(kvm, cpuid, report);
	free(cpuid);
	close(kvm);
}
