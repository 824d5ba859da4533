# SPDX-License-Identifier: BSD-2-Clause-Patent
# Host tests of guest/linux: redoubt.ko's requests and reads on a fake kernel, whose headers stand first on the include
# path; libredoubt and redoubtctl with a device that the test plays.

LINUX_TESTS := driver library
LINUX_TEST_DRIVER := $(addprefix $(B)/linuxtest/,guest/linux/driver/partition.o guest/linux/driver/read.o \
	tests/unit/linux/fake.o tests/unit/linux/test_driver.o)
LINUX_TEST_LIBRARY := $(patsubst %.c,$(B)/linuxtest/%.o,$(wildcard guest/linux/libredoubt/*.c \
	guest/linux/redoubtctl/*.c)) $(B)/linuxtest/tests/unit/linux/test_library.o

$(B)/linuxtest/guest/linux/redoubtctl/redoubtctl.o: HOST_CFLAGS += -Dmain=redoubtctl_main -Wno-missing-prototypes
$(LINUX_TEST_DRIVER): HOST_CFLAGS += -Itests/unit/linux/fake
$(LINUX_TEST_DRIVER) $(LINUX_TEST_LIBRARY): HOST_CFLAGS += -I$(B) -D_GNU_SOURCE
$(LINUX_TEST_DRIVER) $(LINUX_TEST_LIBRARY): $(B)/linuxtest/%.o: %.c | $(B)/hosttest.ready $(B)/guest/linux/calls.h
	@mkdir -p $(@D)
	@echo '  HOSTCC $@'
	@$(CC) $(HOST_CFLAGS) $(DEPS) -c $< -o $@

$(B)/linuxtest/test_driver: $(LINUX_TEST_DRIVER)
	@$(CC) $(HOST_CFLAGS) -o $@ $^ -lcmocka
$(B)/linuxtest/test_library: $(LINUX_TEST_LIBRARY)
	@$(CC) $(HOST_CFLAGS) -Wl,--wrap=open,--wrap=close,--wrap=ioctl -o $@ $^ -lcmocka

.PHONY: check-linuxunit
check-linuxunit: $(addprefix $(B)/linuxtest/test_,$(LINUX_TESTS)) ## the Linux driver's decisions, libredoubt, redoubtctl on the host
	@status=0; for t in $(LINUX_TESTS); do \
		tests/run --time 60 linux-$$t -- $(B)/linuxtest/test_$$t || status=1; done; \
	tests/run --time 60 linux-chain -- $(PY) tests/unit/linux/chain.py || status=1; exit $$status

HOST_TESTS += check-linuxunit
SOAK_TESTS += check-linuxunit
-include $(LINUX_TEST_DRIVER:.o=.d) $(LINUX_TEST_LIBRARY:.o=.d)
.SECONDARY: $(LINUX_TEST_DRIVER) $(LINUX_TEST_LIBRARY)
