# SPDX-License-Identifier: BSD-2-Clause-Patent
# tests/emu: run and debug, and what every test on an emulated machine needs.

KERNEL ?= stock
CPUS ?= 1
EMU ?=
OPTIONS ?=
KERNEL_GROUP := kernel$(filter-out -stock,-$(KERNEL))
LINUX_PY := $(PY) tests/emu/linux.py
LINUX_ARGS = --kernel $(KERNEL) --cpus $(CPUS) --vendor $(VENDOR) $(addprefix --engine ,$(EMU)) \
	$(if $(OPTIONS),--options "$(OPTIONS)")

# Files that a machine with Linux is made of; the kernel is the set-up's.
LINUX_FILES = $(B)/boot/redoubt.efi $(STARTER) $(INITRAMFS)

.PHONY: run debug setup-run setup-debug
setup-run:
	@$(SETUP) build image initramfs $(KERNEL_GROUP)

run: setup-run ## boot Debian above the monitor (KERNEL=stock|cloud CPUS=N OPTIONS="kernel options")
	@$(MAKE) --no-print-directory -s $(LINUX_FILES)
	@$(LINUX_PY) run $(LINUX_ARGS)

debug: setup-run ## the same, stopped in the debugger at the monitor's entry, symbols loaded
	@$(MAKE) --no-print-directory -s $(LINUX_FILES)
	@$(LINUX_PY) debug $(LINUX_ARGS)

# Counts instructions in QEMU's translator; benchmarks ask for it.
QEMU_PROBE := $(B)/emu/qemu-probe.so
$(QEMU_PROBE): tests/emu/qemu-probe/probe.c tests/emu/qemu-probe/plugin.h
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -O2 $(WARN) -shared -fPIC -fvisibility=hidden -o $@ $< -ldl
