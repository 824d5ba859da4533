# SPDX-License-Identifier: BSD-2-Clause-Patent
# tests/acpi: the test starter, \EFI\BOOT\BOOTX64.EFI of the test disks.

STARTER := $(B)/tests/acpi/starter.efi

$(B)/tests/acpi/dsdt.aml: tests/acpi/dsdt.asl
	@$(SETUP) image
	@mkdir -p $(@D)
	@iasl -ve -p $@ $< > $(@D)/iasl.log || { cat $(@D)/iasl.log; exit 1; }

$(B)/efi/tests/acpi/dsdt.o: EFI_CFLAGS += -Wa,-I$(B)/tests/acpi
$(B)/efi/tests/acpi/dsdt.o: $(B)/tests/acpi/dsdt.aml

STARTER_OBJS := $(call efi_objs,$(addprefix tests/acpi/,starter.c tables.c dsdt.S))
$(eval $(call efi_app,tests/acpi/starter,$(STARTER_OBJS)))
ALL_TARGETS += $(STARTER)
