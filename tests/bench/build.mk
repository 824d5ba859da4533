# SPDX-License-Identifier: BSD-2-Clause-Patent
# tests/bench: measurements in instructions; tests/bench.sh puts them together.

BENCH_LOADERS := $(addprefix $(B)/boot/redoubt-,partitions.efi test.efi test-partitions.efi)

.PHONY: bench-exits bench-exits-svm bench-dma bench-vtpm bench-vtpm-openssl bench-sizes
bench-exits: setup-build
	@$(SETUP) image bochs
	@$(MAKE) --no-print-directory -s $(BENCH_LOADERS) $(B)/guest/suite.efi
	@mkdir -p $(B)/bench
	@$(PY) tests/bench/exits.py $(B)/bench/exits.json

bench-exits-svm: setup-build
	@$(SETUP) image qemu
	@$(MAKE) --no-print-directory -s $(BENCH_LOADERS) \
		$(B)/guest/suite.efi $(QEMU_PROBE)
	@mkdir -p $(B)/bench
	@$(PY) tests/bench/exits.py --vendor svm $(B)/bench/exits-svm.json

bench-dma: setup-build
	@$(SETUP) image qemu
	@$(MAKE) --no-print-directory -s $(B)/boot/redoubt-partitions.efi $(B)/boot/redoubt-vtd.efi $(B)/guest/suite.efi $(QEMU_PROBE)
	@mkdir -p $(B)/bench
	@$(PY) tests/bench/dma.py $(B)/bench/dma.json

bench-vtpm: setup-build
	@$(SETUP) image bochs qemu libtpms mbedtls
	@$(MAKE) --no-print-directory -s $(B)/boot/redoubt-vtpm.efi $(B)/guest/suite.efi $(QEMU_PROBE)
	@mkdir -p $(B)/bench
	@$(PY) tests/bench/vtpm.py $(B)/bench/vtpm.json

bench-vtpm-openssl: setup-build
	@$(SETUP) image bochs kernel-cloud libtpms mbedtls hostcrypto
	@$(MAKE) --no-print-directory -s $(STARTER)
	@$(MAKE) --no-print-directory -s -C tests/bench/vtpm_compare O=$(abspath $(B)/tests/bench/vtpm_compare)
	@mkdir -p $(B)/bench
	@$(PY) tests/bench/vtpm_openssl.py $(B)/bench/vtpm-openssl.json

bench-sizes: setup-build
	@$(SETUP) image bochs lint
	@$(MAKE) --no-print-directory -s $(B)/boot/redoubt.efi $(B)/guest/suite.efi $(B)/guest/tiny.efi
	@mkdir -p $(B)/bench
	@MON_CFLAGS='$(MON_CFLAGS)' $(PY) tests/bench/sizes.py $(B)/bench/sizes.json

BENCH_TESTS += bench-exits bench-exits-svm bench-dma bench-vtpm bench-vtpm-openssl bench-sizes
