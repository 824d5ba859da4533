# SPDX-License-Identifier: BSD-2-Clause-Patent
# How a trustlet is built: included by its Makefile, which sets
#
#   NAME     its id: [a-z0-9-], at most 31 characters
#   SVN      security version, from 1; raised when a hole is closed
#   SRCS     its C files, or assembly, beside requests.def
#   RT       this folder, in a checkout of the project
#   KEY      private key (PEM) to sign with; empty: the image stays unsigned
#
# and may set HEAP_PAGES, STACK_PAGES, WINDOW_PAGES (from rt_window to the end of private memory),
# DEBUG=1, O (where to build), CC, LD, TREE_SRCS (C files, or assembly, of the checkout, from its top), OBJS (objects that others make, to be linked as they are),
# MBEDTLS (what to link of Mbed TLS, see mbedtls.mk), SEAL=1 (to seal, see seal/seal.h). The result is
# $(O)/$(NAME).img; `make show` prints what it says of itself. The run-time is compiled with it,
# because its dispatcher is made from requests.def.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
RT ?= $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
RT_TOP := $(abspath $(RT)/../../..)
O ?= build
HEAP_PAGES ?= 64
STACK_PAGES ?= 4
WINDOW_PAGES ?= 0
TRUSTLET_TOOL := /usr/bin/python3 $(RT_TOP)/tools/trustlet
CC = gcc
LD = ld

# The compiler's own headers and the run-time's; the machine's are out of reach.
TRUSTLET_CFLAGS := -std=c17 -O2 -g -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wundef -Wpointer-arith -Wcast-qual -Wvla -Wwrite-strings \
	-Wno-unused-parameter -ffile-prefix-map=$(RT_TOP)=. -ffile-prefix-map=$(CURDIR)=. \
	-gno-record-gcc-switches -nostdinc -isystem $(shell $(CC) -print-file-name=include) \
	-I$(RT_TOP) -I$(RT)/include -I$(CURDIR) -ffreestanding -fno-pic -mcmodel=small \
	-fstack-protector-strong -mstack-protector-guard=global -fcf-protection=none -fno-common \
	-fno-asynchronous-unwind-tables -ftrivial-auto-var-init=zero -fno-delete-null-pointer-checks \
	-fno-strict-aliasing -fwrapv
TRUSTLET_LDFLAGS := -static -nostdlib --fatal-warnings --no-undefined --orphan-handling=error \
	-z noexecstack -z max-page-size=4096 -z norelro --build-id=none -T $(RT)/trustlet.lds \
	--defsym=HEAP_PAGES=$(HEAP_PAGES) --defsym=STACK_PAGES=$(STACK_PAGES) \
	--defsym=WINDOW_PAGES=$(WINDOW_PAGES)

RT_OBJS := $(patsubst $(RT)/%,$(O)/rt/%.o,$(basename $(wildcard $(RT)/*.S $(RT)/*.c)))
ifneq ($(SEAL),)
TREE_SRCS += guest/trustlets/rt/seal/seal.c
endif
TRUSTLET_OBJS := $(patsubst %,$(O)/%.o,$(basename $(SRCS))) $(patsubst %,$(O)/tree/%.o,$(basename $(TREE_SRCS)))
MBEDTLS_OBJS :=

.PHONY: all show clean
all: $(O)/$(NAME).img

include $(if $(MBEDTLS)$(SEAL),$(RT)/mbedtls.mk)

$(O)/rt/%.o: $(RT)/%.c
	@mkdir -p $(@D)
	$(CC) $(TRUSTLET_CFLAGS) -MMD -MP -c $< -o $@
$(O)/rt/%.o: $(RT)/%.S
	@mkdir -p $(@D)
	$(CC) $(TRUSTLET_CFLAGS) -MMD -MP -c $< -o $@
$(O)/tree/%.o: $(RT_TOP)/%.c
	@mkdir -p $(@D)
	$(CC) $(TRUSTLET_CFLAGS) -MMD -MP -c $< -o $@
$(O)/tree/%.o: $(RT_TOP)/%.S
	@mkdir -p $(@D)
	$(CC) $(TRUSTLET_CFLAGS) -MMD -MP -c $< -o $@
$(O)/%.o: %.S
	@mkdir -p $(@D)
	$(CC) $(TRUSTLET_CFLAGS) -MMD -MP -c $< -o $@
$(O)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(TRUSTLET_CFLAGS) -MMD -MP -c $< -o $@

# A weak symbol that nobody defines would silently be 0.
$(O)/$(NAME).elf: $(RT_OBJS) $(TRUSTLET_OBJS) $(MBEDTLS_OBJS) $(OBJS) $(RT)/trustlet.lds
	@if nm -A $(filter %.o,$^) | grep ' [vw] ' >&2; then echo "undefined, though weakly" >&2; exit 1; fi
	$(LD) $(TRUSTLET_LDFLAGS) -Map=$@.map -o $@ $(filter %.o,$^)

$(O)/$(NAME).img: $(O)/$(NAME).elf $(wildcard $(RT_TOP)/tools/image/*.py) $(KEY)
	$(TRUSTLET_TOOL) make --id $(NAME) --svn $(SVN) $(if $(DEBUG),--debug) $< $@
	$(if $(KEY),$(TRUSTLET_TOOL) sign --key $(KEY) $@)

show: $(O)/$(NAME).img
	$(TRUSTLET_TOOL) show $<

clean:
	rm -rf $(O)

-include $(RT_OBJS:.o=.d) $(TRUSTLET_OBJS:.o=.d) $(MBEDTLS_OBJS:.o=.d)
