/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What to print when VMRUN fails: every field of vmcb.def that is not zero, and the first rule
 * broken of those that the CPU checks (APM 2 15.5.1).
 */
#include "arch/x86/svm/svm.h"

#define DUMPS	      4u
#define EFER_RESERVED (~0x1ffd01ull) /* SCE to AIBRSE; 1, 9, 16 and 19 aside */
#define CR3_NO_FLUSH  (1ull << 63)

static const struct {
	const char *name;
	uint16_t offset;
	uint8_t bytes;
} fields[] = {
#define VMCB(type, field, offset) { #field, offset, sizeof(type) },
#define VMCB_SEGMENT(field, offset)                                                                \
	VMCB(uint16_t, field.selector, offset)                                                     \
	VMCB(uint16_t, field.attributes, offset + 2)                                               \
	VMCB(uint32_t, field.limit, offset + 4)                                                    \
	VMCB(uint64_t, field.base, offset + 8)
#include "arch/x86/svm/vmcb.def"
#undef VMCB
#undef VMCB_SEGMENT
};

/* The first one that does not hold; *control: it is about what the monitor alone writes. */
static const char *broken_rule(const struct vmcb *v, bool *control)
{
	bool long_mode = v->efer & EFER_LME && v->cr0 & CR0_PG;
	bool code_64 = v->cs.attributes & ATTRIBUTE_LONG;
	const struct {
		bool control, holds;
		const char *text;
	} rules[] = {
		{ true, v->intercepts_more & INTERCEPT(EXIT_VMRUN), "VMRUN is intercepted" },
		{ true, v->asid != 0 && v->asid < svm_caps()->asids, "ASID is not 0 and exists" },
		{ true, v->nested_cr3 % FRAME_SIZE == 0 && v->nested_cr3 < stage2_limit(),
		    "nested CR3 is a frame's address" },
		{ true,
		    (v->io_map | v->msr_map) % FRAME_SIZE == 0 && v->io_map < stage2_limit() &&
			v->msr_map < stage2_limit(),
		    "permission maps are at frames' addresses" },
		{ false, v->efer & EFER_SVME, "guest EFER.SVME is set" },
		{ false, !(v->efer & EFER_RESERVED), "guest EFER has no reserved bit" },
		{ false, v->cr0 >> 32 == 0 && (v->cr0 & CR0_CD || !(v->cr0 & CR0_NW)),
		    "guest CR0 has no upper half, and CD where it has NW" },
		{ false, !(v->efer & EFER_LMA) || (v->cr3 & ~CR3_NO_FLUSH) < stage2_limit(),
		    "guest CR3 is within the physical addresses" },
		{ false, v->cr4 >> 32 == 0 && !(v->cr4 & CR4_VMXE),
		    "guest CR4 has no reserved bit" },
		{ false, (v->dr6 | v->dr7) >> 32 == 0, "guest DR6 and DR7 have no upper half" },
		{ false, !long_mode || (v->cr4 & CR4_PAE && v->cr0 & CR0_PE),
		    "guest in long mode has PE and PAE" },
		{ false, !long_mode || !code_64 || !(v->cs.attributes & ATTRIBUTE_DEFAULT),
		    "guest code is not of 64 and 32 bits at once" },
	};

	for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		*control = rules[i].control;
		if (!rules[i].holds)
			return rules[i].text;
	}
	return NULL;
}

static void dump(const struct vmcb *v)
{
	for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		uint64_t value = 0;

		__builtin_memcpy(&value, (const uint8_t *)v + fields[i].offset, fields[i].bytes);
		if (value != 0)
			klog(LOG_ERROR, "vmcb %x %s %lx", fields[i].offset, fields[i].name, value);
	}
}

/*
 * A guest that brings this about again and again does not push everything else out of the log.
 */
bool svm_refused(const struct vmcb *v)
{
	static _Atomic unsigned reports;
	bool control;
	const char *rule = broken_rule(v, &control);

	if (rule == NULL)
		return false;
	if (control || reports++ < DUMPS)
		dump(v);
	if (control)
		panic("VM entry failed; rule broken: %s", rule);
	klog(LOG_ERROR, "VM entry failed: exit %lx; rule broken: %s", v->exit_code, rule);
	return true;
}
