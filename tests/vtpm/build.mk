# SPDX-License-Identifier: BSD-2-Clause-Patent
# The vTPM on the host and, for its self test, on the stage. Programs are built by the Makefile here.

include vtpm/parts.mk
VTPM_TESTS := $(B)/tests/vtpm
VTPM_SHIM_TESTS := $(shell sed -n 's/^SHIM_TESTS := //p' tests/vtpm/Makefile)

.PHONY: check-vtpm-host setup-vtpm check-vtpm-stage check-vtpm-fuzz
setup-vtpm:
	@$(SETUP) build hosttest libtpms mbedtls vtpm-test
	@$(MAKE) --no-print-directory -s $(B)/vtpm/host/vtpm $(VTPM_IMAGE)
	@$(MAKE) --no-print-directory -s -C tests/vtpm O=$(abspath $(VTPM_TESTS))

# The lines of the shim that no command reaches with a key or number that is wrong are not covered.
VTPM_FUZZ_SOURCES := vtpm/tpm.c $(patsubst %,vtpm/platform/ossl_shim/%.c,$(filter-out bio,$(VTPM_SHIM)))
check-vtpm-fuzz: setup-vtpm ## commands, mutated, through the whole TPM
	@tests/run --time $(if $(SOAK),7200,400) fuzz-vtpm-commands -- tests/fuzz/x86/run_fuzz.py \
		--runs $(or $(N),$(if $(SOAK),100000,2000)) --seed $(or $(SEED),1) --floor 55 --max-len 1500 \
		--seeds $(VTPM_TESTS)/seeds $(addprefix --source ,$(VTPM_FUZZ_SOURCES)) $(VTPM_TESTS)/commands_fuzz

# Leaks of the tests themselves are not looked for, only the fuzzer looks for leaks.
check-vtpm-host: setup-vtpm ## the vTPM on the host: shim against OpenSSL, tpm2-tools, state to and from swtpm, fuzzer
	@status=0; for t in $(VTPM_SHIM_TESTS); do ASAN_OPTIONS=detect_leaks=0 N=$(or $(N),$(if $(SOAK),50,1)) SEED=$(or $(SEED),1) \
		tests/run --time $(if $(SOAK),7200,240) vtpm-shim-$$t -- $(VTPM_TESTS)/test_$$t || status=1; done; \
	tests/run --time 60 vtpm-symbols -- $(PY) tests/vtpm/symbols_test.py $(dir $(VTPM_IMAGE)) || status=1; \
	tests/run --time 600 vtpm-tools -- $(PY) tests/vtpm/tools.py $(B)/vtpm/host/vtpm $(VTPM_TESTS)/broken || status=1; \
	tests/run --time 200 vtpm-manufacture -- $(PY) tests/vtpm/manufacture.py $(B)/vtpm/host/vtpm $(VTPM_TESTS)/broken $(VTPM_TESTS)/misled || status=1; \
	tests/run --time 200 vtpm-swtpm -- $(PY) tests/vtpm/swtpm.py $(B)/vtpm/host/vtpm || status=1; \
	$(MAKE) --no-print-directory check-vtpm-fuzz || status=1; exit $$status

# For a stage; and one with a hash that can be broken.
VTPM_STAGED := $(VTPM_TESTS)/stage-image/vtpm.img
$(VTPM_STAGED): FORCE
	@mkdir -p $(@D)
	$(call vtpm_make,$@,O=$(abspath $(@D)) KEY= FOR_STAGE=1)
VTPM_BROKEN := $(VTPM_TESTS)/broken-image/vtpm.img
$(VTPM_BROKEN): FORCE
	@mkdir -p $(@D)
	$(call vtpm_make,$@,O=$(abspath $(@D)) KEY= FOR_STAGE=1 MORE_SRCS=tests/vtpm/broken_image.c MORE_LDFLAGS=--wrap=SHA256_Final)

check-vtpm-stage: setup-vtpm ## the vTPM's image in a partition on QEMU's SVM: its self test
	@$(SETUP) qemu
	@$(MAKE) --no-print-directory -s $(STAGE) $(VTPM_STAGED) $(VTPM_BROKEN)
	@tests/run --time 150 vtpm-stage -- $(PY) tests/vtpm/stage.py $(STAGE) $(dir $(VTPM_STAGED)) $(VTPM_BROKEN)

