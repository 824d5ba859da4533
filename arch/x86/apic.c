/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Kicks by NMI through the guest's local APIC, in whichever mode the guest has put it.
 */
#include "arch/x86/apic.h"

#include "arch/cpu.h"
#include "arch/x86/asm.h"
#include "arch/x86/percpu.h"
#include "arch/x86/trap.h"

#define ICR_PENDING   (1u << 12)
#define ICR_POLLS     100000u
#define XAPIC_LAST_ID 0xfeu
#define LVT_MASKED    0x10000u
#define SVR_RESET     0xffu

static volatile uint32_t *reg(unsigned offset)
{
	return (volatile uint32_t *)((uint8_t *)PERCPU_VA(PERCPU_APIC) + offset);
}

bool apic_is_x2(void)
{
	return rdmsr(MSR_APIC_BASE) & APIC_BASE_EXTD;
}

static void wait_idle(void)
{
	for (unsigned i = 0; i < ICR_POLLS && *reg(APIC_ICR_LOW) & ICR_PENDING; i++)
		cpu_pause();
}

bool apic_send(uint32_t apic_id, uint32_t command)
{
	uint32_t high;

	if (apic_is_x2()) {
		wrmsr(X2APIC_MSR + (APIC_ICR_LOW >> 4), (uint64_t)apic_id << 32 | command);
		return true;
	}
	if (apic_id > XAPIC_LAST_ID)
		return false;
	wait_idle();
	high = *reg(APIC_ICR_HIGH);
	*reg(APIC_ICR_HIGH) = apic_id << 24;
	*reg(APIC_ICR_LOW) = command;
	wait_idle();
	*reg(APIC_ICR_HIGH) = high;
	return true;
}

uint32_t apic_read(unsigned offset)
{
	return apic_is_x2() ? (uint32_t)rdmsr(X2APIC_MSR + (offset >> 4)) : *reg(offset);
}

void apic_write(unsigned offset, uint32_t value)
{
	if (!apic_is_x2())
		*reg(offset) = value;
	else
		(void)wrmsr_safe(X2APIC_MSR + (offset >> 4), value);
}

void apic_reset(void)
{
	/* Interrupts in service at INIT are gone after it. */
	for (unsigned word = 0; word < 8; word++)
		for (unsigned bit = 0; bit < 32 && apic_read(APIC_ISR + word * 16) != 0; bit++)
			apic_write(APIC_EOI, 0);
	apic_write(APIC_TIMER_COUNT, 0);
	for (unsigned lvt = APIC_LVT_TIMER; lvt <= APIC_LVT_ERROR; lvt += 0x10)
		apic_write(lvt, LVT_MASKED);
	apic_write(APIC_TPR, 0);
	apic_write(APIC_TIMER_DIVIDE, 0);
	if (!apic_is_x2()) {
		apic_write(APIC_LDR, 0);
		apic_write(APIC_DFR, UINT32_MAX);
	}
	apic_write(APIC_SVR, SVR_RESET);
}
