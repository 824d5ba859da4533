/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Writes to the local APIC and the I/O APIC. Without interception of INIT a CPU that gets one
 * leaves its guest and the monitor, so whatever could send one is written here: the pages are
 * read-only in the second-stage tables (reads do not exit), the registers of x2APIC mode exit by
 * the MSR map.
 *
 * A write goes on to the device as it is, with these exceptions:
 *   - INIT, SIPI and NMI in the interrupt command register are carried out (reset.c); to an APIC id
 *     that nobody under the monitor has they are dropped, but for a CPU of firmware's list that is
 *     still to be launched;
 *   - a local vector with delivery mode INIT, a redirection entry with INIT, SMI or NMI: refused;
 *   - the rest of the window of interrupt messages, where a device's write is one: refused, for
 *     some bridges (and QEMU) take a CPU's write there as a message, too;
 *   - the xAPIC id: ignored, so that a CPU keeps its name.
 * Where there is a second I/O APIC it is not watched: README.md.
 */
#include "arch/frame.h"
#include "arch/lock.h"
#include "arch/x86/apic.h"
#include "arch/x86/decode.h"
#include "arch/x86/mmu.h"
#include "arch/x86/region.h"
#include "arch/x86/svm/message.h"
#include "arch/x86/svm/svm.h"

#define IOAPIC_BASE   0xfec00000ull
#define WINDOW_BASE   0xfee00000ull /* interrupt messages; the local APIC's page is one of it */
#define WINDOW_PAGES  256u
#define IOAPIC_INDEX  0x00u
#define IOAPIC_WINDOW 0x10u
#define IOAPIC_END    0x100u
#define APIC_END      0x600u
#define APIC_STEP     16u
#define APIC_LVT_MORE 0x500u /* AMD's further vectors */
#define APIC_LVT_LAST 0x530u
#define ICR_NO_TARGET 0xc0800u /* shorthand, logical */

static uint64_t apic_page; /* in the window unless firmware has moved it */
/* Index and window of the I/O APIC belong together. */
static struct spinlock ioapic_lock = { .rank = LOCK_DEVICE };

static bool in_window(uint64_t gpa)
{
	return gpa - WINDOW_BASE < (uint64_t)WINDOW_PAGES * FRAME_SIZE;
}

bool svm_devices_init(void)
{
	apic_page = rdmsr(MSR_APIC_BASE) & PTE_ADDRESS;
	return monitor_trap_writes((gpa_t){ WINDOW_BASE }, WINDOW_PAGES) &&
	    (in_window(apic_page) || monitor_trap_writes((gpa_t){ apic_page }, 1)) &&
	    monitor_trap_writes((gpa_t){ IOAPIC_BASE }, 1);
}

void svm_device_note(void)
{
	struct cpu_sync *own = this_cpu()->sync;

	atomic_store(&own->ldr, apic_read(APIC_LDR));
	atomic_store(&own->dfr, apic_is_x2() ? UINT32_MAX : apic_read(APIC_DFR));
}

bool svm_is_device(uint64_t gpa)
{
	uint64_t page = gpa & PTE_ADDRESS;

	return page == apic_page || page == IOAPIC_BASE || in_window(page);
}

/* ---- Messages ---- */

static void deliver(const struct message *m, struct cpu_sync *to)
{
	bool nmi = message_mode(m->command) == MODE_NMI;

	if (!atomic_load(&to->covered) || (!nmi && test_switch(TEST_NO_INIT_GUARD)))
		apic_send(to->apic_id, m->command & ~ICR_NO_TARGET);
	else if (nmi)
		svm_send_nmi(to);
	else
		svm_send_start(to, m->command);
}

static void deliver_all(const struct message *m)
{
	bool reached = false;

	for (unsigned i = 0; i < cpu_count(); i++) {
		struct cpu_sync *to = sync_of(i);

		if (!message_reaches(m, to->apic_id, atomic_load(&to->ldr), atomic_load(&to->dfr),
			to == this_cpu()->sync))
			continue;
		deliver(m, to);
		reached = true;
	}
	if (!reached && message_mode(m->command) != MODE_NMI)
		audit(REDOUBT_AUDIT_STRAY_SIPI, m->destination, vmcb()->rip);
}

/* false: the message is for the device. */
static bool take(const struct message *m)
{
	unsigned mode = message_mode(m->command);

	if (mode != MODE_NMI && mode != MODE_INIT && mode != MODE_STARTUP)
		return mode == MODE_DEASSERT;
	deliver_all(m);
	return true;
}

/* ---- The local APIC ---- */

static bool lvt_refused(unsigned offset, uint32_t value)
{
	bool is_lvt = offset == APIC_LVT_CMCI ||
	    (offset >= APIC_LVT_TIMER && offset <= APIC_LVT_ERROR) ||
	    (offset >= APIC_LVT_MORE && offset <= APIC_LVT_LAST);

	if (!is_lvt || message_lvt_allowed(value))
		return false;
	audit(REDOUBT_AUDIT_INTERRUPT_REFUSED, apic_page + offset, vmcb()->rip);
	return true;
}

