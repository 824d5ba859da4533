/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Consoles of a PC: a 16550 at the port the loader named, as firmware has set it up, and the debug
 * port.
 */
#include "arch/console.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "arch/cpu.h"
#include "arch/x86/asm.h"

#define DEBUG_PORT     0xe9u
#define LINE_STATUS    5u
#define TRANSMIT_EMPTY 0x20u
#define TRANSMIT_POLLS 100000u

static atomic_bool released;

static void serial_put(uint16_t port, uint8_t c)
{
	for (unsigned i = 0; i < TRANSMIT_POLLS; i++)
		if (inb(port + LINE_STATUS) & TRANSMIT_EMPTY)
			break;
	outb(port, c);
}

void console_write(const char *text, size_t bytes)
{
	const struct bootinfo *info = start_info();
	/* another CPU may release it meanwhile */
	bool serial = info->flags & BOOTINFO_SERIAL && !atomic_load(&released);

	for (size_t i = 0; i < bytes; i++) {
		if (info->flags & BOOTINFO_DEBUGCON)
			outb(DEBUG_PORT, (uint8_t)text[i]);
		if (!serial)
			continue;
		if (text[i] == '\n')
			serial_put(info->serial_port, '\r');
		serial_put(info->serial_port, (uint8_t)text[i]);
	}
}

void console_release(void)
{
	if (!(start_info()->flags & BOOTINFO_SERIAL_KEEP))
		atomic_store(&released, true);
}
