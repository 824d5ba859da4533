# SPDX-License-Identifier: BSD-2-Clause-Patent
# Trustlets at work: on the stage (QEMU's SVM), the run-time's parts on the host, the image tool.

STAGE := $(B)/tests/trustlets/stage.elf
STAGE_OBJS := $(patsubst %,$(B)/stage/%.o,$(basename $(wildcard tests/trustlets/*.S tests/trustlets/*.c)))
STAGE_CFLAGS := -std=c17 -O2 -g $(WARN) $(REPRO) -I. -ffreestanding -fno-pic -mno-red-zone -mgeneral-regs-only \
	-fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables

$(B)/stage/%.o: %.c
	@mkdir -p $(@D)
	@$(CC) $(STAGE_CFLAGS) $(DEPS) -c $< -o $@
$(B)/stage/%.o: %.S
	@mkdir -p $(@D)
	@$(CC) $(STAGE_CFLAGS) $(DEPS) -c $< -o $@

# Multiboot wants a 32-bit file; boot.S first, for its header.
$(STAGE): $(STAGE_OBJS)
	@mkdir -p $(@D)
	@$(LD) -nostdlib -static -N --no-warn-rwx-segments -z noexecstack --build-id=none -Ttext=0x100000 \
		-e stage_entry -o $@64 $(sort $^)
	@$(OBJCOPY) -O elf32-i386 $@64 $@

.PHONY: check-trustlets setup-trustlets check-trustlet-stage
setup-trustlets:
	@$(SETUP) build hosttest qemu trustlet
	@$(MAKE) --no-print-directory -s $(STAGE) $(TRUSTLET_IMAGES) $(TRUSTLET_UNIT_PROGRAMS) $(TRUSTLET_FUZZ)

check-trustlet-stage: setup-trustlets ## trustlets executed from their start state on QEMU's SVM
	@status=0; for t in $(TRUSTLET_NAMES); do tests/run --time 120 trustlet-stage-$$t -- \
		$(PY) tests/trustlets/stage.py $(STAGE) $$t $(TRUSTLETS)/$$t || status=1; done; exit $$status

check-trustlets: ## trustlets: run-time, images, signatures, and both executed
	@status=0; for t in check-trustlet-unit check-trustlet-fuzz check-trustlet-stage; do \
		$(MAKE) --no-print-directory $$t || status=1; done; exit $$status

CHECK_TESTS += check-trustlets
-include $(STAGE_OBJS:.o=.d)
