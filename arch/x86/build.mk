# SPDX-License-Identifier: BSD-2-Clause-Patent
# Monitor images: the neutral sources, x86, and one vendor, chosen by what is linked.

X86_SRCS := $(addprefix arch/x86/,apic.c console.c decode.c fetch.c io.c lock.c mmu.c mtrr.c \
	policy_cpuid.c policy_msr.c record.c region.c stage2.c start.c switch.S sync.c trap.c trap_entry.S)
VTD := $(addprefix arch/x86/iommu/,dma.c vtd.c)
AMDVI := $(addprefix arch/x86/iommu/,dma.c amdvi.c)
SVM_SRCS := $(addprefix arch/x86/svm/,caps.c cr.c device.c dump.c entry.S event.c exit.c header.c \
	launch.c message.c mitigate.c msr.c npt.c reset.c vcpu.c vp.c)
VMX_SRCS := $(addprefix arch/x86/vmx/,caps.c cr.c dump.c ept.c entry.S event.c exit.c header.c launch.c memtype.c \
	msr.c reset.c vcpu.c vp.c) arch/x86/mitigate.c

# What the guest is shown, and why not the rest: for the tests and pages made from it.
POLICY := $(addprefix arch/x86/,cpu_policy.def vmx/cpu_policy.def svm/cpu_policy.def cpu_denied.def)

MON_LDS := arch/x86/monitor.lds
MON_LTO := -flto -flto-partition=none
MON_LDFLAGS := -nostdlib -nostartfiles -static-pie -Wl,--no-dynamic-linker -Wl,-z,text -Wl,-z,noexecstack \
	-Wl,-z,norelro -Wl,-z,max-page-size=4096 -Wl,--build-id=none -Wl,--orphan-handling=error -T $(MON_LDS)
MON_LINK = $(CC) $(MON_CFLAGS) $(MON_LTO) $(MON_LDFLAGS)
MKIMAGE := tools/build/mkimage.py

mon_objs = $(patsubst %,$(B)/root/%.o,$(basename $(1)))

$(B)/root/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo '  CC $@'
	@$(CC) $(MON_CFLAGS) $(if $(filter %/string.c,$<),,$(MON_LTO)) $(DEPS) -c $< -o $@

$(B)/root/%.o: %.S Makefile
	@mkdir -p $(@D)
	@echo '  CC $@'
	@$(CC) $(MON_CFLAGS) $(DEPS) -c $< -o $@

# What only test images have of a vendor.
test_srcs = arch/x86/$(firstword $(subst -, ,$(1)))/test.c

# $(eval $(call mon_image,VENDOR,SOURCES)) defines the rules for a vendor's monitor, release and test build.
define mon_image
$(1)_OBJS := $(call mon_objs,$(MON_SRCS) $(X86_SRCS) $(2))
$(B)/monitor/redoubt-$(1).elf: $$($(1)_OBJS) $(call mon_objs,$(NO_HOOKS)) $(MON_LDS)
	@mkdir -p $$(@D)
	@echo '  LD $$@'
	@$(MON_LINK) -Wl,-Map=$$@.map -o $$@ $$(filter %.o,$$^)
$(B)/monitor/redoubt-$(1)-test.elf: $$($(1)_OBJS) $(call mon_objs,$(TEST_HOOKS) $(call test_srcs,$(1))) $(MON_LDS)
	@mkdir -p $$(@D)
	@echo '  LD $$@'
	@$(MON_LINK) -Wl,-Map=$$@.map -o $$@ $$(filter %.o,$$^)
-include $$(patsubst %.o,%.d,$$($(1)_OBJS))
endef

$(eval $(call mon_image,vmx,$(VMX_SRCS) $(VTD)))
$(eval $(call mon_image,svm,$(SVM_SRCS) $(AMDVI)))
# For tests: no emulator has a VT-d unit beside VT-x, QEMU has one beside SVM.
$(eval $(call mon_image,svm-vtd,$(SVM_SRCS) $(VTD)))
-include $(patsubst %.o,%.d,$(call mon_objs,$(TEST_HOOKS) $(NO_HOOKS) $(foreach v,vmx svm,$(call test_srcs,$(v)))))

$(B)/monitor/%.img: $(B)/monitor/%.elf $(MKIMAGE) tools/build/elf.py
	$(PY) $(MKIMAGE) $< $@
