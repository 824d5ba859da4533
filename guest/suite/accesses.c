/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Ways to write to memory: plain, atomic, string, stack, and what instructions store on their own
 * account.
 */
#include "guest/suite/accesses.h"

#include <stdint.h>

#include "guest/lib/x86.h"

#define WRITE(name, text)                                                                          \
	static void name(void *target)                                                             \
	{                                                                                          \
		__asm__ volatile(text                                                              \
				 :                                                                 \
				 : "D"(target), "a"(0), "b"(0), "c"(1), "d"(0)                     \
				 : "memory", "cc");                                                \
	}

WRITE(store8, "movb %%al, (%%rdi)");
WRITE(store16, "movw %%ax, (%%rdi)");
WRITE(store32, "movl %%eax, (%%rdi)");
WRITE(store64, "movq %%rax, (%%rdi)");
WRITE(store_immediate, "movq $0, (%%rdi)");
WRITE(store_nontemporal, "movnti %%rax, (%%rdi)");
WRITE(exchange, "xchgq %%rax, (%%rdi)");
WRITE(add, "addq $1, (%%rdi)");
WRITE(locked_add, "lock addq $1, (%%rdi)");
WRITE(locked_or, "lock orl $0, (%%rdi)");
WRITE(exchange_add, "lock xaddq %%rax, (%%rdi)");
WRITE(compare_exchange, "lock cmpxchgq %%rbx, (%%rdi)");
WRITE(compare_exchange16, "lock cmpxchg16b (%%rdi)");
WRITE(bit_set, "btsq $3, (%%rdi)");
WRITE(bit_reset, "lock btrq $3, (%%rdi)");
WRITE(increment, "incb (%%rdi)");
WRITE(set_byte, "sete (%%rdi)");
WRITE(store_vector, "movaps %%xmm0, (%%rdi)");
WRITE(store_idt, "sidt (%%rdi)");
WRITE(store_gdt, "sgdt (%%rdi)");
WRITE(store_tr, "str (%%rdi)");
WRITE(store_word, "smsw (%%rdi)");
WRITE(store_mxcsr, "stmxcsr (%%rdi)");
WRITE(store_control, "fnstcw (%%rdi)");
WRITE(fxsave, "fxsave (%%rdi)");
WRITE(xsave, "movl $3, %%eax; xsave (%%rdi)");

/* These move their pointers: the compiler is told by saving them. */
#define STRING(name, text)                                                                         \
	static void name(void *target)                                                             \
	{                                                                                          \
		uint64_t source = 0, count = 1;                                                    \
		const uint64_t *from = &source;                                                    \
		__asm__ volatile(text                                                              \
				 : "+D"(target), "+S"(from), "+c"(count)                           \
				 : "a"(0), "d"(0x64)                                               \
				 : "memory");                                                      \
	}

STRING(string_store, "rep stosb")
STRING(string_move, "movsq")
STRING(string_in, "insb")

/* And these use the stack. */
#define STACK(name, text)                                                                          \
	static void name(void *target)                                                             \
	{                                                                                          \
		__asm__ volatile("movq %%rsp, %%rbx; leaq 8(%%rdi), %%rsp;" text                   \
				 "; movq %%rbx, %%rsp"                                             \
				 :                                                                 \
				 : "D"(target)                                                     \
				 : "rbx", "rax", "memory", "cc");                                  \
	}

STACK(push, "pushq $1")
STACK(push_flags, "pushfq")
STACK(call_near, "call 1f; 1:")
STACK(enter_frame, "enter $0, $0")

const struct access accesses[] = {
	{ "T11 MOV of a byte", store8 },
	{ "T11 MOV of a word", store16 },
	{ "T11 MOV of 4 bytes", store32 },
	{ "T11 MOV of 8 bytes", store64 },
	{ "T11 MOV of an immediate", store_immediate },
	{ "T11 MOVNTI", store_nontemporal },
	{ "T11 XCHG", exchange },
	{ "T11 ADD", add },
	{ "T11 LOCK ADD", locked_add },
	{ "T11 LOCK OR of zero", locked_or },
	{ "T11 LOCK XADD", exchange_add },
	{ "T11 LOCK CMPXCHG that does not match", compare_exchange },
	{ "T11 LOCK CMPXCHG16B that does not match", compare_exchange16 },
	{ "T11 BTS", bit_set },
	{ "T11 LOCK BTR", bit_reset },
	{ "T11 INC", increment },
	{ "T11 SETcc", set_byte },
	{ "T11 MOVAPS", store_vector },
	{ "T11 SIDT", store_idt },
	{ "T11 SGDT", store_gdt },
	{ "T11 STR", store_tr },
	{ "T11 SMSW", store_word },
	{ "T11 STMXCSR", store_mxcsr },
	{ "T11 FNSTCW", store_control },
	{ "T11 FXSAVE", fxsave },
	{ "T11 XSAVE", xsave },
	{ "T11 REP STOS", string_store },
	{ "T11 MOVS", string_move },
	{ "T11 INS", string_in },
	{ "T11 PUSH", push },
	{ "T11 PUSHF", push_flags },
	{ "T11 CALL", call_near },
	{ "T11 ENTER", enter_frame },
};

const unsigned access_count = sizeof(accesses) / sizeof(accesses[0]);
