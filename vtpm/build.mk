# SPDX-License-Identifier: BSD-2-Clause-Patent
# The vTPM's image.

$(B)/vtpm/vtpm.img: FORCE
	@$(SETUP) libtpms
	@mkdir -p $(@D)
	@$(MAKE) --no-print-directory -s -C vtpm RT=$(CURDIR)/guest/trustlets/rt O=$(abspath $(@D)) KEY= > $(@D)/vtpm.log 2>&1 || \
		{ cat $(@D)/vtpm.log >&2; exit 1; }
