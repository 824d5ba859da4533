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
#define PCI_FIRST    0x34u /* of the list of capabilities */
#define PCI_HEADER   16u   /* words */
#define PCI_EXPRESS  0x10u
#define EXPRESS_CAN  0x04u
#define EXPRESS_DO   0x08u
#define CAN_RESET    (1u << 28)
#define DO_RESET     (1u << 15)
#define BRIDGE_BUSES 0x18u
#define BRIDGE_DO    0x3cu
#define BRIDGE_RESET (1u << 22)
#define RESET_READS  1000000u /* more than long enough, on an emulator */

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

uint32_t pci_capability(uint32_t function, uint32_t id)
{
	uint32_t at = pci_read(function, PCI_FIRST) & 0xfc;

	while (at != 0 && (pci_read(function, at) & 0xff) != id)
		at = pci_read(function, at) >> 8 & 0xfc;
	return at;
}

static bool reset_function(uint32_t function)
{
	uint32_t express = pci_capability(function, PCI_EXPRESS);

	if (express == 0 || !(pci_read(function, express + EXPRESS_CAN) & CAN_RESET))
		return false;
	pci_write(function, express + EXPRESS_DO,
	    pci_read(function, express + EXPRESS_DO) | DO_RESET);
	return true;
}

/* By the bridge on bus 0 that leads to its bus. */
static bool reset_bus(uint32_t function)
{
	uint32_t bridge = 0;

	if (function >> 8 == 0)
		return false;
	while (bridge < 256 &&
	    ((pci_read(bridge, 0x0c) >> 16 & 0x7f) != 1 ||
		(pci_read(bridge, BRIDGE_BUSES) >> 8 & 0xff) != function >> 8))
		bridge++;
	if (bridge == 256)
		return false;
	pci_write(bridge, BRIDGE_DO, pci_read(bridge, BRIDGE_DO) | BRIDGE_RESET);
	for (unsigned i = 0; i < 100; i++)
		pci_read(bridge, 0);
	pci_write(bridge, BRIDGE_DO, pci_read(bridge, BRIDGE_DO) & ~BRIDGE_RESET);
	return true;
}

bool pci_reset(uint32_t function, enum pci_reset how)
{
	uint32_t header[PCI_HEADER];

	for (unsigned i = 0; i < PCI_HEADER; i++)
		header[i] = pci_read(function, 4 * i);
	if (!(how == PCI_RESET_BUS ? reset_bus(function) : reset_function(function)))
		return false;
	for (unsigned i = 0; i < RESET_READS && pci_read(function, 0) != header[0]; i++)
		;
	if (pci_read(function, PCI_COMMAND) & PCI_MASTER)
		bail("function %x was not reset", function);
	for (unsigned i = PCI_HEADER; i-- > 1;)
		pci_write(function, 4 * i, header[i]);
	return true;
}
