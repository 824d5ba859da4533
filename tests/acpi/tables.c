/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Builds and installs the ACPI tables; see tables.h. Layouts: ACPI specification 6.5, chapter 5. */
#include "tests/acpi/tables.h"

#include <stddef.h>

#include "tests/acpi/debugcon.h"

/* PIIX4 power management block where OVMF puts it, and chipset constants. */
enum {
	PM1_EVENT = 0xb000,
	PM1_CONTROL = 0xb004,
	PM_TIMER = 0xb008,
	PM1_SCI_EN = 1,
	RESET_PORT = 0xcf9,
	RESET_VALUE = 6, /* hard reset, now */
	SCI_IRQ = 9,
	CMOS_CENTURY = 0x32,
};

#define LAPIC_BASE  0xfee00000u
#define MISSING_CPU 0x7eu
#define IOAPIC_BASE 0xfec00000u

/* FADT flags and IA-PC boot flags (5.2.9). */
#define FADT_WBINVD    (1u << 0)
#define FADT_PROC_C1   (1u << 2)
#define FADT_SLP_BTN   (1u << 5)
#define FADT_RESET_REG (1u << 10)
#define BOOT_LEGACY    (1u << 0)
#define BOOT_8042      (1u << 1)

struct __attribute__((packed)) acpi_header {
	char signature[4];
	UINT32 length;
	UINT8 revision;
	UINT8 checksum;
	char oem_id[6];
	char oem_table[8];
	UINT32 oem_revision;
	char creator[4];
	UINT32 creator_revision;
};

struct __attribute__((packed)) acpi_address {
	UINT8 space; /* 1: I/O port */
	UINT8 bits;
	UINT8 offset;
	UINT8 access;
	UINT64 address;
};

struct __attribute__((packed)) acpi_fadt {
	struct acpi_header header;
	UINT32 facs;
	UINT32 dsdt;
	UINT8 reserved0;
	UINT8 profile;
	UINT16 sci_irq;
	UINT32 smi_command;
	UINT8 smi_values[4];
	UINT32 pm1a_event;
	UINT32 pm1b_event;
	UINT32 pm1a_control;
	UINT32 pm1b_control;
	UINT32 pm2_control;
	UINT32 pm_timer;
	UINT32 gpe[2];
	UINT8 pm1_event_length;
	UINT8 pm1_control_length;
	UINT8 pm2_control_length;
	UINT8 pm_timer_length;
	UINT8 gpe_lengths[4];
	UINT16 c2_latency;
	UINT16 c3_latency;
	UINT16 flush_size;
	UINT16 flush_stride;
	UINT8 duty[2];
	UINT8 day_alarm;
	UINT8 month_alarm;
	UINT8 century;
	UINT16 boot_flags;
	UINT8 reserved1;
	UINT32 flags;
	struct acpi_address reset;
	UINT8 reset_value;
	UINT8 reserved2[3];
	UINT64 x_facs;
	UINT64 x_dsdt;
	struct acpi_address x_pm1a_event;
	struct acpi_address x_pm1b_event;
	struct acpi_address x_pm1a_control;
	struct acpi_address x_pm1b_control;
	struct acpi_address x_pm2_control;
	struct acpi_address x_pm_timer;
	struct acpi_address x_gpe[2];
};
_Static_assert(sizeof(struct acpi_fadt) == 244, "FADT of ACPI 3 and 4");

struct __attribute__((packed)) acpi_facs {
	char signature[4];
	UINT32 length;
	UINT32 hardware_signature;
	UINT32 waking_vector;
	UINT32 global_lock;
	UINT32 flags;
	UINT64 x_waking_vector;
	UINT8 version;
	UINT8 reserved[31];
};
_Static_assert(sizeof(struct acpi_facs) == 64, "FACS");

struct __attribute__((packed)) madt {
	struct acpi_header header;
	UINT32 lapic;
	UINT32 flags; /* 1: the machine has 8259s too */
};

struct __attribute__((packed)) madt_lapic {
	UINT8 type, length; /* 0, 8 */
	UINT8 uid;
	UINT8 id;
	UINT32 flags; /* 1: enabled */
};

struct __attribute__((packed)) madt_ioapic {
	UINT8 type, length; /* 1, 12 */
	UINT8 id;
	UINT8 reserved;
	UINT32 address;
	UINT32 first_gsi;
};

struct __attribute__((packed)) madt_override {
	UINT8 type, length; /* 2, 10 */
	UINT8 bus;
	UINT8 irq;
	UINT32 gsi;
	UINT16 flags;
};

struct __attribute__((packed)) madt_nmi {
	UINT8 type, length; /* 4, 6 */
	UINT8 uid;	    /* 0xff: every CPU */
	UINT16 flags;
	UINT8 lint;
};

/* The MP services protocol of the PI specification (volume 2, 13.4), as far as it is used. */
struct mp_cpu {
	UINT64 apic_id;
	UINT32 status;
	UINT32 package, core, thread;
	UINT64 extended[3];
};

