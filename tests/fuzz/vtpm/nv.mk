# SPDX-License-Identifier: BSD-2-Clause-Patent
# The vTPM's state file and its slots from a hostile disk.

NV_FUZZ := $(B)/tests/fuzz/vtpm/nv_fuzz
NV_FUZZ_SEEDS := $(B)/tests/fuzz/vtpm/nv-seeds
NV_FUZZ_SOURCES := vtpm/nv.c vtpm/nv_slots.c
NV_FUZZ_OBJS := $(patsubst vtpm/%.c,$(B)/nvfuzz/%.o,$(NV_FUZZ_SOURCES))

$(NV_FUZZ_SEEDS): tests/fuzz/vtpm/nv_seeds.py
	@$(PY) $< $@
	@touch $@

$(B)/nvfuzz/%.o: vtpm/%.c | $(B)/hosttest.ready
	@mkdir -p $(@D)
	@clang $(TRUSTLET_HOST_CFLAGS) -fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping $(DEPS) -c $< -o $@

$(NV_FUZZ): tests/fuzz/vtpm/nv_fuzz.c $(NV_FUZZ_OBJS) $(B)/host/tests/unit/vtpm/nv_made.o $(B)/sealunit/seal.o \
		$(TRUSTLET_FAKED_OBJS) $(SEAL_MBEDTLS:%=$(B)/sealunit/mbedtls/%.o)
	@mkdir -p $(@D)
	@clang $(HOST_CFLAGS) -fsanitize=fuzzer -fprofile-instr-generate -fcoverage-mapping -Wl,--wrap=trustlet_key \
		-o $@ $^ -lcmocka

.PHONY: check-vtpm-nv-fuzz
check-vtpm-nv-fuzz: $(NV_FUZZ) $(NV_FUZZ_SEEDS)
	@tests/run --time $(if $(SOAK),7200,240) vtpm-nv-fuzz -- tests/fuzz/x86/run_fuzz.py \
		--runs $(or $(N),$(if $(SOAK),5000000,30000)) --seed $(or $(SEED),1) --floor 85 --max-len 400 \
		--seeds $(NV_FUZZ_SEEDS) $(addprefix --source ,$(NV_FUZZ_SOURCES)) $(NV_FUZZ)

SOAK_TESTS += check-vtpm-nv
-include $(NV_FUZZ_OBJS:.o=.d)
