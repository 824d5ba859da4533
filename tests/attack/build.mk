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
CHECK_LAST += check-attack-table
SOAK_TESTS += check-attack soak-attack
