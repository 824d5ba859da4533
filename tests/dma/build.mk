# SPDX-License-Identifier: BSD-2-Clause-Patent
# tests/dma: devices and protected memory, behind each kind of IOMMU and behind none, also where firmware has
# left one on. QEMU alone has them.

DMA_FIRMWARE := $(B)/tests/dma/firmware.efi
$(eval $(call efi_app,tests/dma/firmware,$(call efi_objs,tests/dma/firmware.c)))
ALL_TARGETS += $(DMA_FIRMWARE)

DMA_EDU := -device edu,dma_mask=0xffffffffffffffff
DMA_PY = $(SUITE_PY) --suite dma --time 300

# $(call dma_run,MACHINE,TEST,DEVICE,BUILD,UNIT,OPTIONS)
dma_run = $(call on_machine,$(1),320,dma-$(2)-$(3),$(DMA_PY) --build $(4) "--more=$(5) $(DMA_EDU)" $(6) DEVICE=$(3))
# The registers of QEMU's units.
DMA_VTD := DMA=on UNIT=0xfed90000
# It writes no events: QEMU 7.2 takes its log for overflowed at all times.
DMA_AMDVI := DMA=on UNIT=0xfed80000 TELLS=no
DMA_DEVICES := edu ahci

.PHONY: check-dma setup-dma
setup-dma: setup-suite
	@$(MAKE) --no-print-directory -s $(STARTER) $(DMA_FIRMWARE)

check-dma: setup-dma ## devices read and write protected memory, behind VT-d, AMD-Vi and none
	@status=0; $(foreach m,$(filter svm-qemu-%,$(MACHINES)),$(foreach d,$(DMA_DEVICES),\
	$(call dma_run,$(m),vtd,$(d),test-partitions,-device intel-iommu,$(DMA_VTD)) \
	$(call dma_run,$(m),vtd-48,$(d),partitions,-device intel-iommu$(comma)aw-bits=48,$(DMA_VTD)) \
	$(call dma_run,$(m),amdvi,$(d),test-partitions,-device amd-iommu,$(DMA_AMDVI)) \
	$(call dma_run,$(m),amdvi-release,$(d),partitions,-device amd-iommu,$(DMA_AMDVI)) \
	$(call dma_run,$(m),left,$(d),test-partitions,-device intel-iommu,--conf "iommu = off" DMA=off) \
	$(call dma_run,$(m),none,$(d),test-partitions,,DMA=off)) \
	$(call dma_run,$(m),vtd-on,ahci,partitions,-device intel-iommu,--before vtd $(DMA_VTD)) \
	$(call dma_run,$(m),vtd-remaps,edu,partitions,-device intel-iommu$(comma)intremap=on,--before remap DMA=off) \
	$(call dma_run,$(m),amdvi-on,ahci,partitions,-device amd-iommu,--before amdvi $(DMA_AMDVI))) exit $$status

CHECK_TESTS += check-dma
SOAK_TESTS += check-dma
