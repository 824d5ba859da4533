/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A disk on AHCI as a device that copies (device.h): through a sector that no partition has. AHCI
 * 1.3.1, 3.3 (registers), 4.2 (command list, table); ACS-3, 7.23, 7.63.
 */
#include "guest/suite/device.h"

#include "guest/lib/memory.h"
#include "guest/lib/text.h"

#define CLASS_AHCI	0x01060100u
#define PCI_CLASS	0x08u
#define AHCI_BAR	5u
#define HBA_CONTROL	0x04u
#define HBA_ENABLE	(1u << 31)
#define HBA_IMPLEMENTED 0x0cu
#define PORT(n)		(0x100u + 0x80u * (n))
#define PORTS		32u

#define PORT_LIST	0x00u
#define PORT_RECEIVED	0x08u
#define PORT_INTERRUPT	0x10u
#define PORT_COMMAND	0x18u
#define PORT_STATUS	0x28u
#define PORT_CONTROL	0x2cu
#define PORT_ERROR	0x30u
#define PORT_ISSUE	0x38u
#define COMMAND_START	0x0001u
#define COMMAND_RECEIVE 0x0010u
#define COMMAND_BUSY	0xc000u /* either of them is still running */
#define INTERRUPT_ERROR (1u << 30)
#define DETECT_MASK	0x0fu
#define DETECTED	3u

#define FIS_TO_DEVICE  0x27u
#define FIS_IS_COMMAND 0x80u
#define READ_DMA       0x25u
#define WRITE_DMA      0x35u
#define HEADER_WRITE   (1u << 6)
#define HEADER	       (5u | 1u << 16) /* words of the FIS; one region */
#define SECTOR	       1024u	       /* behind the partition table, before the first partition */
#define POLLS	       200000u

struct tables {
	uint32_t list[256]; /* commands; the first is used */
	uint8_t received[256];
	uint8_t fis[128]; /* of the command table, which goes on with: */
	uint32_t region[4];
	uint8_t data[DEVICE_BYTES];
};

static struct {
	uint32_t function;
	volatile uint8_t *registers, *port;
	struct tables *tables;
} ahci;

static uint32_t get(unsigned at)
{
	return *(volatile uint32_t *)(ahci.port + at);
}

static void put(unsigned at, uint32_t value)
{
	*(volatile uint32_t *)(ahci.port + at) = value;
}

static void wait_clear(unsigned at, uint32_t bits)
{
	for (unsigned i = 0; i < POLLS && get(at) & bits; i++)
		__asm__ volatile("pause");
}

/* Stopped, the link reset, started with our tables. */
static void again(void)
{
	pci_master(ahci.function);
	put(PORT_COMMAND, get(PORT_COMMAND) & ~(COMMAND_START | COMMAND_RECEIVE));
	wait_clear(PORT_COMMAND, COMMAND_BUSY);
	put(PORT_CONTROL, (get(PORT_CONTROL) & ~DETECT_MASK) | 1);
	for (unsigned i = 0; i < 1000; i++)
		(void)get(PORT_STATUS);
	put(PORT_CONTROL, get(PORT_CONTROL) & ~DETECT_MASK);
	for (unsigned i = 0; i < POLLS && (get(PORT_STATUS) & DETECT_MASK) != DETECTED; i++)
		__asm__ volatile("pause");
	put(PORT_LIST, (uint32_t)(uint64_t)ahci.tables->list);
	put(PORT_LIST + 4, 0);
	put(PORT_RECEIVED, (uint32_t)(uint64_t)ahci.tables->received);
	put(PORT_RECEIVED + 4, 0);
	put(PORT_ERROR, UINT32_MAX);
	put(PORT_INTERRUPT, UINT32_MAX);
	put(PORT_COMMAND, get(PORT_COMMAND) | COMMAND_RECEIVE);
	put(PORT_COMMAND, get(PORT_COMMAND) | COMMAND_START);
}

static uint16_t start(void)
{
	uint32_t *control;

	ahci.function = pci_find(PCI_CLASS, 0xffffff00, CLASS_AHCI, "AHCI");
	ahci.registers = pci_bar(ahci.function, AHCI_BAR);
	control = (uint32_t *)(uint64_t)(ahci.registers + HBA_CONTROL);
	*(volatile uint32_t *)control |= HBA_ENABLE;
	ahci.tables = pages_alloc(1);
	for (unsigned i = 0; i < PORTS; i++) {
		ahci.port = ahci.registers + PORT(i);
		if ((get(PORT_STATUS) & DETECT_MASK) == DETECTED) {
			again();
			return (uint16_t)ahci.function;
		}
	}
	bail("there is no disk on AHCI");
}

/* Between the sector and an address. What is refused may leave the port hanging; then a reset. */
static void transfer(uint8_t command, uint64_t address)
{
	struct tables *t = ahci.tables;
	const uint8_t fis[] = { FIS_TO_DEVICE, FIS_IS_COMMAND, command, 0, SECTOR & 0xff,
		SECTOR >> 8, 0, 0x40, 0, 0, 0, 0, 1 };

	memcpy(t->fis, fis, sizeof(fis));
	t->region[0] = (uint32_t)address;
	t->region[1] = (uint32_t)(address >> 32);
	t->region[3] = DEVICE_BYTES - 1;
	t->list[0] = HEADER | (command == WRITE_DMA ? HEADER_WRITE : 0);
	t->list[1] = 0;
	t->list[2] = (uint32_t)(uint64_t)t->fis;
	t->list[3] = 0;
	put(PORT_INTERRUPT, UINT32_MAX);
	put(PORT_ISSUE, 1);
	for (unsigned i = 0; i < POLLS && get(PORT_ISSUE) & 1; i++)
		if (get(PORT_INTERRUPT) & INTERRUPT_ERROR)
			break;
	if (get(PORT_ISSUE) & 1 || get(PORT_INTERRUPT) & INTERRUPT_ERROR)
		again();
}

/* The sector is zeroed first: what the device is refused it may not touch at all. */
static void read(uint64_t address, void *to)
{
	memset(ahci.tables->data, 0, DEVICE_BYTES);
	transfer(WRITE_DMA, (uint64_t)ahci.tables->data);
	transfer(WRITE_DMA, address);
	memset(ahci.tables->data, 0xff, DEVICE_BYTES);
	transfer(READ_DMA, (uint64_t)ahci.tables->data);
	memcpy(to, ahci.tables->data, DEVICE_BYTES);
}

static void write(uint64_t address, const void *from)
{
	memcpy(ahci.tables->data, from, DEVICE_BYTES);
	transfer(WRITE_DMA, (uint64_t)ahci.tables->data);
	transfer(READ_DMA, address);
}

const struct device device_ahci = { "ahci", start, read, write, again };
