# SPDX-License-Identifier: BSD-2-Clause-Patent
# tests/tcg2: EFI_TCG2_PROTOCOL above the vTPM, used by the next loader.

TCG2_PROBE := $(B)/tests/tcg2/probe.efi
tests/tcg2/probe_SECTIONS := .sbat=tests/secureboot/sbat/probe.csv
$(eval $(call efi_app,tests/tcg2/probe,$(call efi_objs,$(addprefix tests/tcg2/,probe.c commands.c) \
	$(addprefix boot/,file.c sha256.c text.c vtpm_crb.c))))
ALL_TARGETS += $(TCG2_PROBE)

.PHONY: check-vtpm-tcg2 setup-vtpm-tcg2
setup-vtpm-tcg2: setup-machines
	@$(SETUP) libtpms mbedtls vtpm-test
	@$(MAKE) --no-print-directory -s $(TCG2_PROBE) $(STARTER) $(B)/boot/redoubt-vtpm.efi

check-vtpm-tcg2: setup-vtpm-tcg2 ## EFI_TCG2_PROTOCOL of the vTPM: each function, rightly and wrongly; the log replayed
	@status=0; $(call on_machines,200,vtpm-tcg2,$(PY) tests/tcg2/tcg2.py) exit $$status

CHECK_TESTS += check-vtpm-tcg2
CHECK_SETUP += setup-vtpm-tcg2

# With a TPM of the machine's own, which QEMU alone has.
.PHONY: check-vtpm-taken
check-vtpm-taken: setup-vtpm-tcg2 ## firmware's log taken over by the vTPM, or not: looked at before, longer than its room, not all of it
	@$(SETUP) swtpm
	@status=0; $(foreach m,$(filter svm-qemu-tcg,$(MACHINES)),$(foreach b,looked flooded extended,\
		$(call on_machine,$(m),200,vtpm-taken-$(b),$(PY) tests/tcg2/tcg2.py --before $(b)))) exit $$status

CHECK_TESTS += check-vtpm-taken
