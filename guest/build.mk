# SPDX-License-Identifier: BSD-2-Clause-Patent
# Test guests: EFI applications that redoubt.efi starts as its next loader.

GUEST_LIB_SRC := $(wildcard guest/lib/*.c guest/lib/*.S)
GUEST_SUITE_SRC := $(wildcard guest/suite/*.c guest/suite/*.S)
GUEST_TINY_SRC := $(wildcard guest/tiny/*.c)

$(eval $(call efi_app,guest/suite,$(call efi_objs,$(GUEST_LIB_SRC) $(GUEST_SUITE_SRC))))
$(eval $(call efi_app,guest/tiny,$(call efi_objs,$(GUEST_TINY_SRC) guest/lib/text.c guest/lib/power.c)))

ALL_TARGETS += $(B)/guest/suite.efi $(B)/guest/tiny.efi
