# SPDX-License-Identifier: BSD-2-Clause-Patent
# redoubt.ko for both of Debian's kernels, by the kernel's own build from a folder of links, so that it writes nothing here.

DRIVER := $(B)/guest/linux/driver
DRIVER_SRCS := $(wildcard guest/linux/driver/*.c guest/linux/driver/*.h) guest/linux/driver/Kbuild
DRIVER_INCLUDED := guest/linux/redoubt.h $(wildcard guest/linux/driver/include/*.h) \
	$(addprefix monitor/abi/,call.h calls.def status.def cpuid.h) $(B)/gen/redoubt_linux.h
DRIVER_KERNELS := stock cloud
DRIVER_MODULES := $(DRIVER_KERNELS:%=$(DRIVER)/%/redoubt.ko)
HEADERS_STAMP = $(CACHE)/debs/headers-$(1)/.complete
# Who signs: a key that the build makes, unless told.
MODULE_KEY ?= $(DRIVER)/keys/module.key
MODULE_CERT ?= $(DRIVER)/keys/module.crt

# $(call kbuild,KERNEL,HEADERS,MORE): part of a recipe. What make above would hand down, --no-builtin-rules among it,
# is not for the kernel's build.
kbuild = mkdir -p $(DRIVER)/$(1) && ln -sf $(addprefix $(CURDIR)/,$(DRIVER_SRCS)) $(DRIVER)/$(1) && \
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKEOVERRIDES $(MAKE) -s -C $(2) M=$(abspath $(DRIVER)/$(1)) \
	REDOUBT_TOP=$(CURDIR) REDOUBT_GEN=$(abspath $(B)/gen) $(3) modules

$(DRIVER_KERNELS:%=$(CACHE)/debs/headers-%/.complete) &:
	@$(SETUP) headers

$(DRIVER)/keys/module.crt: tools/sign/keys.sh
	@tools/sign/keys.sh $(DRIVER)/keys module
	@touch $@

$(DRIVER)/%/redoubt.ko: $(DRIVER_SRCS) $(DRIVER_INCLUDED) $(MODULE_CERT) $(CACHE)/debs/headers-%/.complete
	@echo '  KBUILD $@'
	@$(call kbuild,$*,$(CACHE)/debs/headers-$*/build,)
	@strip --strip-debug $@
	@$(CACHE)/debs/headers-$*/build/scripts/sign-file sha256 $(MODULE_KEY) $(MODULE_CERT) $@

.PHONY: driver driver-here
driver: ## redoubt.ko for Debian's stock and cloud kernels, signed (MODULE_KEY= MODULE_CERT= for a key of yours)
	@$(SETUP) build headers
	@$(MAKE) --no-print-directory $(DRIVER_MODULES)

driver-here: $(B)/gen/redoubt_linux.h $(MODULE_CERT) ## the same for the kernel that runs here and its installed headers
	@$(call kbuild,here,/lib/modules/$$(uname -r)/build,)
	@/lib/modules/$$(uname -r)/build/scripts/sign-file sha256 $(MODULE_KEY) $(MODULE_CERT) $(DRIVER)/here/redoubt.ko

ALL_TARGETS += $(DRIVER_MODULES)
