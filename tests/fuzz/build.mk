# SPDX-License-Identifier: BSD-2-Clause-Patent
# Fuzzers of the monitor: boot information and calls. Built by clang with libFuzzer, both sanitizers and source coverage;
# linked without the test build's hooks, as a release is. A floor of covered lines fails the run.

include tests/host.mk

FUZZ_FLAGS := -fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping
FUZZ_SRCS := $(MON_SRCS) $(NO_HOOKS) monitor/test/invariant.c $(HOST_MACHINE)
FUZZ_OBJS := $(patsubst %.c,$(B)/fuzz/%.o,$(FUZZ_SRCS))
FUZZ_PROGRAMS := $(B)/tests/fuzz/bootinfo $(B)/tests/fuzz/calls

$(B)/fuzz/monitor/lib/string.o: FUZZ_FLAGS += $(STRING_NAMES)

$(B)/fuzz/%.o: %.c | $(B)/hosttest.ready
	@mkdir -p $(@D)
	clang $(HOST_CFLAGS) $(FUZZ_FLAGS) -I$(B)/gen $(DEPS) -c $< -o $@

$(B)/fuzz/tests/fuzz/calls_fuzz.o: $(B)/gen/redoubt_calls.h $(B)/gen/redoubt_status.h

$(FUZZ_PROGRAMS): $(B)/tests/fuzz/%: $(B)/fuzz/tests/fuzz/%_fuzz.o $(FUZZ_OBJS)
	@mkdir -p $(@D)
	clang $(HOST_CFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^

bootinfo_FUZZ_RUNS := 300000
bootinfo_FUZZ_COVER := --floor 95 --source monitor/bootinfo.c --max-len 400
# Not reached: a caller without the right, results that no row names, rows that expand in a macro.
calls_FUZZ_RUNS := 50000
calls_FUZZ_COVER := --floor 80 --source monitor/call.c --source monitor/call_log.c --max-len 256

# check: a budget for CI; soak: ten million inputs each.
.PHONY: check-fuzz
check-fuzz: $(FUZZ_PROGRAMS) $(B)/gen/calls.checked ## fuzzers of boot information and the call decoder
	@status=0; $(foreach t,bootinfo calls,tests/run --time $(if $(SOAK),36000,240) fuzz-$(t) -- \
		tests/fuzz/x86/run_fuzz.py --runs $(or $(N),$(if $(SOAK),10000000,$($(t)_FUZZ_RUNS))) \
		--seed $(or $(SEED),1) $($(t)_FUZZ_COVER) $(B)/tests/fuzz/$(t) || status=1;) exit $$status

HOST_TESTS += check-fuzz
SOAK_TESTS += check-fuzz
-include $(FUZZ_OBJS:.o=.d)
