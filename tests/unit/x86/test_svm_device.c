/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Writes to the local APIC's page, its registers of x2APIC mode, and the I/O APIC, from the bytes
 * of the instruction to what reaches the device.
 */
#include "arch/upcall.h"
#include "arch/x86/bits.h"
#include "arch/x86/decode.h"
#include "arch/x86/policy.h"
#include "fake_svm.h"
#include "monitor/abi/audit.h"

#define ICR_LOW	 0x300u
#define ICR_HIGH 0x310u
#define GP	 0x80000b0dull /* #GP(0) as it is injected */
#define MOV	 "\x89\x07"    /* mov [rdi], eax */
#define INIT	 0x4500u
#define SIPI	 0x4612u

static struct vcpu *vcpu;

static int setup(void **state)
{
	fake_reset();
	assert_true(svm_devices_init());
	for (fake.running = FAKE_CPUS; fake.running-- > 0;) {
		fake.apic[0xd0 / 4] = 0x01000000u << fake.running;
		fake.apic[0xe0 / 4] = UINT32_MAX;
		svm_device_note();
	}
	fake.running = 1;
	vcpu = &this_cpu()->vcpu;
	return 0;
}

/* Whether the write was carried out and the instruction is behind. */
static bool store(const char *code, unsigned bytes, uint64_t gpa, uint64_t rax)
{
	struct vmcb *v = vmcb();

	v->rip = FAKE_CODE;
	v->event = 0;
	this_cpu()->event_injected = false;
	fake_code(code, bytes);
	vcpu->regs.rax = rax;
	svm_device_write(vcpu, gpa);
	if (v->event == GP && v->rip == FAKE_CODE)
		return false;
	assert_int_equal(v->rip, FAKE_CODE + bytes);
	assert_int_equal(v->event, 0);
	return true;
}

static bool apic_store(unsigned offset, uint32_t value)
{
	return store(MOV, 2, FAKE_APIC + offset, value);
}

static void test_passes(void **state)
{
	assert_true(apic_store(0xb0, 0));
	assert_true(apic_store(0x380, 12345));
	assert_int_equal(fake.apic[0x380 / 4], 12345);
	/* mov dword [rdi], 0x77; mov [rdi], r8d; xchg [rdi], eax is refused */
	assert_true(store("\xc7\x07\x77\0\0\0", 6, FAKE_APIC + 0x80, 0));
	assert_int_equal(fake.apic[0x80 / 4], 0x77);
	vcpu->regs.r8 = 0x55;
	assert_true(store("\x44\x89\x07", 3, FAKE_APIC + 0x80, 0));
	assert_int_equal(fake.apic[0x80 / 4], 0x55);
	assert_false(store("\x87\x07", 2, FAKE_APIC + 0x80, 0xffffffff00000066));
	assert_int_equal(fake.apic[0x80 / 4], 0x55);
	/* A fixed interrupt goes out as it is. */
	assert_true(apic_store(ICR_LOW, 0x40f3));
	assert_int_equal(fake.apic[ICR_LOW / 4], 0x40f3);
	assert_int_equal(fake.sent + fake.audits, 0);
}

static void test_refused(void **state)
{
	fake.apic[0x80 / 4] = 0x11;
	/* Widths but 32 bits, addresses between registers, instructions that are not known. */
	assert_false(store("\x88\x07", 2, FAKE_APIC + 0x80, 2));
	assert_false(store("\x48\x89\x07", 3, FAKE_APIC + 0x80, 2));
	assert_false(store(MOV, 2, FAKE_APIC + 0x82, 2));
	assert_false(store("\x09\x07", 2, FAKE_APIC + 0x80, 2));
	assert_false(store("\xf3\xab", 2, FAKE_APIC + 0x80, 2));
	/* A read's bytes under a write's exit: another CPU has written over them. */
	assert_false(store("\x8b\x07", 2, FAKE_APIC + 0x80, 2));
	assert_int_equal(fake.apic[0x80 / 4], 0x11);
	/* The rest of the message window; the APIC's page has nothing before its id. */
	assert_false(store(MOV, 2, FAKE_APIC + 0x1000, INIT));
	assert_false(store(MOV, 2, 0xfeeff000, INIT));
	assert_int_equal(fake.audits, 2);
	assert_true(apic_store(0, INIT) && apic_store(0x10, INIT));
	assert_int_equal(fake.apic[0] + fake.apic[0x10 / 4], 0);
	/* Code that cannot be read. */
	vmcb()->rip = sizeof(fake.memory) + 5;
	svm_device_write(vcpu, FAKE_APIC + 0x80);
	assert_int_equal(vmcb()->event, GP);
}

/* The CPU was pushing an interrupt's frame when it exited: RIP is at a MOV that has not begun. */
static void test_delivery(void **state)
{
	fake.apic[0x80 / 4] = 0x11;
	this_cpu()->interrupted_event = EVENT_VALID | 0x20;
	assert_false(apic_store(0x80, 2));
	assert_int_equal(fake.apic[0x80 / 4], 0x11);
	this_cpu()->interrupted_event = 0x20;
	assert_true(apic_store(0x80, 2));
	assert_int_equal(fake.apic[0x80 / 4], 2);
}

