# SPDX-License-Identifier: BSD-2-Clause-Patent
# tests/boot: Debian to userland, with the monitor and, to know the difference, without.

BOOT_PY := $(PY) tests/boot/boot.py
# The small userland and, behind it, what only these tests run in it.
BOOT_INITRAMFS := $(B)/tests/boot/initramfs.cpio
BOOT_PROGRAMS := $(B)/tests/boot/driver/ioctls $(B)/tests/boot/driver/requests
BOOT_RATIO := $(B)/bench/boot_ratio.json

$(BOOT_PROGRAMS): $(B)/tests/boot/driver/%: tests/boot/driver/%.c guest/linux/redoubt.h
	@mkdir -p $(@D)
	$(CC) $(LINUX_CFLAGS) -static -s $< -o $@

$(BOOT_INITRAMFS): $(INITRAMFS) $(BOOT_PROGRAMS) guest/linux/mkinitramfs.py
	$(PY) guest/linux/mkinitramfs.py $@.more $(foreach p,$(BOOT_PROGRAMS),$(p)=tests/$(notdir $(p)))
	cat $(INITRAMFS) $@.more > $@

.PHONY: check-boot setup-boot bench-boot bench-boot-svm
setup-boot: setup-machines
	@$(SETUP) initramfs kernel kernel-cloud shim
	@$(MAKE) --no-print-directory -s $(LINUX_FILES) $(BOOT_INITRAMFS) $(B)/boot/redoubt-partitions.efi

# Bochs takes longer than CI has for Linux on four CPUs; the test guest runs on four there.
check-boot: setup-boot ## boot Debian: 1, 2 and 4 CPUs, EFI stub, shim and GRUB, without monitor
	@status=0; \
	$(call on_machines,300,boot-bare,$(BOOT_PY) --bare) \
	$(call on_machines,400,boot-stock,$(BOOT_PY) --kernel stock --driver) \
	$(call on_machines,400,boot-2cpu,$(BOOT_PY) --cpus 2 --reboot --hotplug --driver --partitions) \
	$(call on_machines,400,boot-shim,$(BOOT_PY) --cpus 2 --via shim) \
	$(foreach m,$(filter-out %-bochs,$(MACHINES)),\
	$(call on_machine,$(m),400,boot-4cpu,$(BOOT_PY) --cpus 4)) \
	exit $$status

bench-boot: setup-boot
	@$(PY) tests/boot/ratio.py $(BOOT_RATIO)

bench-boot-svm:
	@$(SETUP) build image qemu initramfs kernel-cloud
	@$(MAKE) --no-print-directory -s $(LINUX_FILES) $(QEMU_PROBE)
	@$(PY) tests/boot/ratio.py --vendor svm $(B)/bench/boot_ratio_svm.json

CHECK_TESTS += check-boot
CHECK_SETUP += setup-boot
SOAK_TESTS += check-boot
BENCH_TESTS += bench-boot bench-boot-svm
