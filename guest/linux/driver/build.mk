# SPDX-License-Identifier: BSD-2-Clause-Patent
# redoubt.ko for Debian's kernels, by the kernel's own build in a folder of links, so that it writes nothing here.

# Stubs of the calls for Linux, which the library reads for its sentences, too.
LINUX_CALLS := $(B)/guest/linux/calls.h
$(LINUX_CALLS): guest/linux/driver/planned.def monitor/abi/calls.def monitor/abi/status.def tools/build/gen_calls.py
	$(PY) tools/build/gen_calls.py linux $< $@

DRIVER := $(B)/guest/linux/driver
DRIVER_SRCS := $(wildcard guest/linux/driver/*.c guest/linux/driver/*.h) guest/linux/driver/Kbuild
DRIVER_INCLUDED := guest/linux/redoubt.h $(wildcard guest/linux/driver/include/*.h) \
	$(addprefix monitor/abi/,call.h calls.def status.def cpuid.h tpm.h tpm_state.h) $(LINUX_CALLS)
# The kernels whose headers the set-up has unpacked: those that the target at hand will boot.
DRIVER_KERNELS = $(foreach k,stock cloud,$(if $(wildcard $(CACHE)/debs/headers-$(k)/.complete),$(k)))
driver_of = $(DRIVER)/$(1)/redoubt.ko
release_of = $(firstword $(file <$(CACHE)/debs/headers-$(1)/.complete))
DRIVER_MODULES = $(foreach k,$(DRIVER_KERNELS),$(call driver_of,$(k)))

# Who signs: a key that the build makes, unless told.
MODULE_KEY ?= $(DRIVER)/keys/module.key
MODULE_CERT ?= $(DRIVER)/keys/module.crt

# $(call kbuild,FOLDER,HEADERS): part of a recipe. What make above would hand down, --no-builtin-rules among it, is
# not for the kernel's build.
kbuild = mkdir -p $(1) && ln -sf $(addprefix $(CURDIR)/,$(DRIVER_SRCS)) $(1) && \
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKEOVERRIDES $(MAKE) -s -C $(2) M=$(abspath $(1)) \
	REDOUBT_TOP=$(CURDIR) REDOUBT_GEN=$(abspath $(B)) modules
# $(call sign_module,FOLDER,HEADERS): strips FOLDER/obj/redoubt.ko to FOLDER/unsigned.ko, signs it to FOLDER/redoubt.ko
sign_module = strip --strip-debug -o $(1)/unsigned.ko $(1)/obj/redoubt.ko && \
	$(2)/scripts/sign-file sha256 $(MODULE_KEY) $(MODULE_CERT) $(1)/unsigned.ko $(1)/redoubt.ko

$(DRIVER)/keys/module.crt: tools/sign/keys.sh
	@tools/sign/keys.sh $(DRIVER)/keys module
	@touch $@

$(DRIVER)/%/redoubt.ko: $(DRIVER_SRCS) $(DRIVER_INCLUDED) $(MODULE_CERT) $(CACHE)/debs/headers-%/.complete
	@echo '  KBUILD $@'
	@$(call kbuild,$(@D)/obj,$(CACHE)/debs/headers-$*/build)
	@$(call sign_module,$(@D),$(CACHE)/debs/headers-$*/build)

$(INITRAMFS): $(DRIVER_MODULES)

.PHONY: driver driver-here
driver: ## redoubt.ko for Debian's stock and cloud kernels, signed (MODULE_KEY= MODULE_CERT= for a key of yours)
	@$(SETUP) build kernel kernel-cloud
	@$(MAKE) --no-print-directory $(foreach k,stock cloud,$(call driver_of,$(k)))

driver-here: $(LINUX_CALLS) $(MODULE_CERT) ## the same for the kernel that runs here, with its installed headers
	@$(call kbuild,$(DRIVER)/here/obj,/lib/modules/$$(uname -r)/build)
	@$(call sign_module,$(DRIVER)/here,/lib/modules/$$(uname -r)/build)

ALL_TARGETS += $(DRIVER_MODULES)