/* A store to the vTPM's registers, behind STI: not finished, what is pending comes first. */
static void test_monitors_store(void **state)
{
	struct vmcb *v = vmcb();

	for (unsigned done = 0; done < 2; done++) {
		v->rip = FAKE_CODE;
		v->interrupt_state = SHADOW;
		fake_code(MOV, 2);
		vcpu->regs.rax = 0x1234500000001 + done;
		fake.store_done = done;
		svm_store(vcpu, 0xfed4004c);
		assert_int_equal(fake.stores, 1 + done);
		assert_int_equal(fake.store.gpa.v, 0xfed4004c);
		assert_int_equal(fake.store.value, 1 + done);
		assert_int_equal(fake.store.bytes, 4);
		assert_int_equal(fake.store.rip, FAKE_CODE);
		assert_int_equal(v->rip, FAKE_CODE + 2 * done);
		assert_int_equal(v->interrupt_state & SHADOW, 0);
		assert_int_equal(v->event, 0);
	}
	/* What is no MOV is a fault, as is what an event's delivery writes. */
	fake_code("\x87\x07", 2);
	v->rip = FAKE_CODE;
	svm_store(vcpu, 0xfed4004c);
	assert_int_equal(v->event, GP);
	assert_int_equal(fake.stores, 2);
}

static void test_ignored(void **state)
{
	fake.apic[0x20 / 4] = 0x02000000;
	assert_true(apic_store(0x20, 0x09000000));
	assert_int_equal(fake.apic[0x20 / 4], 0x02000000);
	fake.apic[0x84 / 4] = 3;
	assert_true(apic_store(0x84, 9));
	assert_int_equal(fake.apic[0x84 / 4], 3);
	assert_true(apic_store(0xff0, 9));
}

static void test_start_messages(void **state)
{
	fake.apic[ICR_HIGH / 4] = 4u << 24;
	assert_true(apic_store(ICR_LOW, INIT));
	assert_true(apic_store(ICR_LOW, SIPI));
	assert_int_equal(fake.inits[2], 1);
	assert_int_equal(fake.sipis[2], 1);
	assert_int_equal(fake.sipi_vector, 0x12);
	/* To all others: not to CPU 1, which sends. */
	assert_true(apic_store(ICR_LOW, INIT | 3u << 18));
	assert_int_equal(fake.inits[0], 1);
	assert_int_equal(fake.inits[1], 0);
	assert_int_equal(fake.inits[3], 1);
	/* Logical: CPUs 2 and 3. */
	fake.apic[ICR_HIGH / 4] = 0x0cu << 24;
	assert_true(apic_store(ICR_LOW, 0x4400 | 1u << 11));
	assert_int_equal(fake.nmis[2] + fake.nmis[3], 2);
	assert_int_equal(fake.nmis[0] + fake.nmis[1], 0);
	/* Nothing of it has reached the device, but the register's other half is as it was. */
	assert_int_equal(fake.apic[ICR_LOW / 4], 0);
	assert_int_equal(fake.apic[ICR_HIGH / 4], 0x0cu << 24);
	assert_int_equal(fake.sent, 0);
}

static void test_nobody(void **state)
{
	fake.apic[ICR_HIGH / 4] = 0x3eu << 24;
	assert_true(apic_store(ICR_LOW, INIT));
	assert_int_equal(fake.audits, 1);
	assert_int_equal(fake.audited, REDOUBT_AUDIT_STRAY_SIPI);
	assert_int_equal(fake.sent + fake.apic[ICR_LOW / 4], 0);
	/* INIT level de-assert is nothing. */
	assert_true(apic_store(ICR_LOW, 0x8500));
	assert_int_equal(fake.audits, 1);
	assert_int_equal(fake.apic[ICR_LOW / 4], 0);
}

/* During the launch: a CPU that is not covered gets the real message, by its id alone. */
static void test_uncovered(void **state)
{
	atomic_store(&fake.syncs[3].covered, 0);
	assert_true(apic_store(ICR_LOW, SIPI | 3u << 18));
	assert_int_equal(fake.sipis[0] + fake.sipis[2], 2);
	assert_int_equal(fake.sipis[3], 0);
	assert_int_equal(fake.sent, 1);
	assert_int_equal(fake.sent_id, 6);
	assert_int_equal(fake.sent_command, SIPI);
}

static void test_lvt(void **state)
{
	assert_true(apic_store(0x360, 0x400));
	assert_false(apic_store(0x360, 0x500));
	assert_false(apic_store(0x320, 0x10500));
	assert_false(apic_store(0x510, 0x500));
	assert_int_equal(fake.apic[0x360 / 4], 0x400);
	assert_int_equal(fake.audited, REDOUBT_AUDIT_INTERRUPT_REFUSED);
}

/* Each register that can send exits. */
static void test_x2apic_rows(void **state)
{
	for (uint32_t msr = 0x800; msr < 0x900; msr++) {
		bool sends = (msr >= 0x82f && msr <= 0x837) || (msr >= 0x850 && msr <= 0x853);
		const struct msr_row *row = vendor_msrs();

		while (msr < row->first || msr > row->last)
			assert_true((++row)->last != 0);
		assert_int_equal(row->kind, sends ? KIND_VENDOR : KIND_PASS);
	}
}

