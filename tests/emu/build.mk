# SPDX-License-Identifier: BSD-2-Clause-Patent
# tests/emu: run and debug, and what every test on an emulated machine needs.
#
# A machine is VENDOR-ENGINE, as choose.py names it. Tests run on each that the host has, or on what VENDOR= and
# EMU= leave of them; their results are named MACHINE.TEST.

CHOOSE = $(PY) tests/emu/choose.py
CHOICE = $(addprefix --vendor ,$(VENDOR)) $(addprefix --engine ,$(EMU))
MACHINES = $(eval MACHINES := $$(or $$(shell $(CHOOSE) machines $(CHOICE)),$$(error no machine to test on)))$(MACHINES)
machine_vendor = $(firstword $(subst -, ,$(1)))
machine_args = --vendor $(machine_vendor) --engine $(patsubst $(machine_vendor)-%,%,$(1))

# $(call on_machine,MACHINE,SECONDS,TEST,DRIVER) is part of a recipe; it sets status=1 where the test fails.
on_machine = tests/run --time $(2) $(1).$(3) -- $(4) --name $(1).$(3) $(machine_args) || status=1;
# $(call on_machines,SECONDS,TEST,DRIVER): the same on every machine
on_machines = $(foreach m,$(MACHINES),$(call on_machine,$(m),$(1),$(2),$(3)))

.PHONY: setup-machines
setup-machines: setup-build
	@$(SETUP) image
	@$(CHOOSE) setup $(CHOICE)

KERNEL ?= stock
CPUS ?= 1
OPTIONS ?=
KERNEL_GROUP := kernel$(filter-out -stock,-$(KERNEL))
LINUX_PY := $(PY) tests/emu/linux.py
LINUX_ARGS = --kernel $(KERNEL) --cpus $(CPUS) $(CHOICE) \
	$(if $(OPTIONS),--options "$(OPTIONS)")

# Files that a machine with Linux is made of; the kernel is the set-up's.
LINUX_FILES = $(B)/boot/redoubt.efi $(STARTER) $(INITRAMFS)

.PHONY: run debug setup-run setup-debug
setup-run:
	@$(SETUP) build image initramfs $(KERNEL_GROUP)

run: setup-run ## boot Debian above the monitor (VENDOR= EMU= KERNEL=stock|cloud CPUS=N OPTIONS="kernel options")
	@$(MAKE) --no-print-directory -s $(LINUX_FILES)
	@$(LINUX_PY) run $(LINUX_ARGS)

debug: setup-run ## the same on Bochs, stopped in the debugger at the monitor's entry, symbols loaded
	@$(MAKE) --no-print-directory -s $(LINUX_FILES)
	@$(LINUX_PY) debug $(LINUX_ARGS)

# Counts instructions in QEMU's translator; benchmarks ask for it.
QEMU_PROBE := $(B)/emu/qemu-probe.so
$(QEMU_PROBE): tests/emu/qemu-probe/probe.c tests/emu/qemu-probe/plugin.h
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -O2 $(WARN) -shared -fPIC -fvisibility=hidden -o $@ $< -ldl
