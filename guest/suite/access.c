/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Single accesses that may fault.
 */
#include "guest/lib/x86.h"
#include "guest/suite/suite.h"

#define SIGNATURE_INTEL 0x756e6547u /* EBX of CPUID leaf 0 */

bool by_intel(void)
{
	return cpuid(0, 0).ebx == SIGNATURE_INTEL;
}

void do_rdmsr(void *reg_write)
{
	struct reg_write *r = reg_write;

	r->value = rdmsr(r->number);
}

void do_wrmsr(void *reg_write)
{
	const struct reg_write *r = reg_write;

	wrmsr(r->number, r->value);
}

void do_xsetbv(void *reg_write)
{
	const struct reg_write *r = reg_write;

	xsetbv(r->number, r->value);
}

void do_write_cr0(void *value)
{
	write_cr0(*(uint64_t *)value);
}

void do_write_cr3(void *value)
{
	write_cr3(*(uint64_t *)value);
}

void do_write_cr4(void *value)
{
	write_cr4(*(uint64_t *)value);
}

void do_write_cr8(void *value)
{
	write_cr8(*(uint64_t *)value);
}

unsigned try_rdmsr(uint32_t msr, uint64_t *value)
{
	struct reg_write r = { msr, 0 };
	unsigned vector = trap_try(do_rdmsr, &r, NULL);

	*value = r.value;
	return vector;
}

unsigned try_wrmsr(uint32_t msr, uint64_t value)
{
	struct reg_write r = { msr, value };

	return trap_try(do_wrmsr, &r, NULL);
}
