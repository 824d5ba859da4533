/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The way in: the entry point's operations and the state of the firmware that becomes the first
 * guest.
 */
#pragma once

#include <stdint.h>

#include "arch/cpu.h"

/* Bounds of the image, from monitor.lds. */
extern char image_start[], text_start[], text_end[], rodata_start[], rodata_end[], data_start[],
    data_end[], image_end[];

struct descriptor_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

/* A CPU as the loader's code ran on it. */
struct firmware_state {
	uint64_t cr0, cr3, cr4, efer;
	uint64_t rip, rsp, rflags; /* behind the call of the entry point */
	struct descriptor_pointer gdtr, idtr;
	uint64_t tr_base;
	uint32_t tr_limit; /* bytes less one; 0: firmware runs without a task register */
	uint16_t es, cs, ss, ds, fs, gs, ldtr, tr;
};

/* What the entry point has pushed on the loader's stack. */
struct entry_frame {
	uint64_t r15, r14, r13, r12, rbp, rbx;
	uint64_t rflags;
	uint64_t rip; /* pushed by the loader's call */
};

/* The entry point, in switch.S (monitor_entry_fn of abi/bootinfo.h), and what it calls. */
uint64_t start_entry(uint64_t op, const struct bootinfo *info, uint64_t cpu,
    const struct entry_frame *frame);

/*
 * Switches to the given tables and stack, runs start_root(op), and comes back with its result to
 * firmware's tables and stack. For MONITOR_LAUNCH it does not come back.
 */
uint64_t start_run(uint64_t cr3, uint64_t stack, uint64_t op);
uint64_t start_root(uint64_t op);

/* Loads CS and then SS, DS, ES. */
void start_load_segments(uint16_t cs, uint16_t data);

/* What the vendor supplies. */
/* can this CPU be covered? Changes nothing; firmware's tables */
enum launch_status vendor_check(void);
/* once, under the monitor's tables, after monitor_init() */
enum launch_status vendor_init(void);
_Noreturn void vendor_launch(const struct firmware_state *state); /* this CPU becomes the guest's */
