# SPDX-License-Identifier: BSD-2-Clause-Patent
# tests/suite: the test guest above the monitor, on Bochs.
#
# N= random calls, SEED= of everything random, STORM= random INITs and SIPIs, ROUNDS= of flushes, FLOOD=
# equal events; what is not given is the budget of `make check`, or, under SOAK=1, the issue's numbers.

SUITE_PY := $(PY) tests/suite/suite.py
SUITE_FILES := $(B)/boot/redoubt.efi $(B)/boot/redoubt-test.efi $(B)/guest/suite.efi \
	$(B)/guest/tiny.efi

SUITE_N := $(or $(N),$(if $(SOAK),10000000,100000))
SUITE_SEED := $(or $(SEED),1)
SUITE_STORM := $(or $(STORM),$(if $(SOAK),3000,200))
SUITE_ROUNDS := $(or $(ROUNDS),$(if $(SOAK),3000,200))
SUITE_FLOOD := $(or $(FLOOD),$(if $(SOAK),1000000,20000))
SUITE_BUDGET := N=$(SUITE_N) SEED=$(SUITE_SEED) STORM=$(SUITE_STORM) ROUNDS=$(SUITE_ROUNDS) \
	FLOOD=$(SUITE_FLOOD)
SUITE_TIME := $(if $(SOAK),7200,400)

# What one CPU can show, and what needs more of them. `apic` switches to x2APIC for good, so it is last.
SUITES_ONE := cpuid,vmx,cr,xsetbv,modes,events,task,msr,mtrr,invd,tsc,call,call-modes,call-random,memory,log,nmi,apic
SUITES_MANY := cpuid,mtrr,tsc,init,loops,nmi,storm,apic

.PHONY: check-suite check-unchanged check-panic setup-suite
setup-suite: setup-build
	@$(SETUP) image bochs
	@$(MAKE) --no-print-directory -s $(SUITE_FILES)

# $(call suite_run,NAME,SUITES,BUILD,CPUS)
suite_run = tests/run --time $(SUITE_TIME) $(1) -- $(SUITE_PY) --name $(1) --suite $(2) --build $(3) \
	--cpus $(4) --time $(SUITE_TIME) $(SUITE_BUDGET) || status=1;

check-suite: setup-suite ## suites of the test guest above the monitor: 1, 2 and 4 CPUs, release and test build
	@status=0; \
	$(call suite_run,suite-release-1,$(SUITES_ONE),release,1) \
	$(call suite_run,suite-release-2,$(SUITES_MANY),release,2) \
	$(call suite_run,suite-test-1,log$(comma)memory,test,1) \
	$(call suite_run,suite-test-2,$(SUITES_MANY),test,2) \
	$(call suite_run,suite-test-4,storm$(comma)init,test,4) \
	$(call suite_run,suite-release-4,storm$(comma)init,release,4) \
	tests/run --time 100 suite-tiny -- $(SUITE_PY) --name suite-tiny --tiny || status=1; \
	tests/run --time 150 suite-triple -- $(PY) tests/suite/triple.py --name suite-triple || status=1; \
	exit $$status

# $(call unchanged_run,NAME,BUILD)
unchanged_run = tests/run --time $(SUITE_TIME) $(1) -- $(PY) tests/suite/unchanged.py --name $(1) \
	--build $(2) --time $(SUITE_TIME) $(SUITE_BUDGET) || status=1;

check-unchanged: setup-suite ## the monitor's memory before and behind the attacks, dumped by the emulator
	@status=0; \
	$(call unchanged_run,unchanged-release,release) \
	$(call unchanged_run,unchanged-test,test) \
	exit $$status

PANIC_KINDS := check rodata unmapped execute entry-control entry-guest
check-panic: setup-suite ## a monitor broken on purpose tells where, at once and at the next start
	@status=0; for kind in $(PANIC_KINDS); do \
		tests/run --time 150 panic-$$kind -- $(PY) tests/suite/panic.py --name panic-$$kind $$kind \
			|| status=1; \
	done; exit $$status

comma := ,
CHECK_TESTS += check-suite check-unchanged check-panic
SOAK_TESTS += check-suite check-unchanged
