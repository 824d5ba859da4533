# SPDX-License-Identifier: BSD-2-Clause-Patent
# The anchor in the platform's TPM, which answers what it likes.

PTPM_FUZZ := $(B)/tests/fuzz/vtpm/ptpm_fuzz
PTPM_FUZZ_SEEDS := $(B)/tests/fuzz/vtpm/ptpm-seeds
PTPM_FUZZ_SOURCES := vtpm/ptpm/anchor.c vtpm/ptpm/session.c vtpm/ptpm/message.c
PTPM_FUZZ_OBJS := $(patsubst %.c,$(B)/ptpmfuzz/%.o,$(PTPM_FUZZ_SOURCES) vtpm/ptpm/wait.c guest/trustlets/rt/sha256.c \
	tests/fuzz/vtpm/ptpm_fuzz.c)

$(PTPM_FUZZ_SEEDS): tests/fuzz/vtpm/ptpm_seeds.py
	@$(PY) $< $@
	@touch $@

$(B)/ptpmfuzz/%.o: %.c | $(B)/hosttest.ready
	@mkdir -p $(@D)
	@$(SETUP) hostcrypto
	@clang $(HOST_CFLAGS) -fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping $(DEPS) -c $< -o $@

$(PTPM_FUZZ): $(PTPM_FUZZ_OBJS)
	@mkdir -p $(@D)
	@clang $(HOST_CFLAGS) -fsanitize=fuzzer -fprofile-instr-generate -fcoverage-mapping -o $@ $^ -lcrypto

# Not reached: a command of ours that is too long.
.PHONY: check-ptpm-fuzz
check-ptpm-fuzz: $(PTPM_FUZZ) $(PTPM_FUZZ_SEEDS)
	@tests/run --time $(if $(SOAK),7200,240) ptpm-fuzz -- tests/fuzz/x86/run_fuzz.py \
		--runs $(or $(N),$(if $(SOAK),5000000,100000)) --seed $(or $(SEED),1) --floor 98 --max-len 400 \
		--seeds $(PTPM_FUZZ_SEEDS) $(addprefix --source ,$(PTPM_FUZZ_SOURCES)) $(PTPM_FUZZ)

SOAK_TESTS += check-ptpm-fuzz
-include $(PTPM_FUZZ_OBJS:.o=.d)
