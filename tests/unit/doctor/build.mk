# SPDX-License-Identifier: BSD-2-Clause-Patent
# Host tests of tools/doctor: what it says of machines made up here, and that it refuses by what the
# monitor refuses by. Instructions of the monitor's caps.c come from fake/.

DOCTOR_TESTS := vmx svm lines tables
DOCTOR_TEST_OBJS := $(patsubst %.c,$(B)/doctortest/%.o,$(wildcard tools/doctor/*.c) \
	tests/unit/doctor/machine.c)

$(B)/doctortest/%.o: %.c | $(B)/hosttest.ready
	@mkdir -p $(@D)
	@echo '  HOSTCC $@'
	@$(CC) -Itests/unit/doctor/fake $(HOST_CFLAGS) $(DEPS) -c $< -o $@

$(B)/doctortest/test_%: $(B)/doctortest/tests/unit/doctor/test_%.o $(DOCTOR_TEST_OBJS)
	@$(CC) $(HOST_CFLAGS) -o $@ $^ -lcmocka

-include $(DOCTOR_TEST_OBJS:.o=.d) $(patsubst %,$(B)/doctortest/tests/unit/doctor/test_%.d,$(DOCTOR_TESTS))
.SECONDARY: $(DOCTOR_TEST_OBJS) $(patsubst %,$(B)/doctortest/tests/unit/doctor/test_%.o,$(DOCTOR_TESTS))
