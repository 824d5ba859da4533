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

# Signed by keys that the codeint of tests trusts, for the suite to offer: the sample, and the probe with
# SVN 8 and 9, by another name, by another signer.
OFFERED := $(B)/guest/suite
OFFERED_IMAGES := $(patsubst %,$(OFFERED)/%.img,sample probe8 probe9 named signed)
OFFERED_ELF = $(B)/guest/trustlets/probe/probe.elf
$(OFFERED)/sample.img: OFFERED_ELF := $(B)/guest/trustlets/sample/sample.elf
$(OFFERED)/sample.img: OFFERED_AS := --id sample --svn 1
$(OFFERED)/probe8.img $(OFFERED)/signed.img: OFFERED_AS := --id probe --svn 8
$(OFFERED)/probe9.img: OFFERED_AS := --id probe --svn 9
$(OFFERED)/named.img: OFFERED_AS := --id prober --svn 8
$(OFFERED)/signed.img: OFFERED_KEY := rsa
$(OFFERED_IMAGES): $(patsubst %,$(B)/guest/trustlets/%,probe/probe.img sample/sample.img keys/ec.key keys/rsa.key) tools/trustlet
	@mkdir -p $(@D)
	@tools/trustlet make $(OFFERED_AS) $(OFFERED_ELF) $@ > /dev/null
	@tools/trustlet sign --key $(B)/guest/trustlets/keys/$(or $(OFFERED_KEY),ec).key $@ > /dev/null
$(B)/efi/guest/suite/offered.o: $(OFFERED_IMAGES)
$(B)/efi/guest/suite/offered.o: EFI_CFLAGS += '-DOFFERED=$(OFFERED)'

$(eval $(call efi_app,guest/suite,$(GUEST_LIB_OBJS) $(GUEST_SUITE_OBJS)))
$(eval $(call efi_app,guest/tiny,$(GUEST_LIB_OBJS) $(GUEST_TINY_OBJS)))

ALL_TARGETS += $(B)/guest/suite.efi $(B)/guest/tiny.efi
