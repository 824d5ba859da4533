# SPDX-License-Identifier: BSD-2-Clause-Patent
# The vTPM's compression functions against OpenSSL's. On a CPU without SHA extensions those in C alone are tried, and
# what is left out is counted as skipped.

include tests/unit/vtpm/sha.mk

SHA_FUZZ := $(B)/tests/fuzz/vtpm/sha_fuzz
SHA_FUZZ_FLAGS := $(HOST_CFLAGS) -fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping
# 1: the host has SHA extensions
SHA_HERE = $(shell grep -qw sha_ni /proc/cpuinfo && echo 1)

SHA_FUZZ_OBJS := $(B)/vtpmfuzz/sha_fuzz.o $(B)/vtpmfuzz/sha_ni.o

$(B)/vtpmfuzz/sha_ni.o: vtpm/platform/sha_ni.c
$(B)/vtpmfuzz/sha_fuzz.o: tests/fuzz/vtpm/sha_fuzz.c
$(SHA_FUZZ_OBJS): vtpm/platform/sha_c_config.h tools/setup/mbedtls.sh | $(B)/hosttest.ready
$(SHA_FUZZ_OBJS):
	@mkdir -p $(@D)
	@$(SETUP) hostcrypto
	@$(call sha_cc,clang,$(SHA_FUZZ_FLAGS)) -c $< -o $@

$(SHA_FUZZ): $(SHA_FUZZ_OBJS) $(SHA_LIBRARY) $(SHA_IN_C)
	@mkdir -p $(@D)
	@clang $(HOST_CFLAGS) -fsanitize=fuzzer -fprofile-instr-generate -fcoverage-mapping -o $@ $^ -lcrypto

.PHONY: check-vtpm-sha-fuzz
check-vtpm-sha-fuzz: $(SHA_FUZZ)
	@$(if $(SHA_HERE),,tests/run vtpm-sha-fuzz-ni -- echo '1..0 # SKIP this CPU has no SHA extensions';) \
	tests/run --time $(if $(SOAK),7200,240) vtpm-sha-fuzz -- tests/fuzz/x86/run_fuzz.py \
		--runs $(or $(N),$(if $(SOAK),20000000,300000)) --seed $(or $(SEED),1) --floor $(if $(SHA_HERE),98,20) \
		--max-len 200 --source vtpm/platform/sha_ni.c $(SHA_FUZZ)

SOAK_TESTS += check-vtpm-sha
-include $(SHA_FUZZ_OBJS:.o=.d)
