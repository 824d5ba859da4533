# SPDX-License-Identifier: BSD-2-Clause-Patent
# Host tests of arch/x86 that need no machine: policy, MTRRs, the decoder, IOMMUs. Instructions come from fake/, which
# stands first on the include path.

X86UNIT_TESTS := mtrr policy_cpuid policy_msr policy_tsc vp_start decode
X86UNIT_SRCS := arch/x86/mtrr.c arch/x86/vmx/memtype.c arch/x86/policy_cpuid.c arch/x86/policy_msr.c \
	arch/x86/decode.c $(addprefix tests/unit/x86/fake_,cpu.c intel.c amd.c)
X86UNIT_OBJS := $(patsubst %.c,$(B)/x86unit/%.o,$(X86UNIT_SRCS))

$(B)/x86unit/%.o: %.c | $(B)/hosttest.ready
	@mkdir -p $(@D)
	@echo '  HOSTCC $@'
	@$(CC) -Itests/unit/x86/fake $(HOST_CFLAGS) $(DEPS) -c $< -o $@

$(B)/x86unit/test_%: $(B)/x86unit/tests/unit/x86/test_%.o $(X86UNIT_OBJS)
	@$(CC) $(HOST_CFLAGS) -o $@ $^ -lcmocka

# SVM's decisions, on VMCBs and devices of fake_svm.c.
SVMUNIT_TESTS := svm_message svm_event svm_device svm_cr
SVMUNIT_SRCS := $(addprefix arch/x86/svm/,cr.c device.c event.c message.c msr.c vcpu.c) $(addprefix arch/x86/,decode.c fetch.c) \
	tests/unit/x86/fake_svm.c
SVMUNIT_OBJS := $(patsubst %.c,$(B)/x86unit/%.o,$(SVMUNIT_SRCS))
$(addprefix $(B)/x86unit/test_,$(SVMUNIT_TESTS)): $(B)/x86unit/test_%: \
		$(B)/x86unit/tests/unit/x86/test_%.o $(SVMUNIT_OBJS)
	@$(CC) $(HOST_CFLAGS) -o $@ $^ -lcmocka

# IOMMUs, on units of fake_vtd.c and fake_amdvi.c; VT-d with the formats of both makers' tables.
IOMMUUNIT_TESTS := iommu_vtd_ept iommu_vtd_npt iommu_amdvi npt
IOMMUUNIT_SRCS := arch/x86/stage2.c \
	$(addprefix tests/unit/x86/fake_,amdvi.c drivers.c iommu.c vtd.c)
x86unit_objs = $(patsubst %,$(B)/x86unit/%.o,$(1))
IOMMUUNIT_OBJS := $(call x86unit_objs,$(basename $(IOMMUUNIT_SRCS)))
IOMMUUNIT_MORE := $(call x86unit_objs,arch/x86/vmx/ept arch/x86/svm/npt \
	$(addprefix tests/unit/x86/,fake_driver_vtd fake_driver_amdvi test_iommu_vtd test_iommu_amdvi test_npt))
vtd_unit = $(call x86unit_objs,$(addprefix tests/unit/x86/,test_iommu_vtd fake_driver_vtd) $(1))
$(B)/x86unit/test_iommu_vtd_ept: $(call vtd_unit,arch/x86/vmx/ept) $(IOMMUUNIT_OBJS)
$(B)/x86unit/test_iommu_vtd_npt: $(call vtd_unit,arch/x86/svm/npt) $(IOMMUUNIT_OBJS)
$(B)/x86unit/test_iommu_amdvi: $(call x86unit_objs,\
	$(addprefix tests/unit/x86/,test_iommu_amdvi fake_driver_amdvi) arch/x86/svm/npt) $(IOMMUUNIT_OBJS)
$(B)/x86unit/test_npt: $(call x86unit_objs,tests/unit/x86/test_npt arch/x86/svm/npt)
$(addprefix $(B)/x86unit/test_,$(IOMMUUNIT_TESTS)):
	@$(CC) $(HOST_CFLAGS) -o $@ $^ -lcmocka

X86UNIT_ALL := $(X86UNIT_TESTS) $(SVMUNIT_TESTS) $(IOMMUUNIT_TESTS)

$(B)/policy.md: tools/build/gen_policy.py $(POLICY)
	@mkdir -p $(@D)
	@$(PY) $^ > $@

.PHONY: check-x86unit
check-x86unit: $(addprefix $(B)/x86unit/test_,$(X86UNIT_ALL)) $(B)/policy.md ## CPUID, MSRs, MTRRs, IOMMUs
	@status=0; for t in $(X86UNIT_ALL); do N=$(or $(N),$(if $(SOAK),10000000,100000)) \
		SEED=$(or $(SEED),1) \
		tests/run --time $(if $(SOAK),7200,240) x86-$$t -- $(B)/x86unit/test_$$t || status=1; \
	done; exit $$status

HOST_TESTS += check-x86unit
SOAK_TESTS += check-x86unit
-include $(patsubst %.o,%.d,$(X86UNIT_OBJS) $(SVMUNIT_OBJS) $(IOMMUUNIT_OBJS) $(IOMMUUNIT_MORE)) \
	$(patsubst %,$(B)/x86unit/tests/unit/x86/test_%.d,$(X86UNIT_TESTS) $(SVMUNIT_TESTS))
.SECONDARY: $(X86UNIT_OBJS) $(SVMUNIT_OBJS) $(IOMMUUNIT_OBJS) $(IOMMUUNIT_MORE) \
	$(patsubst %,$(B)/x86unit/tests/unit/x86/test_%.o,$(X86UNIT_TESTS) $(SVMUNIT_TESTS))
