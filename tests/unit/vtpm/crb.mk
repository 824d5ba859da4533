# SPDX-License-Identifier: BSD-2-Clause-Patent
# vtpm/crb.c above a made-up TPM.

CRBUNIT_OBJS := $(patsubst %,$(B)/crbunit/%.o,vtpm/crb tests/unit/vtpm/test_crb tests/unit/vtpm/crb_rt)

$(B)/crbunit/%.o: %.c Makefile | $(B)/hosttest.ready
	@mkdir -p $(@D)
	@echo '  HOSTCC $@'
	@$(CC) $(HOST_CFLAGS) $(DEPS) -c $< -o $@

$(B)/crbunit/test_crb: $(CRBUNIT_OBJS)
	@$(CC) $(HOST_CFLAGS) -o $@ $^ -lcmocka

.PHONY: check-vtpm-crb
check-vtpm-crb: $(B)/crbunit/test_crb ## the vTPM's registers: localities, states, stores at any time
	@tests/run --time 120 vtpm-crb -- $(B)/crbunit/test_crb

HOST_TESTS += check-vtpm-crb
-include $(CRBUNIT_OBJS:.o=.d)
