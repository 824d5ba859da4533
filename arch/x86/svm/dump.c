/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What to print when VMRUN fails: every field that is not zero, and the first rule broken of those
 * that the CPU checks (APM 2 15.5.1).
 */
#include "arch/cpu.h"
#include "arch/upcall.h"
#include "arch/x86/bits.h"
#include "arch/x86/svm/svm.h"

#define DUMPS	      4u
#define EFER_RESERVED (~0x1ffd01ull) /* SCE to AIBRSE; 1, 9, 16 and 19 aside */
#define MAP_ADDRESS   0xfffull

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

static bool vmrun_ok(const struct vmcb *v)
{
	return v->intercepts_more & INTERCEPT(EXIT_VMRUN);
}

static bool asid_ok(const struct vmcb *v)
{
	return v->asid != 0 && v->asid < svm_caps()->asids;
}

static bool nested_ok(const struct vmcb *v)
{
	return v->nested_cr3 % FRAME_SIZE == 0 && v->nested_cr3 < stage2_limit();
}

static bool maps_ok(const struct vmcb *v)
{
	return ((v->io_map | v->msr_map) & MAP_ADDRESS) == 0 && v->io_map < stage2_limit() &&
	    v->msr_map < stage2_limit();
}

static bool svme_ok(const struct vmcb *v)
{
	return v->efer & EFER_SVME;
}

static bool efer_ok(const struct vmcb *v)
{
	return (v->efer & EFER_RESERVED) == 0;
}

static bool cr0_ok(const struct vmcb *v)
{
	return v->cr0 >> 32 == 0 && (v->cr0 & CR0_CD || !(v->cr0 & CR0_NW));
}

static bool cr3_ok(const struct vmcb *v)
{
	return !(v->efer & EFER_LMA) || (v->cr3 & ~(1ull << 63)) < stage2_limit();
}

static bool cr4_ok(const struct vmcb *v)
{
	return v->cr4 >> 32 == 0 && !(v->cr4 & CR4_VMXE);
}

static bool debug_ok(const struct vmcb *v)
{
	return (v->dr6 | v->dr7) >> 32 == 0;
}

static bool long_mode_ok(const struct vmcb *v)
{
	if (!(v->efer & EFER_LME) || !(v->cr0 & CR0_PG))
		return true;
	return v->cr4 & CR4_PAE && v->cr0 & CR0_PE;
}

static bool code_ok(const struct vmcb *v)
{
	const unsigned both = ATTRIBUTE_LONG | ATTRIBUTE_DEFAULT;

	return !(v->efer & EFER_LME) || !(v->cr0 & CR0_PG) || (v->cs.attributes & both) != both;
}

struct rule {
	bool (*holds)(const struct vmcb *v);
	const char *text;
};

static const struct rule control_rules[] = {
	{ vmrun_ok, "VMRUN is intercepted" },
	{ asid_ok, "ASID is not 0 and exists" },
	{ nested_ok, "nested CR3 is a frame's address" },
	{ maps_ok, "permission maps are at frames' addresses" },
};

static const struct rule state_rules[] = {
	{ svme_ok, "guest EFER.SVME is set" },
	{ efer_ok, "guest EFER has no reserved bit" },
	{ cr0_ok, "guest CR0 has no upper half, and CD where it has NW" },
	{ cr3_ok, "guest CR3 is within the physical addresses" },
	{ cr4_ok, "guest CR4 has no reserved bit" },
	{ debug_ok, "guest DR6 and DR7 have no upper half" },
	{ long_mode_ok, "guest in long mode has PE and PAE" },
	{ code_ok, "guest code is not of 64 and 32 bits at once" },
};

static const char *broken(const struct rule *rules, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!rules[i].holds(vmcb()))
			return rules[i].text;
	return NULL;
}

const char *svm_broken_control(void)
{
	return broken(control_rules, sizeof(control_rules) / sizeof(control_rules[0]));
}

const char *svm_broken_state(void)
{
	return broken(state_rules, sizeof(state_rules) / sizeof(state_rules[0]));
}

void svm_dump(void)
{
	for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		uint64_t value = 0;

		__builtin_memcpy(&value, (const uint8_t *)vmcb() + fields[i].offset,
		    fields[i].bytes);
		if (value != 0)
			klog(LOG_ERROR, "vmcb %03x %s %lx", fields[i].offset, fields[i].name,
			    value);
	}
}

/*
 * A guest that brings this about again and again does not push everything else out of the log.
 */
void svm_report_invalid(const char *rule)
{
	static _Atomic unsigned reports;

	if (reports++ < DUMPS)
		svm_dump();
	klog(LOG_ERROR, "VM entry failed: exit %lx; rule broken: %s", vmcb()->exit_code, rule);
}
