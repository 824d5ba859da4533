# SPDX-License-Identifier: BSD-2-Clause-Patent
# EFI applications: how any of them is built, then redoubt.efi itself and the loader's host tests.

ELF2PE := tools/build/elf2pe.py
EFI_LDS := boot/efi.lds
EFI_LDFLAGS := -nostdlib -pie -z text -z noexecstack -z max-page-size=4096 -z norelro \
	--no-dynamic-linker --build-id=none -T $(EFI_LDS)
EFI_LIBS := /usr/lib/libefi.a

# Where applications are linked to run. Firmware finds that out of range, and moves them.
EFI_IMAGE_BASE := 0x140000000

# Sources compiled for EFI applications: $(call efi_objs,SOURCES) gives the objects.
efi_objs = $(patsubst %,$(B)/efi/%.o,$(basename $(1)))

$(B)/efi/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo '  CC $@'
	@$(CC) $(EFI_CFLAGS) $(DEPS) -c $< -o $@

$(B)/efi/%.o: %.S Makefile
	@mkdir -p $(@D)
	@echo '  CC $@'
	@$(CC) $(EFI_CFLAGS) $(DEPS) -c $< -o $@

# $(eval $(call efi_app,NAME,OBJECTS)) defines the rules for $(B)/NAME.efi, an EFI application whose
# entry is `EFI_STATUS EFIAPI efi_main(EFI_HANDLE, EFI_SYSTEM_TABLE *)`. NAME may contain folders.
# $(NAME)_SECTIONS, if set before, lists NAME=FILE sections to carry; the files become prerequisites.
# $(NAME)_SUBSYSTEM, if set before, makes it a driver (the words are elf2pe.py's).
# $(B)/NAME.sections changes when the list of sections does, which a variable may have made.
define efi_app
$(B)/$(1).sections: FORCE
	@mkdir -p $$(@D)
	@cmp -s $$@ - <<< '$($(1)_SECTIONS)' || echo '$($(1)_SECTIONS)' > $$@
$(B)/$(1).elf: $(2) $(EFI_LDS)
	@mkdir -p $$(@D)
	$$(LD) $$(EFI_LDFLAGS) -Map=$$@.map -o $$@ $(2) $$(EFI_LIBS)
$(B)/$(1).efi: $(B)/$(1).elf $(B)/$(1).sections $(ELF2PE) tools/build/elf.py \
		$(foreach s,$($(1)_SECTIONS),$(lastword $(subst =, ,$(s))))
	$(PY) $(ELF2PE) --subsystem $(or $($(1)_SUBSYSTEM),app) --base $(EFI_IMAGE_BASE) \
		$(foreach s,$($(1)_SECTIONS),--section $(s)) $$< $$@
-include $(patsubst %.o,%.d,$(2))
endef

.PHONY: FORCE
FORCE:

# ---- redoubt.efi ----

BOOT_PURE := acpi authenticode config dmar gpt hide image iommu ivrs partition ranges record_valid root_seal \
	secure_boot_state sha256 tcg_log tcg_replay text tpm
BOOT_SRCS := $(addprefix boot/,$(addsuffix .c,$(BOOT_PURE) attempts chainload console cpus disk file \
	handover initrd launch main measure memory platform_log presence random record root secrets secure_boot settings shim tables \
	tcg2 tcg2_serve vtpm vtpm_crb vtpm_state watch x86) \
	instructions.S vtpm_ssdt.S)
BOOT_OBJS := $(call efi_objs,$(BOOT_SRCS))

$(B)/efi/boot/%: EFI_CFLAGS += -DEFI_IMAGE_BASE=$(EFI_IMAGE_BASE)ul

$(B)/boot/vtpm.aml: boot/vtpm.asl
	@$(SETUP) image
	@mkdir -p $(@D)
	@iasl -ve -p $@ $< > $@.log || { cat $@.log; exit 1; }
$(B)/efi/boot/vtpm_ssdt.o: EFI_CFLAGS += -Wa,-I$(B)/boot
$(B)/efi/boot/vtpm_ssdt.o: $(B)/boot/vtpm.aml

# Images of secure partitions that redoubt.efi and its test build carry: at most four files, as
# tools/trustlet writes them.
PARTITIONS ?=
TEST_PARTITIONS := $(addprefix $(B)/guest/trustlets/,probe/probe.img sample/sample.img) \
	$(B)/tests/trustlets/codeint/codeint.img

