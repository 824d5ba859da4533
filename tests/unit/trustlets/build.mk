# SPDX-License-Identifier: BSD-2-Clause-Patent
# The run-time's parts on the host, under both sanitizers: all but start.S, rt.c and the instructions of
# call.c, in whose place stands fake.c. Its libc functions are built as rt_NAME, beside the host's own.

TRUSTLET_RENAMED := memcpy memmove memset memcmp memchr strlen strnlen strcmp strncmp strncpy strchr snprintf vsnprintf \
	malloc calloc realloc free abort
TRUSTLET_HOST_CFLAGS = $(HOST_CFLAGS) -Iguest/trustlets/rt/include -Itests/unit/trustlets \
	-fno-builtin $(foreach f,$(TRUSTLET_RENAMED),-D$(f)=rt_$(f))
TRUSTLET_HOST_OBJS := $(TRUSTLET_FAKED_OBJS) $(B)/trustletunit/image.o
TRUSTLET_UNIT := heap format limits string random serve image policy codeint seal
TRUSTLET_UNIT_PROGRAMS := $(addprefix $(B)/tests/unit/trustlets/test_,$(TRUSTLET_UNIT)) \
	$(B)/tests/unit/trustlets/verdict

$(B)/trustletunit/%.o: guest/trustlets/rt/%.c | $(B)/hosttest.ready
	@mkdir -p $(@D)
	@echo '  HOSTCC $@'
	@$(CC) $(TRUSTLET_HOST_CFLAGS) $(DEPS) -c $< -o $@

$(B)/trustletunit/image.o: guest/trustlets/image/image.c | $(B)/hosttest.ready
	@mkdir -p $(@D)
	@$(CC) $(HOST_CFLAGS) $(DEPS) -c $< -o $@

$(TRUSTLET_UNIT_PROGRAMS): $(B)/tests/unit/trustlets/%: $(B)/host/tests/unit/trustlets/%.o $(TRUSTLET_HOST_OBJS)
	@mkdir -p $(@D)
	@$(CC) $(HOST_CFLAGS) $(TRUSTLET_WRAPPED) -o $@ $^ -lcmocka

$(B)/tests/unit/trustlets/test_serve: $(B)/trustletunit/serve.o

# codeint and what it needs of Mbed TLS; copy_in_once() and calloc() are wrapped by test_codeint.c.
CODEINT_HOST_OBJS := $(CODEINT_PARTS:%=$(B)/codeintunit/%.o) $(CODEINT_MBEDTLS:%=$(B)/codeintunit/mbedtls/%.o)
$(CODEINT_HOST_OBJS): guest/trustlets/codeint/mbedtls_config.h tools/setup/mbedtls.sh | $(B)/hosttest.ready
$(B)/codeintunit/mbedtls/%.o:
	@mkdir -p $(@D)
	@echo '  HOSTCC $@'
	@$(call codeint_cc,$(CC),$(HOST_CFLAGS)) -w -c $$dir/library/$*.c -o $@
$(B)/codeintunit/%.o: guest/trustlets/codeint/%.c
	@mkdir -p $(@D)
	@echo '  HOSTCC $@'
	@$(call codeint_cc,$(CC),$(HOST_CFLAGS)) -c $< -o $@

$(B)/tests/unit/trustlets/test_policy: $(B)/codeintunit/policy.o
$(B)/tests/unit/trustlets/test_codeint: $(CODEINT_HOST_OBJS)
$(B)/tests/unit/trustlets/test_codeint: TRUSTLET_WRAPPED := -Wl,--wrap=calloc,--wrap=copy_in_once

# Sealing and what it needs of Mbed TLS, in the run-time's configuration.
SEAL_HOST_OBJS := $(B)/sealunit/seal.o $(SEAL_MBEDTLS:%=$(B)/sealunit/mbedtls/%.o)
$(SEAL_HOST_OBJS): $(SEAL_CONFIG) tools/setup/mbedtls.sh | $(B)/hosttest.ready
$(B)/sealunit/mbedtls/%.o:
	@mkdir -p $(@D)
	@echo '  HOSTCC $@'
	@$(call seal_cc,$(CC),$(HOST_CFLAGS)) -w -c $$dir/library/$*.c -o $@
$(B)/sealunit/seal.o: guest/trustlets/rt/seal/seal.c
	@mkdir -p $(@D)
	@echo '  HOSTCC $@'
	@$(call seal_cc,$(CC),$(TRUSTLET_HOST_CFLAGS)) -c $< -o $@

$(B)/tests/unit/trustlets/test_seal: $(SEAL_HOST_OBJS) $(B)/host/tests/unit/trustlets/gcm.o

.PHONY: check-trustlet-unit
check-trustlet-unit: setup-trustlets ## the run-time on the host; images made, signed, verified, refused
	@status=0; for t in $(TRUSTLET_UNIT); do CODEINT_FILES=$(CODEINT_FILES) N=$(or $(N),$(if $(SOAK),3000000,100000)) SEED=$(or $(SEED),1) \
		tests/run --time $(if $(SOAK),3600,120) trustlet-$$t -- $(B)/tests/unit/trustlets/test_$$t || status=1; \
	done; \
	tests/run --time 240 trustlet-tool -- $(PY) tests/unit/trustlets/tool.py \
		$(B)/tests/unit/trustlets/verdict $(TRUSTLETS) || status=1; \
	tests/run --time 240 trustlet-elf -- $(PY) tests/unit/trustlets/elfs.py || status=1; exit $$status

-include $(TRUSTLET_HOST_OBJS:.o=.d) $(SEAL_HOST_OBJS:.o=.d) $(CODEINT_HOST_OBJS:.o=.d) $(B)/trustletunit/serve.d $(patsubst %,$(B)/host/tests/unit/trustlets/test_%.d,$(TRUSTLET_UNIT))
