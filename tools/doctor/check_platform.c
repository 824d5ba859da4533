/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Checks of firmware and the board.
 */
#include "tools/doctor/acpi.h"
#include "tools/doctor/check.h"

#define CR4_LA57 (1ull << 12)
#define CR4_CET	 (1ull << 23)

/* Start methods of a TPM (TCG ACPI specification 1.3, table 9). */
#define START_ACPI     2u
#define START_TIS      6u
#define START_CRB      7u
#define START_CRB_ACPI 8u

static enum fact table(const struct exam *exam, const char *signature, struct bytes *bytes)
{
	return exam->source->table(exam->source->context, signature, bytes);
}

static void say_damaged(const struct exam *exam, const char *id, const char *signature)
{
	struct line *line = report_line(exam->report, id, ANSWER_NO, "firmware's table ");

	line_add(line, signature);
	line_add(line, " is damaged");
}

void check_firmware(const struct exam *exam, const char *id)
{
	unsigned bits = 0;
	enum fact fact = exam->source->firmware(exam->source->context, &bits);

	if (fact == FACT_OK && bits == 64) {
		report_line(exam->report, id, ANSWER_YES, "64-bit UEFI");
	} else if (fact == FACT_OK) {
		report_line(exam->report, id, ANSWER_NO, "32-bit UEFI");
		report_obstacle(exam->report, "Firmware is 32-bit UEFI.");
	} else if (fact == FACT_ABSENT) {
		report_line(exam->report, id, ANSWER_NO,
		    "this system was not started by UEFI (firmware may still offer it: look for "
		    "CSM or "
		    "legacy boot in its set-up)");
		report_obstacle(exam->report, "This system was not started by UEFI.");
	} else {
		say_doubt(exam, id, "whether it is UEFI");
	}
}

void check_firmware_state(const struct exam *exam, const char *id)
{
	const struct cpu *cpu = &exam->cpu;

	if (cpu->control != FACT_OK)
		report_line(exam->report, id, ANSWER_NOTE,
		    "paging and shadow stacks of firmware: only doctor.efi can see them");
	else if (cpu->cr4 & CR4_LA57)
		report_line(exam->report, id, ANSWER_NO, launch_sentence(LAUNCH_FIVE_LEVEL));
	else if (cpu->cr4 & CR4_CET)
		report_line(exam->report, id, ANSWER_NO, launch_sentence(LAUNCH_SHADOW_STACK));
	else
		report_line(exam->report, id, ANSWER_YES,
		    "firmware runs on four-level paging, without shadow stacks");
}

void check_secure_boot(const struct exam *exam, const char *id)
{
	const struct source *source = exam->source;
	uint8_t on = 0, setup = 0;
	enum fact fact = source->variable(source->context, "SecureBoot", &on);

	if (fact == FACT_ABSENT) {
		report_line(exam->report, id, ANSWER_NO, "firmware shows no state of Secure Boot");
	} else if (fact != FACT_OK) {
		say_hidden(exam, id, "state of Secure Boot");
	} else if (on == 1) {
		report_line(exam->report, id, ANSWER_YES,
		    "on: redoubt.efi must be signed by a key that firmware or shim trusts");
	} else if (source->variable(source->context, "SetupMode", &setup) == FACT_OK &&
	    setup == 1) {
		report_line(exam->report, id, ANSWER_NO,
		    "off, in setup mode: keys can be enrolled");
	} else {
		report_line(exam->report, id, ANSWER_NO, "off");
	}
}

void check_processors(const struct exam *exam, const char *id)
{
	struct processors found = { 0 };
	enum fact fact = exam->source->processors(exam->source->context, &found);
	struct line *line;

	if (fact == FACT_HIDDEN) {
		report_line(exam->report, id, ANSWER_NOTE,
		    "which CPUs firmware can run: only doctor.efi can ask");
		return;
	}
	if (fact != FACT_OK) {
		report_line(exam->report, id, ANSWER_NO, "firmware has no MP services");
		report_obstacle(exam->report,
		    "Firmware has no MP services, so the CPUs cannot all be reached.");
		return;
	}
	line = report_line(exam->report, id, found.disabled ? ANSWER_NO : ANSWER_YES,
	    "firmware runs ");
	line_dec(line, found.all - found.disabled);
	line_add(line, " of ");
	line_dec(line, found.all);
	line_add(line, " CPUs");
	if (found.disabled)
		report_obstacle(exam->report,
		    "A CPU is disabled or unhealthy: firmware cannot run it, but a guest could.");
	if (found.all > BOOTINFO_MAX_CPUS)
		report_obstacle(exam->report, "There are more CPUs than the monitor can hold.");
}

/*
 * The loader refuses where the tables list a CPU, as there or as one that can come, that firmware
 * did not show it. It compares APIC ids, this numbers: the same unless firmware runs CPUs without
 * listing them. Where firmware cannot be asked, one that can come is taken to be missing.
 */
static bool all_run(const struct exam *exam, const struct acpi_cpus *cpus)
{
	struct processors found = { 0 };

	if (exam->source->processors(exam->source->context, &found) != FACT_OK)
		return !cpus->addable;
	return cpus->enabled + cpus->addable <= found.all;
}

static void say_cpus(const struct exam *exam, const char *id, const struct acpi_cpus *cpus)
{
	struct line *line = report_line(exam->report, id, ANSWER_YES, "ACPI lists ");

	line_dec(line, cpus->enabled);
	line_add(line, " enabled");
	if (cpus->disabled) {
		line_add(line, ", ");
		line_dec(line, cpus->disabled);
		line_add(line, " disabled (entries not filled, or CPUs switched off in firmware)");
	}
	if (cpus->addable) {
		line_add(line, ", ");
		line_dec(line, cpus->addable);
		line_add(line, " that can be switched on later");
	}
	if (all_run(exam, cpus))
		return;
	line->answer = ANSWER_NO;
	report_obstacle(exam->report, "ACPI lists a CPU that firmware does not run, or not yet.");
}

