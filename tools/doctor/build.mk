# SPDX-License-Identifier: BSD-2-Clause-Patent
# tools/doctor: what a machine offers, on Linux and as an EFI application.

DOCTOR := $(B)/tools/doctor/doctor
DOCTOR_LINUX_OBJS := $(addprefix $(B)/tools/doctor/obj/,$(patsubst tools/doctor/%,%.o,$(basename \
	$(wildcard tools/doctor/linux/*.c tools/doctor/linux/*.S))))
DOCTOR_CFLAGS := -std=gnu17 -O2 $(WARN) $(REPRO) -I. -D_GNU_SOURCE

$(B)/tools/doctor/obj/%.o: tools/doctor/%.c
	@mkdir -p $(@D)
	$(CC) $(DOCTOR_CFLAGS) $(DEPS) -c $< -o $@

$(B)/tools/doctor/obj/%.o: tools/doctor/%.S
	@mkdir -p $(@D)
	$(CC) $(DOCTOR_CFLAGS) $(DEPS) -c $< -o $@

# Static: it can be carried to another machine.
$(DOCTOR): $(DOCTOR_LINUX_OBJS)
	$(CC) -static -s $^ -o $@

-include $(DOCTOR_LINUX_OBJS:.o=.d)
ALL_TARGETS += $(DOCTOR)
