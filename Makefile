# SPDX-License-Identifier: BSD-2-Clause-Patent
# Redoubt. `make help` lists the targets; each folder's build.mk holds its own rules.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help

B ?= build
CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/redoubt
# Empty: what the host has; tests/emu/choose.py tells which pairs can be.
VENDOR ?=
EMU ?=
VENDORS := vmx svm
PY := /usr/bin/python3
CC := gcc
LD := ld
OBJCOPY := objcopy
SETUP := tools/setup/setup.sh
export CACHE B

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef \
	-Wpointer-arith -Wcast-qual -Wvla -Wwrite-strings -Wno-unused-parameter
DEPS = -MMD -MP
# Reproducible: no path of the machine in the output.
REPRO := -ffile-prefix-map=$(CURDIR)=. -gno-record-gcc-switches

# Root mode: general registers only, no red zone (exceptions share the stack), position independent
# (the loader places it), no indirect branch without a retpoline, stacks aligned to 8 bytes since
# nothing without SSE asks for more.
MON_CFLAGS := -std=c17 -O2 -g $(WARN) $(REPRO) -Imonitor/.. -I. -Iarch/include -ffreestanding -fpie \
	-fvisibility=hidden -mgeneral-regs-only -mno-red-zone -mpreferred-stack-boundary=3 \
	-fno-jump-tables -fno-common \
	-fno-asynchronous-unwind-tables -fno-strict-aliasing -fstack-protector-strong \
	-mstack-protector-guard=global -fcf-protection=none -mindirect-branch=thunk-inline \
	-mindirect-branch-register -ftrivial-auto-var-init=zero -fno-delete-null-pointer-checks -fwrapv

# EFI applications: gnu-efi's headers, Microsoft calling convention by attribute.
EFI_CFLAGS := -std=c17 -O2 -g $(WARN) $(REPRO) -I. -isystem /usr/include/efi \
	-isystem /usr/include/efi/x86_64 -DGNU_EFI_USE_MS_ABI -DHAVE_USE_MS_ABI -ffreestanding -fpie \
	-fvisibility=hidden -fshort-wchar -mno-red-zone -mgeneral-regs-only -fno-strict-aliasing \
	-fno-asynchronous-unwind-tables -fno-stack-protector -fcf-protection=none \
	-maccumulate-outgoing-args

# Host programs under sanitizers.
HOST_CFLAGS := -std=gnu17 -O2 -g $(WARN) -I. -Iarch/include -fsanitize=address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer

CHECK_TESTS :=
# Those that need no emulator.
HOST_TESTS :=
SOAK_TESTS :=
# What those build that need one, in front of all.
CHECK_SETUP :=
BENCH_TESTS :=
LINT_TESTS :=
# Checks of what the other checks have left in $(B)/results.
CHECK_LAST :=

# The sources' lists first, then what links and runs them.
include $(wildcard monitor/build.mk boot/build.mk)
include $(sort $(wildcard arch/*/build.mk vtpm/build.mk guest/build.mk tests/build.mk tools/build.mk \
	tests/*/build.mk tests/*/*/build.mk guest/*/build.mk guest/*/*/build.mk tools/*/build.mk))

.PHONY: help check soak bench format all lint clean setup-build
help: ## list the targets
	@echo "Redoubt: targets (variables: VENDOR=vmx|svm EMU=qemu-kvm|qemu-tcg|bochs"
	@echo "  KERNEL=stock|cloud CPUS=N N=count SEED=number)"
	@grep -shE '^[a-z][a-z-]*:.*## ' Makefile $(wildcard */build.mk */*/build.mk) | sort -u | \
		sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 18

setup-build:
	@$(SETUP) build

all: setup-build ## build everything that runs: redoubt.efi, test programs, redoubtctl
	@$(MAKE) --no-print-directory $(ALL_TARGETS)

# Two: what needs no emulator runs beside what does. LANES=1: one after the other.
LANES ?= $(if $(filter 1,$(shell nproc)),1,2)
check: setup-build ## everything CI runs, at a budget that fits it (LANES=1)
	@tests/check.sh $(MAKE) $(if $(filter 2,$(LANES)),$(CHECK_TESTS) -- $(LINT_TESTS) $(HOST_TESTS) -- $(CHECK_LAST) -- \
		all $(CHECK_SETUP),$(LINT_TESTS) $(HOST_TESTS) $(CHECK_TESTS) $(CHECK_LAST))

soak: setup-build ## the same tests at the numbers the issues state (N=, SEED=)
	@SOAK=1 tests/check.sh $(MAKE) $(SOAK_TESTS)

bench: setup-build ## measure in instructions; writes build/bench.json and prints a table beside the goals
	@tests/bench.sh $(MAKE) $(BENCH_TESTS)

lint: setup-build ## style numbers, dependency rule, clang-format, clang-tidy, cppcheck, objdump checks
	@tests/check.sh $(MAKE) $(LINT_TESTS)

format: ## reformat the C sources in place
	@$(SETUP) lint
	@git ls-files '*.c' '*.h' | xargs clang-format -i

clean: ## remove what was built here (the cache outside the tree stays)
	rm -rf $(B)
