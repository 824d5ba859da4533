# SPDX-License-Identifier: BSD-2-Clause-Patent
# SHA-1 and SHA-256 by SHA extensions and in C, with what they need of Mbed TLS, under both sanitizers. Included by the
# fuzzer's too.
ifndef SHA_OBJS

include vtpm/platform/sha_c.mk

SHA_LIBRARY := $(addprefix $(B)/vtpmunit/sha/,sha1.o sha256.o platform_util.o)
SHA_IN_C := $(addprefix $(B)/vtpmunit/sha/,sha1_c.o sha256_c.o)
SHA_OBJS := $(B)/vtpmunit/sha/sha_ni.o $(SHA_LIBRARY) $(SHA_IN_C)
SHA_UNIT := $(B)/tests/unit/vtpm/test_sha_ni
# $(call sha_cc,CC,FLAGS): a compiler at work on the library as the vTPM has it, without compression functions of its own
sha_cc = dir=$$($(SETUP) mbedtls && $(SETUP) --mbedtls) && $(1) $(2) -isystem $$dir/include \
	-DMBEDTLS_CONFIG_FILE='<vtpm/platform/sha_c_config.h>' -DMBEDTLS_SHA1_PROCESS_ALT -DMBEDTLS_SHA256_PROCESS_ALT $(DEPS)

$(B)/vtpmunit/sha/sha_ni.o: vtpm/platform/sha_ni.c
$(B)/vtpmunit/sha/test_sha_ni.o: tests/unit/vtpm/test_sha_ni.c
$(SHA_OBJS) $(B)/vtpmunit/sha/test_sha_ni.o: vtpm/platform/sha_c_config.h vtpm/platform/sha_c.mk tools/setup/mbedtls.sh \
	| $(B)/hosttest.ready
$(B)/vtpmunit/sha/sha_ni.o $(B)/vtpmunit/sha/test_sha_ni.o:
	@mkdir -p $(@D)
	@echo '  HOSTCC $@'
	@$(call sha_cc,$(CC),$(HOST_CFLAGS)) -c $< -o $@
$(SHA_LIBRARY): $(B)/vtpmunit/sha/%.o:
	@mkdir -p $(@D)
	@echo '  HOSTCC $@'
	@$(call sha_cc,$(CC),$(HOST_CFLAGS)) -w -c $$dir/library/$*.c -o $@
$(SHA_IN_C): $(B)/vtpmunit/sha/%_c.o:
	@mkdir -p $(@D)
	@echo '  HOSTCC $@'
	@dir=$$($(SETUP) mbedtls && $(SETUP) --mbedtls) && \
		$(call sha_c_object,$(CC) $(HOST_CFLAGS) -isystem $$dir/include,$$dir/library,$*,$@)

# Calls of the library's functions in C are counted.
$(SHA_UNIT): $(B)/vtpmunit/sha/test_sha_ni.o $(SHA_OBJS)
	@mkdir -p $(@D)
	@$(CC) $(HOST_CFLAGS) -Wl,--wrap=sha1_c_process,--wrap=sha256_c_process -o $@ $^ -lcmocka

# As a trustlet's: with the flags of one that has the library's headers.
SHA_TRUSTLET := $(B)/vtpmunit/sha/trustlet
$(SHA_TRUSTLET)/tree/vtpm/platform/sha_ni.o: FORCE
	@mkdir -p $(SHA_TRUSTLET)
	@$(MAKE) --no-print-directory -s -C guest/trustlets/codeint O=$(abspath $(SHA_TRUSTLET)) KEY= \
		TREE_SRCS=vtpm/platform/sha_ni.c $(abspath $@) > $(SHA_TRUSTLET).log 2>&1 || { cat $(SHA_TRUSTLET).log >&2; exit 1; }

.PHONY: check-vtpm-sha check-vtpm-sha-unit
check-vtpm-sha-unit: $(SHA_UNIT) $(SHA_TRUSTLET)/tree/vtpm/platform/sha_ni.o
	@status=0; for how in ni c; do tests/run --time 120 vtpm-sha-$$how -- $(SHA_UNIT) $$how || status=1; done; \
	tests/run --time 60 vtpm-sha-stack -- $(PY) tests/unit/vtpm/sha_stack.py \
		$(SHA_TRUSTLET)/tree/vtpm/platform/sha_ni.o || status=1; exit $$status

check-vtpm-sha: ## the vTPM's SHA-1 and SHA-256: known answers, and against OpenSSL's
	@status=0; for t in check-vtpm-sha-unit check-vtpm-sha-fuzz; do \
		$(MAKE) --no-print-directory -s $$t || status=1; done; exit $$status

HOST_TESTS += check-vtpm-sha
-include $(B)/vtpmunit/sha/sha_ni.d $(B)/vtpmunit/sha/test_sha_ni.d
endif
