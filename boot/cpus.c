/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The machine's CPUs.
 */
#include "boot/cpus.h"

#include "boot/acpi.h"
#include "boot/console.h"
#include "boot/tables.h"

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

/* What firmware tells the operating system of CPUs, beside what it told us. */
struct listed {
	const struct cpus *cpus;
	const char *complaint; /* about the first one that is not ours */
	UINT32 apic_id;
};

static BOOLEAN known(const struct cpus *cpus, UINT32 apic_id)
{
	for (UINT32 i = 0; i < cpus->count; i++)
		if (cpus->cpu[i].apic_id == apic_id)
			return TRUE;
	return FALSE;
}

static void check_listed(void *context, const struct acpi_cpu *cpu)
{
	struct listed *listed = context;

	if (!(cpu->flags & (ACPI_CPU_ENABLED | ACPI_CPU_ONLINE_CAPABLE)) || listed->complaint ||
	    known(listed->cpus, cpu->apic_id))
		return;
	listed->apic_id = cpu->apic_id;
	listed->complaint = cpu->flags & ACPI_CPU_ENABLED
	    ? "the ACPI tables list it, and firmware's MP services do not"
	    : "the ACPI tables say that it can be switched on later";
}

/* I14: no CPU that the operating system is told of is missing among those that are covered. */
static BOOLEAN all_listed(const struct cpus *cpus)
{
	struct listed listed = { cpus, NULL, 0 };

	if (acpi_cpus(tables_rsdp(), tables_map, check_listed, &listed) == ACPI_DAMAGED)
		return refuse("The ACPI tables are damaged: they may list CPUs that are not seen.");
	if (listed.complaint)
		return refuse("The CPU with APIC id %u could not be covered: %s.", listed.apic_id,
		    listed.complaint);
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
	return all_listed(cpus);
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
