# SPDX-License-Identifier: BSD-2-Clause-Patent
# The checker of image files: header and signature block.

TRUSTLET_FUZZ := $(B)/tests/fuzz/trustlets/image_fuzz
TRUSTLET_FUZZ_SOURCES := guest/trustlets/image/image.c monitor/abi/image.h

$(TRUSTLET_FUZZ): tests/fuzz/trustlets/image_fuzz.c $(TRUSTLET_FUZZ_SOURCES) guest/trustlets/image/image.h \
		| $(B)/hosttest.ready
	@mkdir -p $(@D)
	clang $(HOST_CFLAGS) -fsanitize=fuzzer -fprofile-instr-generate -fcoverage-mapping -o $@ $(filter %.c,$^)

.PHONY: check-trustlet-fuzz
check-trustlet-fuzz: setup-trustlets ## fuzzer of the image checker
	@tests/run --time $(if $(SOAK),7200,240) fuzz-trustlet-image -- tests/fuzz/x86/run_fuzz.py \
		--runs $(or $(N),$(if $(SOAK),10000000,200000)) --seed $(or $(SEED),1) --floor 95 --max-len 64 \
		$(addprefix --source ,$(TRUSTLET_FUZZ_SOURCES)) $(TRUSTLET_FUZZ)

SOAK_TESTS += check-trustlet-fuzz
