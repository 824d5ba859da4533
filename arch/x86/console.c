/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Consoles of a PC: a 16550 at the port the loader named, as firmware has set it up, and the debug
 * port.
 */
#include "arch/console.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "arch/x86/asm.h"

#define DEBUG_PORT     0xe9u
#define LINE_STATUS    5u
#define TRANSMIT_EMPTY 0x20u
#define TRANSMIT_POLLS 100000u

static _Atomic uint16_t serial_port;
static bool serial_kept;
static bool debug_port;

void console_init(const struct bootinfo *info)
{
	serial_port = info->flags & BOOTINFO_SERIAL ? info->serial_port : 0;
	serial_kept = info->flags & BOOTINFO_SERIAL_KEEP;
	debug_port = info->flags & BOOTINFO_DEBUGCON;
}

static void serial_put(uint16_t port, uint8_t c)
{
	for (unsigned i = 0; i < TRANSMIT_POLLS; i++)
		if (inb(port + LINE_STATUS) & TRANSMIT_EMPTY)
			break;
	outb(port, c);
}

void console_write(const char *text, size_t bytes)
{
	uint16_t port = atomic_load(&serial_port); /* another CPU may release it meanwhile */

	for (size_t i = 0; i < bytes; i++) {
		if (debug_port)
			outb(DEBUG_PORT, (uint8_t)text[i]);
		if (port == 0)
			continue;
		if (text[i] == '\n')
			serial_put(port, '\r');
		serial_put(port, (uint8_t)text[i]);
	}
}

void console_release(void)
{
	if (!serial_kept)
		serial_port = 0;
}
