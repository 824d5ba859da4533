/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Events on SVM: what is injected, put back and held back, and NMIs without a window of the CPU's.
 */
#include "arch/upcall.h"
#include "arch/x86/bits.h"
#include "arch/x86/trap.h"
#include "fake_svm.h"

#define VALID	   (1ull << 31)
#define WITH_ERROR (1ull << 11)
#define NMI	   (VALID | 2 << 8 | 2)
#define EXCEPTION  (VALID | 3 << 8)
#define GP	   (EXCEPTION | WITH_ERROR | 13)
#define DF	   (EXCEPTION | WITH_ERROR | 8)
#define DR6_BD	   (1ull << 13)
#define DR6_BS	   (1ull << 14)
#define OTHER_RIP  (FAKE_CODE + 0x100)

static struct vmcb *v;
static struct percpu *cpu;

static int setup(void **state)
{
	fake_reset();
	cpu = this_cpu();
	v = vmcb();
	return 0;
}

/* An exit, with an event whose delivery it interrupted. */
static void exit_with(uint64_t code, uint64_t interrupted)
{
	v->event = 0;
	v->exit_code = code;
	v->exit_event = interrupted;
	svm_events_begin(v);
}

static void enter(void)
{
	svm_reinject();
	svm_offer_nmi();
}

static void test_reinjection(void **state)
{
	static const struct {
		uint64_t interrupted, injected;
	} cases[] = {
		{ 0, 0 },
		{ 0x20 | 3 << 8, 0 },			 /* not valid */
		{ VALID | 0x20, VALID | 0x20 },		 /* an external interrupt */
		{ VALID | 3 << 8 | 0x20, VALID | 0x20 }, /* the same as QEMU tells it */
		{ VALID | 3 << 8 | 0xff, VALID | 0xff },
		{ NMI, NMI },
		{ VALID | 4 << 8 | 0x80, 0 }, /* INT n runs again */
		{ EXCEPTION | 3, 0 },	      /* INT3 */
		{ EXCEPTION | 4, 0 },	      /* INTO */
		{ 7ull << 32 | EXCEPTION | WITH_ERROR | 14,
		    7ull << 32 | EXCEPTION | WITH_ERROR | 14 },
		{ EXCEPTION | 6, EXCEPTION | 6 },
	};

	for (unsigned i = 0; i < COUNT(cases); i++) {
		setup(NULL);
		exit_with(EXIT_NESTED_FAULT, cases[i].interrupted);
		enter();
		assert_int_equal(v->event, cases[i].injected);
	}
}

/* APM 2 table 8-1, by first and second exception. */
static void test_double_faults(void **state)
{
	static const unsigned page = 14, contributory[] = { 0, 10, 11, 12, 13 },
			      benign[] = { 1, 6, 7 };

	for (unsigned i = 0; i < COUNT(contributory); i++) {
		exit_with(EXIT_NESTED_FAULT, EXCEPTION | contributory[i]);
		svm_inject_exception(&cpu->vcpu, 13, true, 0);
		assert_int_equal(v->event, DF);
		exit_with(EXIT_NESTED_FAULT, EXCEPTION | contributory[i]);
		svm_inject_exception(&cpu->vcpu, page, true, 2);
		assert_int_equal(v->event, 2ull << 32 | EXCEPTION | WITH_ERROR | 14);
	}
	exit_with(EXIT_NESTED_FAULT, EXCEPTION | page);
	svm_inject_exception(&cpu->vcpu, page, true, 2);
	assert_int_equal(v->event, DF);
	for (unsigned i = 0; i < COUNT(benign); i++) {
		exit_with(EXIT_NESTED_FAULT, EXCEPTION | benign[i]);
		vcpu_inject_gp(&cpu->vcpu);
		assert_int_equal(v->event, GP);
	}
	/* An interrupt's vector is no exception's, whatever its type says. */
	exit_with(EXIT_NESTED_FAULT, EXCEPTION | 0x2d);
	vcpu_inject_gp(&cpu->vcpu);
	assert_int_equal(v->event, GP);
	exit_with(EXIT_NESTED_FAULT, EXCEPTION | 8);
	vcpu_inject_gp(&cpu->vcpu);
	assert_int_equal(fake.shutdowns, 1);
}

static void test_real_mode(void **state)
{
	v->cr0 &= ~CR0_PE;
	exit_with(EXIT_MSR, 0);
	vcpu_inject_gp(&cpu->vcpu);
	assert_int_equal(v->event, EXCEPTION | 13);
}

