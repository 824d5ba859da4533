/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * QEMU's `edu`, a device with a DMA engine and nothing else (device.h). QEMU, docs/specs/edu.
 */
#include "guest/suite/device.h"

#include "guest/lib/memory.h"
#include "guest/lib/text.h"

#define EDU_ID	      0x11e81234u
#define EDU_SOURCE    0x80u
#define EDU_TO	      0x88u
#define EDU_COUNT     0x90u
#define EDU_COMMAND   0x98u
#define EDU_BUFFER    0x40000u
#define EDU_RUN	      1u
#define EDU_TO_MEMORY 2u

static struct {
	uint32_t function;
	volatile uint8_t *registers;
	uint8_t *page; /* of ours, through which bytes come and go */
} edu;

static void again(void)
{
	pci_master(edu.function);
}

static uint16_t start(void)
{
	edu.function = pci_find(0, UINT32_MAX, EDU_ID, "edu");
	edu.registers = pci_bar(edu.function, 0);
	edu.page = pages_alloc(1);
	again();
	return (uint16_t)edu.function;
}

static void put(unsigned at, uint64_t value)
{
	*(volatile uint64_t *)(edu.registers + at) = value;
}

/* It takes a tenth of a second. */
static void copy(uint64_t from, uint64_t to, unsigned direction)
{
	put(EDU_SOURCE, from);
	put(EDU_TO, to);
	put(EDU_COUNT, DEVICE_BYTES);
	put(EDU_COMMAND, EDU_RUN | direction);
	while (*(volatile uint64_t *)(edu.registers + EDU_COMMAND) & EDU_RUN)
		__asm__ volatile("pause");
}

/* The device's memory is zeroed first: what it is refused it may not touch at all. */
static void read(uint64_t address, void *to)
{
	memset(edu.page, 0, DEVICE_BYTES);
	copy((uint64_t)edu.page, EDU_BUFFER, 0);
	copy(address, EDU_BUFFER, 0);
	copy(EDU_BUFFER, (uint64_t)edu.page, EDU_TO_MEMORY);
	memcpy(to, edu.page, DEVICE_BYTES);
}

static void write(uint64_t address, const void *from)
{
	memcpy(edu.page, from, DEVICE_BYTES);
	copy((uint64_t)edu.page, EDU_BUFFER, 0);
	copy(EDU_BUFFER, address, EDU_TO_MEMORY);
}

const struct device device_edu = { "edu", start, read, write, again };
