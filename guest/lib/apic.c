/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The local APIC.
 */
#include "guest/lib/apic.h"

#include "guest/lib/x86.h"

#define APIC_MMIO	0xfee00000u
#define APIC_BASE_X2	(1u << 10)
#define APIC_BASE_ON	(1u << 11)
#define SPURIOUS_ENABLE 0x100u
#define PIC1_DATA	0x21
#define PIC2_DATA	0xa1
#define SEND_POLLS	1000000u

bool apic_is_x2(void)
{
	return rdmsr(MSR_APIC_BASE) & APIC_BASE_X2;
}

static volatile uint32_t *mmio(unsigned offset)
{
	return (volatile uint32_t *)(uint64_t)(APIC_MMIO + offset);
}

uint32_t apic_read(unsigned offset)
{
	if (apic_is_x2())
		return (uint32_t)rdmsr(MSR_X2APIC_BASE + (offset >> 4));
	return *mmio(offset);
}

void apic_write(unsigned offset, uint32_t value)
{
	if (apic_is_x2())
		wrmsr(MSR_X2APIC_BASE + (offset >> 4), value);
	else
		*mmio(offset) = value;
}

uint32_t apic_id(void)
{
	uint32_t id = apic_read(APIC_ID);

	return apic_is_x2() ? id : id >> 24;
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

void apic_init(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ON);
	apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_LINT1, LVT_MASKED);
	apic_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	apic_write(APIC_TPR, 0);
}

void apic_to_x2(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ON | APIC_BASE_X2);
}

void apic_send(uint32_t id, uint32_t command)
{
	if (apic_is_x2()) {
		wrmsr(MSR_X2APIC_BASE + (APIC_ICR_LOW >> 4), (uint64_t)id << 32 | command);
		return;
	}
	apic_write(APIC_ICR_HIGH, id << 24);
	apic_write(APIC_ICR_LOW, command);
	for (unsigned i = 0; i < SEND_POLLS && apic_read(APIC_ICR_LOW) & ICR_BUSY; i++)
		cpu_pause();
}

void pic_mask(void)
{
	outb(PIC1_DATA, 0xff);
	outb(PIC2_DATA, 0xff);
}
