# SPDX-License-Identifier: BSD-2-Clause-Patent
# tests/dma: devices and protected memory, behind each kind of IOMMU and behind none. QEMU alone has them.

DMA_EDU := -device edu,dma_mask=0xffffffffffffffff
DMA_PY := $(SUITE_PY) --suite dma --time 300

# $(call dma_run,MACHINE,TEST,BUILD,UNIT,OPTIONS)
dma_run = $(call on_machine,$(1),320,$(2),$(DMA_PY) --build $(3) "--more=$(4) $(DMA_EDU)" $(5))
# The registers of QEMU's units.
DMA_VTD := DMA=on UNIT=0xfed90000
DMA_AMDVI := DMA=on UNIT=0xfed80000

.PHONY: check-dma
check-dma: setup-suite ## devices read and write protected memory, behind VT-d, AMD-Vi and none
	@status=0; $(foreach m,$(filter svm-qemu-%,$(MACHINES)),\
	$(call dma_run,$(m),dma-vtd,test-partitions,-device intel-iommu,$(DMA_VTD)) \
	$(call dma_run,$(m),dma-vtd-48,partitions,-device intel-iommu$(comma)aw-bits=48,$(DMA_VTD)) \
	$(call dma_run,$(m),dma-amdvi,test-partitions,-device amd-iommu,$(DMA_AMDVI)) \
	$(call dma_run,$(m),dma-amdvi-release,partitions,-device amd-iommu,$(DMA_AMDVI)) \
	$(call dma_run,$(m),dma-off,test-partitions,-device intel-iommu,--conf "iommu = off" DMA=off) \
	$(call dma_run,$(m),dma-none,test-partitions,,DMA=off)) exit $$status

CHECK_TESTS += check-dma
SOAK_TESTS += check-dma
