# SPDX-License-Identifier: BSD-2-Clause-Patent
# Property tests against models, and the sizes that no machine here has. N= and SEED= choose; soak asks for ten million
# operations of each.

include tests/host.mk

MODEL_TESTS := stage2 ownership share scale
MODEL_PROGRAMS := $(addprefix $(B)/tests/model/,$(MODEL_TESTS))
MODEL_N := $(or $(N),$(if $(SOAK),10000000,40000))

$(B)/tests/model/%: $(B)/host/tests/model/%.o $(B)/host/tests/model/model.o $(HOST_LIB)
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -o $@ $^

.PHONY: check-model soak-model
check-model: $(MODEL_PROGRAMS) ## page ownership and second-stage tables against models
	@status=0; for t in $(MODEL_TESTS); do \
		N=$(MODEL_N) SEED=$(SEED) tests/run --time $(if $(SOAK),36000,900) model-$$t -- \
		$(B)/tests/model/$$t || status=1; done; exit $$status

soak-model: ## the same with ten million operations
	@$(MAKE) --no-print-directory check-model SOAK=1

HOST_TESTS += check-model
SOAK_TESTS += soak-model
-include $(patsubst %,$(B)/host/tests/model/%.d,$(MODEL_TESTS) model)