static bool apic_write_page(unsigned offset, uint32_t value)
{
	struct message m = { .command = value };

	/* In x2APIC mode, before and between the registers there is nothing. */
	if (apic_is_x2() || offset % APIC_STEP != 0 || offset >= APIC_END || offset <= APIC_ID)
		return true;
	if (lvt_refused(offset, value))
		return false;
	if (offset == APIC_ICR_LOW) {
		m.destination = apic_read(APIC_ICR_HIGH) >> 24;
		if (take(&m))
			return true;
	}
	apic_write(offset, value);
	if (offset == APIC_LDR || offset == APIC_DFR)
		svm_device_note();
	return true;
}

bool svm_write_apic_msr(uint32_t msr, uint64_t value)
{
	unsigned offset = (msr - X2APIC_MSR) << 4;
	const struct message m = { (uint32_t)value, (uint32_t)(value >> 32), true };

	if (apic_is_x2() && lvt_refused(offset, (uint32_t)value))
		return false;
	if (apic_is_x2() && offset == APIC_ICR_LOW && take(&m))
		return true;
	return wrmsr_safe(msr, value);
}

/* ---- The I/O APIC ---- */

static bool ioapic_write(unsigned offset, uint32_t value, uint64_t width)
{
	volatile uint8_t *registers;
	bool allowed = true;

	if (offset >= IOAPIC_END || (width != 4 && offset != IOAPIC_INDEX))
		return false;
	spin_lock(&ioapic_lock);
	registers = slot_map_device((spa_t){ IOAPIC_BASE });
	if (offset == IOAPIC_WINDOW)
		allowed = test_switch(TEST_NO_INIT_GUARD) ||
		    message_redirection_allowed(registers[IOAPIC_INDEX], value);
	if (allowed)
		*(volatile uint32_t *)(registers + offset) = value;
	slot_unmap();
	spin_unlock(&ioapic_lock);
	if (!allowed)
		audit(REDOUBT_AUDIT_INTERRUPT_REFUSED, IOAPIC_BASE, vmcb()->rip);
	return true;
}

/* ---- The window of interrupt messages ---- */

static bool window_write(uint64_t gpa, uint32_t value)
{
	if (!test_switch(TEST_NO_INIT_GUARD)) {
		audit(REDOUBT_AUDIT_INTERRUPT_REFUSED, WINDOW_BASE, gpa);
		return false;
	}
	*(volatile uint32_t *)(slot_map_device((spa_t){ gpa & PTE_ADDRESS }) +
	    gpa % FRAME_SIZE) = value;
	slot_unmap();
	return true;
}

/* ---- The instruction ---- */

/*
 * The CPU has found the address; what is stored, and how long the instruction is, the bytes say. An
 * instruction that another CPU writes over meanwhile is carried out as it is found.
 */
static bool take_apart(struct vcpu *vcpu, uint64_t gpa, struct guest_store *store, uint64_t *next)
{
	struct vmcb *v = vmcb();
	struct insn insn;

	vcpu->regs.rsp = v->rsp;
	/* What an event's delivery writes is no store of the instruction that it came before. */
	if (this_cpu()->interrupted_event & EVENT_VALID || !svm_decode(&insn) ||
	    insn.op != INSN_MOV)
		return false;
	*store = (struct guest_store){ { gpa }, decode_source(&insn, &vcpu->regs), insn.width,
		v->rip };
	*next = v->rip + insn.length;
	return true;
}

static bool carry_out(const struct guest_store *store)
{
	unsigned offset = store->gpa.v % FRAME_SIZE;
	uint32_t value = (uint32_t)store->value;

	if (offset % 4 != 0)
		return false;
	if ((store->gpa.v & PTE_ADDRESS) == IOAPIC_BASE)
		return ioapic_write(offset, value, store->bytes);
	if ((store->gpa.v & PTE_ADDRESS) != apic_page)
		return window_write(store->gpa.v, value);
	return store->bytes == 4 && apic_write_page(offset, value);
}

void svm_device_write(struct vcpu *vcpu, uint64_t gpa)
{
	struct guest_store store;
	uint64_t next;

	if (take_apart(vcpu, gpa, &store, &next) && carry_out(&store))
		svm_skip_to(next);
	else
		vcpu_inject_gp(vcpu);
}

void svm_store(struct vcpu *vcpu, uint64_t gpa)
{
	struct guest_store store;
	uint64_t next;

	if (!take_apart(vcpu, gpa, &store, &next))
		vcpu_inject_gp(vcpu);
	else if (monitor_store(&store))
		svm_skip_to(next);
	else
		/* It comes back to it behind what is pending, not to be held off until then. */
		vmcb()->interrupt_state &= ~SHADOW;
}
