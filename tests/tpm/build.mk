# SPDX-License-Identifier: BSD-2-Clause-Patent
# tests/tpm: the root key that a platform TPM seals, on the host and on QEMU, with Debian's swtpm.

TPM := $(B)/tests/tpm
TPM_HOST_OBJS := $(patsubst %,$(B)/host/boot/%.o,root_seal sha256 tpm)
TPM_SCENARIOS := sealed changed recovered unrooted

$(TPM)/root: $(B)/host/tests/tpm/root.o $(TPM_HOST_OBJS)
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -o $@ $^

# The loader with a monitor that tells; once more with another section, and so another measurement.
$(TPM)/told-monitor.elf: $(patsubst %.c,$(B)/root/%.o,tests/tpm/told.c boot/sha256.c boot/text.c \
		monitor/lib/string.c) arch/x86/monitor.lds
	@mkdir -p $(@D)
	@$(MON_LINK) -o $@ $(filter %.o,$^)
$(TPM)/told-monitor.img: $(TPM)/told-monitor.elf tools/build/mkimage.py tools/build/elf.py
	@$(PY) tools/build/mkimage.py $< $@
tests/tpm/told_SECTIONS := .sbat=boot/sbat.csv .monsvm=$(TPM)/told-monitor.img \
	.part0=$(B)/tests/boot/loader/plain.img
tests/tpm/told-other_SECTIONS := .sbat=tests/secureboot/sbat/next.csv .monsvm=$(TPM)/told-monitor.img \
	.part0=$(B)/tests/boot/loader/plain.img
$(eval $(call efi_app,tests/tpm/told,$(BOOT_OBJS)))
$(eval $(call efi_app,tests/tpm/told-other,$(BOOT_OBJS)))

# The same program for the guest, and what asks the probe there.
$(TPM)/root-guest: $(wildcard tests/tpm/root.c boot/root_seal.[ch] boot/sha256.[ch] boot/tpm.[ch])
	@mkdir -p $(@D)
	$(CC) $(LINUX_CFLAGS) -static -s $(filter %.c,$^) -o $@
$(TPM)/sealed: tests/tpm/sealed.c guest/linux/redoubt.h guest/trustlets/probe/requests.def
	@mkdir -p $(@D)
	$(CC) $(LINUX_CFLAGS) -static -s $< -o $@

.PHONY: check-tpm setup-tpm
setup-tpm:
	@$(SETUP) build hosttest image qemu swtpm initramfs kernel-cloud
	@$(MAKE) --no-print-directory -s $(TPM)/root $(TPM)/told.efi $(TPM)/told-other.efi \
		$(B)/tests/acpi/starter.efi $(TPM)/root-guest $(TPM)/sealed $(LINUX_FILES) \
		$(B)/boot/redoubt-partitions.efi

check-tpm: setup-tpm ## the root key sealed by a TPM (swtpm): on the host, and the loader on QEMU
	@status=0; tests/run --time $(if $(SOAK),1200,400) tpm-host -- $(PY) tests/tpm/host.py $(TPM)/root || status=1; \
	for t in $(TPM_SCENARIOS); do \
		tests/run --time 400 tpm-$$t -- $(PY) tests/tpm/boots.py $$t || status=1; \
	done; \
	tests/run --time 900 tpm-debian -- $(PY) tests/tpm/debian.py || status=1; exit $$status

CHECK_TESTS += check-tpm
CHECK_SETUP += setup-tpm
SOAK_TESTS += check-tpm
-include $(B)/host/tests/tpm/root.d