# Sections that carry FILES as secure partitions: $(call partition_sections,FILES), for any NAME_SECTIONS.
partition_sections = $(if $(word 5,$(1)),$(error more than four secure partitions: $(1)))$(strip $(join \
	$(wordlist 1,$(words $(1)),.part0= .part1= .part2= .part3=),$(1)))

boot/redoubt_SECTIONS := .sbat=boot/sbat.csv .monvmx=$(B)/monitor/redoubt-vmx.img \
	.monsvm=$(B)/monitor/redoubt-svm.img $(call partition_sections,$(PARTITIONS))
boot/redoubt-test_SECTIONS := .sbat=boot/sbat.csv .monvmx=$(B)/monitor/redoubt-vmx-test.img \
	.monsvm=$(B)/monitor/redoubt-svm-test.img
$(eval $(call efi_app,boot/redoubt,$(BOOT_OBJS)))
boot/redoubt-partitions_SECTIONS := $(filter-out .part%,$(boot/redoubt_SECTIONS)) \
	$(call partition_sections,$(TEST_PARTITIONS))
boot/redoubt-test-partitions_SECTIONS := $(boot/redoubt-test_SECTIONS) $(call partition_sections,$(TEST_PARTITIONS))
$(eval $(call efi_app,boot/redoubt-test,$(BOOT_OBJS)))
$(eval $(call efi_app,boot/redoubt-partitions,$(BOOT_OBJS)))
$(eval $(call efi_app,boot/redoubt-test-partitions,$(BOOT_OBJS)))
ALL_TARGETS += $(B)/boot/redoubt.efi

# With the vTPM.
boot/redoubt-vtpm_SECTIONS := $(filter-out .part%,$(boot/redoubt_SECTIONS)) $(call partition_sections,$(B)/vtpm/vtpm.img)
boot/redoubt-test-vtpm_SECTIONS := $(boot/redoubt-test_SECTIONS) $(call partition_sections,$(B)/vtpm/vtpm.img)
$(eval $(call efi_app,boot/redoubt-vtpm,$(BOOT_OBJS)))
$(eval $(call efi_app,boot/redoubt-test-vtpm,$(BOOT_OBJS)))

# With a vTPM that has a guardian (tests/vtpm/build.mk).
VTPM_GUARDED := $(B)/tests/vtpm/guarded/vtpm.img
boot/redoubt-guarded_SECTIONS := $(filter-out .part%,$(boot/redoubt_SECTIONS)) $(call partition_sections,$(VTPM_GUARDED))
$(eval $(call efi_app,boot/redoubt-guarded,$(BOOT_OBJS)))

# For tests of VT-d units, beside SVM (arch/x86/build.mk).
for_vtd = $(subst redoubt-svm,redoubt-svm-vtd,$(1))
boot/redoubt-vtd_SECTIONS := $(call for_vtd,$(boot/redoubt-partitions_SECTIONS))
boot/redoubt-test-vtd_SECTIONS := $(call for_vtd,$(boot/redoubt-test-partitions_SECTIONS))
$(eval $(call efi_app,boot/redoubt-vtd,$(BOOT_OBJS)))
$(eval $(call efi_app,boot/redoubt-test-vtd,$(BOOT_OBJS)))

# ---- Host tests of the loader's pure parts ----

BOOT_UNIT := authenticode config ranges acpi dmar gpt hide ivrs iommu image partition secure_boot tcg_log tcg_replay tpm
BOOT_UNIT_PROGRAMS := $(addprefix $(B)/tests/unit/boot/,$(BOOT_UNIT))
BOOT_CONVERTED = $(B)/boot/redoubt.elf $(B)/boot/redoubt.efi $(B)/monitor/redoubt-$(1).elf \
	$(B)/monitor/redoubt-$(1).img
BOOT_HOST_OBJS := $(patsubst %,$(B)/host/boot/%.o,$(BOOT_PURE))

$(BOOT_UNIT_PROGRAMS): $(B)/tests/unit/boot/%: $(B)/host/tests/unit/boot/%.o $(BOOT_HOST_OBJS)
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -o $@ $^ -lcmocka

.PHONY: check-boot-unit
check-boot-unit: $(BOOT_UNIT_PROGRAMS) $(foreach v,$(VENDORS),$(call BOOT_CONVERTED,$(v))) ## unit tests of the loader's parsers
	@status=0; for t in $(BOOT_UNIT); do \
		tests/run --time 120 unit-boot-$$t -- $(B)/tests/unit/boot/$$t || status=1; \
	done; \
	$(foreach v,$(VENDORS),tests/run --time 120 unit-boot-convert-$(v) -- $(PY) \
		tests/unit/boot/convert.py $(call BOOT_CONVERTED,$(v)) $(B)/tests/unit/boot/scratch-$(v) \
		|| status=1;) exit $$status

