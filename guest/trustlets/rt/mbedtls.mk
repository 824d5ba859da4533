# SPDX-License-Identifier: BSD-2-Clause-Patent
# Mbed TLS in a trustlet: included by trustlet.mk for those that set
#
#   MBEDTLS   names of the library's C files to link
#
# and have a configuration of their own, mbedtls_config.h, beside their Makefile. The sources are
# tools/setup's. What nobody calls is left out of the image.

MBEDTLS_DIR := $(shell $(RT_TOP)/tools/setup/setup.sh mbedtls >&2 && $(RT_TOP)/tools/setup/setup.sh --mbedtls)
ifeq ($(MBEDTLS_DIR),)
$(error no sources of Mbed TLS: see above)
endif
MBEDTLS_OBJS := $(MBEDTLS:%=$(O)/mbedtls/%.o)
MBEDTLS_CONFIG := -DMBEDTLS_CONFIG_FILE='<mbedtls_config.h>'

TRUSTLET_CFLAGS += -isystem $(MBEDTLS_DIR)/include $(MBEDTLS_CONFIG)
TRUSTLET_LDFLAGS += --gc-sections

# -MMD leaves out what a header of the library's includes.
$(MBEDTLS_OBJS) $(TRUSTLET_OBJS): mbedtls_config.h

# Warnings are upstream's to judge.
$(O)/mbedtls/%.o: $(MBEDTLS_DIR)/library/%.c
	@mkdir -p $(@D)
	$(CC) $(TRUSTLET_CFLAGS) -w -ffile-prefix-map=$(MBEDTLS_DIR)=mbedtls -ffunction-sections -fdata-sections \
		-MMD -MP -c $< -o $@
