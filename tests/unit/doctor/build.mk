# SPDX-License-Identifier: BSD-2-Clause-Patent
# Host tests of tools/doctor: what it says of machines made up here, and that it refuses by what the
# monitor refuses by. Instructions of the monitor's caps.c come from fake/.

DOCTOR_TESTS := vmx svm lines tables
DOCTOR_TEST_OBJS := $(patsubst %.c,$(B)/doctortest/%.o,$(wildcard tools/doctor/*.c) \
	tests/unit/doctor/machine.c)

$(B)/doctortest/%.o: %.c | $(B)/hosttest.ready
	@mkdir -p $(@D)
	@echo '  HOSTCC $@'
	@$(CC) -Itests/unit/doctor/fake $(HOST_CFLAGS) $(DEPS) -c $< -o $@

$(B)/doctortest/test_%: $(B)/doctortest/tests/unit/doctor/test_%.o $(DOCTOR_TEST_OBJS)
	@$(CC) $(HOST_CFLAGS) -o $@ $^ -lcmocka

# ---- The fuzzer of its ACPI parser ----

DOCTOR_FUZZ := $(B)/tests/fuzz/doctor/tables_fuzz
DOCTOR_FUZZ_SEEDS := $(B)/tests/fuzz/doctor/seeds
DOCTOR_FUZZ_RUNS := 200000

$(DOCTOR_FUZZ): tests/fuzz/doctor/tables_fuzz.c tools/doctor/acpi.c tools/doctor/tables.c \
		$(wildcard tools/doctor/*.h) | $(B)/hosttest.ready
	@mkdir -p $(@D)
	clang $(HOST_CFLAGS) -fsanitize=fuzzer -fprofile-instr-generate -fcoverage-mapping -o $@ \
		$(filter %.c,$^)

$(DOCTOR_FUZZ_SEEDS): tests/fuzz/doctor/seeds.py
	$(PY) $< $@
	@touch $@

# ---- The EFI application on emulated machines, and the program on this host ----

DOCTOR_SCENARIOS := bochs bochs-acpi bochs-later bochs-no-ept qemu

.PHONY: check-doctor setup-doctor
setup-doctor:
	@$(SETUP) build image bochs qemu initramfs kernel-cloud hosttest
	@$(MAKE) --no-print-directory -s $(DOCTOR) $(DOCTOR_EFI) $(STARTER) $(INITRAMFS) $(DOCTOR_FUZZ) \
		$(DOCTOR_FUZZ_SEEDS) $(addprefix $(B)/doctortest/test_,$(DOCTOR_TESTS))

check-doctor: setup-doctor ## tools/doctor: on machines made up, on this host, on emulators
	@status=0; for t in $(DOCTOR_TESTS); do N=$(or $(N),$(if $(SOAK),10000000,200000)) \
		SEED=$(or $(SEED),1) tests/run --time $(if $(SOAK),3600,60) doctor-$$t -- \
		$(B)/doctortest/test_$$t || status=1; done; \
	tests/run --time $(if $(SOAK),7200,60) doctor-fuzz -- tests/fuzz/x86/run_fuzz.py \
		--runs $(or $(N),$(if $(SOAK),10000000,$(DOCTOR_FUZZ_RUNS))) --seed $(or $(SEED),1) \
		--floor 95 --source tools/doctor/acpi.c --source tools/doctor/tables.c \
		--seeds $(DOCTOR_FUZZ_SEEDS) --max-len 600 $(DOCTOR_FUZZ) || status=1; \
	tests/run --time 60 doctor-host -- $(PY) tests/boot/doctor/host.py $(DOCTOR) || status=1; \
	tests/run --time 60 doctor-instructions -- $(PY) tests/boot/doctor/instructions.py \
		$(DOCTOR_EFI:.efi=.elf) || status=1; \
	tests/run --time 120 doctor-guest -- $(PY) tests/boot/doctor/guest.py $(DOCTOR) || status=1; \
	for t in $(DOCTOR_SCENARIOS); do tests/run --time 100 doctor-$$t -- \
		$(PY) tests/boot/doctor/doctor.py $$t || status=1; done; exit $$status

CHECK_TESTS += check-doctor
SOAK_TESTS += check-doctor

-include $(DOCTOR_TEST_OBJS:.o=.d) $(patsubst %,$(B)/doctortest/tests/unit/doctor/test_%.d,$(DOCTOR_TESTS))
.SECONDARY: $(DOCTOR_TEST_OBJS) $(patsubst %,$(B)/doctortest/tests/unit/doctor/test_%.o,$(DOCTOR_TESTS))