CHECK_TESTS += check-vtpm-stage
HOST_TESTS += check-vtpm-host
SOAK_TESTS += check-vtpm-host

# ---- Above the monitor ----

VTPM_INITRAMFS := $(VTPM_TESTS)/initramfs.cpio
$(VTPM_INITRAMFS): tests/vtpm/initramfs.py $(INITRAMFS) $(REDOUBT_AGENT) guest/linux/mkinitramfs.py
	@mkdir -p $(@D)
	$(PY) $< $(INITRAMFS) $(REDOUBT_AGENT) $@

.PHONY: check-vtpm-debian setup-vtpm-debian
setup-vtpm-debian: setup-machines
	@$(SETUP) initramfs kernel libtpms mbedtls vtpm-test
	@$(MAKE) --no-print-directory -s $(LINUX_FILES) $(VTPM_INITRAMFS) $(B)/boot/redoubt-vtpm.efi

check-vtpm-debian: setup-vtpm-debian ## Debian's kernel and tpm2-tools with the vTPM as the machine's TPM
	@status=0; $(call on_machines,700,vtpm-debian,$(PY) tests/vtpm/debian.py --time 680) exit $$status

CHECK_TESTS += check-vtpm-debian
CHECK_SETUP += setup-vtpm-guardian

# With a TPM of the machine's own beside it, which QEMU alone has.
.PHONY: check-vtpm-bound
check-vtpm-bound: setup-vtpm-debian ## the same bound to swtpm as the platform's TPM (FIFO); an older state is refused (CRB)
	@status=0; $(foreach m,$(filter svm-qemu-tcg,$(MACHINES)),\
		$(call on_machine,$(m),700,vtpm-debian-bound,$(PY) tests/vtpm/debian.py --tpm tpm-tis --time 680) \
		$(call on_machine,$(m),900,vtpm-bound,$(PY) tests/vtpm/bound.py --time 880)) exit $$status

CHECK_TESTS += check-vtpm-bound

# Packages, out of a machine and into it: beside swtpm, and on machines without.
VTPM_GUARDIAN := $(VTPM_TESTS)/guarded/guardian.pem
$(VTPM_GUARDIAN): $(TEST_KEYS)/ec.key
	@mkdir -p $(@D)
	@openssl pkey -in $< -pubout -out $@
$(VTPM_GUARDED): $(VTPM_GUARDIAN) FORCE
	$(call vtpm_make,$@,O=$(abspath $(@D)) KEY= GUARDIAN=$(abspath $(VTPM_GUARDIAN)))

.PHONY: check-vtpm-guardian setup-vtpm-guardian
setup-vtpm-guardian: setup-vtpm-debian
	@$(SETUP) trustlet vtpm-state
	@$(MAKE) --no-print-directory -s $(B)/boot/redoubt-guarded.efi

check-vtpm-guardian: setup-vtpm-guardian ## a vTPM's backup, and that it comes back where the root key was lost; only by its guardian
	@status=0; $(foreach m,$(MACHINES),$(call on_machine,$(m),700,vtpm-guardian,\
		$(PY) tests/vtpm/guardian.py --key $(TEST_KEYS)/ec.key --time 680 $(if $(filter svm-qemu-tcg,$(m)),--tpm tpm-crb))) exit $$status

CHECK_TESTS += check-vtpm-guardian

# One machine: what differs between machines is not who is at them.
.PHONY: check-vtpm-ppi
check-vtpm-ppi: setup-vtpm-debian ## the vTPM is cleared when somebody at the machine says so, and not by a key, time or Debian alone
	@status=0; $(foreach m,$(filter svm-qemu-tcg,$(MACHINES)),\
		$(call on_machine,$(m),480,vtpm-ppi,$(PY) tests/vtpm/ppi.py --time 460)) exit $$status

CHECK_TESTS += check-vtpm-ppi

