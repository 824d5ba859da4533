/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * PCI configuration by ports 0xCF8 and 0xCFC (device.h). PCI Local Bus 3.0, 3.2.2.3.2, 6.1.
 */
#include "guest/suite/device.h"

#include "guest/lib/text.h"
#include "guest/lib/x86.h"

#define PCI_ADDRESS  0xcf8u
#define PCI_DATA     0xcfcu
#define PCI_ENABLE   (1u << 31)
#define PCI_COMMAND  0x04u
#define PCI_BARS     0x10u
#define PCI_MASTER   6u /* memory, bus master */
#define PCI_BAR_WIDE 4u

uint32_t pci_read(uint32_t function, uint32_t at)
{
	outl(PCI_ADDRESS, PCI_ENABLE | function << 8 | (at & 0xfc));
	return inl(PCI_DATA);
}

void pci_write(uint32_t function, uint32_t at, uint32_t value)
{
	outl(PCI_ADDRESS, PCI_ENABLE | function << 8 | (at & 0xfc));
	outl(PCI_DATA, value);
}

uint32_t pci_find(uint32_t at, uint32_t mask, uint32_t bits, const char *what)
{
	for (uint32_t function = 0; function < PCI_FUNCTIONS; function++)
		if ((pci_read(function, at) & mask) == bits)
			return function;
	bail("there is no %s", what);
}

void pci_master(uint32_t function)
{
	uint32_t command = pci_read(function, PCI_COMMAND) & 0xffff;

	pci_write(function, PCI_COMMAND, command & ~PCI_MASTER);
	pci_write(function, PCI_COMMAND, command | PCI_MASTER);
}

volatile uint8_t *pci_bar(uint32_t function, unsigned bar)
{
	uint32_t at = PCI_BARS + 4 * bar;
	uint64_t low = pci_read(function, at);
	uint64_t high = low & PCI_BAR_WIDE ? pci_read(function, at + 4) : 0;

	return (volatile uint8_t *)(high << 32 | (low & ~0xfull));
}