struct mp_services {
	EFI_STATUS(EFIAPI *get_number)(struct mp_services *, UINTN *all, UINTN *enabled);
	EFI_STATUS(EFIAPI *get_info)(struct mp_services *, UINTN index, struct mp_cpu *);
};

#define MP_ENABLED (1u << 1)
#define MAX_CPUS   64 /* more than Bochs can have */

/* As they are handed to firmware, which copies them. */
struct tables {
	struct acpi_fadt fadt;
	UINT8 pad[12];
	UINT8 madt[1024];
	UINT8 dsdt[2048];
};
_Static_assert(sizeof(struct tables) <= 4096, "tables fit the page allocated for them");
_Static_assert(sizeof(struct madt) + (MAX_CPUS + 1) * sizeof(struct madt_lapic) + 64 <= 1024,
    "MADT fits");

extern const UINT8 dsdt_begin[], dsdt_end[];

static void copy(void *to, const void *from, UINTN size)
{
	UINT8 *t = to;
	const UINT8 *f = from;

	while (size--)
		*t++ = *f++;
}

static UINT8 checksum(const void *data, UINTN size)
{
	const UINT8 *p = data;
	UINT8 sum = 0;

	while (size--)
		sum = (UINT8)(sum + *p++);
	return (UINT8)-sum;
}

static void fill_header(struct acpi_header *header, const char *signature, UINTN size,
    UINT8 revision)
{
	copy(header->signature, signature, 4);
	header->length = (UINT32)size;
	header->revision = revision;
	copy(header->oem_id, "RDBT  ", 6);
	copy(header->oem_table, "RDBTTEST", 8);
	header->oem_revision = 1;
	copy(header->creator, "RDBT", 4);
	header->creator_revision = 1;
	header->checksum = 0;
	header->checksum = checksum(header, size);
}

static struct acpi_address io_port(UINT8 bits, UINT16 port)
{
	return (struct acpi_address){ .space = 1, .bits = bits, .address = port };
}

static void fill_fadt(struct tables *t, struct acpi_facs *facs)
{
	struct acpi_fadt *f = &t->fadt;

	f->facs = (UINT32)(UINTN)facs;
	f->dsdt = (UINT32)(UINTN)t->dsdt;
	f->x_dsdt = (UINTN)t->dsdt;
	f->sci_irq = SCI_IRQ;
	f->pm1a_event = PM1_EVENT;
	f->pm1_event_length = 4;
	f->x_pm1a_event = io_port(32, PM1_EVENT);
	f->pm1a_control = PM1_CONTROL;
	f->pm1_control_length = 2;
	f->x_pm1a_control = io_port(16, PM1_CONTROL);
	f->pm_timer = PM_TIMER;
	f->pm_timer_length = 4;
	f->x_pm_timer = io_port(32, PM_TIMER);
	f->c2_latency = 0xfff; /* not supported */
	f->c3_latency = 0xfff;
	f->century = CMOS_CENTURY;
	f->boot_flags = BOOT_LEGACY | BOOT_8042;
	f->flags = FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BTN | FADT_RESET_REG;
	f->reset = io_port(8, RESET_PORT);
	f->reset_value = RESET_VALUE;
	fill_header(&f->header, "FACP", sizeof(*f), 4);
}

static void fill_facs(struct acpi_facs *facs)
{
	*facs = (struct acpi_facs){ .length = sizeof(*facs), .version = 1 };
	copy(facs->signature, "FACS", 4);
}

/* Appends one LAPIC entry for each enabled CPU at `to`; returns the place behind the last. */
static UINT8 *add_cpus(UINT8 *to, struct mp_services *mp)
{
	UINTN all = 0, enabled = 0;
	struct mp_cpu cpu;

	if (mp->get_number(mp, &all, &enabled))
		return to;
	for (UINTN i = 0; i < all && i < MAX_CPUS; i++) {
		if (mp->get_info(mp, i, &cpu) || !(cpu.status & MP_ENABLED))
			continue;
		struct madt_lapic entry = { 0, 8, (UINT8)i, (UINT8)cpu.apic_id, 1 };

		copy(to, &entry, sizeof(entry));
		to += sizeof(entry);
	}
	return to;
}

/* I/O APIC, the two ISA lines that differ from the default, NMI on LINT1 of every CPU. */
static UINT8 *add_interrupts(UINT8 *to, UINT8 ioapic_id)
{
	const struct madt_ioapic ioapic = { 1, 12, ioapic_id, 0, IOAPIC_BASE, 0 };
	const struct madt_override pit = { 2, 10, 0, 0, 2, 0 };
	const struct madt_override sci = { 2, 10, 0, SCI_IRQ, SCI_IRQ,
		0xf }; /* level, active low */
	const struct madt_nmi nmi = { 4, 6, 0xff, 0, 1 };

	copy(to, &ioapic, sizeof(ioapic));
	to += sizeof(ioapic);
	copy(to, &pit, sizeof(pit));
	to += sizeof(pit);
	copy(to, &sci, sizeof(sci));
	to += sizeof(sci);
	copy(to, &nmi, sizeof(nmi));
	return to + sizeof(nmi);
}

