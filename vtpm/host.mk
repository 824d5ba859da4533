# SPDX-License-Identifier: BSD-2-Clause-Patent
# The vTPM for the host: make -C vtpm -f host.mk O=.../build/vtpm/host [CFLAGS_asan="..."]
#
# $(O)/vtpm is the program. Objects may be had in flavours, $(O)/FLAVOUR/..., for tests (tests/vtpm): plain; asan, with
# CFLAGS_asan; fuzz, by clang with CFLAGS_fuzz.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules
VTPM_TOP := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/..)
O ?= build
VTPM_OUT = $(O)
include $(VTPM_TOP)/vtpm/parts.mk $(VTPM_TOP)/vtpm/libtpms.mk $(VTPM_TOP)/vtpm/platform/sha_c.mk

MBEDTLS_DIR := $(shell $(VTPM_TOP)/tools/setup/setup.sh mbedtls >&2 && $(VTPM_TOP)/tools/setup/setup.sh --mbedtls)
VTPM_HOST_CFLAGS := -std=gnu17 -O2 -g -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef \
	-Wpointer-arith -Wcast-qual -Wvla -Wwrite-strings -Wno-unused-parameter
VTPM_HOST_INCLUDES := -I$(VTPM_TOP) -isystem $(MBEDTLS_DIR)/include -isystem $(LIBTPMS_DIR)/usr/include \
	-DMBEDTLS_CONFIG_FILE='<vtpm/mbedtls_config.h>'
CC = gcc
CC_plain = $(CC)
CC_asan = $(CC)
CC_fuzz = clang
CFLAGS_plain ?= $(VTPM_HOST_CFLAGS) -fstack-protector-strong
CFLAGS_asan ?= $(VTPM_HOST_CFLAGS) -fsanitize=address,undefined -fno-sanitize-recover=all
CFLAGS_fuzz ?= $(CFLAGS_asan) -fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping

VTPM_CORE := $(VTPM_SHARED) vtpm/host/cpu.c vtpm/host/platform.c
# $(call vtpm_objs,FLAVOUR): the TPM; $(call mbedtls_objs,FLAVOUR): what it links of Mbed TLS
vtpm_objs = $(VTPM_CORE:%.c=$(O)/$(1)/%.o)
mbedtls_objs = $(VTPM_MBEDTLS:%=$(O)/$(1)/mbedtls/%.o) $(O)/$(1)/sha/sha1_c.o $(O)/$(1)/sha/sha256_c.o

# $(call vtpm_flavour,NAME)
define vtpm_flavour
$(O)/$(1)/sha/%_c.o: $(MBEDTLS_DIR)/library/%.c $(VTPM_TOP)/vtpm/platform/sha_c_config.h
	@mkdir -p $$(@D)
	$$(call sha_c_object,$$(CC_$(1)) $$(CFLAGS_$(1)) $$(VTPM_HOST_INCLUDES),$(MBEDTLS_DIR)/library,$$*,$$@)
$(O)/$(1)/mbedtls/%.o: $(MBEDTLS_DIR)/library/%.c $(VTPM_TOP)/vtpm/mbedtls_config.h
	@mkdir -p $$(@D)
	$$(CC_$(1)) $$(CFLAGS_$(1)) $$(VTPM_HOST_INCLUDES) -w -MMD -MP -c $$< -o $$@
$(O)/$(1)/%.o: $(VTPM_TOP)/%.c $(VTPM_TOP)/vtpm/mbedtls_config.h
	@mkdir -p $$(@D)
	$$(CC_$(1)) $$(CFLAGS_$(1)) $$(VTPM_HOST_INCLUDES) -MMD -MP -c $$< -o $$@
endef
$(foreach f,plain asan fuzz,$(eval $(call vtpm_flavour,$(f))))

VTPM_PROGRAM := $(patsubst %,$(O)/plain/vtpm/%.o,host/main host/files manufacture certificate) $(call vtpm_objs,plain) \
	$(call mbedtls_objs,plain) $(LIBTPMS_OBJ)
$(O)/vtpm: $(VTPM_PROGRAM)
	$(CC) $(CFLAGS_plain) -no-pie -o $@ $^

.PHONY: all
all: $(O)/vtpm
-include $(shell find $(O) -name '*.d' 2>/dev/null)
