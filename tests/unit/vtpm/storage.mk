# SPDX-License-Identifier: BSD-2-Clause-Patent
# vtpm/storage.c above a made-up TPM and the trustlets' fake monitor, whose key it seals with (behind crb.mk and nv.mk).

STORAGE_OBJS := $(patsubst %,$(B)/crbunit/%.o,vtpm/storage tests/unit/vtpm/test_storage)
$(B)/crbunit/test_storage: $(STORAGE_OBJS) $(NV_HOST_OBJS)
	@$(CC) $(HOST_CFLAGS) $(NV_WRAPPED) -o $@ $^ -lcmocka

.PHONY: check-vtpm-storage
check-vtpm-storage: $(B)/crbunit/test_storage ## the vTPM's state: what is held until it is written, what a start makes of it
	@tests/run --time 120 vtpm-storage -- $(B)/crbunit/test_storage

HOST_TESTS += check-vtpm-storage
-include $(STORAGE_OBJS:.o=.d)
