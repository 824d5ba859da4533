# SPDX-License-Identifier: BSD-2-Clause-Patent
# tests/secureboot: keys of this build, variables with Secure Boot on, and what is tested with them.

SB := $(B)/tests/secureboot
SB_KEY_NAMES := PK KEK db second mok other
SB_KEYS := $(patsubst %,$(SB)/keys/%.cer,$(SB_KEY_NAMES))
SB_VARS := $(patsubst %,$(SB)/%.vars,firmware off shim revoked)
SB_VARS_ASIDE := $(patsubst %,$(SB)/%.vars,firmware-aside shim-aside) # chains.py --aside
# A check has each verdict once and each chain's shortest form; soak has all, with every number of CPUs.
SB_REFUSALS := firmware off unsigned shim sbat not-revoked old-shim covered covered-shim \
	$(if $(SOAK),sbat-direct)
SB_CHECK_CHAINS := firmware-stub:2:--once shim-stub:1: off-stub:1:--once
SB_SOAK_CHAINS := firmware-stub:1: firmware-stub:2: firmware-stub:4: shim-stub:1: shim-stub:2: shim-stub:4: \
	firmware-shim:1: shim-grub:2: shim-shim:1: off-stub:2:
SB_CHAINS := $(if $(SOAK),$(SB_SOAK_CHAINS),$(SB_CHECK_CHAINS))
# CHAIN:CPUS:OPTION, taken apart.
sb_word = $(word $(2),$(subst :, ,$(1)))

# Programs, some of them once more with another .sbat section, and so judged differently by shim.
SB_SBAT := tests/secureboot/sbat
sb_objs = $(call efi_objs,tests/secureboot/$(1).c)
tests/secureboot/starter_SECTIONS := .sbat=$(SB_SBAT)/probe.csv
tests/secureboot/probe_SECTIONS := .sbat=$(SB_SBAT)/probe.csv
tests/secureboot/probe-old_SECTIONS := .sbat=$(SB_SBAT)/old.csv
tests/secureboot/probe-refused_SECTIONS := .sbat=$(SB_SBAT)/refused.csv
tests/secureboot/probe-unstarted_SECTIONS := .sbat=$(SB_SBAT)/unstarted.csv
tests/secureboot/probe-deleted_SECTIONS := .sbat=$(SB_SBAT)/deleted.csv
tests/secureboot/resident_SUBSYSTEM := boot-driver
tests/secureboot/redoubt-next_SECTIONS := .sbat=$(SB_SBAT)/next.csv \
	$(filter-out .sbat=%,$(boot/redoubt_SECTIONS))
$(eval $(call efi_app,tests/secureboot/enroll,$(call sb_objs,enroll)))
$(eval $(call efi_app,tests/secureboot/starter,$(STARTER_OBJS)))
$(eval $(call efi_app,tests/secureboot/probe,$(call sb_objs,probe)))
$(eval $(call efi_app,tests/secureboot/probe-old,$(call sb_objs,probe)))
$(eval $(call efi_app,tests/secureboot/probe-refused,$(call sb_objs,probe)))
$(eval $(call efi_app,tests/secureboot/probe-unstarted,$(call sb_objs,probe)))
$(eval $(call efi_app,tests/secureboot/probe-deleted,$(call sb_objs,probe)))
$(eval $(call efi_app,tests/secureboot/resident,$(call sb_objs,resident)))
$(eval $(call efi_app,tests/secureboot/double,$(call sb_objs,double)))
$(eval $(call efi_app,tests/secureboot/redoubt-next,$(BOOT_OBJS)))
SB_APPS := $(patsubst %,$(SB)/%.efi,enroll starter probe probe-old probe-refused probe-unstarted \
	probe-deleted resident double redoubt-next)
ALL_TARGETS += $(SB_APPS)

$(SB_KEYS) &: tools/sign/keys.sh
	@tools/sign/keys.sh $(SB)/keys $(SB_KEY_NAMES)
	@touch $(SB_KEYS)

$(SB_VARS) $(SB_VARS_ASIDE): $(SB)/%.vars: $(SB)/enroll.efi $(SB_KEYS) tests/secureboot/enroll.py \
		tests/secureboot/keys.py tools/sign/variables.sh
	@echo '  ENROLL $@'
	@$(PY) tests/secureboot/enroll.py $* $@

.PHONY: check-secureboot setup-secureboot
setup-secureboot:
	@$(SETUP) build image qemu initramfs kernel-cloud secureboot libtpms mbedtls vtpm-test
	@$(MAKE) --no-print-directory -s $(LINUX_FILES) $(SB_APPS) $(SB_VARS) $(TCG2_PROBE) $(B)/boot/redoubt-vtpm.efi

check-secureboot: setup-secureboot ## Secure Boot on QEMU: who is started and refused, Debian in each chain
	@status=0; for t in $(SB_REFUSALS); do \
		tests/run --time 200 secureboot-$$t -- $(PY) tests/secureboot/refusals.py $$t || status=1; \
	done; \
	tests/run --time 640 secureboot-measured -- $(PY) tests/secureboot/measured.py $(if $(SOAK),--all) || status=1; \
	$(foreach t,$(SB_CHAINS),tests/run --time $(if $(SOAK),900,300) \
		secureboot-$(call sb_word,$(t),1)-$(call sb_word,$(t),2) -- $(PY) tests/secureboot/chains.py \
		$(call sb_word,$(t),1) --cpus $(call sb_word,$(t),2) --time $(if $(SOAK),840,240) \
		$(call sb_word,$(t),3) || status=1;) \
	exit $$status

CHECK_TESTS += check-secureboot
CHECK_SETUP += setup-secureboot
SOAK_TESTS += check-secureboot
