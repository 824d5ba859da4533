/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a guest may write to CR0, CR4 and EFER on SVM, and what it leaves in the VMCB.
 */
#include "arch/upcall.h"
#include "arch/x86/bits.h"
#include "arch/x86/policy.h"
#include "fake_svm.h"

#define CR4_PGE (1ull << 7)

#define MOV_CR0	 "\x0f\x22\xc0"
#define MOV_CR4	 "\x0f\x22\xe0"
#define LMSW	 "\x0f\x01\xf0"
#define CR0_LONG (CR0_PE | CR0_ET | CR0_PG)
#define GP	 0x80000b0dull

static struct vmcb *v;

static int setup(void **state)
{
	fake_reset();
	v = vmcb();
	return 0;
}

static bool taken(uint64_t code, const char *bytes, uint64_t value)
{
	v->rip = FAKE_CODE;
	v->event = 0;
	v->exit_code = code;
	this_cpu()->event_injected = false;
	fake_code(bytes, 3);
	this_cpu()->vcpu.regs.rax = value;
	svm_mov_to_cr(&this_cpu()->vcpu);
	return v->event == 0 && v->rip == FAKE_CODE + 3;
}

static bool cr0(uint64_t value)
{
	return taken(EXIT_CR0_WRITE, MOV_CR0, value);
}

static bool cr4(uint64_t value)
{
	return taken(EXIT_CR4_WRITE, MOV_CR4, value);
}

static void compat(void)
{
	v->cs.attributes = ATTRIBUTE_DEFAULT | 0x9b;
}

static void test_cr0_bits(void **state)
{
	assert_false(cr0(CR0_PE | 1ull << 32));
	assert_true(cr0(CR0_PE | CR0_WP | CR0_CD | CR0_NW));
	assert_int_equal(v->cr0, CR0_PE | CR0_ET | CR0_WP | CR0_CD | CR0_NW);
	assert_int_equal(fake.flushes, 1);
	assert_true(cr0(CR0_PE | 0x0f00ffc0)); /* reserved below 32: nothing */
	assert_int_equal(v->cr0, CR0_PE | CR0_ET);
	assert_false(cr0(CR0_PE | CR0_NW));
	assert_int_equal(v->cr0, CR0_PE | CR0_ET);
	assert_int_equal(fake.audits, 2);
}

static void test_paging(void **state)
{
	v->efer = EFER_SVME | EFER_LME;
	compat();
	v->cr4 = 0;
	assert_false(cr0(CR0_LONG)); /* no PAE */
	v->cr4 = CR4_PAE;
	assert_false(cr0(CR0_PG)); /* no PE */
	assert_true(cr0(CR0_LONG));
	assert_int_equal(v->efer, EFER_SVME | EFER_LME | EFER_LMA);
}

/* Paging off again: not from 64-bit code, not with PCIDs. */
static void test_paging_off(void **state)
{
	*(uint64_t *)(fake.memory + 0x1000) = 0x2003;
	*(uint64_t *)(fake.memory + 0x2000) = 0x83;
	v->cr3 = 0x1000;
	v->cr0 = CR0_LONG;
	assert_false(cr0(CR0_PE));
	assert_false(cr0(0));
	compat();
	v->cr4 |= CR4_PCIDE;
	assert_false(cr0(CR0_PE));
	v->cr4 = CR4_PAE;
	assert_true(cr0(CR0_PE));
	assert_int_equal(v->efer, EFER_SVME | EFER_LME | EFER_NXE);
	assert_int_equal(v->cr0, CR0_PE | CR0_ET);
}

static void test_lmsw(void **state)
{
	v->cr0 = CR0_PE | CR0_ET | CR0_MP | CR0_WP;
	assert_true(taken(EXIT_CR0_WRITE, LMSW, 0xffff000c));
	assert_int_equal(v->cr0, CR0_PE | CR0_ET | CR0_WP | 0xc); /* PE stays */
	assert_false(taken(EXIT_CR4_WRITE, LMSW, 0));
}

static void test_cr4(void **state)
{
	assert_true(cr4(CR4_PAE | CR4_PGE));
	assert_int_equal(v->cr4, CR4_PAE | CR4_PGE);
	assert_int_equal(fake.flushes, 1);
	assert_false(cr4(CR4_PGE)); /* long mode wants PAE */
	assert_false(cr4(CR4_PAE | CR4_VMXE));
	assert_false(cr4(CR4_PAE | 1ull << 40));
	v->cr3 = 0x1008;
	assert_false(cr4(CR4_PAE | CR4_PCIDE));
	v->cr3 = 0x1000;
	assert_true(cr4(CR4_PAE | CR4_PCIDE));
	fake.cr4_policy |= CR4_CET;
	assert_false(cr4(CR4_PAE | CR4_CET)); /* without CR0.WP */
	v->cr0 |= CR0_WP;
	assert_true(cr4(CR4_PAE | CR4_CET));
	assert_false(cr0(CR0_PE)); /* and not from under it */
}

/* The bytes are another instruction's than the exit's. */
static void test_other_code(void **state)
{
	assert_false(taken(EXIT_CR0_WRITE, MOV_CR4, CR4_PAE));
	assert_false(taken(EXIT_CR4_WRITE, MOV_CR0, CR0_PE));
	assert_false(taken(EXIT_CR4_WRITE, "\x0f\x20\xe0", 0));
	assert_false(taken(EXIT_CR4_WRITE, "\x0f\xa2\x90", 0));
	assert_int_equal(v->cr4, CR4_PAE);
	assert_int_equal(v->cr0, CR0_PE | CR0_ET);
}

static void test_efer(void **state)
{
	uint64_t efer;

	v->cr0 = CR0_LONG;
	for (unsigned bit = 0; bit < 64; bit++) {
		bool known = bit == 0 || bit == 8 || bit == 10 || bit == 11;

		assert_true(vendor_rdmsr(NULL, MSR_EFER, &efer));
		assert_int_equal(efer & EFER_SVME, 0);
		assert_int_equal(vendor_wrmsr(NULL, MSR_EFER, efer | 1ull << bit), known);
		assert_true(v->efer & EFER_SVME);
	}
	assert_false(svm_write_efer(EFER_LMA | EFER_NXE)); /* LME with paging on */
	assert_true(svm_write_efer(EFER_LME));		   /* LMA stays what it is */
	assert_int_equal(v->efer, EFER_SVME | EFER_LME | EFER_LMA);
	v->cr0 = CR0_PE;
	v->efer = EFER_SVME;
	assert_true(svm_write_efer(EFER_LME | EFER_LMA));
	assert_int_equal(v->efer, EFER_SVME | EFER_LME);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

static const struct CMUnitTest tests[] = {
	TEST(test_cr0_bits),
	TEST(test_paging),
	TEST(test_paging_off),
	TEST(test_lmsw),
	TEST(test_cr4),
	TEST(test_other_code),
	TEST(test_efer),
};

UNIT_MAIN(tests)
