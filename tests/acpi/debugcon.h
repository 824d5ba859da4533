/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Port I/O and lines on the emulator's debug port 0xE9, for test programs under UEFI. */
#ifndef REDOUBT_TESTS_ACPI_DEBUGCON_H
#define REDOUBT_TESTS_ACPI_DEBUGCON_H

#include <stdint.h>

static inline void port_out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void port_out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint16_t port_in16(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* Writes ASCII text as it is. */
static inline void debug_text(const char *text)
{
	while (*text)
		port_out8(0xe9, (uint8_t)*text++);
}

/* Writes `value` as 0x and 16 hexadecimal digits. */
static inline void debug_hex(uint64_t value)
{
	debug_text("0x");
	for (int shift = 60; shift >= 0; shift -= 4)
		port_out8(0xe9, (uint8_t) "0123456789abcdef"[(value >> shift) & 15]);
}

#endif