/* An NMI that finds nothing in its way; the next one waits for IRET, and no third is kept. */
static void test_nmi_blocking(void **state)
{
	exit_with(EXIT_NMI, 0);
	vendor_nmi_pending();
	vendor_nmi_pending();
	vendor_nmi_pending();
	assert_int_equal(atomic_load(&cpu->nmi_pending), 2);
	enter();
	assert_int_equal(v->event, NMI);
	assert_true(v->intercepts & INTERCEPT(EXIT_IRET));
	exit_with(EXIT_MSR, 0);
	enter();
	assert_int_equal(v->event, 0);
	/* At the IRET: one step over it, and only behind it the next. */
	exit_with(EXIT_IRET, 0);
	svm_iret(&cpu->vcpu);
	enter();
	assert_int_equal(v->event, 0);
	assert_false(v->intercepts & INTERCEPT(EXIT_IRET));
	assert_true(v->rflags & RFLAGS_TF);
	/* TF is the guest's now: IRET has loaded it. */
	v->rip = OTHER_RIP;
	v->rflags = RFLAGS_FIXED | RFLAGS_TF;
	v->dr6 = DR6_BS;
	exit_with(EXIT_DB, 0);
	svm_exception(&cpu->vcpu);
	enter();
	assert_int_equal(v->event, NMI);
	assert_int_equal(v->dr6, 0);
	assert_true(v->rflags & RFLAGS_TF);
	assert_int_equal(atomic_load(&cpu->nmi_pending), 0);
}

/* Nothing waits at the IRET: no step, and the next NMI finds RIP elsewhere, or still there. */
static void test_nmi_after_iret(void **state)
{
	exit_with(EXIT_NMI, 0);
	vendor_nmi_pending();
	enter();
	exit_with(EXIT_IRET, 0);
	svm_iret(&cpu->vcpu);
	enter();
	assert_false(v->rflags & RFLAGS_TF);
	exit_with(EXIT_NMI, 0);
	vendor_nmi_pending();
	enter();
	assert_int_equal(v->event, 0);
	assert_true(v->rflags & RFLAGS_TF);
	/*
	 * The IRET does not come to its end, but elsewhere: the step is over and TF is taken back.
	 */
	exit_with(EXIT_NESTED_FAULT, 0);
	assert_false(v->rflags & RFLAGS_TF);
	v->rip = OTHER_RIP;
	exit_with(EXIT_NMI, 0);
	enter();
	assert_int_equal(v->event, NMI);
}

/*
 * Behind STI and MOV SS an NMI waits for one instruction; TF is the guest's own before and after.
 */
static void test_nmi_in_shadow(void **state)
{
	v->interrupt_state = SHADOW;
	v->dr6 = 0xffff0ff0;
	exit_with(EXIT_NMI, 0);
	vendor_nmi_pending();
	enter();
	assert_int_equal(v->event, 0);
	assert_true(v->rflags & RFLAGS_TF);
	v->interrupt_state = 0;
	v->rip++;
	v->dr6 |= DR6_BS;
	exit_with(EXIT_DB, 0);
	svm_exception(&cpu->vcpu);
	enter();
	assert_int_equal(v->event, NMI);
	assert_false(v->rflags & RFLAGS_TF);
	assert_false(v->intercepts & INTERCEPT(EXIT_INTR));
	assert_int_equal(v->dr6, 0xffff0ff0);
}

/* An interrupt that comes first finds no TF to push, and the NMI nothing more to wait for. */
static void test_interrupt_in_step(void **state)
{
	v->interrupt_state = SHADOW;
	exit_with(EXIT_NMI, 0);
	vendor_nmi_pending();
	enter();
	assert_true(v->intercepts & INTERCEPT(EXIT_INTR));
	v->interrupt_state = 0;
	exit_with(EXIT_INTR, 0);
	assert_false(v->rflags & RFLAGS_TF);
	assert_false(v->intercepts & INTERCEPT(EXIT_INTR));
	enter();
	assert_int_equal(v->event, NMI);
	/* At an IRET the interrupt is the guest's at once. */
	vendor_nmi_pending();
	exit_with(EXIT_IRET, 0);
	svm_iret(&cpu->vcpu);
	enter();
	assert_true(v->rflags & RFLAGS_TF);
	assert_false(v->intercepts & INTERCEPT(EXIT_INTR));
}

/* The guest steps itself, or a breakpoint of its own is hit: the #DB is delivered. */
static void test_step_of_guest(void **state)
{
	static const struct {
		uint64_t flags, dr6;
	} cases[] = { { RFLAGS_TF, DR6_BS }, { 0, DR6_BS | 1 }, { 0, DR6_BD }, { 0, 0 } };

	for (unsigned i = 0; i < COUNT(cases); i++) {
		setup(NULL);
		v->rflags |= cases[i].flags;
		v->dr6 = 2; /* of an earlier hit; the guest has not cleared it */
		v->interrupt_state = SHADOW;
		exit_with(EXIT_NMI, 0);
		vendor_nmi_pending();
		enter();
		v->interrupt_state = 0;
		v->rip++;
		v->dr6 |= cases[i].dr6;
		exit_with(EXIT_DB, 0);
		svm_exception(&cpu->vcpu);
		enter();
		assert_int_equal(v->event, EXCEPTION | 1);
		assert_int_equal(v->dr6,
		    cases[i].flags ? DR6_BS | 2 : (cases[i].dr6 & ~DR6_BS) | 2);
		assert_int_equal(v->rflags & RFLAGS_TF, cases[i].flags);
		/* The NMI is owed, and the CPU makes itself exit for it. */
		assert_int_equal(fake.kicks[0], 1);
		assert_int_equal(atomic_load(&cpu->nmi_pending), 1);
	}
}

