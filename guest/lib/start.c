/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * From UEFI to a guest of our own.
 */
#include <efi.h>

#include "guest/lib/apic.h"
#include "guest/lib/firmware.h"
#include "guest/lib/guest.h"
#include "guest/lib/low.h"
#include "guest/lib/memory.h"
#include "guest/lib/power.h"
#include "guest/lib/text.h"
#include "guest/lib/trap.h"
#include "guest/lib/x86.h"

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);
_Noreturn void on_stack(uint64_t top, void (*fn)(void *arg));

/* The control bits that tests start from, whatever firmware left. */
static void control_registers(void)
{
	uint64_t osxsave = cpuid(1, 0).ecx & 1u << 26 ? CR4_OSXSAVE : 0;

	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE | EFER_SCE);
	write_cr0(CR0_PG | CR0_PE | CR0_WP | CR0_NE | CR0_ET | CR0_MP);
	write_cr4(CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_DE | osxsave);
}

static void after_start(void *arg)
{
	apic_init();
	pic_mask();
	guest_main();
	power_off();
}

static void take_machine(const struct firmware *f)
{
	uint64_t root;

	irq_off();
	root = memory_build(f->low);
	cpu_tables_init(f->cpus);
	for (unsigned i = 0; i < f->cpus; i++)
		cpu_at(i)->apic_id = f->apic_ids[i];
	cpu_tables_load(cpu_at(0));
	cpu_at(0)->online = true;
	write_cr3(root);
	control_registers();
	low_init();
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	static struct firmware firmware;

	firmware_options(image, system);
	firmware_collect(system, &firmware);
	pages_init(firmware.pool, firmware.pool_pages);
	guest_in_firmware();
	firmware_exit(image, system);
	take_machine(&firmware);
	on_stack(cpu_at(0)->stack_top, after_start);
}
