/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * XSETBV exits always and is carried out in root mode: an illegal value must fault in the guest and
 * nowhere else (T20). SDM 1 13.3, SDM 2 XSETBV.
 */
#include "guest/suite/suite.h"

#include "guest/lib/mode.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"

#define X87    (1ull << 0)
#define SSE    (1ull << 1)
#define AVX    (1ull << 2)
#define MPX    (3ull << 3)
#define AVX512 (7ull << 5)
#define PKRU   (1ull << 9)
#define AMX    (3ull << 17)

/* The manual's rules, written down again: what hardware with the components `offered` takes. */
static bool legal(uint64_t value, uint64_t offered)
{
	uint64_t mpx = value & MPX, avx512 = value & AVX512, amx = value & AMX;

	return (value & X87) && !(value & ~offered) && !((value & AVX) && !(value & SSE)) &&
	    (!avx512 || (avx512 == AVX512 && (value & AVX))) && (!mpx || mpx == MPX) &&
	    (!amx || amx == AMX);
}

static uint64_t offered(void)
{
	struct cpuid r = cpuid(0xd, 0);

	return (uint64_t)r.edx << 32 | r.eax;
}

/* All combinations of the low ten bits: each is refused or taken as the rules say. */
static void combinations(void)
{
	uint64_t mask = offered();
	unsigned wrong = 0, taken = 0;

	for (uint64_t value = 0; value < 1024; value++) {
		struct reg_write r = { 0, value };
		unsigned vector = trap_try(do_xsetbv, &r, NULL);
		bool pass = legal(value, mask) ? vector == TRAP_NONE && xgetbv(0) == value
					       : vector == VECTOR_GP;

		taken += vector == TRAP_NONE;
		if (!pass && wrong++ < 5)
			tap_note("XCR0 %lx: vector %u", value, vector);
	}
	tap(!wrong, "T20 XSETBV of all 1024 low values: as the manual's rules say");
	tap(taken > 1, "xsetbv: %u of them are legal and were taken", taken);
	xsetbv(0, X87 | SSE);
}

static void high_bits(void)
{
	unsigned wrong = 0;

	for (unsigned bit = 10; bit < 64; bit++) {
		struct reg_write r = { 0, X87 | SSE | 1ull << bit };

		if (legal(r.value, offered()))
			continue;
		wrong += trap_try(do_xsetbv, &r, NULL) != VECTOR_GP || xgetbv(0) != (X87 | SSE);
	}
	tap(!wrong, "T20 XSETBV with each reserved bit: #GP");
}

static void other_registers(void)
{
	static const uint32_t numbers[] = { 1, 2, 3, 0x7fffffff, 0x80000000, 0xffffffff };

	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct reg_write r = { numbers[i], X87 | SSE };

		expect("T20 XSETBV with ECX other than 0", VECTOR_GP, 0, do_xsetbv, &r);
	}
}

/* Only ECX, EAX and EDX count; the upper halves do not. */
static void upper_halves(void)
{
	static const struct snippet s = { CODE("\x0f\x01\xd1"), .rax = 0xffffffff00000003,
		.rcx = 0xffffffff00000000, .rdx = 0xffffffff00000000 };

	mode_expect("xsetbv: upper halves of the registers do not count", MODE_KERNEL64, &s,
	    TRAP_NONE, 0);
}

static void other_modes(void)
{
	static const struct snippet s = { CODE("\x0f\x01\xd1"), .rax = 3 };
	static const struct snippet bad = { CODE("\x0f\x01\xd1"), .rax = 2 };
	uint64_t cr4 = read_cr4();

	mode_expect("T20 XSETBV", MODE_USER64, &s, VECTOR_GP, 0);
	mode_expect("T20 XSETBV", MODE_USER32, &s, VECTOR_GP, 0);
	mode_expect("T20 XSETBV", MODE_V86, &s, VECTOR_GP, 0);
	mode_expect("T20 XSETBV", MODE_COMPAT32, &s, TRAP_NONE, 0);
	mode_expect("T20 XSETBV", MODE_PROTECTED32, &s, TRAP_NONE, 0);
	mode_expect("T20 XSETBV", MODE_REAL, &s, TRAP_NONE, 0);
	mode_expect("T20 XSETBV of an illegal value", MODE_PROTECTED32, &bad, VECTOR_GP, 0);
	mode_expect("T20 XSETBV of an illegal value", MODE_REAL, &bad, VECTOR_GP, TRAP_ANY_ERROR);
	write_cr4(cr4 & ~CR4_OSXSAVE);
	mode_expect("T20 XSETBV with CR4.OSXSAVE clear", MODE_KERNEL64, &s, VECTOR_UD,
	    TRAP_ANY_ERROR);
	write_cr4(cr4);
}

void suite_xsetbv(void)
{
	uint64_t old = xgetbv(0);

	combinations();
	high_bits();
	other_registers();
	upper_halves();
	other_modes();
	xsetbv(0, old);
}
