# SPDX-License-Identifier: BSD-2-Clause-Patent
# vtpm/storage.c and binding.c above a made-up TPM and the trustlets' fake monitor, whose key they seal with (behind
# crb.mk and nv.mk).

STORAGE_OBJS := $(patsubst %,$(B)/crbunit/%.o,vtpm/storage vtpm/binding tests/unit/vtpm/storage_made)
STORAGE_TESTS := $(patsubst %,$(B)/crbunit/test_%,storage binding storage_package shutdown)
$(STORAGE_TESTS): $(B)/crbunit/%: $(B)/crbunit/tests/unit/vtpm/%.o $(STORAGE_OBJS) $(NV_HOST_OBJS)
	@$(CC) $(HOST_CFLAGS) $(NV_WRAPPED) -o $@ $^ -lcmocka

.PHONY: check-vtpm-storage
check-vtpm-storage: $(STORAGE_TESTS) ## the vTPM's state: what is held until it is written, what a start makes of it
	@status=0; for t in storage binding storage_package shutdown; do \
		tests/run --time 120 vtpm-$$t -- $(B)/crbunit/test_$$t || status=1; done; exit $$status

HOST_TESTS += check-vtpm-storage
-include $(STORAGE_OBJS:.o=.d) $(STORAGE_TESTS:$(B)/crbunit/%=$(B)/crbunit/tests/unit/vtpm/%.d)