# Signatures and logs judged by others.
BOOT_JUDGED := $(B)/tests/unit/boot/judged
BOOT_SIGNED := shim-signed/usr/lib/shim/shimx64.efi.signed \
	grub-efi-amd64-signed/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed kernel-stock/vmlinuz
$(BOOT_JUDGED): $(B)/host/tests/unit/boot/judged.o $(patsubst %,$(B)/host/boot/%.o,authenticode sha256 tcg_log)
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -o $@ $^

.PHONY: check-boot-judged
check-boot-judged: $(BOOT_JUDGED) ## digests of Debian's signed images as in their signatures; a log read by tpm2_eventlog
	@$(SETUP) shim kernel vtpm-test
	@tests/run --time 120 unit-boot-judged -- $(PY) tests/unit/boot/judged.py $< $(B)/tests/unit/boot/scratch-judged \
		$(addprefix $(CACHE)/debs/,$(BOOT_SIGNED))

HOST_TESTS += check-boot-unit check-boot-judged
-include $(B)/host/tests/unit/boot/judged.d $(BOOT_HOST_OBJS:.o=.d) $(patsubst %,$(B)/host/tests/unit/boot/%.d,$(BOOT_UNIT))

# ---- Fuzzers of the loader's parsers ----

BOOT_FUZZ := authenticode config acpi gpt iommu image partition root_seal tcg_replay
BOOT_FUZZ_SEEDS := $(B)/tests/fuzz/boot/seeds
BOOT_FUZZ_PROGRAMS := $(patsubst %,$(B)/tests/fuzz/boot/%_fuzz,$(BOOT_FUZZ))
BOOT_FUZZ_FLOOR := 95
# What a fuzzer needs beside boot/NAME.c and boot/sha256.c, and what must be covered beside boot/NAME.c.
$(B)/tests/fuzz/boot/partition_fuzz: boot/image.c boot/text.c monitor/abi/image.h
$(B)/tests/fuzz/boot/iommu_fuzz: $(patsubst %,boot/%.c,acpi dmar hide ivrs ranges text) boot/iommu_read.h
$(B)/tests/fuzz/boot/acpi_fuzz: boot/hide.c
$(B)/tests/fuzz/boot/root_seal_fuzz: boot/tpm.c
iommu_FUZZ_SOURCES := --source boot/dmar.c --source boot/ivrs.c
$(B)/tests/fuzz/boot/tcg_replay_fuzz: boot/tcg_log.c
root_seal_FUZZ_SOURCES := --source boot/tpm.c
partition_FUZZ_SOURCES := --source monitor/abi/image.h
# Inputs in a check; an image costs a digest each.
authenticode_FUZZ_RUNS := 100000
config_FUZZ_RUNS := 200000
acpi_FUZZ_RUNS := 200000
gpt_FUZZ_RUNS := 50000
iommu_FUZZ_RUNS := 200000
image_FUZZ_RUNS := 4000
partition_FUZZ_RUNS := 10000
root_seal_FUZZ_RUNS := 200000
tcg_replay_FUZZ_RUNS := 200000
authenticode_FUZZ_OPTIONS := --max-len 1500
config_FUZZ_OPTIONS := --max-len 4096 --dict tests/fuzz/boot/config.dict
acpi_FUZZ_OPTIONS := --max-len 1400
gpt_FUZZ_OPTIONS := --max-len 2000
iommu_FUZZ_OPTIONS := --max-len 1700
image_FUZZ_OPTIONS := --max-len 20000
partition_FUZZ_OPTIONS := --max-len 40000
root_seal_FUZZ_OPTIONS := --max-len 3000
tcg_replay_FUZZ_OPTIONS := --max-len 2000

$(BOOT_FUZZ_PROGRAMS): $(B)/tests/fuzz/boot/%_fuzz: tests/fuzz/boot/%_fuzz.c boot/%.c boot/sha256.c \
		boot/bytes.h boot/%.h | $(B)/hosttest.ready
	@mkdir -p $(@D)
	clang $(HOST_CFLAGS) -fsanitize=fuzzer -fprofile-instr-generate -fcoverage-mapping -o $@ \
		$(filter %.c,$^)

$(BOOT_FUZZ_SEEDS): tests/fuzz/boot/seeds.py
	@$(SETUP) shim kernel
	$(PY) $< $@ $(addprefix $(CACHE)/debs/,$(BOOT_SIGNED))
	@touch $@

