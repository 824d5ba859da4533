# SPDX-License-Identifier: BSD-2-Clause-Patent
# Host unit tests: each test_*.c here is a program, linked with the whole neutral monitor, the second-stage tables
# and the fake machine, under AddressSanitizer and UndefinedBehaviorSanitizer.

include tests/host.mk

UNIT_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
UNIT_PROGRAMS := $(addprefix $(B)/tests/unit/,$(UNIT_TESTS))

$(B)/tests/unit/%: $(B)/host/tests/unit/%.o $(HOST_LIB)
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -o $@ $^ -lcmocka -lpthread

.PHONY: check-unit
check-unit: $(UNIT_PROGRAMS) $(B)/gen/calls.checked ## unit tests of monitor/ on the fake machine
	@status=0; for t in $(UNIT_TESTS); do \
		tests/run --time 120 unit-$${t#test_} -- $(B)/tests/unit/$$t || status=1; done; \
	tests/run --time 60 unit-harness -- $(PY) tests/unit/harness.py $(B)/tests/unit/harness || status=1; \
	exit $$status

HOST_TESTS += check-unit
-include $(patsubst %,$(B)/host/tests/unit/%.d,$(UNIT_TESTS))
