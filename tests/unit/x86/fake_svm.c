/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * See fake_svm.h.
 */
#include "fake_svm.h"

#include <stdlib.h>
#include <string.h>

#include "arch/cpu.h"
#include "arch/frame.h"
#include "arch/lock.h"
#include "arch/upcall.h"
#include "arch/x86/apic.h"
#include "arch/x86/asm.h"
#include "arch/x86/bits.h"
#include "arch/x86/policy.h"
#include "arch/x86/region.h"
#include "arch/x86/svm/message.h"
#include "arch/x86/trap.h"

struct fake_svm fake;

void fake_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	for (unsigned i = 0; i < FAKE_CPUS; i++) {
		struct vmcb *v = &fake.vmcbs[i];

		fake.cpus[i].vcpu.index = i;
		fake.cpus[i].sync = &fake.syncs[i];
		fake.cpus[i].control_spa = (uint64_t)v;
		atomic_store(&fake.syncs[i].covered, 1);
		fake.syncs[i].apic_id = 2 * i;
		v->efer = EFER_SVME | EFER_LME | EFER_LMA | EFER_NXE;
		v->cr0 = CR0_PE | CR0_ET;
		v->cr4 = CR4_PAE;
		v->cs.attributes = ATTRIBUTE_LONG | 0x9b;
		v->rflags = RFLAGS_FIXED;
		v->rip = FAKE_CODE;
	}
	fake.cr4_policy = 0x7ff | CR4_PCIDE;
}

void fake_code(const char *bytes, unsigned count)
{
	memcpy(fake.memory + FAKE_CODE, bytes, count);
}

struct percpu *this_cpu(void)
{
	return &fake.cpus[fake.running];
}

unsigned cpu_index(void)
{
	return fake.running;
}

unsigned cpu_count(void)
{
	return FAKE_CPUS;
}

struct cpu_sync *sync_of(unsigned cpu)
{
	assert_true(cpu < FAKE_CPUS);
	return &fake.syncs[cpu];
}

void sync_kick(struct cpu_sync *cpu)
{
	fake.kicks[cpu - fake.syncs]++;
}

const struct svm_caps *svm_caps(void)
{
	return &fake.caps;
}

void svm_flush(struct vmcb *v)
{
	fake.flushes++;
}

void svm_shutdown(struct vcpu *vcpu)
{
	fake.shutdowns++;
}

void svm_stop_vp(void)
{
	fake.stops++;
}

void svm_send_start(struct cpu_sync *to, uint32_t command)
{
	if (message_mode(command) == MODE_INIT) {
		fake.inits[to - fake.syncs]++;
		return;
	}
	fake.sipis[to - fake.syncs]++;
	fake.sipi_vector = (uint8_t)command;
}

void svm_send_nmi(struct cpu_sync *to)
{
	fake.nmis[to - fake.syncs]++;
}

bool apic_is_x2(void)
{
	return fake.x2apic;
}

uint32_t apic_read(unsigned offset)
{
	return fake.apic[offset / 4];
}

void apic_write(unsigned offset, uint32_t value)
{
	fake.apic[offset / 4] = value;
}

bool apic_send(uint32_t apic_id, uint32_t command)
{
	fake.sent++;
	fake.sent_id = apic_id;
	fake.sent_command = command;
	return true;
}

/* The monitor writes the window as hardware would take it: into the entry that the index names. */
volatile uint8_t *slot_map_device(spa_t frame)
{
	assert_int_equal(frame.v, FAKE_IOAPIC);
	return (volatile uint8_t *)fake.ioapic;
}

void slot_unmap(void)
{
}

bool monitor_trap_writes(gpa_t gpa, uint64_t pages)
{
	return (gpa.v == FAKE_IOAPIC && pages == 1) || (gpa.v == 0xfee00000 && pages == 256);
}

bool monitor_guest_read(gpa_t from, void *to, size_t bytes)
{
	if (from.v > sizeof(fake.memory) - bytes)
		return false;
	memcpy(to, fake.memory + from.v, bytes);
	return true;
}

uint64_t rdmsr(uint32_t msr)
{
	assert_int_equal(msr, MSR_APIC_BASE);
	return FAKE_APIC | (1ull << 11);
}

bool wrmsr_safe(uint32_t msr, uint64_t value)
{
	fake.apic[(msr - X2APIC_MSR) * 4] = (uint32_t)value;
	return true;
}

/* msr.c's part of the launch, which is not tried here. */
bool rdmsr_safe(uint32_t msr, uint64_t *value)
{
	fail();
	return false;
}

void policy_keep_bits(uint32_t msr, uint64_t kept)
{
	fail();
}

uint64_t policy_cr4(void)
{
	return fake.cr4_policy;
}

bool xcr0_write(const struct vcpu *vcpu)
{
	return true;
}

bool test_switch(unsigned number)
{
	return false;
}

void audit(unsigned event, uint64_t subject, uint64_t fact)
{
	fake.audits++;
	fake.audited = event;
}

void klog(enum log_level level, const char *format, ...)
{
}

void panic(const char *format, ...)
{
	fail_msg("panic: %s", format);
	abort();
}

void spin_lock(struct spinlock *lock)
{
}

void spin_unlock(struct spinlock *lock)
{
}

bool monitor_store(const struct guest_store *store)
{
	fake.stores++;
	fake.store = *store;
	return fake.store_done;
}
