# SPDX-License-Identifier: BSD-2-Clause-Patent
# tools/redoubt-state: against vtpm/nv.c and the monitor's keys, stock swtpm, and the vTPM as a program.

STATE_TESTS := $(B)/tests/vtpm-state

$(STATE_TESTS)/keys: $(B)/host/tests/vtpm-state/keys.o $(HOST_LIB)
	@mkdir -p $(@D)
	@$(CC) $(HOST_CFLAGS) -o $@ $^ -lcmocka -lpthread

$(STATE_TESTS)/nvfile: $(B)/host/tests/vtpm-state/nvfile.o $(NV_PARTS:%=$(B)/nvunit/%.o) $(SEAL_HOST_OBJS) $(TRUSTLET_FAKED_OBJS)
	@mkdir -p $(@D)
	@$(CC) $(HOST_CFLAGS) -Wl,--wrap=trustlet_key,--wrap=trustlet_svn -o $@ $^ -lcmocka

.PHONY: check-vtpm-state setup-vtpm-state
setup-vtpm-state:
	@$(SETUP) build hosttest libtpms mbedtls trustlet vtpm-state
	@$(MAKE) --no-print-directory -s $(STATE_TESTS)/keys $(STATE_TESTS)/nvfile $(B)/vtpm/host/vtpm \
		$(TRUSTLETS)/sample/sample.img $(TEST_KEYS)/ec.key $(TEST_KEYS)/other.key

check-vtpm-state: setup-vtpm-state ## redoubt-state: files, packages, swtpm's format, clones; each refusal
	@status=0; for t in files packages guardian cuts stock clones; do \
		B=$(B) tests/run --time 400 vtpm-state-$$t -- $(PY) tests/vtpm-state/$$t.py || status=1; done; exit $$status

HOST_TESTS += check-vtpm-state
-include $(B)/host/tests/vtpm-state/keys.d $(B)/host/tests/vtpm-state/nvfile.d
