/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Access to the current VMCS and the instructions around it. Every one is checked: a VMREAD or
 * VMWRITE that fails is a broken monitor. SDM 3C 24, 30.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fields of segment registers lie two apart. */
#define VMCS_SEGMENT(name, index)                                                                  \
	VMCS(name, 0x0800 + 2 * (index))                                                           \
	VMCS(name##_LIMIT, 0x4800 + 2 * (index))                                                   \
	VMCS(name##_RIGHTS, 0x4814 + 2 * (index))                                                  \
	VMCS(name##_BASE, 0x6806 + 2 * (index))

enum vmcs_field {
#define VMCS(name, encoding) VMCS_##name = (encoding),
#include "arch/x86/vmx/vmcs.def"
#undef VMCS
};

/* Distance between the fields of one segment register and of the next, and their order. */
#define VMCS_SEGMENT_STEP 2u
enum { SEGMENT_CS = 1, SEGMENT_FS = 4, SEGMENT_LDTR = 6, SEGMENT_TR = 7 };

_Noreturn void vmcs_failed(enum vmcs_field field, bool write);

static inline uint64_t vmread(enum vmcs_field field)
{
	uint64_t value;

	__asm__ goto("vmread %1, %0\n\tjbe %l2"
		     : "=r"(value)
		     : "r"((uint64_t)field)
		     : "cc"
		     : failed);
	return value;
failed:
	vmcs_failed(field, false);
}

static inline void vmwrite(enum vmcs_field field, uint64_t value)
{
	__asm__ goto("vmwrite %1, %0\n\tjbe %l2"
		     :
		     : "r"((uint64_t)field), "r"(value)
		     : "cc"
		     : failed);
	return;
failed:
	vmcs_failed(field, true);
}

/* VMCS_ZERO(VMCS_FIELD, ...) writes 0 to each. */
#define VMCS_ZERO(...)                                                                             \
	vmwrite_zero((const uint16_t[]){ __VA_ARGS__ },                                            \
	    sizeof((const uint16_t[]){ __VA_ARGS__ }) / sizeof(uint16_t))

static inline void vmwrite_zero(const uint16_t *fields, size_t count)
{
	for (size_t i = 0; i < count; i++)
		vmwrite(fields[i], 0);
}

/* For dumps: a field that this CPU may lack. */
static inline bool vmread_any(uint64_t field, uint64_t *value)
{
	bool failed;

	__asm__ volatile("vmread %2, %1" : "=@ccbe"(failed), "=r"(*value) : "r"(field));
	return !failed;
}

/* vmxon() and its like want a frame's address; false if the instruction failed. */
#define ON_FRAME(instruction)                                                                      \
	static inline bool instruction(uint64_t spa)                                               \
	{                                                                                          \
		bool failed;                                                                       \
		__asm__ volatile(#instruction " %1" : "=@ccbe"(failed) : "m"(spa) : "memory");     \
		return !failed;                                                                    \
	}
ON_FRAME(vmxon)
ON_FRAME(vmclear)
ON_FRAME(vmptrld)
#undef ON_FRAME

/* invept() of all (subject 0), invvpid() of one VPID's: the types are those. */
#define INVEPT_ALL     2ull
#define INVVPID_SINGLE 1ull
#define INVALIDATE(instruction)                                                                    \
	static inline bool instruction(uint64_t type, uint64_t subject)                            \
	{                                                                                          \
		const uint64_t descriptor[2] = { subject, 0 };                                     \
		bool failed;                                                                       \
		__asm__ volatile(#instruction " %1, %2"                                            \
				 : "=@ccbe"(failed)                                                \
				 : "m"(descriptor), "r"(type)                                      \
				 : "memory");                                                      \
		return !failed;                                                                    \
	}
INVALIDATE(invept)
INVALIDATE(invvpid)
#undef INVALIDATE
