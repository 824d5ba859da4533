# SPDX-License-Identifier: BSD-2-Clause-Patent
# tests/attack: the attacks with their protection on and off, and the table of what is answered how.

ATTACK_PY := $(PY) tests/attack/attack.py
TABLE_PY := $(PY) tests/attack/table.py
ATTACK_VENDORS = $(sort $(foreach m,$(MACHINES),$(call machine_vendor,$(m))))

.PHONY: check-attack check-attack-table soak-attack setup-attack
setup-attack: setup-machines
	@$(MAKE) --no-print-directory -s $(B)/boot/redoubt-partitions.efi $(B)/boot/redoubt-test-partitions.efi \
		$(B)/guest/suite.efi

check-attack: setup-attack ## attacks with the protection on and, to see them succeed, off
	@status=0; \
	$(call on_machines,240,attack-test,$(ATTACK_PY) --build test) \
	$(call on_machines,120,attack-release,$(ATTACK_PY) --build release) \
	$(foreach v,$(ATTACK_VENDORS),tests/run --time 60 $(v)-code.attack-code -- \
		$(PY) tests/attack/code.py $(v) || status=1;) \
	exit $$status

# Looks at what the other tests have left in $(B)/results, so it is the last of the checks.
check-attack-table: ## the table of attacks: complete, its tests have run and passed; counts
	@tests/run --time 60 attack-table -- $(TABLE_PY) check $(ATTACK_VENDORS) || { $(TABLE_PY) counts; exit 1; }
	@$(TABLE_PY) counts

# Each mutation of the protections must be noticed by the test that the table names.
soak-attack: setup-attack ## the code that the table calls `structure`, mutated: its tests must fail
	@tests/run --time 7200 attack-mutants -- $(PY) tests/attack/mutants.py $(addprefix --vendor ,$(VENDOR))

CHECK_TESTS += check-attack
CHECK_SETUP += setup-attack setup-hostile
CHECK_LAST += check-attack-table
SOAK_TESTS += check-attack soak-attack

# A hostile kernel module for Debian's cloud kernel, built as the driver is (guest/linux/driver/build.mk).
HOSTILE := $(B)/tests/attack/linux
HOSTILE_SRCS := $(wildcard tests/attack/linux/*.c tests/attack/linux/*.h) tests/attack/linux/Kbuild
HOSTILE_HEADERS := $(CACHE)/debs/headers-cloud
HOSTILE_INITRAMFS := $(B)/tests/attack/initramfs.cpio

$(HOSTILE)/hostile.ko: $(HOSTILE_SRCS) $(addprefix monitor/abi/,call.h calls.def status.def) $(HOSTILE_HEADERS)/.complete
	@echo '  KBUILD $@'
	@mkdir -p $(HOSTILE)/obj && ln -sf $(addprefix $(CURDIR)/,$(HOSTILE_SRCS)) $(HOSTILE)/obj && \
		env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKEOVERRIDES $(MAKE) -s -C $(HOSTILE_HEADERS)/build \
		M=$(abspath $(HOSTILE))/obj REDOUBT_TOP=$(CURDIR) modules
	@strip --strip-debug -o $@ $(HOSTILE)/obj/hostile.ko

$(HOSTILE_INITRAMFS): $(INITRAMFS) $(HOSTILE)/hostile.ko guest/linux/mkinitramfs.py
	@$(PY) guest/linux/mkinitramfs.py $@.more $(HOSTILE)/hostile.ko=lib/hostile.ko
	@cat $(INITRAMFS) $@.more > $@

.PHONY: check-hostile setup-hostile
setup-hostile: setup-machines
	@$(SETUP) initramfs kernel-cloud
	@$(MAKE) --no-print-directory -s $(LINUX_FILES) $(HOSTILE_INITRAMFS) $(B)/boot/redoubt-partitions.efi \
		$(B)/boot/redoubt-test-partitions.efi

# The release as well where there is time: what the test build shows of it is the same code.
HOSTILE_BUILDS := $(if $(SOAK),test release,test)
HOSTILE_PY := $(PY) tests/attack/hostile.py
check-hostile: setup-hostile ## a hostile kernel module in Debian above the monitor with partitions
	@status=0; $(foreach b,$(HOSTILE_BUILDS),$(call on_machines,200,hostile-$(b),$(HOSTILE_PY) --build $(b))) exit $$status

CHECK_TESTS += check-hostile
SOAK_TESTS += check-hostile
