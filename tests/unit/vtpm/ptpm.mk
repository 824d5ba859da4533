# SPDX-License-Identifier: BSD-2-Clause-Patent
# The driver of the platform's TPM, vtpm/ptpm, above interfaces made after the profile, and QEMU's. Its anchor, above a TPM, is
# in tests/tpm; the fuzzer of what a TPM says is in tests/fuzz/vtpm.

PTPM_DRIVER := $(patsubst %,$(B)/ptpmunit/vtpm/ptpm/%.o,ptpm tis crb wait)
PTPM_ANCHOR := $(patsubst %,$(B)/ptpmunit/vtpm/ptpm/%.o,anchor session message wait) \
	$(B)/ptpmunit/guest/trustlets/rt/sha256.o
PTPM_RT := $(B)/ptpmunit/tests/unit/vtpm/ptpm_rt.o
PTPM_UNIT := $(patsubst %,$(B)/tests/unit/vtpm/test_ptpm_%,tis crb)

$(B)/ptpmunit/%.o: %.c Makefile | $(B)/hosttest.ready
	@mkdir -p $(@D)
	@echo '  HOSTCC $@'
	@$(CC) $(HOST_CFLAGS) $(DEPS) -c $< -o $@

$(PTPM_UNIT): $(B)/tests/unit/vtpm/%: $(B)/ptpmunit/tests/unit/vtpm/%.o $(PTPM_DRIVER) $(PTPM_RT)
	@mkdir -p $(@D)
	@$(CC) $(HOST_CFLAGS) -o $@ $^ -lcmocka

.PHONY: check-ptpm check-ptpm-unit
check-ptpm-unit: $(PTPM_UNIT)
	@status=0; for t in tis crb; do \
		tests/run --time 120 ptpm-$$t -- $(B)/tests/unit/vtpm/test_ptpm_$$t || status=1; done; exit $$status

# A party on the bus in the place of the driver.
$(B)/tests/tpm/anchor: $(B)/ptpmunit/tests/tpm/anchor.o $(PTPM_ANCHOR) $(PTPM_RT)
	@mkdir -p $(@D)
	@$(CC) $(HOST_CFLAGS) -o $@ $^

.PHONY: check-ptpm-anchor
check-ptpm-anchor: $(B)/tests/tpm/anchor
	@$(SETUP) swtpm vtpm-test
	@tests/run --time 400 ptpm-anchor -- $(PY) tests/tpm/anchor.py $<

# The registers of QEMU's TPMs in the place of mmio.c.
$(B)/tests/tpm/registers: $(B)/ptpmunit/tests/tpm/registers.o $(PTPM_DRIVER) $(PTPM_ANCHOR) $(PTPM_RT)
	@mkdir -p $(@D)
	@$(CC) $(HOST_CFLAGS) -o $@ $(sort $^)

.PHONY: check-ptpm-registers
check-ptpm-registers: $(B)/tests/tpm/registers
	@$(SETUP) qemu swtpm
	@tests/run --time 300 ptpm-registers -- $(PY) tests/tpm/registers.py $<

check-ptpm: ## the platform's TPM: its two interfaces, made up and QEMU's, its anchor in a TPM (swtpm), fuzzer
	@status=0; for t in unit anchor registers fuzz; do \
		$(MAKE) --no-print-directory -s check-ptpm-$$t || status=1; done; exit $$status

HOST_TESTS += check-ptpm
-include $(PTPM_DRIVER:.o=.d) $(PTPM_ANCHOR:.o=.d) $(PTPM_RT:.o=.d) $(B)/ptpmunit/tests/tpm/anchor.d $(B)/ptpmunit/tests/tpm/registers.d \
	$(patsubst %,$(B)/ptpmunit/tests/unit/vtpm/test_ptpm_%.d,tis crb)