# check: a budget for CI; soak: at least a million inputs each.
.PHONY: check-boot-fuzz
check-boot-fuzz: $(BOOT_FUZZ_PROGRAMS) $(BOOT_FUZZ_SEEDS) ## fuzzers of the loader's parsers
	@status=0; $(foreach t,$(BOOT_FUZZ),tests/run --time $(if $(SOAK),7200,240) fuzz-boot-$(t) -- \
		tests/fuzz/x86/run_fuzz.py --runs $(or $(N),$(if $(SOAK),1000000,$($(t)_FUZZ_RUNS))) \
		--seed $(or $(SEED),1) --floor $(BOOT_FUZZ_FLOOR) --source boot/$(t).c \
		$($(t)_FUZZ_SOURCES) --seeds $(BOOT_FUZZ_SEEDS)/$(t) $($(t)_FUZZ_OPTIONS) \
		$(B)/tests/fuzz/boot/$(t)_fuzz || status=1;) exit $$status

HOST_TESTS += check-boot-fuzz
SOAK_TESTS += check-boot-fuzz

# ---- The loader on an emulated machine ----

LOADER_SCENARIOS := no-vmx no-ept no-unrestricted other-maker no-svm no-npt locked in-use \
	svm-in-use timeout half-covered given-up not-covered files aside launch svm-launch disabled-cpu listed-cpu \
	partitions partitions-launch svm-partitions vtd-found amdvi-found wrong-table kept-memory
LOADER_FAKE := $(B)/tests/boot/loader/fake

$(eval $(call efi_app,tests/boot/loader/probe,$(call efi_objs,tests/boot/loader/probe.c \
	tests/boot/loader/low.S $(addprefix boot/,acpi.c sha256.c tables.c text.c x86.c instructions.S))))

# Made-up images of secure partitions, and the loader with them.
LOADER_IMAGES := $(patsubst %,$(B)/tests/boot/loader/%.img,plain signed small long)
$(LOADER_IMAGES): $(B)/tests/boot/loader/%.img: tests/boot/loader/partition.py
	@mkdir -p $(@D)
	@$(PY) $< $* $@
tests/boot/loader/partitions_SECTIONS := .sbat=boot/sbat.csv .monvmx=$(B)/monitor/redoubt-vmx.img \
	.monsvm=$(B)/monitor/redoubt-svm.img $(call partition_sections,$(LOADER_IMAGES))
$(eval $(call efi_app,tests/boot/loader/partitions,$(BOOT_OBJS)))

# The loader with a monitor that fails on purpose, and with partitions too.
$(LOADER_FAKE)-monitor.elf: $(patsubst %.c,$(B)/root/%.o,tests/boot/loader/fake.c boot/sha256.c \
		boot/text.c monitor/lib/string.c) arch/x86/monitor.lds
	@mkdir -p $(@D)
	@$(MON_LINK) -o $@ $(filter %.o,$^)
$(LOADER_FAKE)-monitor.img: $(LOADER_FAKE)-monitor.elf tools/build/mkimage.py tools/build/elf.py
	@$(PY) tools/build/mkimage.py $< $@
tests/boot/loader/fake_SECTIONS := .sbat=boot/sbat.csv .monvmx=$(LOADER_FAKE)-monitor.img
tests/boot/loader/fake-partitions_SECTIONS := $(tests/boot/loader/fake_SECTIONS) \
	$(call partition_sections,$(LOADER_IMAGES))
$(eval $(call efi_app,tests/boot/loader/fake,$(BOOT_OBJS)))
$(eval $(call efi_app,tests/boot/loader/fake-partitions,$(BOOT_OBJS)))
LOADER_APPS := $(patsubst %,$(B)/tests/boot/loader/%.efi,probe fake fake-partitions partitions) \
	$(B)/boot/redoubt-vtd.efi

.PHONY: check-loader setup-loader
setup-loader:
	@$(SETUP) build image bochs qemu
	@$(MAKE) --no-print-directory $(B)/boot/redoubt.efi $(LOADER_APPS) $(B)/tests/acpi/starter.efi

check-loader: setup-loader ## the loader on Bochs and QEMU: refusals, configuration, counter, record, launch
	@status=0; for t in $(LOADER_SCENARIOS); do \
		tests/run --time 180 loader-$$t -- $(PY) tests/boot/loader/loader.py $$t || status=1; \
	done; exit $$status

CHECK_TESTS += check-loader
CHECK_SETUP += setup-loader
