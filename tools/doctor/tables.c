/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What stands in the tables; see acpi.h.
 */
#include "tools/doctor/acpi.h"
#include "tools/doctor/bytes.h"

#define MADT_ENTRIES	    44u
#define MADT_APIC	    0u
#define MADT_X2APIC	    9u
#define MADT_APIC_FLAGS	    4u
#define MADT_X2APIC_FLAGS   8u
#define MADT_ENABLED	    1u
#define MADT_ONLINE_CAPABLE 2u

#define DMAR_FLAGS   37u
#define DMAR_REMAPS  1u
#define DMAR_ENTRIES 48u
#define DMAR_DRHD    0u
#define DRHD_BASE    8u

#define IVRS_ENTRIES 48u
#define IVHD_BASE    8u

#define TPM2_START_METHOD 48u

#define FADT_PM1A_CONTROL   64u
#define FADT_FLAGS	    112u
#define FADT_X_PM1A_CONTROL 172u
#define FADT_HW_REDUCED	    (1u << 20)
#define GAS_SIZE	    12u
#define GAS_ADDRESS	    4u
#define GAS_IO		    1u

/* Entries of one table: what stands before their type-specific part. */
struct walk {
	struct bytes table;
	size_t at;	    /* of the next entry */
	unsigned type_size; /* bytes of type; the length follows, in as many */
	const uint8_t *entry;
	size_t size; /* of the entry */
	unsigned type;
};

static enum fact walk_next(struct walk *walk)
{
	size_t left = walk->table.size - walk->at;
	const uint8_t *entry = walk->table.data + walk->at;
	bool wide = walk->type_size == 2;

	if (left == 0)
		return FACT_ABSENT;
	if (left < 2 * walk->type_size)
		return FACT_DAMAGED;
	walk->type = wide ? get16(entry) : entry[0];
	walk->size = wide ? get16(entry + 2) : entry[1];
	if (walk->size < 2 * walk->type_size || walk->size > left)
		return FACT_DAMAGED;
	walk->entry = entry;
	walk->at += walk->size;
	return FACT_OK;
}

static struct walk walk_start(struct bytes table, size_t first, unsigned type_size)
{
	return (struct walk){ .table = table,
		.at = first < table.size ? first : table.size,
		.type_size = type_size };
}

static enum fact count_cpu(struct acpi_cpus *cpus, const struct walk *walk, size_t flags_at)
{
	uint32_t flags;

	if (flags_at + 4 > walk->size)
		return FACT_DAMAGED;
	flags = get32(walk->entry + flags_at);
	if (flags & MADT_ENABLED)
		cpus->enabled++;
	else if (flags & MADT_ONLINE_CAPABLE)
		cpus->addable++;
	else
		cpus->disabled++;
	return FACT_OK;
}

enum fact acpi_read_cpus(struct bytes madt, struct acpi_cpus *cpus)
{
	struct walk walk = walk_start(madt, MADT_ENTRIES, 1);
	enum fact fact;

	*cpus = (struct acpi_cpus){ 0 };
	while ((fact = walk_next(&walk)) == FACT_OK) {
		if (walk.type == MADT_APIC)
			fact = count_cpu(cpus, &walk, MADT_APIC_FLAGS);
		else if (walk.type == MADT_X2APIC)
			fact = count_cpu(cpus, &walk, MADT_X2APIC_FLAGS);
		if (fact != FACT_OK)
			break;
	}
	return fact == FACT_ABSENT ? FACT_OK : fact;
}

static enum fact count_unit(struct acpi_iommu *iommu, const struct walk *walk, size_t base_at)
{
	if (base_at + 8 > walk->size)
		return FACT_DAMAGED;
	if (iommu->units++ == 0)
		iommu->first_unit = get64(walk->entry + base_at);
	return FACT_OK;
}

enum fact acpi_read_dmar(struct bytes dmar, struct acpi_iommu *iommu)
{
	struct walk walk = walk_start(dmar, DMAR_ENTRIES, 2);
	enum fact fact;

	*iommu = (struct acpi_iommu){ 0 };
	if (dmar.size < DMAR_ENTRIES)
		return FACT_DAMAGED;
	iommu->remapping = dmar.data[DMAR_FLAGS] & DMAR_REMAPS;
	while ((fact = walk_next(&walk)) == FACT_OK) {
		if (walk.type == DMAR_DRHD)
			fact = count_unit(iommu, &walk, DRHD_BASE);
		if (fact != FACT_OK)
			break;
	}
	return fact == FACT_ABSENT ? FACT_OK : fact;
}

/* Each unit may stand there once for each type; which of them a system reads is its own choice. */
static bool is_unit(uint8_t type, unsigned *kind)
{
	*kind = type == 0x40 ? 2 : type & 1u;
	return type == 0x10 || type == 0x11 || type == 0x40;
}

/* A type in one byte, flags in one, the length in two. */
enum fact acpi_read_ivrs(struct bytes ivrs, struct acpi_iommu *iommu)
{
	struct acpi_iommu found[3] = { 0 };
	unsigned kind;

	*iommu = (struct acpi_iommu){ 0 };
	for (size_t at = IVRS_ENTRIES; at < ivrs.size;) {
		struct walk walk = { .entry = ivrs.data + at, .size = ivrs.size - at };

		if (walk.size < 4 || get16(walk.entry + 2) < 4 || get16(walk.entry + 2) > walk.size)
			return FACT_DAMAGED;
		walk.size = get16(walk.entry + 2);
		at += walk.size;
		if (is_unit(walk.entry[0], &kind) &&
		    count_unit(&found[kind], &walk, IVHD_BASE) != FACT_OK)
			return FACT_DAMAGED;
	}
	for (kind = 0; kind < 3; kind++)
		if (found[kind].units > iommu->units)
			*iommu = found[kind];
	iommu->remapping = iommu->units; /* part of AMD-Vi since its first version */
	return ivrs.size < IVRS_ENTRIES ? FACT_DAMAGED : FACT_OK;
}

enum fact acpi_read_tpm2(struct bytes tpm2, uint32_t *start_method)
{
	if (tpm2.size < TPM2_START_METHOD + 4)
		return FACT_DAMAGED;
	*start_method = get32(tpm2.data + TPM2_START_METHOD);
	return FACT_OK;
}

enum fact acpi_read_sleep(struct bytes fadt, uint16_t *pm1a_control)
{
	uint64_t port = 0;

	*pm1a_control = 0;
	if (fadt.size < FADT_PM1A_CONTROL + 4)
		return FACT_DAMAGED;
	if (fadt.size >= FADT_FLAGS + 4 && get32(fadt.data + FADT_FLAGS) & FADT_HW_REDUCED)
		return FACT_OK;
	if (fadt.size >= FADT_X_PM1A_CONTROL + GAS_SIZE && fadt.data[FADT_X_PM1A_CONTROL] == GAS_IO)
		port = get64(fadt.data + FADT_X_PM1A_CONTROL + GAS_ADDRESS);
	if (port == 0 || port > 0xffff)
		port = get32(fadt.data + FADT_PM1A_CONTROL);
	*pm1a_control = port <= 0xffff ? (uint16_t)port : 0;
	return FACT_OK;
}
