# SPDX-License-Identifier: BSD-2-Clause-Patent
# Mbed TLS in a trustlet: included by trustlet.mk for those that set
#
#   MBEDTLS   names of the library's C files to link
#
# and have a configuration of their own, mbedtls_config.h, beside their Makefile; those that only seal
# have that of seal/. The sources are tools/setup's. What nobody calls is left out of the image.

ifeq ($(MBEDTLS),)
MBEDTLS_CONFIG_H := guest/trustlets/rt/seal/mbedtls_config.h
MBEDTLS_CONFIG_DEP := $(RT)/seal/mbedtls_config.h
else
MBEDTLS_CONFIG_H := mbedtls_config.h
MBEDTLS_CONFIG_DEP := mbedtls_config.h
endif
MBEDTLS_FOR_SEAL := aes aesni block_cipher constant_time gcm platform_util
MBEDTLS_LINKED := $(sort $(MBEDTLS) $(if $(SEAL),$(MBEDTLS_FOR_SEAL)))

MBEDTLS_DIR := $(shell $(RT_TOP)/tools/setup/setup.sh mbedtls >&2 && $(RT_TOP)/tools/setup/setup.sh --mbedtls)
ifeq ($(MBEDTLS_DIR),)
$(error no sources of Mbed TLS: see above)
endif
MBEDTLS_OBJS := $(MBEDTLS_LINKED:%=$(O)/mbedtls/%.o)
MBEDTLS_CONFIG := -DMBEDTLS_CONFIG_FILE='<$(MBEDTLS_CONFIG_H)>'

TRUSTLET_CFLAGS += -isystem $(MBEDTLS_DIR)/include $(MBEDTLS_CONFIG)
TRUSTLET_LDFLAGS += --gc-sections

# -MMD leaves out what a header of the library's includes.
$(MBEDTLS_OBJS) $(TRUSTLET_OBJS): $(MBEDTLS_CONFIG_DEP)

# Warnings are upstream's to judge.
$(O)/mbedtls/%.o: $(MBEDTLS_DIR)/library/%.c
	@mkdir -p $(@D)
	$(CC) $(TRUSTLET_CFLAGS) -w -ffile-prefix-map=$(MBEDTLS_DIR)=mbedtls -ffunction-sections -fdata-sections \
		-MMD -MP -c $< -o $@
