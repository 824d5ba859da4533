/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The vTPM's ACPI tables, and the platform's TPM out of its way (vtpm.h).
 */
#include "boot/vtpm.h"

#include <stddef.h>

#include "boot/console.h"
#include "boot/hide.h"
#include "boot/tables.h"
#include "boot/tcg2.h"
#include "monitor/abi/tpm.h"

#define TPM2_REVISION	  4
#define CONTROL_AREA	  (TPM_BASE + 0x40u)
#define START_BY_FIFO	  6u /* FIFO or TIS, at TPM_BASE always */
#define START_BY_REGISTER 7u /* Command Response Buffer Interface */

#define ACPI_PROTOCOL_GUID                                                                         \
	{                                                                                          \
		0xffe06bdd, 0x6107, 0x46a6,                                                        \
		{                                                                                  \
			0x7b, 0xb2, 0x5a, 0x9c, 0x7e, 0xc5, 0x27, 0x5c                             \
		}                                                                                  \
	}

typedef struct acpi_table_protocol acpi_table_protocol_t;

/* UEFI 2.10 20.2. */
struct acpi_table_protocol {
	EFI_STATUS(EFIAPI *install)
	(acpi_table_protocol_t *self, const void *table, UINTN size, UINTN *key);
	EFI_STATUS(EFIAPI *uninstall)(acpi_table_protocol_t *self, UINTN key);
};

struct tpm2_table {
	char signature[4];
	UINT32 length;
	UINT8 revision, checksum;
	char oem[6], oem_table[8];
	UINT32 oem_revision;
	char creator[4];
	UINT32 creator_revision;
	UINT16 platform_class, reserved;
	UINT64 control_area;
	UINT32 start_method;
	UINT8 parameters[12];
	UINT32 log_room;
	UINT64 log;
} __attribute__((packed));

_Static_assert(sizeof(struct tpm2_table) == 76, "as the specification has it");

extern const UINT8 vtpm_ssdt[], vtpm_ssdt_end[];

static BOOLEAN is_vtpm(struct blob file)
{
	return CompareMem(partition_id(file), TPM_ID, sizeof(TPM_ID)) == 0;
}

/* Whether the platform's TPM has its registers where the partition will look for them. */
static BOOLEAN is_at_base(void)
{
	struct acpi_table found;
	struct tpm2_table table;

	if (acpi_find_table(tables_rsdp(), tables_map, NULL, "TPM2", &found) != ACPI_OK ||
	    found.length < offsetof(struct tpm2_table, parameters))
		return FALSE;
	CopyMem(&table, found.data, offsetof(struct tpm2_table, parameters));
	return table.start_method == START_BY_FIFO ||
	    (table.start_method == START_BY_REGISTER && table.control_area == CONTROL_AREA);
}

enum vtpm_place vtpm_settle(struct partitions *partitions)
{
	unsigned at = 0;

	while (at < partitions->count && !is_vtpm(partitions->file[at]))
		at++;
	if (at == partitions->count)
		return VTPM_NONE;
	if (!tcg2_present())
		return VTPM_ALONE;
	if (is_at_base())
		return VTPM_BOUND;
	say("note: this machine's TPM has no registers at 0x%x (TIS, or CRB started by a "
	    "register): "
	    "the vTPM is left out",
	    TPM_BASE);
	partitions->count--;
	for (; at < partitions->count; at++)
		partitions->file[at] = partitions->file[at + 1];
	return VTPM_NONE;
}

void vtpm_hide_platform(void)
{
	const struct acpi_memory memory = { tables_map, tables_write, NULL };

	if (!hide_tables(tables_rsdp(), &memory, "TPM2") ||
	    !hide_device(tables_rsdp(), &memory, "MSFT0101"))
		say("note: firmware does not let its TPM be hidden: two devices share one address");
}

/* Firmware makes the checksums. */
void vtpm_tell(struct blob log)
{
	static EFI_GUID guid = ACPI_PROTOCOL_GUID;
	const struct tpm2_table tpm2 = {
		.signature = { 'T', 'P', 'M', '2' },
		.length = sizeof(tpm2),
		.revision = TPM2_REVISION,
		.oem = { 'R', 'D', 'O', 'U', 'B', 'T' },
		.oem_table = { 'V', 'T', 'P', 'M' },
		.oem_revision = 1,
		.creator = { 'R', 'D', 'B', 'T' },
		.creator_revision = 1,
		.control_area = CONTROL_AREA,
		.start_method = START_BY_REGISTER,
		.log_room = (UINT32)log.size,
		.log = (UINTN)log.data,
	};
	acpi_table_protocol_t *acpi;
	UINTN key, other;
	EFI_STATUS status = BS->LocateProtocol(&guid, NULL, (void **)&acpi);

	if (!EFI_ERROR(status))
		status = acpi->install(acpi, &tpm2, sizeof(tpm2), &key);
	if (!EFI_ERROR(status)) {
		status = acpi->install(acpi, vtpm_ssdt, (UINTN)(vtpm_ssdt_end - vtpm_ssdt), &other);
		if (EFI_ERROR(status))
			acpi->uninstall(acpi, key);
	}
	if (EFI_ERROR(status))
		say("note: firmware takes no ACPI tables, no operating system finds the vTPM (%s)",
		    status_text(status));
	else
		detail("vtpm: registers at 0x%x, tables TPM2 and SSDT", TPM_BASE);
}
