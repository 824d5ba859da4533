# SPDX-License-Identifier: BSD-2-Clause-Patent
# Trustlets of this tree: $(TRUSTLETS)/NAME/NAME.img, each by its own Makefile. Not signed here: a
# signature is its owner's (make -C guest/trustlets/sample KEY=...).

TRUSTLETS := $(B)/guest/trustlets
TRUSTLET_NAMES := sample probe codeint
TRUSTLET_IMAGES := $(foreach t,$(TRUSTLET_NAMES),$(TRUSTLETS)/$(t)/$(t).img)

# Whose images codeint accepts, and whether such with the debug flag. Unless told otherwise the keys
# that the build makes for tests, which are nobody's secret.
TEST_KEYS := $(TRUSTLETS)/keys
TEST_KEY_NAMES := ec rsa other
TEST_SIGNERS := $(TEST_KEYS)/ec.pub $(TEST_KEYS)/rsa.pub
SIGNERS ?= $(TEST_SIGNERS)
DEBUG_IMAGES ?=

# $(call trustlet,NAME,FOLDER,VARIABLES): part of a recipe
trustlet = @$(MAKE) --no-print-directory -s -C guest/trustlets/$(1) O=$(abspath $(2)) KEY= $(3) > $(2).log 2>&1 || \
	{ cat $(2).log >&2; exit 1; }

$(TRUSTLET_IMAGES): $(TRUSTLETS)/%.img: FORCE
	$(call trustlet,$(*F),$(@D),$(TRUSTLET_SET_$(*F)))

$(TRUSTLETS)/codeint/codeint.img: $(SIGNERS)
TRUSTLET_SET_codeint = SIGNERS="$(abspath $(SIGNERS))" DEBUG_IMAGES="$(DEBUG_IMAGES)"

$(TEST_KEY_NAMES:%=$(TEST_KEYS)/%.pub): %.pub: %.key
	@openssl pkey -in $< -pubout -out $@
TEST_KEY = -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1
$(TEST_KEYS)/rsa.key: TEST_KEY = -algorithm RSA -pkeyopt rsa_keygen_bits:3072
$(TEST_KEY_NAMES:%=$(TEST_KEYS)/%.key):
	@$(SETUP) trustlet
	@mkdir -p $(@D)
	@openssl genpkey $(TEST_KEY) -out $@ 2>/dev/null

# codeint for tests on the host: all but main.c and tables.c, and what it links of Mbed TLS.
CODEINT_PARTS := judge policy signature
CODEINT_MBEDTLS := $(shell sed -n 's/^MBEDTLS := //p' guest/trustlets/codeint/Makefile)
# $(call codeint_cc,CC,FLAGS): a compiler with the library's headers, at work on the run-time's configuration of it
codeint_cc = dir=$$($(SETUP) mbedtls && $(SETUP) --mbedtls) && $(1) $(2) -isystem $$dir/include -Iguest/trustlets/codeint \
	-DMBEDTLS_CONFIG_FILE='<mbedtls_config.h>' $(DEPS)

# The run-time for tests on the host, above a fake monitor; sealing, and what it links of Mbed TLS.
TRUSTLET_PARTS := drbg format heap random services sha256 string
TRUSTLET_FAKED_OBJS := $(TRUSTLET_PARTS:%=$(B)/trustletunit/%.o) $(B)/host/tests/unit/trustlets/fake.o
SEAL_MBEDTLS := $(shell sed -n 's/^MBEDTLS_FOR_SEAL := //p' guest/trustlets/rt/mbedtls.mk)
SEAL_CONFIG := guest/trustlets/rt/seal/mbedtls_config.h
# $(call seal_cc,CC,FLAGS)
seal_cc = dir=$$($(SETUP) mbedtls && $(SETUP) --mbedtls) && $(1) $(2) -isystem $$dir/include \
	-DMBEDTLS_CONFIG_FILE='<$(SEAL_CONFIG)>' $(DEPS)

.PHONY: FORCE
FORCE:
$(TRUSTLET_IMAGES): | $(TRUSTLETS)
$(TRUSTLETS):
	@mkdir -p $@

ALL_TARGETS += $(TRUSTLET_IMAGES)
