# SPDX-License-Identifier: BSD-2-Clause-Patent
# tests/secureboot: keys of this build, variables with Secure Boot on, and what is tested with them.

SB := $(B)/tests/secureboot
SB_KEY_NAMES := PK KEK db mok other
SB_KEYS := $(patsubst %,$(SB)/keys/%.cer,$(SB_KEY_NAMES))
SB_VARIANTS := firmware firmware-aside firmware-forged off-aside shim shim-aside revoked revoked-aside
SB_VARS := $(patsubst %,$(SB)/%.vars,$(SB_VARIANTS))
SB_REFUSALS := firmware off unsigned shim sbat not-revoked sbat-direct old-shim covered covered-shim \
	forged
SB_CHAINS := firmware-stub firmware-shim shim-stub shim-grub shim-shim
# What a check leaves out, to stay in its time: the reboot in most of them.
SB_firmware-stub := $(if $(SOAK),--cpus 4)
SB_firmware-shim := $(if $(SOAK),,--once)
SB_shim-stub := --cpus 2
SB_shim-grub := $(if $(SOAK),,--once)
SB_shim-shim := $(if $(SOAK),,--once)

# Programs, some of them once more with another .sbat section, and so judged differently by shim.
SB_SBAT := tests/secureboot/sbat
sb_objs = $(call efi_objs,tests/secureboot/$(1).c)
tests/secureboot/starter_SECTIONS := .sbat=$(SB_SBAT)/probe.csv
tests/secureboot/probe_SECTIONS := .sbat=$(SB_SBAT)/probe.csv
tests/secureboot/probe-old_SECTIONS := .sbat=$(SB_SBAT)/old.csv
tests/secureboot/probe-refused_SECTIONS := .sbat=$(SB_SBAT)/refused.csv
tests/secureboot/redoubt-next_SECTIONS := .sbat=$(SB_SBAT)/next.csv \
	$(filter-out .sbat=%,$(boot/redoubt_SECTIONS))
$(eval $(call efi_app,tests/secureboot/enroll,$(call sb_objs,enroll)))
$(eval $(call efi_app,tests/secureboot/starter,$(STARTER_OBJS)))
$(eval $(call efi_app,tests/secureboot/probe,$(call sb_objs,probe)))
$(eval $(call efi_app,tests/secureboot/probe-old,$(call sb_objs,probe)))
$(eval $(call efi_app,tests/secureboot/probe-refused,$(call sb_objs,probe)))
$(eval $(call efi_app,tests/secureboot/double,$(call sb_objs,double)))
$(eval $(call efi_app,tests/secureboot/redoubt-next,$(BOOT_OBJS)))
SB_APPS := $(patsubst %,$(SB)/%.efi,enroll starter probe probe-old probe-refused double redoubt-next)
ALL_TARGETS += $(SB_APPS)

$(SB_KEYS) &: tools/sign/keys.sh
	@tools/sign/keys.sh $(SB)/keys $(SB_KEY_NAMES)
	@touch $(SB_KEYS)

$(SB_VARS): $(SB)/%.vars: $(SB)/enroll.efi $(SB_KEYS) tests/secureboot/enroll.py \
		tests/secureboot/keys.py tools/sign/variables.sh
	@echo '  ENROLL $@'
	@$(PY) tests/secureboot/enroll.py $* $@

.PHONY: check-secureboot setup-secureboot
setup-secureboot:
	@$(SETUP) build image qemu initramfs kernel-cloud secureboot
	@$(MAKE) --no-print-directory -s $(LINUX_FILES) $(SB_APPS) $(SB_VARS)

check-secureboot: setup-secureboot ## Secure Boot on QEMU: who is started and refused, Debian in each chain
	@status=0; for t in $(SB_REFUSALS); do \
		tests/run --time 200 secureboot-$$t -- $(PY) tests/secureboot/refusals.py $$t || status=1; \
	done; \
	$(foreach t,$(SB_CHAINS),tests/run --time 300 secureboot-$(t) -- \
		$(PY) tests/secureboot/chains.py $(t) $(SB_$(t)) || status=1;) \
	exit $$status

CHECK_TESTS += check-secureboot
SOAK_TESTS += check-secureboot
