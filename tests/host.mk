# SPDX-License-Identifier: BSD-2-Clause-Patent
# The neutral monitor, the second-stage tables and the fake machine, built for the host. Included by the build.mk of
# those who link it: tests/unit, tests/model, tests/fuzz.
ifndef HOST_LIB

# Objects for the host are at $(B)/host/SOURCE.o; $(call host_objs,SOURCES).
host_objs = $(patsubst %.c,$(B)/host/%.o,$(1))

HOST_MACHINE := arch/host/cpu.c arch/host/device.c arch/host/memory.c arch/host/vp.c arch/x86/stage2.c arch/x86/vmx/ept.c
HOST_LIB := $(call host_objs,$(MON_SRCS) $(TEST_HOOKS) $(HOST_MACHINE))

# The C library's memory functions stay; ours are tested under these names.
STRING_NAMES := $(foreach f,memcpy memset memcmp,-D$(f)=monitor_$(f))
$(B)/host/monitor/lib/string.o: HOST_CFLAGS += $(STRING_NAMES)

$(B)/host/%.o: %.c | $(B)/hosttest.ready
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) $(DEPS) -c $< -o $@

$(B)/hosttest.ready:
	@$(SETUP) hosttest
	@mkdir -p $(@D)
	@touch $@

-include $(HOST_LIB:.o=.d)
endif
