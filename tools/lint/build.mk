# SPDX-License-Identifier: BSD-2-Clause-Patent
# tools/lint: the checks that read the tree, and those that read what was built.

LINT_TREE := style deps headers format tidy cppcheck scripts docs unseen
LINT_BUILT := driver image sloc
LINT_TESTS += $(addprefix lint-,$(LINT_TREE) $(LINT_BUILT))

LINT_IMAGES := $(foreach v,$(VENDORS),$(B)/monitor/redoubt-$(v).elf)
LINT_TEST_IMAGES := $(foreach v,$(VENDORS),$(B)/monitor/redoubt-$(v)-test.elf)
# $(call lint_each,PROGRAM,ARGUMENTS): part of a recipe, on the image of each vendor, which is $$v
lint_each = status=0; for v in $(VENDORS); do tests/run $@-$$v -- $(1) $(2) || status=1; done; exit $$status

$(addprefix lint-,$(LINT_TREE) $(LINT_BUILT)): export MON_CFLAGS := $(MON_CFLAGS)
$(addprefix lint-,$(LINT_TREE) $(LINT_BUILT)): export EFI_CFLAGS := $(EFI_CFLAGS) -DEFI_IMAGE_BASE=0ul
$(addprefix lint-,$(LINT_TREE) $(LINT_BUILT)): export HOST_CFLAGS := $(HOST_CFLAGS)

.PHONY: lint-setup $(addprefix lint-,$(LINT_TREE) $(LINT_BUILT))
# The libraries that tests include are among what headers are compiled with.
lint-setup:
	@$(SETUP) build lint hosttest

lint-style: setup-build ## lengths, parameters, conditionals, licences, columns
	@tests/run $@ -- $(PY) tools/lint/style.py

lint-deps: setup-build ## who may include whom; where assembly and the CPU's formats may stand
	@tests/run $@ -- $(PY) tools/lint/deps.py

lint-headers: lint-setup $(B)/guest/lib/calls.h $(B)/guest/suite/test_calls.h ## each header compiles on its own
	@tests/run $@ -- $(PY) tools/lint/headers.py

lint-format: lint-setup ## clang-format
	@tests/run $@ -- $(PY) tools/lint/cformat.py

lint-tidy: lint-setup ## clang-tidy and clang's warnings on monitor/, arch/, boot/
	@tests/run $@ -- $(PY) tools/lint/tidy.py

lint-cppcheck: lint-setup ## cppcheck
	@tests/run $@ -- $(PY) tools/lint/cppcheck.py

lint-scripts: lint-setup ## shellcheck, pyflakes
	@tests/run $@ -- $(PY) tools/lint/scripts.py

lint-docs: setup-build ## README files, links, no names of hosts and machines
	@tests/run $@ -- $(PY) tools/lint/docs.py

lint-unseen: setup-build ## the page of policy rows never seen at work
	@tests/run $@ -- $(PY) tools/lint/unseen.py

lint-driver: setup-build ## checkpatch and sparse on the Linux driver
	@$(SETUP) kernel-cloud lint-driver
	@$(MAKE) --no-print-directory -s $(LINUX_CALLS)
	@tests/run $@ -- $(PY) tools/lint/driver.py $(CACHE)/debs/headers-cloud/build $(CACHE)/debs/checkpatch $(B)

lint-image: lint-setup $(LINT_IMAGES) $(LINT_TEST_IMAGES) ## what may not be in a linked monitor
	@$(call lint_each,$(PY) tools/lint/image.py,$$v $(B)/monitor/redoubt-$$v.elf $(B)/monitor/redoubt-$$v-test.elf)

lint-sloc: lint-setup $(LINT_IMAGES) ## lines of root-mode code, listed
	@$(call lint_each,$(PY) tools/lint/sloc.py,$(B)/monitor/redoubt-$$v.elf)

.PHONY: reflow
reflow: ## break comments wider than 100 columns, in place
	@git ls-files '*.c' '*.h' '*.S' '*.def' | xargs $(PY) tools/lint/reflow.py

# Properties of the EFI application; a second opinion on what the converter wrote.
ifneq ($(wildcard tools/lint/check_pe.py),)
LINT_TESTS += lint-pe
.PHONY: lint-pe
lint-pe: lint-setup $(B)/boot/redoubt.efi $(B)/tests/boot/loader/partitions.efi ## sections, protections and relocations of redoubt.efi
	@tests/run $@ -- $(PY) tools/lint/check_pe.py $(B)/boot/redoubt.efi $(B)/tests/boot/loader/partitions.efi
endif
