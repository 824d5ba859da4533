/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The machine that Bochs emulates (i440FX, PIIX3, PIIX4 power management), as far as Linux must
 * know it: the PCI root with its windows, so that devices are found, and the sleep states.
 *
 * _S3 is offered on purpose: the chip has it, and a test must see the monitor refuse it.
 * No _PRT: nothing that the tests use needs a routed PCI interrupt (IDE and COM1 are on ISA lines).
 */
DefinitionBlock ("", "DSDT", 2, "RDBT", "RDBTTEST", 1)
{
	Scope (\_SB)
	{
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A03"))
			Name (_UID, 0)
			Name (_ADR, 0)
			Name (_BBN, 0)
			Name (_CRS, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					0, 0, 0xFF, 0, 0x100)
				IO (Decode16, 0x0CF8, 0x0CF8, 1, 8)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
					0, 0x0000, 0x0CF7, 0, 0x0CF8)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
					0, 0x0D00, 0xFFFF, 0, 0xF300)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					NonCacheable, ReadWrite, 0, 0x000A0000, 0x000BFFFF, 0, 0x00020000)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					NonCacheable, ReadWrite, 0, 0xC0000000, 0xFEBFFFFF, 0, 0x3EC00000)
			})

			Device (COM1)
			{
				Name (_HID, EisaId ("PNP0501"))
				Name (_UID, 1)
				Name (_CRS, ResourceTemplate ()
				{
					IO (Decode16, 0x03F8, 0x03F8, 0, 8)
					IRQNoFlags () { 4 }
				})
			}

			Device (KBD)
			{
				Name (_HID, EisaId ("PNP0303"))
				Name (_CRS, ResourceTemplate ()
				{
					IO (Decode16, 0x0060, 0x0060, 0, 1)
					IO (Decode16, 0x0064, 0x0064, 0, 1)
					IRQNoFlags () { 1 }
				})
			}
		}
	}

	/* PIIX4: the value of SLP_TYP is 0 for soft off, 1 for suspend to RAM. */
	Name (\_S3, Package () { 1, 1, 0, 0 })
	Name (\_S5, Package () { 0, 0, 0, 0 })
}