/* The step ends with another exit, behind the instruction: TF and DR6 are the guest's again. */
static void test_step_cut_short(void **state)
{
	v->interrupt_state = SHADOW;
	v->dr6 = DR6_BS | 1;
	exit_with(EXIT_NMI, 0);
	vendor_nmi_pending();
	enter();
	assert_true(v->rflags & RFLAGS_TF);
	v->interrupt_state = 0;
	v->rip++;
	exit_with(EXIT_INIT, 0);
	assert_false(v->rflags & RFLAGS_TF);
	assert_int_equal(v->dr6, DR6_BS | 1);
	enter();
	assert_int_equal(v->event, NMI);
}

/* A code breakpoint at the IRET itself, which has not run then. */
static void test_breakpoint_at_iret(void **state)
{
	exit_with(EXIT_NMI, 0);
	vendor_nmi_pending();
	enter();
	exit_with(EXIT_IRET, 0);
	svm_iret(&cpu->vcpu);
	vendor_nmi_pending();
	enter();
	assert_true(v->rflags & RFLAGS_TF);
	v->dr6 |= 1;
	exit_with(EXIT_DB, 0);
	svm_exception(&cpu->vcpu);
	assert_int_equal(v->event, EXCEPTION | 1);
	assert_false(v->rflags & RFLAGS_TF);
}

/* An event that is injected at the IRET goes first: no flags with TF reach the guest's stack. */
static void test_event_before_step(void **state)
{
	exit_with(EXIT_NMI, 0);
	vendor_nmi_pending();
	enter();
	exit_with(EXIT_IRET, 0);
	svm_iret(&cpu->vcpu);
	vendor_nmi_pending();
	vcpu_inject_gp(&cpu->vcpu);
	enter();
	assert_int_equal(v->event, GP);
	assert_false(v->rflags & RFLAGS_TF);
	assert_int_equal(fake.kicks[0], 1);
}

/* Another event goes first. */
static void test_nmi_behind_event(void **state)
{
	exit_with(EXIT_NMI, VALID | 0x40);
	vendor_nmi_pending();
	enter();
	assert_int_equal(v->event, VALID | 0x40);
	assert_int_equal(fake.kicks[0], 1);
	exit_with(EXIT_NMI, 0);
	enter();
	assert_int_equal(v->event, NMI);
}

/* #DB while #DB is delivered: audited, and an NMI that waits goes first. */
static void test_endless(void **state)
{
	exit_with(EXIT_DB, EXCEPTION | 1);
	svm_exception(&cpu->vcpu);
	enter();
	assert_int_equal(v->event, EXCEPTION | 1);
	assert_int_equal(fake.audits, 1);
	exit_with(EXIT_DB, EXCEPTION | 1);
	vendor_nmi_pending();
	svm_exception(&cpu->vcpu);
	enter();
	assert_int_equal(v->event, NMI);
}

static void test_machine_check(void **state)
{
	exit_with(EXIT_MC, 0);
	svm_exception(&cpu->vcpu);
	assert_int_equal(fake.shutdowns, 1);
	v->cr4 |= CR4_MCE;
	exit_with(EXIT_MC, 0);
	svm_exception(&cpu->vcpu);
	assert_int_equal(v->event, EXCEPTION | 18);
}

static void test_skip(void **state)
{
	exit_with(EXIT_CPUID, 0);
	v->interrupt_state = SHADOW;
	vcpu_skip(&cpu->vcpu);
	assert_int_equal(v->rip, FAKE_CODE + 2);
	assert_int_equal(v->interrupt_state, 0);
	assert_int_equal(v->event, 0);
	exit_with(EXIT_VMMCALL, 0);
	v->rflags |= RFLAGS_TF;
	vcpu_skip(&cpu->vcpu);
	assert_int_equal(v->rip, FAKE_CODE + 5);
	assert_int_equal(v->event, EXCEPTION | 1);
	assert_true(v->dr6 & DR6_BS);
	v->cs.attributes = ATTRIBUTE_DEFAULT | 0x9b;
	v->rip = 0xfffffffe;
	exit_with(EXIT_CPUID, 0);
	vcpu_skip(&cpu->vcpu);
	assert_int_equal(v->rip, 0);
	fake.caps.features = SVM_NRIPS;
	v->next_rip = 0x77;
	vcpu_skip(&cpu->vcpu);
	assert_int_equal(v->rip, 0x77);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

static const struct CMUnitTest tests[] = {
	TEST(test_reinjection),
	TEST(test_double_faults),
	TEST(test_real_mode),
	TEST(test_nmi_blocking),
	TEST(test_nmi_after_iret),
	TEST(test_nmi_in_shadow),
	TEST(test_interrupt_in_step),
	TEST(test_step_of_guest),
	TEST(test_step_cut_short),
	TEST(test_breakpoint_at_iret),
	TEST(test_event_before_step),
	TEST(test_nmi_behind_event),
	TEST(test_endless),
	TEST(test_machine_check),
	TEST(test_skip),
};

UNIT_MAIN(tests)
