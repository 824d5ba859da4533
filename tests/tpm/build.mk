# SPDX-License-Identifier: BSD-2-Clause-Patent
# tests/tpm: the root key that a platform TPM seals, on the host and on QEMU, with Debian's swtpm.

TPM := $(B)/tests/tpm
TPM_HOST_OBJS := $(patsubst %,$(B)/host/boot/%.o,root_seal sha256 tpm)

$(TPM)/root: $(B)/host/tests/tpm/root.o $(TPM_HOST_OBJS)
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -o $@ $^

.PHONY: check-tpm setup-tpm
setup-tpm:
	@$(SETUP) build hosttest image qemu swtpm
	@$(MAKE) --no-print-directory -s $(TPM)/root

check-tpm: setup-tpm ## the root key sealed by a TPM (swtpm): on the host, and the loader on QEMU
	@tests/run --time 300 tpm-host -- $(PY) tests/tpm/host.py $(TPM)/root

CHECK_TESTS += check-tpm
SOAK_TESTS += check-tpm
-include $(B)/host/tests/tpm/root.d
