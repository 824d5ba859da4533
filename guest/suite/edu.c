/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Driving `edu` (edu.h). QEMU, docs/specs/edu.
 */
#include "guest/suite/edu.h"

#include "guest/lib/memory.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"

#define PCI_ADDRESS 0xcf8u
#define PCI_DATA    0xcfcu
#define PCI_ENABLE  (1u << 31)
#define PCI_COMMAND 0x04u
#define PCI_BAR0    0x10u
#define PCI_MASTER  6u /* memory, bus master */
#define EDU_ID	    0x11e81234u
#define FUNCTIONS   0x10000u

/* Registers, and the device's own memory. */
#define EDU_SOURCE    0x80u
#define EDU_TO	      0x88u
#define EDU_COUNT     0x90u
#define EDU_COMMAND   0x98u
#define EDU_BUFFER    0x40000u
#define EDU_HALF      2048u
#define EDU_RUN	      1u
#define EDU_TO_MEMORY 2u

static struct {
	uint32_t function;
	volatile uint8_t *registers;
	uint8_t *page; /* of ours, through which bytes come and go */
} edu;

static uint32_t config_read(uint32_t function, uint32_t at)
{
	outl(PCI_ADDRESS, PCI_ENABLE | function << 8 | at);
	return inl(PCI_DATA);
}

static void config_write(uint32_t function, uint32_t at, uint32_t value)
{
	outl(PCI_ADDRESS, PCI_ENABLE | function << 8 | at);
	outl(PCI_DATA, value);
}

void edu_program_anew(void)
{
	uint32_t command = config_read(edu.function, PCI_COMMAND);

	config_write(edu.function, PCI_COMMAND, command & ~PCI_MASTER);
	config_write(edu.function, PCI_COMMAND, command | PCI_MASTER);
}

uint16_t edu_find(void)
{
	while (config_read(edu.function, 0) != EDU_ID)
		if (++edu.function == FUNCTIONS)
			bail("there is no edu");
	edu.registers = (volatile uint8_t *)(uint64_t)(config_read(edu.function, PCI_BAR0) & ~0xfu);
	edu.page = pages_alloc(1);
	edu_program_anew();
	return (uint16_t)edu.function;
}

static void put(unsigned at, uint64_t value)
{
	*(volatile uint64_t *)(edu.registers + at) = value;
}

/* It takes a tenth of a second. */
static void copy(uint64_t from, uint64_t to, unsigned bytes, unsigned direction)
{
	put(EDU_SOURCE, from);
	put(EDU_TO, to);
	put(EDU_COUNT, bytes);
	put(EDU_COMMAND, EDU_RUN | direction);
	while (*(volatile uint64_t *)(edu.registers + EDU_COMMAND) & EDU_RUN)
		__asm__ volatile("pause");
}

/* The device's memory is zeroed first: what it is refused it may not touch at all. */
void edu_read(uint64_t address, void *to, unsigned bytes)
{
	memset(edu.page, 0, EDU_HALF);
	copy((uint64_t)edu.page, EDU_BUFFER, bytes, 0);
	copy(address, EDU_BUFFER, bytes, 0);
	copy(EDU_BUFFER, (uint64_t)edu.page, bytes, EDU_TO_MEMORY);
	memcpy(to, edu.page, bytes);
}

void edu_write(uint64_t address, const void *from, unsigned bytes)
{
	memcpy(edu.page, from, bytes);
	copy((uint64_t)edu.page, EDU_BUFFER, bytes, 0);
	copy(EDU_BUFFER, address, bytes, EDU_TO_MEMORY);
}

uint64_t edu_read_word(uint64_t address)
{
	uint64_t word;

	edu_read(address, &word, sizeof(word));
	return word;
}

void edu_write_word(uint64_t address, uint64_t value)
{
	edu_write(address, &value, sizeof(value));
}