/* A CPU that is not there, as a board with a free socket may list it. */
static UINT8 *add_missing(UINT8 *to, UINT32 flags)
{
	struct madt_lapic entry = { 0, 8, MISSING_CPU, MISSING_CPU, flags };

	if (!flags)
		return to;
	copy(to, &entry, sizeof(entry));
	return to + sizeof(entry);
}

static UINTN fill_madt(struct tables *t, struct mp_services *mp, UINT32 missing)
{
	struct madt *madt = (struct madt *)t->madt;
	UINT8 *first = t->madt + sizeof(*madt);
	UINT8 *end = add_cpus(first, mp);
	UINTN cpus = (UINTN)(end - first) / sizeof(struct madt_lapic);

	end = add_interrupts(add_missing(end, missing), (UINT8)cpus);
	madt->lapic = LAPIC_BASE;
	madt->flags = 1;
	fill_header(&madt->header, "APIC", (UINTN)(end - t->madt), 3);
	return cpus;
}

static EFI_STATUS page_below_4g(EFI_BOOT_SERVICES *bs, EFI_MEMORY_TYPE type, void **page)
{
	EFI_PHYSICAL_ADDRESS addr = 0xffffffff;
	EFI_STATUS status = bs->AllocatePages(AllocateMaxAddress, type, 1, &addr);

	if (status)
		return status;
	*page = (void *)(UINTN)addr;
	bs->SetMem(*page, 4096, 0);
	return EFI_SUCCESS;
}

static EFI_STATUS find_mp_services(EFI_BOOT_SERVICES *bs, struct mp_services **mp)
{
	EFI_GUID guid = { 0x3fdda605, 0xa76e, 0x4f46,
		{ 0xad, 0x29, 0x12, 0xf4, 0x53, 0x1b, 0x3d, 0x08 } };

	return bs->LocateProtocol(&guid, NULL, (void **)mp);
}

struct acpi_protocol {
	EFI_STATUS(EFIAPI *install)
	(struct acpi_protocol *self, const void *table, UINTN size, UINTN *key);
	EFI_STATUS(EFIAPI *uninstall)(struct acpi_protocol *self, UINTN key);
};

enum { FADT, FACS, DSDT, MADT, TABLES };

/*
 * Through firmware's protocol, so that whoever installs a further one by it later finds these among
 * firmware's own (UEFI 2.10 20.2). It copies them, and makes the roots and the FADT's pointers.
 * Those of the last time go first.
 */
static EFI_STATUS install(EFI_BOOT_SERVICES *bs, const struct tables *t,
    const struct acpi_facs *facs)
{
	EFI_GUID guid = { 0xffe06bdd, 0x6107, 0x46a6,
		{ 0x7b, 0xb2, 0x5a, 0x9c, 0x7e, 0xc5, 0x27, 0x5c } };
	static UINTN keys[TABLES], installed;
	const struct madt *madt = (const struct madt *)t->madt;
	const struct {
		const void *table;
		UINTN size;
	} all[TABLES] = {
		[FADT] = { &t->fadt, sizeof(t->fadt) },
		[FACS] = { facs, sizeof(*facs) },
		[DSDT] = { t->dsdt, (UINTN)(dsdt_end - dsdt_begin) },
		[MADT] = { madt, madt->header.length },
	};
	struct acpi_protocol *acpi;
	EFI_STATUS status = bs->LocateProtocol(&guid, NULL, (void **)&acpi);

	while (!status && installed > 0)
		status = acpi->uninstall(acpi, keys[--installed]);
	while (!status && installed < TABLES) {
		status = acpi->install(acpi, all[installed].table, all[installed].size,
		    &keys[installed]);
		installed += status == EFI_SUCCESS;
	}
	return status;
}

EFI_STATUS install_acpi_tables(EFI_SYSTEM_TABLE *system, UINT32 missing)
{
	EFI_BOOT_SERVICES *bs = system->BootServices;
	UINTN dsdt_size = (UINTN)(dsdt_end - dsdt_begin);
	struct mp_services *mp = NULL;
	struct tables *t = NULL;
	struct acpi_facs *facs = NULL;
	EFI_STATUS status;

	if (dsdt_size > sizeof(t->dsdt))
		return EFI_BUFFER_TOO_SMALL;
	if ((status = find_mp_services(bs, &mp)) ||
	    (status = page_below_4g(bs, EfiACPIReclaimMemory, (void **)&t)) ||
	    (status = page_below_4g(bs, EfiACPIMemoryNVS, (void **)&facs)))
		return status;
	copy(t->dsdt, dsdt_begin, dsdt_size);
	fill_facs(facs);
	fill_fadt(t, facs);
	debug_text("starter: acpi tables with CPUs: ");
	debug_hex(fill_madt(t, mp, missing));
	debug_text("\n");
	port_out16(PM1_CONTROL, port_in16(PM1_CONTROL) | PM1_SCI_EN);
	return install(bs, t, facs);
}
