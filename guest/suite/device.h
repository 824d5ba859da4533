/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Devices that copy to and from wherever they are told, and PCI configuration.
 */
#ifndef GUEST_SUITE_DEVICE_H
#define GUEST_SUITE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#define DEVICE_BYTES 512u /* that one access copies; a multiple of them is one access each */

struct device {
	const char *name;
	/* Finds and starts it; its requester id. Ends the run if there is none. */
	uint16_t (*start)(void);
	/*
	 * What the device reads at an address, and writes there: DEVICE_BYTES. What it is refused
	 * reads as something else, or as nothing.
	 */
	void (*read)(uint64_t address, void *to);
	void (*write)(uint64_t address, const void *from);
	/* Resets and programs it anew. */
	void (*again)(void);
};

extern const struct device device_edu, device_ahci, device_virtio;

/* A function's number is its requester id. */
#define PCI_FUNCTIONS 0x10000u

uint32_t pci_read(uint32_t function, uint32_t at);
void pci_write(uint32_t function, uint32_t at, uint32_t value);

/* The first function from `function` on whose word at `at` has these bits. Ends the run if none. */
uint32_t pci_find(uint32_t at, uint32_t mask, uint32_t bits, const char *what);

/* Its memory and bus mastering go off, and on again. */
void pci_master(uint32_t function);

/* Registers behind a base address register of memory. */
volatile uint8_t *pci_bar(uint32_t function, unsigned bar);

enum pci_reset { PCI_RESET_FUNCTION, PCI_RESET_BUS };

/*
 * Resets a function by itself, or the bus that it is on, and writes its header back as it was.
 * false: it cannot be reset like this.
 */
bool pci_reset(uint32_t function, enum pci_reset how);

/* Offset of its first capability with an id; 0: it has none. */
uint32_t pci_capability(uint32_t function, uint32_t id);

#endif
