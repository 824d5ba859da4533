# SPDX-License-Identifier: BSD-2-Clause-Patent
# The instruction decoder against Zydis: every opcode in turn, then libFuzzer.

DECODE_SRCS := arch/x86/decode.c
DECODE_SWEEP := $(B)/tests/fuzz/x86/decode_sweep
DECODE_FUZZ := $(B)/tests/fuzz/x86/decode_fuzz
DECODE_FLOOR := 98
DECODE_SWEEP_OBJS := $(patsubst %.c,$(B)/host/%.o,$(DECODE_SRCS) \
	$(addprefix tests/fuzz/x86/decode_,sweep.c reference.c))

$(DECODE_SWEEP): $(DECODE_SWEEP_OBJS)
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -o $@ $^ -lZydis

$(DECODE_FUZZ): $(DECODE_SRCS) $(addprefix tests/fuzz/x86/decode_,fuzz.c reference.c reference.h) \
		arch/x86/decode.h | $(B)/hosttest.ready
	@mkdir -p $(@D)
	clang $(HOST_CFLAGS) -fsanitize=fuzzer -fprofile-instr-generate -fcoverage-mapping -o $@ \
		$(filter %.c,$^) -lZydis

.PHONY: check-decode
check-decode: $(DECODE_SWEEP) $(DECODE_FUZZ) ## instruction decoder against a reference
	@status=0; \
	tests/run --time $(if $(SOAK),1800,240) decode-sweep -- \
		$(DECODE_SWEEP) $(if $(SOAK),all) || status=1; \
	tests/run --time $(if $(SOAK),7200,240) decode-fuzz -- tests/fuzz/x86/run_fuzz.py \
		--runs $(or $(N),$(if $(SOAK),20000000,1000000)) --seed $(or $(SEED),1) \
		--floor $(DECODE_FLOOR) $(addprefix --source ,$(DECODE_SRCS)) $(DECODE_FUZZ) || \
		status=1; exit $$status

HOST_TESTS += check-decode
SOAK_TESTS += check-decode
-include $(DECODE_SWEEP_OBJS:.o=.d)