void check_madt(const struct exam *exam, const char *id)
{
	struct bytes madt;
	struct acpi_cpus cpus;
	enum fact fact = table(exam, "APIC", &madt);

	if (fact == FACT_OK)
		fact = acpi_read_cpus(madt, &cpus);
	if (fact == FACT_OK) {
		say_cpus(exam, id, &cpus);
	} else if (fact == FACT_ABSENT) {
		report_line(exam->report, id, ANSWER_NO,
		    "firmware has no ACPI table of CPUs (MADT): an operating system finds one "
		    "only");
	} else if (fact == FACT_DAMAGED) {
		say_damaged(exam, id, "APIC (MADT)");
		report_obstacle(exam->report,
		    "ACPI's list of CPUs is damaged: it may list some that are not seen.");
	} else {
		say_doubt(exam, id, "ACPI's list of CPUs");
	}
}

/* FACT_OK with `name` of the kind; the worse of two facts otherwise. */
static enum fact find_iommu(const struct exam *exam, struct acpi_iommu *iommu, const char **name)
{
	struct bytes bytes;
	enum fact fact = table(exam, "DMAR", &bytes);

	*name = "DMAR";
	if (fact == FACT_OK)
		return acpi_read_dmar(bytes, iommu);
	if (fact != FACT_ABSENT)
		return fact;
	*name = "IVRS";
	fact = table(exam, "IVRS", &bytes);
	return fact == FACT_OK ? acpi_read_ivrs(bytes, iommu) : fact;
}

void check_iommu(const struct exam *exam, const char *id)
{
	struct acpi_iommu iommu;
	const char *name;
	enum fact fact = find_iommu(exam, &iommu, &name);
	struct line *line;

	if (fact == FACT_HIDDEN) {
		say_hidden(exam, id, "IOMMU");
	} else if (fact == FACT_DAMAGED) {
		say_damaged(exam, id, name);
	} else if (fact == FACT_ABSENT || iommu.units == 0) {
		report_line(exam->report, id, ANSWER_NO,
		    "none that ACPI lists (no DMAR, no IVRS): look for VT-d or AMD-Vi in "
		    "firmware's "
		    "set-up");
	} else {
		line = report_line(exam->report, id, ANSWER_YES,
		    name[0] == 'D' ? "VT-d (DMAR)" : "AMD-Vi (IVRS)");
		line_add(line, ", units: ");
		line_dec(line, iommu.units);
		line_add(line, ", the first at ");
		line_hex(line, iommu.first_unit);
		line_add(line, "; the monitor has no driver for it yet");
	}
}

void check_remapping(const struct exam *exam, const char *id)
{
	struct acpi_iommu iommu;
	const char *name;
	enum fact fact = find_iommu(exam, &iommu, &name);

	if (fact == FACT_HIDDEN)
		say_hidden(exam, id, "interrupt remapping");
	else if (fact == FACT_OK && iommu.units && iommu.remapping)
		report_line(exam->report, id, ANSWER_YES, "interrupts can be remapped");
	else
		report_line(exam->report, id, ANSWER_NO,
		    "interrupts cannot be remapped: a device can be made to forge them");
}

static const char *start_text(uint32_t method)
{
	switch (method) {
	case START_TIS:
		return "TPM 2.0, FIFO interface";
	case START_CRB:
	case START_CRB_ACPI:
		return "TPM 2.0, CRB interface";
	case START_ACPI:
		return "TPM 2.0, started by ACPI (in firmware)";
	default:
		return "TPM 2.0, an interface of its own kind";
	}
}

void check_tpm(const struct exam *exam, const char *id)
{
	struct bytes bytes;
	uint32_t method;
	enum fact fact = table(exam, "TPM2", &bytes);

	if (fact == FACT_OK)
		fact = acpi_read_tpm2(bytes, &method);
	if (fact == FACT_OK)
		report_line(exam->report, id, ANSWER_YES, start_text(method));
	else if (fact == FACT_DAMAGED)
		say_damaged(exam, id, "TPM2");
	else if (fact == FACT_HIDDEN)
		say_hidden(exam, id, "TPM");
	else if (table(exam, "TCPA", &bytes) == FACT_OK)
		report_line(exam->report, id, ANSWER_NO, "TPM 1.2 only, which is not enough");
	else
		report_line(exam->report, id, ANSWER_NO,
		    "none that ACPI lists: look for fTPM, PTT or security device in firmware's "
		    "set-up");
}

void check_sleep(const struct exam *exam, const char *id)
{
	struct bytes fadt;
	uint16_t port = 0;
	enum fact fact = table(exam, "FACP", &fadt);

	if (fact == FACT_OK)
		fact = acpi_read_sleep(fadt, &port);
	if (fact == FACT_HIDDEN) {
		say_hidden(exam, id, "sleep registers");
		exam->report->claims |= REDOUBT_DEGRADED_SUSPEND;
	} else if (fact == FACT_OK && port) {
		line_hex(report_line(exam->report, id, ANSWER_YES,
			     "can be refused; PM1 control at "),
		    port);
		exam->report->claims |= REDOUBT_DEGRADED_SUSPEND;
	} else {
		report_line(exam->report, id, ANSWER_NO,
		    "sleep registers are not known (no FADT, a damaged one, or hardware-reduced "
		    "ACPI): "
		    "a machine that sleeps wakes without the monitor");
		exam->report->claims |= REDOUBT_DEGRADED_SLEEP;
	}
}
