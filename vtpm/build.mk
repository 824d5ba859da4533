# SPDX-License-Identifier: BSD-2-Clause-Patent
# The vTPM: its image, by its own Makefile, not signed here; and the same as a program for the host.

VTPM_IMAGE := $(B)/vtpm/vtpm.img
# The public half, in PEM, of the key of who may have the state as a package (README.md); none: nobody.
GUARDIAN ?=

# $(call vtpm_make,LOG,ARGUMENTS): part of a recipe
vtpm_make = @$(MAKE) --no-print-directory -s -C vtpm GUARDIAN= $(2) > $(1).log 2>&1 || { cat $(1).log >&2; exit 1; }

$(VTPM_IMAGE): FORCE
	@mkdir -p $(@D)
	$(call vtpm_make,$@,O=$(abspath $(@D)) KEY= GUARDIAN=$(abspath $(GUARDIAN)))

$(B)/vtpm/host/vtpm: FORCE
	@mkdir -p $(@D)
	$(call vtpm_make,$@,-f host.mk O=$(abspath $(@D)))

ALL_TARGETS += $(VTPM_IMAGE)