# One machine: what differs between machines is not the disk.
.PHONY: check-vtpm-cuts
check-vtpm-cuts: setup-vtpm-debian ## power cuts: what was written and not flushed is lost in each way there is (N= commands, SEED=)
	@$(SETUP) hosttest vtpm-state
	@$(MAKE) --no-print-directory -s $(B)/vtpm/host/vtpm
	@status=0; $(foreach m,$(filter svm-qemu-tcg,$(MACHINES)),$(call on_machine,$(m),$(if $(SOAK),3600,700),vtpm-cuts,\
		$(PY) tests/vtpm/cuts.py --count $(or $(N),$(if $(SOAK),200,25)) --tools $(if $(SOAK),40,5) --seed $(or $(SEED),1) \
		--time $(if $(SOAK),3000,500))) exit $$status

CHECK_TESTS += check-vtpm-cuts
SOAK_TESTS += check-vtpm-cuts

# A start of the partition's, above a made-up TPM and anchor.
$(VTPM_TESTS)/start: $(patsubst %,$(B)/crbunit/%.o,vtpm/storage vtpm/binding tests/vtpm/start) $(NV_PARTS:%=$(B)/nvunit/%.o) \
		$(SEAL_HOST_OBJS) $(TRUSTLET_FAKED_OBJS)
	@mkdir -p $(@D)
	@$(CC) $(HOST_CFLAGS) -Wl,--wrap=trustlet_key,--wrap=trustlet_svn -o $@ $^ -lcmocka
-include $(B)/crbunit/tests/vtpm/start.d

.PHONY: check-vtpm-bound-cuts
check-vtpm-bound-cuts: setup-vtpm-debian ## the same where the platform has a TPM: between the disk and the anchor in that, too (N=, SEED=)
	@$(SETUP) hosttest swtpm vtpm-state vtpm-test
	@$(MAKE) --no-print-directory -s $(B)/vtpm/host/vtpm $(VTPM_TESTS)/start $(B)/tests/tpm/anchor
	@status=0; $(foreach m,$(filter svm-qemu-tcg,$(MACHINES)),$(call on_machine,$(m),$(if $(SOAK),3600,700),vtpm-bound-cuts,\
		$(PY) tests/vtpm/bound_cuts.py --count $(or $(N),$(if $(SOAK),200,25)) --tools $(if $(SOAK),40,5) --seed $(or $(SEED),1) \
		--starts $(if $(SOAK),7,1) --time $(if $(SOAK),3000,500))) exit $$status

CHECK_TESTS += check-vtpm-bound-cuts
SOAK_TESTS += check-vtpm-bound-cuts

# ---- A volume that the TPM opens ----

VTPM_VOLUMES := $(VTPM_TESTS)/volumes.cpio
$(VTPM_VOLUMES): tests/vtpm/initramfs.py $(INITRAMFS) $(REDOUBT_AGENT) guest/linux/mkinitramfs.py
	@mkdir -p $(@D)
	$(PY) $< --volumes $(INITRAMFS) $(REDOUBT_AGENT) $@

# One machine: what differs between machines is not what was measured.
.PHONY: check-vtpm-enroll
check-vtpm-enroll: setup-machines ## systemd-cryptenroll: a volume that the vTPM opens, unless the kernel was changed
	@$(SETUP) initramfs kernel libtpms mbedtls vtpm-enroll
	@$(MAKE) --no-print-directory -s $(LINUX_FILES) $(VTPM_VOLUMES) $(B)/boot/redoubt-vtpm.efi
	@status=0; $(foreach m,$(filter svm-qemu-tcg,$(MACHINES)),$(call on_machine,$(m),700,vtpm-enroll,\
		$(PY) tests/vtpm/enroll.py --time 680)) exit $$status

CHECK_TESTS += check-vtpm-enroll

# Everything about the vTPM, on the machines of VENDOR=.
.PHONY: check-vtpm
check-vtpm: ## all tests of the vTPM (VENDOR=)
	@status=0; for t in host sha crb storage nv state stage suite tcg2 taken debian bound ppi cuts bound-cuts enroll; do \
		$(MAKE) --no-print-directory check-vtpm-$$t || status=1; done; exit $$status
