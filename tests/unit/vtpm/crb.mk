# SPDX-License-Identifier: BSD-2-Clause-Patent
# vtpm/crb.c above a made-up TPM; vtpm/ppi.c beside it.

CRBUNIT_OBJS := $(patsubst %,$(B)/crbunit/%.o,vtpm/crb tests/unit/vtpm/test_crb tests/unit/vtpm/crb_rt)

$(B)/crbunit/%.o: %.c Makefile | $(B)/hosttest.ready
	@mkdir -p $(@D)
	@echo '  HOSTCC $@'
	@$(CC) $(HOST_CFLAGS) $(DEPS) -c $< -o $@

PPIUNIT_OBJS := $(patsubst %,$(B)/crbunit/%.o,vtpm/ppi vtpm/crb tests/unit/vtpm/test_ppi tests/unit/vtpm/crb_rt)

$(B)/crbunit/test_crb: $(CRBUNIT_OBJS)
$(B)/crbunit/test_ppi: $(PPIUNIT_OBJS)
$(B)/crbunit/test_crb $(B)/crbunit/test_ppi:
	@$(CC) $(HOST_CFLAGS) -o $@ $^ -lcmocka

.PHONY: check-vtpm-crb
check-vtpm-crb: $(B)/crbunit/test_crb $(B)/crbunit/test_ppi ## the vTPM's registers: localities, states, requests of physical presence, stores at any time
	@status=0; for t in crb ppi; do tests/run --time 120 vtpm-$$t -- $(B)/crbunit/test_$$t || status=1; done; exit $$status

HOST_TESTS += check-vtpm-crb
-include $(CRBUNIT_OBJS:.o=.d) $(PPIUNIT_OBJS:.o=.d)
