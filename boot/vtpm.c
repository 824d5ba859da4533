/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The vTPM's ACPI tables (vtpm.h).
 */
#include "boot/vtpm.h"

#include "boot/console.h"
#include "boot/tcg2.h"
#include "monitor/abi/tpm.h"

#define TPM2_REVISION	  4
#define CONTROL_AREA	  (TPM_BASE + 0x40u)
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

BOOLEAN vtpm_settle(struct partitions *partitions)
{
	struct tpm platform;
	unsigned at = 0;

	while (at < partitions->count && !is_vtpm(partitions->file[at]))
		at++;
	if (at == partitions->count)
		return FALSE;
	if (!tcg2_open(&platform))
		return TRUE;
	say("note: this machine has a TPM of its own: the vTPM is left out");
	partitions->count--;
	for (; at < partitions->count; at++)
		partitions->file[at] = partitions->file[at + 1];
	return FALSE;
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