static void test_x2apic(void **state)
{
	fake.x2apic = true;
	assert_true(vendor_wrmsr(NULL, 0x830, 6ull << 32 | INIT));
	assert_int_equal(fake.inits[3], 1);
	assert_int_equal(fake.apic[ICR_LOW / 4], 0);
	assert_true(svm_write_apic_msr(0x830, 6ull << 32 | 0x40f3));
	assert_int_equal(fake.apic[ICR_LOW / 4], 0x40f3);
	assert_false(svm_write_apic_msr(0x835, 0x500));
	/* The page is plain memory's place then. */
	assert_true(apic_store(ICR_LOW, INIT));
	assert_int_equal(fake.inits[2] + fake.inits[0], 0);
}

static void test_ioapic(void **state)
{
	assert_true(store(MOV, 2, FAKE_IOAPIC, 0x14));
	assert_int_equal(fake.ioapic[0], 0x14);
	assert_true(store(MOV, 2, FAKE_IOAPIC + 0x10, 0x10031));
	assert_int_equal(fake.ioapic[4], 0x10031);
	assert_true(store(MOV, 2, FAKE_IOAPIC + 0x10, 0x531));
	assert_int_equal(fake.ioapic[4], 0x10031);
	assert_int_equal(fake.audited, REDOUBT_AUDIT_INTERRUPT_REFUSED);
	/* A byte to the index, as firmware writes it; elsewhere whole words only. */
	assert_true(store("\x88\x07", 2, FAKE_IOAPIC, 0x15));
	assert_int_equal(fake.ioapic[0], 0x15);
	assert_false(store("\x88\x07", 2, FAKE_IOAPIC + 0x10, 0x15));
	assert_false(store("\x87\x07", 2, FAKE_IOAPIC + 0x10, 0x15));
	/* The upper half of an entry takes anything. */
	assert_true(store(MOV, 2, FAKE_IOAPIC + 0x10, 0x05000500));
	assert_int_equal(fake.ioapic[4], 0x05000500);
}

static unsigned fetch(uint8_t *bytes)
{
	const struct vmcb *v = vmcb();
	const struct code_state code = { v->cr0, v->cr3, v->cr4, v->efer, v->cs.base, v->rip,
		svm_in_64(v) ? DECODE_64 : DECODE_32 };

	return fetch_bytes(&code, bytes);
}

/* The guest's own tables, of each kind, lead to the bytes. */
static void test_fetch(void **state)
{
	uint64_t *root = (uint64_t *)(fake.memory + 0x1000);
	uint64_t *next = (uint64_t *)(fake.memory + 0x2000);
	struct vmcb *v = vmcb();
	uint8_t bytes[15];

	v->cr0 |= CR0_PG;
	v->cr3 = 0x1000;
	root[1] = 0x2003; /* 512 GiB on */
	next[0] = 0x3003;
	*(uint64_t *)(fake.memory + 0x3000) = 0x4003;
	*(uint64_t *)(fake.memory + 0x4008) = FAKE_CODE | 1;
	v->rip = 0x8000001ffc;
	fake.memory[FAKE_CODE + 0xffc] = 0x89;
	assert_int_equal(fetch(bytes), 4); /* the page behind is not there */
	assert_int_equal(bytes[0], 0x89);
	*(uint64_t *)(fake.memory + 0x4010) = 0x6001;
	assert_int_equal(fetch(bytes), 15);
	next[0] = 0x83; /* a huge page */
	v->rip = 0x8000000000 + FAKE_CODE;
	assert_int_equal(fetch(bytes), 15);
	next[0] = 0x100000000003; /* a table outside memory */
	assert_int_equal(fetch(bytes), 0);
	/* 32-bit tables with a 4 MiB page. */
	v->efer = EFER_SVME;
	v->cs.attributes = ATTRIBUTE_DEFAULT;
	v->cr4 = 1u << 4;
	*(uint32_t *)(fake.memory + 0x1004) = 0x83;
	v->rip = 0x400000 + FAKE_CODE;
	assert_int_equal(fetch(bytes), 15);
	v->cr4 = 0; /* without PSE it is a table, at 0 */
	assert_int_equal(fetch(bytes), 0);
	*(uint32_t *)(fake.memory + 0x1004) = 0x2003; /* a table of pages */
	*(uint32_t *)(fake.memory + 0x2014) = FAKE_CODE | 1;
	assert_int_equal(fetch(bytes), 15);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

static const struct CMUnitTest tests[] = {
	TEST(test_passes),
	TEST(test_refused),
	TEST(test_delivery),
	TEST(test_monitors_store),
	TEST(test_ignored),
	TEST(test_start_messages),
	TEST(test_nobody),
	TEST(test_uncovered),
	TEST(test_lvt),
	TEST(test_x2apic_rows),
	TEST(test_x2apic),
	TEST(test_ioapic),
	TEST(test_fetch),
};

UNIT_MAIN(tests)
