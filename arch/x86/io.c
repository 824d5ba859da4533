/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Watched ports: sleep, reset, power-off, and a kept serial port. ACPI 6.5 4.8.3.2; ICH and PIIX
 * reset registers.
 */
#include "arch/x86/io.h"

#include "arch/cpu.h"
#include "arch/lock.h"
#include "arch/upcall.h"
#include "arch/x86/asm.h"
#include "monitor/abi/audit.h"

#define PORT_KEYBOARD_DATA 0x60u
/* the next data byte goes to the output port, whose bit 0 is RESET */
#define KEYBOARD_WRITE_OUTPUT 0xd1u
#define PORT_KEYBOARD	      0x64u  /* command 0xF0-0xFF with bit 0 clear pulses RESET */
#define PORT_CONTROL_A	      0x92u  /* bit 0: fast reset */
#define PORT_PCI_ADDRESS      0xcf8u /* 32-bit writes are PCI configuration addresses */
#define PORT_RESET	      0xcf9u /* bit 2: reset */
#define SERIAL_PORTS	      8u
/* Of the second byte of a PM1 control register. */
#define SLEEP_ENABLE	 (1u << 5)
#define SLEEP_TYPE(high) ((high) >> 2 & 7u)

/* A look at what is written and the write itself are one. */
static struct spinlock write_lock = { .rank = LOCK_DEVICE };
static bool output_follows; /* KEYBOARD_WRITE_OUTPUT was the last command */

static const struct bootinfo_power *power(void)
{
	return &start_info()->power;
}

/* 0: it is the guest's, or will be. */
static uint16_t serial_kept(void)
{
	return start_info()->flags & BOOTINFO_SERIAL_KEEP ? start_info()->serial_port : 0;
}

static void watch(uint8_t *map, uint16_t port, unsigned count)
{
	if (port == 0)
		return;
	for (unsigned i = port; i < port + count && i <= UINT16_MAX; i++)
		map[i / 8] |= (uint8_t)(1u << i % 8);
}

void io_fill_map(uint8_t *map)
{
	watch(map, PORT_KEYBOARD_DATA, 1);
	watch(map, PORT_KEYBOARD, 1);
	watch(map, PORT_CONTROL_A, 1);
	watch(map, PORT_RESET, 1);
	watch(map, power()->reset_port, 1);
	watch(map, power()->pm1a_control, 2);
	watch(map, power()->pm1b_control, 2);
	watch(map, serial_kept(), SERIAL_PORTS);
}

static uint32_t port_in(uint16_t port, unsigned bytes)
{
	return bytes == 1 ? inb(port) : bytes == 2 ? inw(port) : inl(port);
}

static void port_out(uint16_t port, unsigned bytes, uint32_t value)
{
	if (bytes == 1)
		outb(port, (uint8_t)value);
	else if (bytes == 2)
		outw(port, (uint16_t)value);
	else
		outl(port, value);
}

/* The byte that an access of `bytes` at `port` puts at `at`; false if it does not touch it. */
static bool byte_at(uint16_t port, unsigned bytes, uint32_t value, uint16_t at, uint8_t *byte)
{
	if (at < port || at >= port + bytes)
		return false;
	*byte = (uint8_t)(value >> 8 * (at - port));
	return true;
}

/* The keyboard controller's way to RESET in two writes. */
static bool is_output_reset(uint16_t port, unsigned bytes, uint32_t value)
{
	uint8_t b;

	if (byte_at(port, bytes, value, PORT_KEYBOARD, &b))
		output_follows = b == KEYBOARD_WRITE_OUTPUT;
	if (!byte_at(port, bytes, value, PORT_KEYBOARD_DATA, &b) || !output_follows)
		return false;
	output_follows = false;
	return !(b & 1);
}

static bool is_reset(uint16_t port, unsigned bytes, uint32_t value)
{
	uint8_t b;

	if (port == PORT_PCI_ADDRESS && bytes == 4)
		return false;
	return is_output_reset(port, bytes, value) ||
	    (byte_at(port, bytes, value, PORT_RESET, &b) && b & 4) ||
	    (byte_at(port, bytes, value, PORT_CONTROL_A, &b) && b & 1) ||
	    (byte_at(port, bytes, value, PORT_KEYBOARD, &b) && (b & 0xf1) == 0xf0) ||
	    (power()->reset_port != 0 && byte_at(port, bytes, value, power()->reset_port, &b) &&
		b == power()->reset_value);
}

/* Whether an access writes SLP_EN of a PM1 control register, and which sleep type with it. */
static bool is_sleep(uint16_t port, unsigned bytes, uint32_t value, unsigned *type)
{
	const uint16_t registers[] = { power()->pm1a_control, power()->pm1b_control };
	uint8_t high;

	for (unsigned i = 0; i < 2; i++) {
		if (registers[i] != 0 && byte_at(port, bytes, value, registers[i] + 1, &high) &&
		    high & SLEEP_ENABLE) {
			*type = SLEEP_TYPE(high);
			return true;
		}
	}
	return false;
}

/* Another CPU's write must not come between: it could turn what this one means into a reset. */
static void write_port(uint16_t port, unsigned bytes, uint32_t value)
{
	spin_lock(&write_lock);
	if (is_reset(port, bytes, value))
		monitor_leaving();
	port_out(port, bytes, value);
	spin_unlock(&write_lock);
}

bool io_access(uint16_t port, unsigned bytes, bool write, uint32_t *value)
{
	uint16_t serial = serial_kept();
	bool kept = serial != 0 && port + bytes > serial && port < serial + SERIAL_PORTS;
	unsigned type;

	if (!write)
		*value = kept ? UINT32_MAX >> (32 - 8 * bytes) : port_in(port, bytes);
	if (!write || kept)
		return true;
	if (is_sleep(port, bytes, *value, &type)) {
		if (type != power()->s5_type) {
			audit(REDOUBT_AUDIT_SLEEP_REFUSED, port, type);
			return false;
		}
		monitor_leaving();
	}
	write_port(port, bytes, *value);
	return true;
}

void machine_reset(void)
{
	if (power()->reset_port != 0)
		outb(power()->reset_port, power()->reset_value);
	outb(PORT_RESET, 0x02);
	outb(PORT_RESET, 0x06);
	outb(PORT_KEYBOARD, 0xfe);
	cpu_stop();
}
