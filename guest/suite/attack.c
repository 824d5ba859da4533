/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Attacks with the protection on and off (attack.h): what one CPU can do with instructions.
 */
#include "guest/suite/attack.h"

#include "guest/lib/call.h"
#include "guest/lib/mode.h"
#include "guest/lib/options.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "guest/suite/suite.h"
#include "guest/suite/test_calls.h"
#include "monitor/abi/result.h"

#define NO_SWITCH	      0xffffu
#define MSR_VMX_BASIC	      0x480u
#define MSR_HSAVE_PA	      0xc0010117u
#define MSR_THERMAL_INTERRUPT 0x19bu
#define MSR_MISC_ENABLE	      0x1a0u
#define MSR_MARK	      0x15u

static bool is_open;

bool attack_is_open(void)
{
	return is_open;
}

static void protection(const struct attack *attack, bool on)
{
	struct redoubt_test_switch before;

	if (redoubt_test_switch(option_number(attack->option, NO_SWITCH), !on, &before) !=
	    REDOUBT_OK)
		bail("%s is no switch of this monitor's", attack->option);
	is_open = !on;
}

void attack_carry_out(const struct attack *attack)
{
	bool succeeds;

	if (attack->test_only && !call_test_build())
		return;
	tap(!attack->run(), "%s: kept out", attack->what);
	if (!call_test_build())
		return;
	protection(attack, false);
	succeeds = attack->run();
	protection(attack, true);
	if (attack->without == SUCCEEDS)
		tap(succeeds, "%s: succeeds with %s", attack->what, attack->option);
	else
		tap(!succeeds, "%s: the CPU refuses it with %s", attack->what, attack->option);
	if (!attack->lasting)
		tap(!attack->run(), "%s: kept out again", attack->what);
}

/* ---- Calls from where none is taken ---- */

/* Modes without long mode do not load R8 and R9: the call is taken, and may refuse their values. */
static bool call_from(enum mode mode)
{
	struct snippet s = { .code = call_instruction(), .bytes = 3, .rax = REDOUBT_CALL_version };
	struct trap t;

	mode_run(mode, &s, &t);
	return t.frame.vector == TRAP_NONE &&
	    ((uint32_t)t.frame.rcx == REDOUBT_ABI_VERSION ||
		redoubt_status_of(t.frame.rax) == REDOUBT_INVALID);
}

static bool call_user64(void)
{
	return call_from(MODE_USER64);
}

static bool call_user32(void)
{
	return call_from(MODE_USER32);
}

static bool call_compat16(void)
{
	return call_from(MODE_COMPAT16);
}

static bool call_v86(void)
{
	return call_from(MODE_V86);
}

static bool call_real(void)
{
	return call_from(MODE_REAL);
}

/* ---- Model-specific registers ---- */

static bool msr_read_denied(void)
{
	uint64_t value = 0;

	return try_rdmsr(by_intel() ? MSR_VMX_BASIC : MSR_HSAVE_PA, &value) == TRAP_NONE && value;
}

/*
 * A register of the machine's that the policy does not know: the mark is read back. Emulators have
 * MISC_ENABLE on CPUs of AMD's too, and the policy has it for Intel's alone.
 */
static bool msr_write_denied(void)
{
	uint32_t msr = by_intel() ? MSR_THERMAL_INTERRUPT : MSR_MISC_ENABLE;
	uint64_t old, value = 0;

	if (try_rdmsr(msr, &old) != TRAP_NONE || try_wrmsr(msr, MSR_MARK) != TRAP_NONE)
		return false;
	try_rdmsr(msr, &value);
	try_wrmsr(msr, old);
	return value == MSR_MARK;
}

static bool any_written(const uint32_t *msrs, unsigned count)
{
	unsigned written = 0;

	for (unsigned i = 0; i < count; i++) {
		uint64_t value = 0;

		try_rdmsr(msrs[i], &value);
		written += try_wrmsr(msrs[i], value ^ 1) == TRAP_NONE;
	}
	return written;
}

static bool msr_write_read_only(void)
{
	static const uint32_t msrs[] = { 0x10a, 0x480, 0x481, 0x48b, 0x48c, 0x492, 0xfe };

	return any_written(msrs, sizeof(msrs) / sizeof(msrs[0]));
}

static bool msr_write_firmware(void)
{
	static const uint32_t msrs[] = { 0x79, 0x3a, 0x9b, 0x8c, 0x8d, 0x8e, 0x8f };

	return any_written(msrs, sizeof(msrs) / sizeof(msrs[0]));
}

/* ---- XCR0 ---- */

static bool xcr0_illegal(void)
{
	static const uint64_t values[] = { 0, 2, 5, 1ull << 62 | 3, ~0ull };
	unsigned taken = 0;

	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct reg_write r = { 0, values[i] };

		taken += trap_try(do_xsetbv, &r, NULL) == TRAP_NONE;
	}
	return taken;
}

const struct attack attacks_cpu[] = {
	{ "T34 a call from CPL 3 in 64-bit mode", "CALL_OPEN", call_user64, SUCCEEDS, false,
	    false },
	{ "T34 a call from CPL 3 in compatibility mode", "CALL_OPEN", call_user32, SUCCEEDS, false,
	    false },
	{ "T34 a call from a 16-bit segment", "CALL_OPEN", call_compat16, SUCCEEDS, false, false },
	{ "T34 a call from virtual-8086 mode", "CALL_OPEN", call_v86, SUCCEEDS, false, false },
	{ "T34 a call from real mode", "CALL_OPEN", call_real, SUCCEEDS, false, false },
	{ "T21 reading an MSR that is denied", "MSR_OPEN", msr_read_denied, SUCCEEDS, false,
	    false },
	{ "T21 writing an MSR that is denied", "MSR_OPEN", msr_write_denied, SUCCEEDS, false,
	    false },
	{ "T22 writing read-only MSRs", "MSR_OPEN", msr_write_read_only, REFUSED, false, false },
	{ "T24 writing MSRs of firmware's", "MSR_OPEN", msr_write_firmware, REFUSED, false, false },
	{ "T20 XSETBV of illegal values", "XSETBV_OPEN", xcr0_illegal, REFUSED, false, false },
	{ 0 },
};

static void carry_out_all(const struct attack *list)
{
	for (; list->what; list++)
		attack_carry_out(list);
}

/* What stays open comes last. */
void suite_attack(void)
{
	carry_out_all(attacks_cpu);
	carry_out_all(attacks_smp);
	if (by_intel())
		carry_out_all(attacks_vmx);
	carry_out_all(attacks_map);
	carry_out_all(attacks_memory);
}
