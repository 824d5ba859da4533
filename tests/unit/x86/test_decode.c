/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What is decoded, and what it writes.
 */
#include "arch/x86/decode.h"
#include "tests/unit/unit.h"

static const struct guest_regs start = { .rax = 0x1111111122223380,
	.rcx = 0x4000,
	.rdx = 0x5555666677778888,
	.rbx = 0xffffffffffff8000,
	.rsp = 0x7000,
	.rbp = 0x9000,
	.rsi = 0x10,
	.rdi = 0xa000,
	.r8 = 0x8888888812345678,
	.r12 = 0xc000,
	.r13 = 0xd000,
	.r15 = 0xf };

static const struct {
	const char *text, *bytes;
	unsigned count;
	enum decode_mode mode;
	uint64_t source;
} stores[] = {
	{ "mov [rcx], eax", "\x89\x01", 2, DECODE_64, 0x22223380 },
	{ "mov [rcx+rsi*4-8], rdx", "\x48\x89\x54\xb1\xf8", 5, DECODE_64, 0x5555666677778888 },
	{ "mov [rip+0x20], r8w", "\x66\x44\x89\x05\x20\0\0\0", 8, DECODE_64, 0x5678 },
	{ "mov [rsp+8], ah", "\x88\x64\x24\x08", 4, DECODE_64, 0x33 },
	{ "mov [rsp+8], spl", "\x40\x88\x64\x24\x08", 5, DECODE_64, 0 },
	{ "mov qword [r12], -2", "\x49\xc7\x04\x24\xfe\xff\xff\xff", 8, DECODE_64, ~1ull },
	{ "mov dword [r13], 0xfee00000", "\x41\xc7\x45\0\0\0\xe0\xfe", 8, DECODE_64, 0xfee00000 },
	{ "mov byte [ebx], 0xff", "\x67\xc6\x03\xff", 4, DECODE_64, 0xff },
	{ "mov [abs 0xfee000b0], eax", "\xa3\xb0\0\xe0\xfe\0\0\0\0", 9, DECODE_64, 0x22223380 },
	{ "mov [0xfee00300], eax", "\xa3\0\x03\xe0\xfe", 5, DECODE_32, 0x22223380 },
	{ "mov [bx+si], dl", "\x88\x10", 2, DECODE_16, 0x88 },
	{ "mov [bp-2], ax", "\x89\x46\xfe", 3, DECODE_16, 0x3380 },
	{ "mov [bx+di+0x6000], ax (wraps)", "\x89\x81\0\x60", 4, DECODE_16, 0x3380 },
	{ "mov cr4, rdx", "\x0f\x22\xe2", 3, DECODE_64, 0x5555666677778888 },
	{ "mov cr0, ecx", "\x0f\x22\xc1", 3, DECODE_32, 0x4000 },
	{ "lmsw cx", "\x0f\x01\xf1", 3, DECODE_64, 0x4000 },
};

static void test_stores(void **state)
{
	for (unsigned i = 0; i < COUNT(stores); i++) {
		struct guest_regs regs = start;
		struct insn insn;

		print_message("# %s\n", stores[i].text);
		assert_true(decode((const uint8_t *)stores[i].bytes, stores[i].count,
		    stores[i].mode, &insn));
		assert_int_equal(insn.length, stores[i].count);
		assert_int_equal(decode_source(&insn, &regs), stores[i].source);
	}
}

/* What it must not take for one of its own. */
static void test_refused(void **state)
{
	static const struct {
		const char *text, *bytes;
		unsigned count;
		enum decode_mode mode;
	} cases[] = {
		{ "nothing", "", 0, DECODE_64 },
		{ "mov ecx, eax (no memory)", "\x89\xc1", 2, DECODE_64 },
		{ "lock mov", "\xf0\x89\x01", 3, DECODE_64 },
		{ "xchg [r15*8], rdi", "\x4a\x87\x3c\xfd\0\0\0\0", 8, DECODE_64 },
		{ "rep mov", "\xf3\x89\x01", 3, DECODE_64 },
		{ "wbnoinvd", "\xf3\x0f\x09", 3, DECODE_64 },
		{ "add [rcx], eax", "\x01\x01", 2, DECODE_64 },
		{ "xbegin", "\xc7\xf8\0\0\0\0", 6, DECODE_64 },
		{ "c7 /1", "\xc7\x09\0\0\0\0", 6, DECODE_64 },
		{ "mov cr1, rax", "\x0f\x22\xc8", 3, DECODE_64 },
		{ "mov eax, [rcx] (a load)", "\x8b\x01", 2, DECODE_64 },
		{ "mov rax, cr0", "\x0f\x20\xc0", 3, DECODE_64 },
		{ "lmsw [rcx]", "\x0f\x01\x31", 3, DECODE_64 },
		{ "rep stosb", "\xf3\xaa", 2, DECODE_64 },
		{ "vmlaunch", "\x0f\x01\xc2", 3, DECODE_64 },
		{ "rex, then a prefix", "\x48\x66\x89\x01", 4, DECODE_64 },
		{ "two segment prefixes", "\x64\x65\x89\x01", 4, DECODE_64 },
		{ "one byte short", "\xc7\x01\0\0\0", 5, DECODE_64 },
		{ "16 bytes", "\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x88\x01", 16,
		    DECODE_64 },
	};

	for (unsigned i = 0; i < COUNT(cases); i++) {
		struct insn insn;

		print_message("# %s\n", cases[i].text);
		assert_false(
		    decode((const uint8_t *)cases[i].bytes, cases[i].count, cases[i].mode, &insn));
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_stores),
	cmocka_unit_test(test_refused),
};

UNIT_MAIN(tests)
