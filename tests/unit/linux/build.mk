# SPDX-License-Identifier: BSD-2-Clause-Patent
# Host tests of guest/linux: redoubt.ko's requests and reads on a fake kernel, whose headers stand first on the include
# path; libredoubt, redoubtctl and the agent with a device that the test plays.

LINUX_TESTS := driver state package library agent
LINUX_TEST_DRIVER := $(addprefix $(B)/linuxtest/,guest/linux/driver/partition.o guest/linux/driver/read.o \
	tests/unit/linux/fake.o tests/unit/linux/test_driver.o)
LINUX_TEST_STATE := $(addprefix $(B)/linuxtest/,guest/linux/driver/partition.o guest/linux/driver/state.o \
	tests/unit/linux/fake.o tests/unit/linux/played.o tests/unit/linux/test_state.o)
LINUX_TEST_PACKAGE := $(addprefix $(B)/linuxtest/,guest/linux/driver/partition.o guest/linux/driver/package.o \
	tests/unit/linux/fake.o tests/unit/linux/played.o tests/unit/linux/test_package.o)
LINUX_TEST_AGENT := $(patsubst %.c,$(B)/linuxtest/%.o,$(wildcard guest/linux/libredoubt/*.c \
	guest/linux/agent/*.c)) $(B)/linuxtest/tests/unit/linux/test_agent.o
LINUX_TEST_LIBRARY := $(patsubst %.c,$(B)/linuxtest/%.o,$(wildcard guest/linux/libredoubt/*.c \
	guest/linux/redoubtctl/*.c guest/trustlets/rt/sha256.c)) $(B)/linuxtest/tests/unit/linux/test_library.o

LINUX_TEST_OBJS := $(sort $(LINUX_TEST_DRIVER) $(LINUX_TEST_STATE) $(LINUX_TEST_PACKAGE) $(LINUX_TEST_LIBRARY) \
	$(LINUX_TEST_AGENT))

$(B)/linuxtest/guest/linux/redoubtctl/redoubtctl.o: HOST_CFLAGS += -Dmain=redoubtctl_main -Wno-missing-prototypes
$(B)/linuxtest/guest/linux/agent/agent.o: HOST_CFLAGS += -Dmain=agent_main -Wno-missing-prototypes
$(B)/linuxtest/guest/trustlets/rt/sha256.o: HOST_CFLAGS += $(LINUX_SHA256)
$(LINUX_TEST_DRIVER) $(LINUX_TEST_STATE) $(LINUX_TEST_PACKAGE): HOST_CFLAGS += -Itests/unit/linux/fake
$(LINUX_TEST_OBJS): HOST_CFLAGS += -I$(B) -D_GNU_SOURCE
$(LINUX_TEST_OBJS): $(B)/linuxtest/%.o: %.c | $(B)/hosttest.ready $(B)/guest/linux/calls.h
	@mkdir -p $(@D)
	@echo '  HOSTCC $@'
	@$(CC) $(HOST_CFLAGS) $(DEPS) -c $< -o $@

LINUX_WRAP_library := open close ioctl write fsync
LINUX_WRAP_agent := open close ioctl pwrite fdatasync fsync nanosleep mlockall fork setsid dup2
$(B)/linuxtest/test_driver: $(LINUX_TEST_DRIVER)
$(B)/linuxtest/test_state: $(LINUX_TEST_STATE)
$(B)/linuxtest/test_package: $(LINUX_TEST_PACKAGE)
$(B)/linuxtest/test_library: $(LINUX_TEST_LIBRARY)
$(B)/linuxtest/test_agent: $(LINUX_TEST_AGENT)
$(addprefix $(B)/linuxtest/test_,$(LINUX_TESTS)): $(B)/linuxtest/test_%:
	@$(CC) $(HOST_CFLAGS) $(addprefix -Xlinker --wrap=,$(LINUX_WRAP_$*)) -o $@ $^ -lcmocka

.PHONY: check-linuxunit
check-linuxunit: $(addprefix $(B)/linuxtest/test_,$(LINUX_TESTS)) ## the Linux driver's decisions, libredoubt, redoubtctl, the agent on the host
	@status=0; for t in $(LINUX_TESTS); do \
		tests/run --time 60 linux-$$t -- $(B)/linuxtest/test_$$t || status=1; done; \
	tests/run --time 60 linux-chain -- $(PY) tests/unit/linux/chain.py || status=1; exit $$status

HOST_TESTS += check-linuxunit
SOAK_TESTS += check-linuxunit
-include $(LINUX_TEST_OBJS:.o=.d)
.SECONDARY: $(LINUX_TEST_OBJS)
