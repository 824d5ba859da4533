# SPDX-License-Identifier: BSD-2-Clause-Patent
# tests/secureboot: keys of this build, variables with Secure Boot on, and what is tested with them.

SB := $(B)/tests/secureboot
SB_KEYS := $(addprefix $(SB)/keys/,$(addsuffix .cer,PK KEK db mok other))
SB_VARIANTS := firmware firmware-aside shim shim-aside revoked revoked-aside
SB_VARS := $(patsubst %,$(SB)/%.vars,$(SB_VARIANTS))

$(eval $(call efi_app,tests/secureboot/enroll,$(call efi_objs,tests/secureboot/enroll.c)))


$(SB_KEYS) &: tools/sign/keys.sh
	@tools/sign/keys.sh $(SB)/keys PK KEK db mok other
	@touch $(SB_KEYS)

$(SB_VARS): $(SB)/%.vars: $(SB)/enroll.efi $(SB_KEYS) tests/secureboot/enroll.py \
		tests/secureboot/keys.py tools/sign/variables.sh
	@echo '  ENROLL $@'
	@$(PY) tests/secureboot/enroll.py $* $@

# Programs that differ in their .sbat section, and so in what shim thinks of them. NAME:SECTION
sb_obj = $(call efi_objs,tests/secureboot/$(1).c)
SB_STARTER_OBJS := $(call efi_objs,$(addprefix tests/acpi/,starter.c tables.c dsdt.S))
tests/secureboot/starter_SECTIONS := .sbat=tests/secureboot/sbat/probe.csv
tests/secureboot/probe_SECTIONS := .sbat=tests/secureboot/sbat/probe.csv
tests/secureboot/probe-old_SECTIONS := .sbat=tests/secureboot/sbat/old.csv
tests/secureboot/probe-refused_SECTIONS := .sbat=tests/secureboot/sbat/refused.csv
tests/secureboot/redoubt-next_SECTIONS := .sbat=tests/secureboot/sbat/next.csv \
	$(filter-out .sbat=%,$(boot/redoubt_SECTIONS))
$(eval $(call efi_app,tests/secureboot/starter,$(SB_STARTER_OBJS)))
$(eval $(call efi_app,tests/secureboot/probe,$(call sb_obj,probe)))
$(eval $(call efi_app,tests/secureboot/probe-old,$(call sb_obj,probe)))
$(eval $(call efi_app,tests/secureboot/probe-refused,$(call sb_obj,probe)))
$(eval $(call efi_app,tests/secureboot/double,$(call sb_obj,double)))
$(eval $(call efi_app,tests/secureboot/redoubt-next,$(BOOT_OBJS)))
SB_APPS := $(addprefix $(SB)/,$(addsuffix .efi,enroll starter probe probe-old probe-refused double redoubt-next))
