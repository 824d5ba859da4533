# SPDX-License-Identifier: BSD-2-Clause-Patent
# tests/acpi: the test starter, \EFI\BOOT\BOOTX64.EFI of the test disks.

STARTER := $(B)/tests/acpi/starter.efi
STARTER_OBJS := $(addprefix $(B)/tests/acpi/,starter.o tables.o dsdt.o)

$(B)/tests/acpi/dsdt.aml: tests/acpi/dsdt.asl
	@mkdir -p $(@D)
	iasl -ve -p $@ $< > $(@D)/iasl.log || { cat $(@D)/iasl.log; exit 1; }

$(B)/tests/acpi/dsdt.o: tests/acpi/dsdt.S $(B)/tests/acpi/dsdt.aml
	$(CC) -c -Wa,-I$(B)/tests/acpi $< -o $@

$(B)/tests/acpi/%.o: tests/acpi/%.c
	@mkdir -p $(@D)
	$(CC) $(EFI_CFLAGS) $(DEPS) -c $< -o $@

$(B)/tests/acpi/starter.so: $(STARTER_OBJS)
	$(LD) -nostdlib -znocombreloc -shared -Bsymbolic -T /usr/lib/elf_x86_64_efi.lds \
		/usr/lib/crt0-efi-x86_64.o $^ -o $@ -L/usr/lib -lgnuefi

$(STARTER): $(B)/tests/acpi/starter.so
	$(OBJCOPY) -j .text -j .sdata -j .data -j .rodata -j .dynamic -j .dynsym -j '.rel*' -j .reloc \
		--target efi-app-x86_64 --subsystem=10 $< $@

-include $(STARTER_OBJS:.o=.d)
ALL_TARGETS += $(STARTER)
