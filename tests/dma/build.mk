# SPDX-License-Identifier: BSD-2-Clause-Patent
# tests/dma: devices and protected memory, behind each kind of IOMMU and behind none, also where firmware has
# left one on. QEMU alone has them.

DMA_FIRMWARE := $(B)/tests/dma/firmware.efi
$(eval $(call efi_app,tests/dma/firmware,$(call efi_objs,tests/dma/firmware.c)))
ALL_TARGETS += $(DMA_FIRMWARE)

DMA_EDU := -device edu,dma_mask=0xffffffffffffffff
DMA_PY = $(SUITE_PY) --suite dma --time 300

# $(call dma_run,MACHINE,TEST,DEVICE,BUILD,UNIT,OPTIONS)
dma_run = $(call on_machine,$(1),320,dma-$(2)-$(3),$(DMA_PY) --build $(4) "--more=$(5) $(DMA_EDU) $(DMA_VIRTIO)" $(6) DEVICE=$(3))
# The registers of QEMU's units.
DMA_VTD := DMA=on LISTED=yes UNIT=0xfed90000
# It writes no events: QEMU 7.2 takes its log for overflowed at all times.
DMA_AMDVI := DMA=on UNIT=0xfed80000 TELLS=no
DMA_DEVICES := edu ahci virtio
DMA_MACHINES = $(filter svm-qemu-%,$(MACHINES))
# Behind a bridge, so that its bus can be reset. What is written to the disk is forgotten.
DMA_SCRATCH := $(B)/tests/dma/scratch.img
DMA_VIRTIO := -drive if=none,id=scratch,format=raw,snapshot=on,file=$(DMA_SCRATCH) \
	-device pcie-root-port,id=bridge,slot=1 \
	-device virtio-blk-pci,bus=bridge,drive=scratch,disable-legacy=on,iommu_platform=on

# UNIT-CPUS-CARD-MEMORY of Debian's machine. Above 4 GiB is what devices with 64 address bits are given first.
DMA_DEBIAN := vtd-1-e1000e-5120 amdvi-4-virtio-512
DMA_DEBIAN_ALL := $(foreach u,vtd amdvi,$(foreach c,1 4,$(foreach n,e1000e virtio,$(foreach m,512 5120,$(u)-$(c)-$(n)-$(m)))))
dma_word = $(word $(1),$(subst -, ,$(2)))
# $(call dma_debian,MACHINE,UNIT-CPUS-CARD-MEMORY,TEST,OPTIONS)
dma_debian = $(call on_machine,$(1),320,dma-$(3)-$(2),$(PY) tests/dma/debian.py --time 300 --unit $(call dma_word,1,$(2)) \
	--cpus $(call dma_word,2,$(2)) --nic $(call dma_word,3,$(2)) --mem $(call dma_word,4,$(2)) $(4))

$(DMA_SCRATCH):
	@mkdir -p $(@D)
	@truncate -s 1M $@

.PHONY: check-dma check-dma-debian setup-dma
setup-dma: setup-suite
	@$(SETUP) initramfs kernel
	@$(MAKE) --no-print-directory -s $(LINUX_FILES) $(STARTER) $(DMA_FIRMWARE) $(DMA_SCRATCH) \
		$(B)/boot/redoubt-vtd.efi $(B)/boot/redoubt-test-vtd.efi

check-dma: setup-dma ## devices read and write protected memory, behind VT-d, AMD-Vi and none; Debian there
	@status=0; $(foreach m,$(DMA_MACHINES),$(foreach d,$(DMA_DEVICES),\
	$(call dma_run,$(m),vtd,$(d),test-vtd,-device intel-iommu,$(DMA_VTD)) \
	$(call dma_run,$(m),vtd-48,$(d),vtd,-device intel-iommu$(comma)aw-bits=48,$(DMA_VTD)) \
	$(call dma_run,$(m),amdvi,$(d),test-partitions,-device amd-iommu,$(DMA_AMDVI)) \
	$(call dma_run,$(m),amdvi-release,$(d),partitions,-device amd-iommu,$(DMA_AMDVI)) \
	$(call dma_run,$(m),left,$(d),test-partitions,-device intel-iommu,--conf "iommu = off" DMA=off) \
	$(call dma_run,$(m),none,$(d),test-partitions,,DMA=off)) \
	$(call dma_run,$(m),vtd-on,ahci,vtd,-device intel-iommu,--before vtd $(DMA_VTD)) \
	$(call dma_run,$(m),vtd-remaps,edu,vtd,-device intel-iommu$(comma)intremap=on,--before remap DMA=off) \
	$(call dma_run,$(m),other,edu,partitions,-device intel-iommu,DMA=off) \
	$(call dma_run,$(m),amdvi-on,ahci,partitions,-device amd-iommu,--before amdvi $(DMA_AMDVI))) \
	$(MAKE) --no-print-directory check-dma-debian || status=1; exit $$status

check-dma-debian: setup-dma ## Debian behind VT-d and AMD-Vi: a file by the network to disks on NVMe and AHCI, and back
	@status=0; $(foreach m,$(DMA_MACHINES),\
	$(foreach d,$(if $(SOAK),$(DMA_DEBIAN_ALL),$(DMA_DEBIAN)),$(call dma_debian,$(m),$(d),debian)) \
	$(if $(SOAK),$(foreach d,$(DMA_DEBIAN),$(call dma_debian,$(m),$(d),bare,--bare)))) exit $$status

CHECK_TESTS += check-dma
CHECK_SETUP += setup-dma
SOAK_TESTS += check-dma
