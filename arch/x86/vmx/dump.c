/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What to print when VM entry fails: every field that is not zero, and the first rule broken of the
 * checks that a processor makes on VM entry (SDM 3C 27.2, 27.3), as far as they can be told from
 * the fields. Not among them: controls and host state, which no guest chooses; the instruction
 * error tells of these.
 */
#include "arch/x86/vmx/vmx.h"

#define DUMPS		    4u
#define RFLAGS_RESERVED	    0xffffffffffc08028ull
#define ACTIVITY_LAST	    3u
#define RIGHTS_TYPE(rights) ((rights)&15)
#define TYPE_TSS_BUSY_16    3u
#define TYPE_TSS_BUSY_32    11u

static const struct {
	const char *name;
	uint16_t encoding;
} fields[] = {
#define VMCS(name, encoding) { #name, encoding },
#include "arch/x86/vmx/vmcs.def"
#undef VMCS
};

/* 0 for a field that this CPU lacks. */
static uint64_t get(enum vmcs_field field)
{
	uint64_t value;

	return vmread_any(field, &value) ? value : 0;
}

static void dump(void)
{
	uint64_t value;

	for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (vmread_any(fields[i].encoding, &value) && value != 0)
			klog(LOG_ERROR, "vmcs %x %s %lx", fields[i].encoding, fields[i].name,
			    value);
}

static bool efer_ok(bool long_mode)
{
	uint64_t efer = get(VMCS_GUEST_EFER);
	bool lma = efer & EFER_LMA;

	return lma == long_mode && (!(get(VMCS_GUEST_CR0) & CR0_PG) || lma == !!(efer & EFER_LME));
}

static bool rflags_ok(bool long_mode)
{
	uint64_t flags = get(VMCS_GUEST_RFLAGS);

	return (flags & RFLAGS_RESERVED) == 0 && flags & RFLAGS_FIXED &&
	    !(flags & RFLAGS_VM && (long_mode || !(get(VMCS_GUEST_CR0) & CR0_PE)));
}

static bool tr_ok(bool long_mode)
{
	uint64_t rights = get(VMCS_GUEST_TR_RIGHTS);
	uint64_t type = RIGHTS_TYPE(rights);

	return !(rights & RIGHTS_UNUSABLE) &&
	    (type == TYPE_TSS_BUSY_32 || (type == TYPE_TSS_BUSY_16 && !long_mode));
}

static const char *broken_rule(void)
{
	uint64_t cr0 = get(VMCS_GUEST_CR0);
	uint64_t cr4 = get(VMCS_GUEST_CR4);
	uint64_t rip = get(VMCS_GUEST_RIP);
	uint64_t shadows = BLOCKING_STI | BLOCKING_MOV_SS;
	bool long_mode = get(VMCS_ENTRY_CONTROLS) & ENTRY_IA32E;
	bool code_64 = long_mode && get(VMCS_GUEST_CS_RIGHTS) & RIGHTS_L;
	const struct {
		bool holds;
		const char *text;
	} rules[] = {
		{ get(VMCS_VPID) != 0, "VPID is not 0 (27.2.1.1)" },
		{ cr0 & CR0_NE && (!(cr0 & CR0_PG) || cr0 & CR0_PE),
		    "guest CR0 has NE, and PE where it has PG (27.3.1.1)" },
		{ cr4 & CR4_VMXE && !(cr4 & ~rdmsr(0x489)),
		    "guest CR4 has VMXE and no unsupported bit (27.3.1.1)" },
		{ long_mode ? cr0 & CR0_PG && cr4 & CR4_PAE : !(cr4 & CR4_PCIDE),
		    "IA-32e guest has PG and PAE, others no PCIDE (27.3.1.1)" },
		{ efer_ok(long_mode),
		    "guest EFER.LMA agrees with the entry control, and LME with LMA (27.3.1.1)" },
		{ tr_ok(long_mode), "guest TR is a busy TSS (27.3.1.2)" },
		{ code_64 ? vmx_canonical(rip) == rip : rip >> 32 == 0,
		    "guest RIP is canonical, or 32 bits wide outside 64-bit code (27.3.1.4)" },
		{ rflags_ok(long_mode), "guest RFLAGS reserved bits, VM (27.3.1.4)" },
		{ get(VMCS_GUEST_ACTIVITY) <= ACTIVITY_LAST,
		    "guest activity state exists (27.3.1.5)" },
		{ (get(VMCS_GUEST_INTERRUPTIBILITY) & shadows) != shadows,
		    "not blocked by STI and MOV SS at once (27.3.1.5)" },
	};

	for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (!rules[i].holds)
			return rules[i].text;
	return "none that the monitor knows how to check";
}

void vmx_report_entry_failure(uint32_t reason)
{
	static _Atomic unsigned reports;

	/*
	 * A guest that brings this about again and again does not push everything else out of the
	 * log.
	 */
	if (reports++ < DUMPS)
		dump();
	klog(LOG_ERROR, "VM entry failed: reason %x, qualification %lx; rule broken: %s", reason,
	    vmread(VMCS_EXIT_QUALIFICATION), broken_rule());
}

/* VMLAUNCH or VMRESUME itself failed: controls or host state, which are the monitor's alone. */
void vmx_resume_failed(void)
{
	const char *rule = broken_rule();

	dump();
	panic("VM entry failed: instruction error %lu; rule broken: %s",
	    get(VMCS_INSTRUCTION_ERROR), rule);
}

void vmcs_failed(enum vmcs_field field, bool write)
{
	panic("VM%s of field %x failed", write ? "WRITE" : "READ", field);
}
