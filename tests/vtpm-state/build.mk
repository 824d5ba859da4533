# SPDX-License-Identifier: BSD-2-Clause-Patent
# tools/redoubt-state: against vtpm/nv.c and the monitor's keys, stock swtpm, and the vTPM as a program.

STATE_TESTS := $(B)/tests/vtpm-state

$(STATE_TESTS)/keys: $(B)/host/tests/vtpm-state/keys.o $(HOST_LIB)
	@mkdir -p $(@D)
	@$(CC) $(HOST_CFLAGS) -o $@ $^ -lcmocka -lpthread

$(STATE_TESTS)/nvfile: $(B)/host/tests/vtpm-state/nvfile.o $(NV_PARTS:%=$(B)/nvunit/%.o) $(SEAL_HOST_OBJS) $(TRUSTLET_FAKED_OBJS)
	@mkdir -p $(@D)
	@$(CC) $(HOST_CFLAGS) -Wl,--wrap=trustlet_key,--wrap=trustlet_svn -o $@ $^ -lcmocka

# vtpm/package.c and what it needs of Mbed TLS; the guardian is the key that the build makes for tests.
PACKAGE_PARTS := package transfer_key
PACKAGE_MBEDTLS := bignum bignum_core ecdh ecp ecp_curves hkdf md sha256
PACKAGE_CONFIG := tests/vtpm-state/mbedtls_config.h
PACKAGE_OBJS := $(PACKAGE_PARTS:%=$(B)/packageunit/%.o) $(PACKAGE_MBEDTLS:%=$(B)/packageunit/mbedtls/%.o) \
	$(B)/packageunit/guardian.o
# $(call package_cc,CC,FLAGS)
package_cc = dir=$$($(SETUP) mbedtls && $(SETUP) --mbedtls) && $(1) $(2) -isystem $$dir/include \
	-DMBEDTLS_CONFIG_FILE='<$(PACKAGE_CONFIG)>' $(DEPS)
$(PACKAGE_OBJS): $(PACKAGE_CONFIG) tools/setup/mbedtls.sh | $(B)/hosttest.ready
$(B)/packageunit/mbedtls/%.o:
	@mkdir -p $(@D)
	@echo '  HOSTCC $@'
	@$(call package_cc,$(CC),$(HOST_CFLAGS)) -w -c $$dir/library/$*.c -o $@
$(B)/packageunit/guardian.c: vtpm/guardian.py $(TEST_KEYS)/ec.pub
	@$(PY) vtpm/guardian.py $@ $(TEST_KEYS)/ec.pub
$(B)/packageunit/guardian.o: $(B)/packageunit/guardian.c
	@$(CC) $(HOST_CFLAGS) -c $< -o $@
$(B)/packageunit/%.o: vtpm/%.c
	@mkdir -p $(@D)
	@echo '  HOSTCC $@'
	@$(call package_cc,$(CC),$(TRUSTLET_HOST_CFLAGS)) -c $< -o $@

$(STATE_TESTS)/packagefile: $(B)/host/tests/vtpm-state/packagefile.o $(PACKAGE_OBJS) $(NV_PARTS:%=$(B)/nvunit/%.o) \
    $(SEAL_HOST_OBJS) $(TRUSTLET_FAKED_OBJS)
	@mkdir -p $(@D)
	@$(CC) $(HOST_CFLAGS) -Wl,--wrap=trustlet_key -o $@ $^ -lcmocka

.PHONY: check-vtpm-state setup-vtpm-state
setup-vtpm-state:
	@$(SETUP) build hosttest libtpms mbedtls trustlet vtpm-state
	@$(MAKE) --no-print-directory -s $(STATE_TESTS)/keys $(STATE_TESTS)/nvfile \
		$(STATE_TESTS)/packagefile $(B)/vtpm/host/vtpm \
		$(TRUSTLETS)/sample/sample.img $(TEST_KEYS)/ec.key $(TEST_KEYS)/other.key

check-vtpm-state: setup-vtpm-state ## redoubt-state: files, packages, swtpm's format, clones; each refusal
	@status=0; for t in files packages address partition cuts stock clones; do \
		B=$(B) tests/run --time 400 vtpm-state-$$t -- $(PY) tests/vtpm-state/$$t.py || status=1; done; exit $$status

HOST_TESTS += check-vtpm-state
-include $(B)/host/tests/vtpm-state/keys.d $(patsubst %,$(B)/host/tests/vtpm-state/%.d,nvfile packagefile) $(PACKAGE_OBJS:.o=.d)
