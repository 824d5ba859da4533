/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * QEMU's `edu`: a PCI device whose DMA engine copies to and from wherever it is told.
 */
#ifndef GUEST_SUITE_EDU_H
#define GUEST_SUITE_EDU_H

#include <stdbool.h>
#include <stdint.h>

/* Finds it and lets it be bus master. Ends the run if there is none. Returns its requester id. */
uint16_t edu_find(void);

/*
 * What the device reads at an address, and writes there: `bytes` up to 2,048. Memory that it is refused
 * reads as something else, or nothing.
 */
void edu_read(uint64_t address, void *to, unsigned bytes);
void edu_write(uint64_t address, const void *from, unsigned bytes);

/* The same for one word. */
uint64_t edu_read_word(uint64_t address);
void edu_write_word(uint64_t address, uint64_t value);

/* As firmware resets a device: its memory and bus mastering go off, and on again. */
void edu_program_anew(void);

#endif
