# SPDX-License-Identifier: BSD-2-Clause-Patent
# tools/doctor: what a machine offers, on Linux and as an EFI application.

DOCTOR := $(B)/tools/doctor/doctor
DOCTOR_CORE := $(wildcard tools/doctor/*.c)
DOCTOR_OBJS := $(patsubst %,$(B)/linux/%.o,$(basename $(DOCTOR_CORE) \
	$(wildcard tools/doctor/linux/*.c tools/doctor/linux/*.S)))
DOCTOR_CFLAGS := -std=gnu17 -O2 $(WARN) $(REPRO) -I. -D_GNU_SOURCE

$(B)/linux/tools/doctor/%.o: tools/doctor/%.c
	@mkdir -p $(@D)
	@echo '  CC $@'
	@$(CC) $(DOCTOR_CFLAGS) $(DEPS) -c $< -o $@

$(B)/linux/tools/doctor/%.o: tools/doctor/%.S
	@mkdir -p $(@D)
	@echo '  CC $@'
	@$(CC) $(DOCTOR_CFLAGS) $(DEPS) -c $< -o $@

# Static: it can be carried to another machine.
$(DOCTOR): $(DOCTOR_OBJS)
	@mkdir -p $(@D)
	$(CC) -static -s $^ -o $@

-include $(DOCTOR_OBJS:.o=.d)
ALL_TARGETS += $(DOCTOR)

.PHONY: doctor
doctor: setup-build ## what this machine offers Redoubt, line by line (as root it can read more)
	@$(MAKE) --no-print-directory -s $(DOCTOR)
	@$(DOCTOR) || [ $$? -le 2 ]

# ---- The same on the target itself ----

DOCTOR_EFI := $(B)/tools/doctor.efi
$(eval $(call efi_app,tools/doctor,$(call efi_objs,$(DOCTOR_CORE) $(wildcard tools/doctor/efi/*.c \
	tools/doctor/efi/*.S))))
ALL_TARGETS += $(DOCTOR_EFI)
