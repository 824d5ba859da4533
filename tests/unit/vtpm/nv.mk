# SPDX-License-Identifier: BSD-2-Clause-Patent
# The vTPM's state file, vtpm/nv.c and nv_slots.c: under both sanitizers, above the trustlets' fake monitor; and as the
# partition's compiler makes them.

NV_PARTS := nv nv_slots
NV_MADE := $(B)/host/tests/unit/vtpm/nv_made.o
NV_WRAPPED := -Wl,--wrap=trustlet_key
NV_HOST_OBJS := $(NV_PARTS:%=$(B)/nvunit/%.o) $(NV_MADE) $(SEAL_HOST_OBJS) $(TRUSTLET_FAKED_OBJS)
NV_UNIT := $(NV_PARTS:%=$(B)/tests/unit/vtpm/test_%)

$(B)/nvunit/%.o: vtpm/%.c | $(B)/hosttest.ready
	@mkdir -p $(@D)
	@echo '  HOSTCC $@'
	@$(CC) $(TRUSTLET_HOST_CFLAGS) $(DEPS) -c $< -o $@

$(NV_UNIT): $(B)/tests/unit/vtpm/%: $(B)/host/tests/unit/vtpm/%.o $(NV_HOST_OBJS) $(B)/host/tests/unit/trustlets/gcm.o
	@mkdir -p $(@D)
	@$(CC) $(HOST_CFLAGS) $(NV_WRAPPED) -o $@ $^ -lcmocka

# As a trustlet's.
NV_TRUSTLET := $(B)/nvunit/trustlet
NV_TRUSTLET_OBJS := $(NV_PARTS:%=$(NV_TRUSTLET)/tree/vtpm/%.o)
$(NV_TRUSTLET_OBJS) &: FORCE
	@mkdir -p $(NV_TRUSTLET)
	@$(MAKE) --no-print-directory -s -C guest/trustlets/probe O=$(abspath $(NV_TRUSTLET)) KEY= \
		TREE_SRCS="$(NV_PARTS:%=vtpm/%.c)" $(abspath $(NV_TRUSTLET_OBJS)) > $(NV_TRUSTLET).log 2>&1 || \
		{ cat $(NV_TRUSTLET).log >&2; exit 1; }

.PHONY: check-vtpm-nv check-vtpm-nv-unit
check-vtpm-nv-unit: $(NV_UNIT) $(NV_TRUSTLET_OBJS)
	@status=0; for t in $(NV_PARTS); do SEED=$(or $(SEED),1) \
		tests/run --time 240 vtpm-$$t -- $(B)/tests/unit/vtpm/test_$$t || status=1; done; exit $$status

check-vtpm-nv: ## the vTPM's state file: each bit, each length, each pair of slots, power cuts, fuzzer
	@status=0; for t in check-vtpm-nv-unit check-vtpm-nv-fuzz; do \
		$(MAKE) --no-print-directory -s $$t || status=1; done; exit $$status

HOST_TESTS += check-vtpm-nv
-include $(NV_HOST_OBJS:.o=.d)
