# SPDX-License-Identifier: BSD-2-Clause-Patent
# Test guests: EFI applications that redoubt.efi starts as its next loader.

GUEST_LIB_SRC := $(wildcard guest/lib/*.c guest/lib/*.S)
GUEST_LIB_OBJS := $(call efi_objs,$(GUEST_LIB_SRC))
GUEST_SUITE_OBJS := $(call efi_objs,$(wildcard guest/suite/*.c guest/suite/*.S))
GUEST_TINY_OBJS := $(call efi_objs,$(wildcard guest/tiny/*.c))

# Stubs of the calls, made from their tables.
$(B)/guest/lib/calls.h: monitor/abi/calls.def monitor/abi/status.def tools/build/gen_calls.py
	$(PY) tools/build/gen_calls.py stubs $< $@
$(B)/guest/suite/test_calls.h: monitor/test/testcalls.def monitor/abi/status.def tools/build/gen_calls.py
	$(PY) tools/build/gen_calls.py stubs $< $@
$(GUEST_LIB_OBJS) $(GUEST_SUITE_OBJS) $(GUEST_TINY_OBJS): EFI_CFLAGS += -I$(B)
$(GUEST_LIB_OBJS) $(GUEST_SUITE_OBJS) $(GUEST_TINY_OBJS): | $(B)/guest/lib/calls.h \
	$(B)/guest/suite/test_calls.h

# Trustlets signed by a key that the codeint of tests trusts, for the suite to offer.
OFFERED := $(addprefix $(B)/guest/suite/,sample.img probe.img)
$(OFFERED): $(B)/guest/suite/%.img: $(B)/guest/trustlets/keys/ec.key tools/trustlet
	@mkdir -p $(@D)
	@tools/trustlet sign --key $(B)/guest/trustlets/keys/ec.key $(B)/guest/trustlets/$*/$*.img $@ > /dev/null
$(B)/guest/suite/sample.img: $(B)/guest/trustlets/sample/sample.img
$(B)/guest/suite/probe.img: $(B)/guest/trustlets/probe/probe.img
$(B)/efi/guest/suite/offered.o: $(OFFERED)
$(B)/efi/guest/suite/offered.o: EFI_CFLAGS += -DOFFERED_SAMPLE=$(B)/guest/suite/sample.img \
	-DOFFERED_PROBE=$(B)/guest/suite/probe.img

$(eval $(call efi_app,guest/suite,$(GUEST_LIB_OBJS) $(GUEST_SUITE_OBJS)))
$(eval $(call efi_app,guest/tiny,$(GUEST_LIB_OBJS) $(GUEST_TINY_OBJS)))

ALL_TARGETS += $(B)/guest/suite.efi $(B)/guest/tiny.efi
