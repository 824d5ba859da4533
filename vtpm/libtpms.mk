# SPDX-License-Identifier: BSD-2-Clause-Patent
# libtpms as one object, $(LIBTPMS_OBJ), out of Debian's static archive: what its interface reaches, TPM 1.2 left out.
# Wants VTPM_TOP, the checkout, and VTPM_OUT, where to build.

LIBTPMS_DIR := $(shell $(VTPM_TOP)/tools/setup/setup.sh libtpms >&2 && $(VTPM_TOP)/tools/setup/setup.sh --libtpms)
ifeq ($(LIBTPMS_DIR),)
$(error no archive of libtpms: see above)
endif
LIBTPMS_ARCHIVE := $(LIBTPMS_DIR)/usr/lib/x86_64-linux-gnu/libtpms.a
LIBTPMS_OBJ := $(VTPM_OUT)/libtpms.o
# The calls that may be made: nothing else of the archive is there.
LIBTPMS_CALLS := ChooseTPMVersion MainInit Process RegisterCallbacks SetState Terminate VolatileAll_Store \
	GetTPMProperty SetBufferSize

# Whether a command is cancelled, and whether there is NV memory, tpm.c says. Tables of pointers need no writing once they are linked at a fixed address.
$(LIBTPMS_OBJ): $(LIBTPMS_ARCHIVE) $(VTPM_TOP)/vtpm/libtpms.mk
	@mkdir -p $(@D)
	ld -r --defsym=TPM12Interface=DisabledInterface $(LIBTPMS_CALLS:%=-u TPMLIB_%) -u TPM_Free \
		-u TPM_IO_Hash_Start -u TPM_IO_Hash_Data -u TPM_IO_Hash_End -u TPM_IO_TpmEstablished_Get \
		-u TPM_IO_TpmEstablished_Reset -o $@.r $<
	objcopy --weaken-symbol=_plat__IsCanceled --weaken-symbol=_plat__IsNvAvailable \
		--rename-section .data.rel.ro=.rodata.rel,alloc,load,readonly,data,contents \
		--rename-section .data.rel.ro.local=.rodata.rel.local,alloc,load,readonly,data,contents $@.r $@
	@rm $@.r
