# SPDX-License-Identifier: BSD-2-Clause-Patent
# What is generated from the call table: $(B)/gen, added to nobody's include path but by who uses it.

GEN_CALLS := tools/build/gen_calls.py
CALL_TABLES := monitor/abi/calls.def monitor/abi/status.def

$(B)/gen/redoubt_calls.h: monitor/abi/calls.def monitor/abi/status.def $(GEN_CALLS)
	$(PY) $(GEN_CALLS) stubs $< $@

$(B)/gen/redoubt_test_calls.h: monitor/test/testcalls.def monitor/abi/status.def $(GEN_CALLS)
	$(PY) $(GEN_CALLS) stubs $< $@

$(B)/gen/redoubt_status.h: monitor/abi/status.def $(GEN_CALLS)
	$(PY) $(GEN_CALLS) status $@

# Each row of the table has its unit, guest and fuzz test, and the reference page is up to date; or the build fails.
$(B)/gen/calls.checked: $(CALL_TABLES) $(GEN_CALLS) monitor/abi/CALLS.md \
		$(wildcard tests/unit/*.c guest/suite/*.c tests/fuzz/*.c)
	$(PY) $(GEN_CALLS) check $@

.PHONY: calls-page
calls-page: ## write monitor/abi/CALLS.md anew from the call table
	$(PY) $(GEN_CALLS) page monitor/abi/CALLS.md

.PHONY: unseen-page
unseen-page: ## write arch/x86/UNSEEN.md anew from the CPUID and MSR policy
	$(PY) tools/build/gen_policy.py --unseen $(POLICY) > arch/x86/UNSEEN.md

GENERATED := $(addprefix $(B)/gen/,redoubt_calls.h redoubt_test_calls.h redoubt_status.h calls.checked)
ALL_TARGETS += $(GENERATED)
