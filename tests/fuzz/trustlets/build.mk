# SPDX-License-Identifier: BSD-2-Clause-Patent
# The checker of image files: header and signature block; codeint, which judges such files as a whole;
# the opening of sealed blobs.

TRUSTLET_IMAGE_FUZZ := $(B)/tests/fuzz/trustlets/image_fuzz
TRUSTLET_FUZZ := $(TRUSTLET_IMAGE_FUZZ) $(B)/tests/fuzz/trustlets/codeint_fuzz \
	$(B)/tests/fuzz/trustlets/seal_fuzz
TRUSTLET_FUZZ_SOURCES := guest/trustlets/image/image.c monitor/abi/image.h

$(TRUSTLET_IMAGE_FUZZ): tests/fuzz/trustlets/image_fuzz.c $(TRUSTLET_FUZZ_SOURCES) guest/trustlets/image/image.h \
		| $(B)/hosttest.ready
	@mkdir -p $(@D)
	clang $(HOST_CFLAGS) -fsanitize=fuzzer -fprofile-instr-generate -fcoverage-mapping -o $@ $(filter %.c,$^)

# codeint. The library is the unit tests', with the sanitizers but not watched by the fuzzer: its branches lead nowhere that
# a mutation finds. Lines not reached: a digest that fails, memory that runs out.
CODEINT_FUZZ_FLAGS := $(HOST_CFLAGS) -fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping
CODEINT_FUZZ_SOURCES := $(CODEINT_PARTS:%=guest/trustlets/codeint/%.c)
CODEINT_FUZZ_OBJS := $(CODEINT_PARTS:%=$(B)/codeintfuzz/%.o)

$(CODEINT_FUZZ_OBJS): guest/trustlets/codeint/mbedtls_config.h tools/setup/mbedtls.sh | $(B)/hosttest.ready
$(B)/codeintfuzz/%.o: guest/trustlets/codeint/%.c
	@mkdir -p $(@D)
	@$(call codeint_cc,clang,$(CODEINT_FUZZ_FLAGS)) -c $< -o $@

$(B)/tests/fuzz/trustlets/codeint_fuzz: tests/fuzz/trustlets/codeint_fuzz.c guest/trustlets/image/image.c \
		$(CODEINT_FUZZ_OBJS) $(B)/trustletunit/string.o $(CODEINT_MBEDTLS:%=$(B)/codeintunit/mbedtls/%.o)
	@mkdir -p $(@D)
	clang $(HOST_CFLAGS) -fsanitize=fuzzer -fprofile-instr-generate -fcoverage-mapping -o $@ $^

# Seeds that say one thing each: a right blob; one bit of it, each part of it; cut; longer; less room; a foreign one.
SEAL_FUZZ_SEEDS := $(B)/tests/fuzz/trustlets/seal-seeds
$(SEAL_FUZZ_SEEDS): tests/fuzz/trustlets/seal_seeds.py
	@$(PY) $< $@
	@touch $@

$(B)/sealfuzz/seal.o: guest/trustlets/rt/seal/seal.c $(SEAL_CONFIG) tools/setup/mbedtls.sh | $(B)/hosttest.ready
	@mkdir -p $(@D)
	@$(call seal_cc,clang,$(TRUSTLET_HOST_CFLAGS) -fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping) \
		-c $< -o $@

$(B)/tests/fuzz/trustlets/seal_fuzz: tests/fuzz/trustlets/seal_fuzz.c $(B)/sealfuzz/seal.o $(TRUSTLET_FAKED_OBJS) \
		$(SEAL_MBEDTLS:%=$(B)/sealunit/mbedtls/%.o)
	@mkdir -p $(@D)
	clang $(HOST_CFLAGS) -fsanitize=fuzzer -fprofile-instr-generate -fcoverage-mapping -o $@ $^ -lcmocka

.PHONY: check-trustlet-fuzz
check-trustlet-fuzz: setup-trustlets ## fuzzers of the image checker, of codeint and of sealing
	@status=0; tests/run --time $(if $(SOAK),7200,240) fuzz-trustlet-image -- tests/fuzz/x86/run_fuzz.py \
		--runs $(or $(N),$(if $(SOAK),10000000,200000)) --seed $(or $(SEED),1) --floor 95 --max-len 64 \
		$(addprefix --source ,$(TRUSTLET_FUZZ_SOURCES)) $(TRUSTLET_IMAGE_FUZZ) || status=1; \
	CODEINT_FILES=$(CODEINT_FILES) tests/run --time $(if $(SOAK),36000,240) fuzz-trustlet-codeint -- \
		tests/fuzz/x86/run_fuzz.py --runs $(or $(N),$(if $(SOAK),2000000,6000)) --seed $(or $(SEED),1) --floor 90 \
		--max-len 64 --seeds $(CODEINT_FILES)/seeds $(addprefix --source ,$(CODEINT_FUZZ_SOURCES)) $(B)/tests/fuzz/trustlets/codeint_fuzz || status=1; \
	tests/run --time $(if $(SOAK),7200,240) fuzz-trustlet-seal -- tests/fuzz/x86/run_fuzz.py \
		--runs $(or $(N),$(if $(SOAK),5000000,100000)) --seed $(or $(SEED),1) --floor 95 --max-len 400 \
		--seeds $(SEAL_FUZZ_SEEDS) --source guest/trustlets/rt/seal/seal.c $(B)/tests/fuzz/trustlets/seal_fuzz || status=1; \
	exit $$status

SOAK_TESTS += check-trustlet-fuzz
-include $(CODEINT_FUZZ_OBJS:.o=.d) $(B)/sealfuzz/seal.d
