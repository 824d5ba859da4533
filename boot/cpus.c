/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The machine's CPUs.
 */
#include "boot/cpus.h"

#include "boot/console.h"

#define TIMEOUT_US ((UINTN)5000000)

static BOOLEAN add(struct cpus *cpus, UINTN number, BOOLEAN *have_own)
{
	struct processor_information info;
	EFI_STATUS status = cpus->mp->get_information(cpus->mp, number, &info);
	struct cpu cpu;

	if (EFI_ERROR(status))
		return refuse("Firmware does not describe CPU %lu (%s).", number,
		    status_text(status));
	cpu = (struct cpu){ number, (UINT32)info.processor_id };
	if (info.status & PROCESSOR_IS_BSP) {
		cpus->cpu[0] = cpu;
		*have_own = TRUE;
	} else if (!(info.status & PROCESSOR_ENABLED) || !(info.status & PROCESSOR_HEALTHY)) {
		return refuse(
		    "The CPU with APIC id %u is disabled or unhealthy: firmware cannot run it, but "
		    "a guest could.",
		    cpu.apic_id);
	} else if (cpus->count == BOOTINFO_MAX_CPUS) {
		return refuse("There are more than %u CPUs.", BOOTINFO_MAX_CPUS);
	} else {
		cpus->cpu[cpus->count++] = cpu;
	}
	return TRUE;
}

BOOLEAN cpus_find(struct cpus *cpus)
{
	EFI_GUID guid = MP_SERVICES_GUID;
	UINTN all, enabled;
	BOOLEAN have_own = FALSE;

	cpus->count = 1;
	if (EFI_ERROR(BS->LocateProtocol(&guid, NULL, (void **)&cpus->mp)) ||
	    EFI_ERROR(cpus->mp->get_number(cpus->mp, &all, &enabled)))
		return refuse("Firmware has no MP services, so the CPUs cannot all be reached.");
	for (UINTN number = 0; number < all; number++)
		if (!add(cpus, number, &have_own))
			return FALSE;
	if (!have_own)
		return refuse("Firmware does not say which CPU the loader runs on.");
	return TRUE;
}

EFI_STATUS cpus_run(struct cpus *cpus, UINT32 index, ap_procedure_t procedure, void *argument)
{
	EFI_TPL tpl;

	if (index != 0)
		return cpus->mp->startup_this(cpus->mp, procedure, cpus->cpu[index].number, NULL,
		    TIMEOUT_US, argument, NULL);
	tpl = BS->RaiseTPL(TPL_HIGH_LEVEL); /* firmware's timer must not run in between */
	procedure(argument);
	BS->RestoreTPL(tpl);
	return EFI_SUCCESS;
}
