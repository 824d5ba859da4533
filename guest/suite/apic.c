/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The same messages with the APICs in x2APIC mode, which there is no way back from: run it last.
 */
#include "guest/suite/suite.h"

#include "guest/lib/apic.h"
#include "guest/lib/smp.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"

#define TICKS 1000000u

static void to_x2(void *arg)
{
	apic_to_x2();
	apic_init();
}

static bool nmi_taken(unsigned index)
{
	const struct cpu *cpu = cpu_at(index);
	uint64_t before = cpu->nmis;

	apic_send(cpu->apic_id, ICR_NMI | ICR_ASSERT);
	delay(TICKS);
	return cpu->nmis == before + 1;
}

static void reserved(void)
{
	uint64_t value;

	tap(try_wrmsr(MSR_X2APIC_BASE + (APIC_ID >> 4), 0) == VECTOR_GP,
	    "apic: the id is read only");
	tap(try_rdmsr(MSR_X2APIC_BASE + (APIC_EOI >> 4), &value) == VECTOR_GP,
	    "apic: EOI is write only");
	tap(try_wrmsr(MSR_X2APIC_BASE + (APIC_EOI >> 4), 1) == VECTOR_GP, "apic: EOI takes 0 only");
	tap(try_rdmsr(MSR_X2APIC_BASE + 0xff, &value) == VECTOR_GP,
	    "apic: registers that are not there");
}

void suite_apic(void)
{
	uint32_t id = apic_id();

	if (!(cpuid(1, 0).ecx >> 21 & 1)) {
		tap_skip("the CPU has no x2APIC", "apic");
		return;
	}
	to_x2(NULL);
	tap(apic_is_x2() && apic_id() == id, "apic: x2APIC mode, with the same id");
	reserved();
	tap(nmi_taken(0), "apic: NMI to itself");
	if (cpu_total() < 2 || !smp_start_all())
		return;
	tap(smp_run(1, to_x2, NULL), "apic: the other CPU follows");
	tap(nmi_taken(1), "apic: NMI to the other");
	tap(smp_start(1), "apic: INIT and SIPI to the other");
}
