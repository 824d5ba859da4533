# SPDX-License-Identifier: BSD-2-Clause-Patent
# tests/boot: Debian to userland, with the monitor and, to know the difference, without.

BOOT_PY = $(PY) tests/boot/boot.py $(addprefix --engine ,$(EMU))
BOOT_RATIO := $(B)/bench/boot_ratio.json

.PHONY: check-boot setup-boot bench-boot bench-boot-svm
setup-boot:
	@$(SETUP) build image bochs initramfs kernel kernel-cloud shim
	@$(MAKE) --no-print-directory -s $(LINUX_FILES)

check-boot: setup-boot ## boot Debian on Bochs: 1 and 2 CPUs, EFI stub, shim and GRUB, without monitor
	@[ "$(VENDOR)" = vmx ] || { echo "VENDOR=$(VENDOR): only vmx so far" >&2; exit 1; }
	@status=0; \
	tests/run --time 300 boot-bare -- $(BOOT_PY) --name boot-bare --bare || status=1; \
	tests/run --time 400 boot-stock -- $(BOOT_PY) --name boot-stock --kernel stock || status=1; \
	tests/run --time 400 boot-2cpu -- $(BOOT_PY) --name boot-2cpu --cpus 2 --reboot --hotplug \
		|| status=1; \
	tests/run --time 400 boot-shim -- $(BOOT_PY) --name boot-shim --cpus 2 --via shim || status=1; \
	exit $$status

bench-boot: setup-boot
	@$(PY) tests/boot/ratio.py $(BOOT_RATIO)

bench-boot-svm:
	@$(SETUP) build image qemu initramfs kernel-cloud
	@$(MAKE) --no-print-directory -s $(LINUX_FILES) $(QEMU_PROBE)
	@$(PY) tests/boot/ratio.py --vendor svm $(B)/bench/boot_ratio_svm.json

CHECK_TESTS += check-boot
SOAK_TESTS += check-boot
BENCH_TESTS += bench-boot bench-boot-svm
