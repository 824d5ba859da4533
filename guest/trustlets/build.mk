# SPDX-License-Identifier: BSD-2-Clause-Patent
# Trustlets of this tree: $(TRUSTLETS)/NAME/NAME.img, each by its own Makefile. Not signed here: a
# signature is its owner's (make -C guest/trustlets/sample KEY=...).

TRUSTLETS := $(B)/guest/trustlets
TRUSTLET_NAMES := sample probe
TRUSTLET_IMAGES := $(foreach t,$(TRUSTLET_NAMES),$(TRUSTLETS)/$(t)/$(t).img)

$(TRUSTLET_IMAGES): $(TRUSTLETS)/%.img: FORCE
	@$(MAKE) --no-print-directory -s -C guest/trustlets/$(*F) O=$(abspath $(@D)) KEY= > $(@D).log 2>&1 || \
		{ cat $(@D).log >&2; exit 1; }

.PHONY: FORCE
FORCE:
$(TRUSTLET_IMAGES): | $(TRUSTLETS)
$(TRUSTLETS):
	@mkdir -p $@

ALL_TARGETS += $(TRUSTLET_IMAGES)
