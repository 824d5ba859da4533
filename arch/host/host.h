/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The fake machine: arch/include for a host process, so that monitor/ and the second-stage tables
 * run unchanged under sanitizers. And what a test does to it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/addr.h"
#include "arch/stage2.h"
#include "arch/vp.h"
#include "monitor/abi/bootinfo.h"

#define HOST_MAX_RANGES 16u

/* A machine. What is 0 gets the default of host_default(). */
struct host_machine {
	unsigned cpus;
	unsigned phys_bits;
	struct withheld withheld;
	bool huge; /* 1 GiB pages in second-stage tables */
	bool mbec;
	uint32_t flags; /* BOOTINFO_ */
	uint64_t region_base;
	uint64_t region_pages; /* 0: just what monitor_region_pages() asks for */
	uint64_t record_base;
	uint32_t range_count;
	struct bootinfo_range ranges[HOST_MAX_RANGES];
};

/* Two CPUs, 64 MiB in three ranges below and above 4 GiB, huge pages, MBEC. */
struct host_machine host_default(void);

/*
 * Builds the machine: memory that reads zero, all CPUs covered, CPU 0 running. Forgets the one
 * before. The monitor is not started.
 */
void host_build(const struct host_machine *machine);

/* host_build(), then checks the boot information and starts the monitor. A failure aborts. */
void host_boot(const struct host_machine *machine);

/*
 * The boot information block of the machine; may be changed between host_build() and
 * monitor_init().
 */
struct bootinfo *host_info(void);

/* ---- Memory ---- */

/* Reads and writes memory from outside, whoever owns it. */
void host_peek(uint64_t spa, void *to, size_t bytes);
void host_poke(uint64_t spa, const void *from, size_t bytes);

/* Memory types as a guest's MTRRs would give them; NULL: the default. */
typedef enum s2_type host_types(uint64_t at, uint64_t *until);
void host_set_types(host_types *types);

/* ---- CPUs ---- */

/* The CPU that runs from now on. */
void host_on(unsigned cpu);

/* Time stamp counter: grows by `step` each time it is read. */
void host_set_cycles(uint64_t now, uint64_t step);

uint64_t host_flushes(void);

/* From now on cpu_flush_all() does nothing: for tests of the tests. */
void host_break_flush(bool broken);

/* What an access by the running CPU's guest came to. */
struct host_access {
	bool faulted;	/* the guest got #GP */
	unsigned exits; /* violations on the way */
	bool store;	/* it is one for monitor_store(); a fault unless that is called */
	uint64_t spa;
};

/*
 * An access by the guest, translated as a CPU does: by what this CPU has cached of translations and
 * of tables, else by the tables in memory. Violations go to the monitor.
 */
struct host_access host_touch(uint64_t gpa, unsigned access);

/* The same by a partition: what its map does not grant is its end, and shows as a fault. */
struct host_access host_touch_in(const struct stage2 *map, uint64_t gpa, unsigned access);

/*
 * Whether every translation that some CPU has cached is one that the tables still grant. *gpa: one
 * that is not. True after every completed operation; before a flush it may not be.
 */
bool host_coherent(uint64_t *gpa);

/* ---- VPs of partitions ---- */

/* Why a program stops, and what vp_last_exit() tells then. */
struct host_exit {
	enum vp_stop stop;
	uint32_t reason;
	uint64_t rip, fact;
};

/*
 * Plays a partition's program from where it stands to where it stops: `start` is what the VP was
 * reset with, `call` its registers; what it remembers is the test's business.
 */
typedef struct host_exit host_program(const struct vp_start *start, struct call *call,
    uint64_t cycles);
void host_set_program(host_program *function);

/* ---- Devices ---- */

/*
 * What the consoles got since host_build(), at most the first 64 KiB; whether the serial port was
 * released.
 */
const char *host_console(void);
bool host_console_released(void);

/* The next dma_block() calls fail; those behind the next `calls`. */
void host_refuse_dma(bool refuse);
void host_refuse_dma_after(unsigned calls);
uint64_t host_dma_syncs(void);
uint64_t host_dma_blocked(void); /* frames out of devices' reach */

/* ---- The end ---- */

/*
 * Called once, the next time that something is printed, or that a panic's digest is kept: to fail
 * in the midst of it.
 */
void host_when_printing(void (*hook)(void));
void host_when_keeping(void (*hook)(void));

enum host_end { HOST_RETURNED, HOST_RESET, HOST_STOPPED, HOST_KILLED };

/* What is left of a machine that came to its end. */
struct host_remains {
	enum host_end end;
	char console[4096]; /* its end */
	uint8_t digest[8];  /* arch_keep_digest() */
	struct panic_record record;
	bool others_stopped;
};

/* Runs `what` in a copy of this process and tells how it ended. The machine here stays as it is. */
struct host_remains host_end_of(void (*what)(void *), void *argument);
