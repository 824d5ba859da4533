# SPDX-License-Identifier: BSD-2-Clause-Patent
# guest/linux: redoubtctl, redoubt-agent and the small userland that boots in tests and in `make run`.

REDOUBTCTL := $(B)/guest/linux/redoubtctl/redoubtctl
REDOUBTCTL_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard guest/linux/redoubtctl/*.c))
REDOUBT_AGENT := $(B)/guest/linux/agent/redoubt-agent
REDOUBT_AGENT_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard guest/linux/agent/*.c))
LIBREDOUBT := $(B)/guest/linux/libredoubt/libredoubt.a
LIBREDOUBT_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard guest/linux/libredoubt/*.c))
LINUX_CFLAGS := -std=gnu17 -Os $(WARN) $(REPRO) -I. -I$(B) -D_GNU_SOURCE -ffunction-sections

INITRAMFS := $(B)/guest/linux/initramfs.cpio
BUSYBOX := $(CACHE)/debs/busybox-static/bin/busybox
INITRAMFS_SCRIPTS := init greeting profile
INITRAMFS_TESTS := $(wildcard guest/linux/initramfs/tests/*)

$(REDOUBTCTL_OBJS) $(REDOUBT_AGENT_OBJS) $(LIBREDOUBT_OBJS): $(B)/guest/linux/%.o: guest/linux/%.c | $(B)/guest/linux/calls.h
	@mkdir -p $(@D)
	$(CC) $(LINUX_CFLAGS) $(DEPS) -c $< -o $@

# SHA-256 is the trustlets', without their run-time.
LINUX_SHA256 := -Dtrustlet_scrub=explicit_bzero
$(B)/guest/linux/sha256.o: guest/trustlets/rt/sha256.c
	@mkdir -p $(@D)
	$(CC) $(LINUX_CFLAGS) $(LINUX_SHA256) $(DEPS) -c $< -o $@

$(LIBREDOUBT): $(LIBREDOUBT_OBJS)
	@rm -f $@
	$(AR) rcsD $@ $^

$(REDOUBTCTL): $(REDOUBTCTL_OBJS) $(B)/guest/linux/sha256.o $(LIBREDOUBT)
$(REDOUBT_AGENT): $(REDOUBT_AGENT_OBJS) $(LIBREDOUBT)
$(REDOUBTCTL) $(REDOUBT_AGENT):
	$(CC) -static -s -Wl,--gc-sections $^ -o $@

$(BUSYBOX):
	@$(SETUP) initramfs

$(INITRAMFS): guest/linux/mkinitramfs.py $(REDOUBTCTL) $(BUSYBOX) \
    $(addprefix guest/linux/initramfs/,$(INITRAMFS_SCRIPTS)) $(INITRAMFS_TESTS)
	$(PY) guest/linux/mkinitramfs.py $@ dev/console:char:5:1 $(BUSYBOX)=bin/busybox bin/sh@busybox \
		$(REDOUBTCTL)=bin/redoubtctl guest/linux/initramfs/init=init \
		guest/linux/initramfs/greeting=bin/greeting guest/linux/initramfs/profile=etc/profile \
		$(foreach t,$(INITRAMFS_TESTS),$(t)=tests/$(notdir $(t))) \
		$(foreach k,$(DRIVER_KERNELS),$(call driver_of,$(k))=lib/modules/$(call release_of,$(k))/redoubt.ko)

-include $(REDOUBTCTL_OBJS:.o=.d) $(REDOUBT_AGENT_OBJS:.o=.d) $(LIBREDOUBT_OBJS:.o=.d) $(B)/guest/linux/sha256.d
ALL_TARGETS += $(REDOUBTCTL) $(REDOUBT_AGENT) $(LIBREDOUBT) $(INITRAMFS)
