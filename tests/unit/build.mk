# SPDX-License-Identifier: BSD-2-Clause-Patent
# Host unit tests: each test_*.c here is a program, linked with the whole neutral monitor, the second-stage tables
# and the fake machine, under AddressSanitizer and UndefinedBehaviorSanitizer.

# Objects for the host are at $(B)/host/SOURCE.o; $(call host_objs,SOURCES).
host_objs = $(patsubst %.c,$(B)/host/%.o,$(1))

HOST_MACHINE := arch/host/cpu.c arch/host/device.c arch/host/memory.c arch/x86/stage2.c arch/x86/vmx/ept.c
HOST_LIB := $(call host_objs,$(MON_SRCS) $(TEST_HOOKS) $(HOST_MACHINE))

# The C library's memory functions stay; ours are tested under these names.
$(B)/host/monitor/lib/string.o: HOST_CFLAGS += $(foreach f,memcpy memmove memset memcmp strlen,-D$(f)=monitor_$(f))

$(B)/host/%.o: %.c | $(B)/hosttest.ready
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) $(DEPS) -c $< -o $@

$(B)/hosttest.ready:
	@$(SETUP) hosttest
	@mkdir -p $(@D)
	@touch $@

UNIT_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
UNIT_PROGRAMS := $(addprefix $(B)/tests/unit/,$(UNIT_TESTS))

$(B)/tests/unit/%: $(B)/host/tests/unit/%.o $(HOST_LIB)
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -o $@ $^ -lcmocka -lpthread

.PHONY: check-unit
check-unit: $(UNIT_PROGRAMS) $(B)/gen/calls.checked ## unit tests of monitor/ on the fake machine
	@status=0; for t in $(UNIT_TESTS); do \
		tests/run --time 120 unit-$${t#test_} -- $(B)/tests/unit/$$t || status=1; done; exit $$status

CHECK_TESTS += check-unit
-include $(HOST_LIB:.o=.d) $(patsubst %,$(B)/host/tests/unit/%.d,$(UNIT_TESTS))
