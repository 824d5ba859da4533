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

# codeint that trusts the test keys, whatever SIGNERS is; the other one takes debug images too.
CODEINT_TESTED := $(B)/tests/trustlets/codeint
CODEINT_DEBUG := $(B)/tests/trustlets/codeint-debug
$(CODEINT_TESTED)/codeint.img $(CODEINT_DEBUG)/codeint.img: $(TEST_SIGNERS) FORCE
	@mkdir -p $(@D)
	$(call trustlet,codeint,$(@D),SIGNERS="$(abspath $(TEST_SIGNERS))" DEBUG_IMAGES=$(DEBUG_IMAGES_TESTED))
$(CODEINT_DEBUG)/codeint.img: DEBUG_IMAGES_TESTED := 1

STAGE_NAMES := sample probe
STAGE_IMAGES := $(foreach t,$(STAGE_NAMES),$(TRUSTLETS)/$(t)/$(t).img) $(CODEINT_TESTED)/codeint.img $(CODEINT_DEBUG)/codeint.img

# What it is to judge, signed by the test keys and another one.
CODEINT_FILES := $(B)/tests/trustlets/files
$(CODEINT_FILES)/made: tests/trustlets/files.py $(TEST_KEY_NAMES:%=$(TEST_KEYS)/%.key)
	@$(PY) $< $(TEST_KEYS) $(@D)
	@touch $@

.PHONY: check-trustlets setup-trustlets check-trustlet-stage
setup-trustlets:
	@$(SETUP) build hosttest qemu trustlet
	@$(MAKE) --no-print-directory -s $(STAGE) $(STAGE_IMAGES) $(CODEINT_FILES)/made $(TRUSTLET_UNIT_PROGRAMS) \
		$(TRUSTLET_FUZZ) $(SEAL_FUZZ_SEEDS)

check-trustlet-stage: setup-trustlets ## trustlets executed from their start state on QEMU's SVM
	@status=0; for t in $(STAGE_NAMES); do tests/run --time 120 trustlet-stage-$$t -- \
		$(PY) tests/trustlets/stage.py $(STAGE) $$t $(TRUSTLETS)/$$t || status=1; done; \
	tests/run --time 120 trustlet-stage-codeint -- $(PY) tests/trustlets/codeint.py $(STAGE) $(CODEINT_TESTED) \
		$(CODEINT_DEBUG) $(CODEINT_FILES) || status=1; exit $$status

check-trustlets: ## trustlets: run-time, images, signatures, and both executed
	@status=0; for t in check-trustlet-unit check-trustlet-fuzz check-trustlet-stage; do \
		$(MAKE) --no-print-directory $$t || status=1; done; exit $$status

CHECK_TESTS += check-trustlets
-include $(STAGE_OBJS:.o=.d)
