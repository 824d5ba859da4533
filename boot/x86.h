/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The few instructions that C cannot say, and what CPUID tells.
 */
#ifndef BOOT_X86_H
#define BOOT_X86_H

#include <stdbool.h>
#include <stdint.h>

void port_write8(uint16_t port, uint8_t value);
uint8_t port_read8(uint16_t port);
uint64_t read_cr3(void);
uint64_t read_cr4(void);
uint64_t read_tsc(void);
_Noreturn void halt(void);

/* A word of RDRAND's; 0 where there is none. */
uint64_t cpu_random(void);

/*
 * A call to the monitor (monitor/abi/call.h), from its guest: arguments in RCX, RDX, R8, R9, where
 * the results are put; RAX.
 */
uint64_t monitor_call(uint32_t vendor, uint32_t id, uint64_t regs[4]);

/* Twelve characters of CPUID leaf 0 and a NUL. */
void cpu_vendor_text(char text[13]);

/* REDOUBT_VENDOR_ of monitor/abi/cpuid.h by the CPU's maker; 0: no monitor is made for it. */
uint32_t cpu_vendor(void);

/* What the monitor says of the CPU this runs on. */
struct cpu_cover {
	bool signature;	   /* CPUID leaf 0x40000000 carries the monitor's */
	uint32_t covered;  /* number of CPUs under the monitor */
	uint32_t index;	   /* of this one */
	uint32_t features; /* REDOUBT_FEATURE_ bits */
};

struct cpu_cover cpu_cover(void);

/*
 * Whether the running page tables map an address, and whether they let instructions be fetched from
 * it, or it be written (SDM 3A 4.5, tables of 4 or 5 levels). Firmware maps its memory one to one.
 */
bool page_mapped(uint64_t address);
bool page_executable(uint64_t address);
bool page_writable(uint64_t address);

#endif
