/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The suites: what the monitor promises a guest, as expectations. Each prints TAP points; the text
 * of a point that answers an attack begins with its id (T21), which tests/attack/ looks for.
 */
#ifndef GUEST_SUITE_SUITE_H
#define GUEST_SUITE_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/lib/trap.h"

struct suite {
	const char *name;
	void (*run)(void);
	unsigned cpus; /* that it needs */
};

void suite_apic(void);
void suite_attack(void);
void suite_bench(void);
void suite_bench_dma(void);
void suite_bench_smp(void);
void suite_bench_vtpm(void);
void suite_call(void);
void suite_call_partitions(void);
void suite_call_modes(void);
void suite_call_random(void);
void suite_cpuid(void);
void suite_cr(void);
void suite_death(void);
void suite_dma(void);
void suite_dma_in_firmware(void);
void suite_escape(void);
void suite_events(void);
void suite_init(void);
void suite_invd(void);
void suite_log(void);
void suite_loops(void);
void suite_memory(void);
void suite_message(void);
void suite_modes(void);
void suite_msr(void);
void suite_mtrr(void);
void suite_nmi(void);
void suite_offer(void);
void suite_panic(void);
void suite_partition(void);
void suite_reentry(void);
void suite_seal(void);
void suite_secret(void);
void suite_split(void);
void suite_storm(void);
void suite_task(void);
void suite_tpm(void);
void suite_tpm_smp(void);
void suite_triple(void);
void suite_tsc(void);
void suite_vmx(void);
void suite_vp(void);
void suite_window(void);
void suite_xsetbv(void);

/* Whether the monitor's signature is there. */
bool monitor_present(void);

struct call_regs;

/* Whether a call can return what stands in the registers after it, as the call table says. */
bool call_may_return(uint64_t id, const struct call_regs *r);

/* Frames of the monitor's (frames.c). */
struct frames {
	uint64_t base, pages;
	bool canary; /* given to it by canary_frames(): firmware's map knows nothing of it */
};

/* At least one range; ends the run if the monitor's log does not say where it is. */
const struct frames *monitor_frames(unsigned *count);

/*
 * Test build: gives frames with a pattern to the monitor, which count as its own from then on, and
 * says where they are.
 */
void canary_frames(unsigned pages);

/* Whether the CPU is of Intel's make; otherwise it is AMD's. */
bool by_intel(void);

/* ---- Single accesses, for trap_try() and expect() ---- */

struct reg_write {
	uint32_t number;
	uint64_t value;
};

void do_rdmsr(void *reg_write); /* fills value */
void do_wrmsr(void *reg_write);
void do_xsetbv(void *reg_write);
void do_write_cr0(void *value); /* uint64_t * */
void do_write_cr3(void *value);
void do_write_cr4(void *value);
void do_write_cr8(void *value);

/* Vector that a RDMSR (value filled) or WRMSR ends with, TRAP_NONE if it worked. */
unsigned try_rdmsr(uint32_t msr, uint64_t *value);
unsigned try_wrmsr(uint32_t msr, uint64_t value);

#endif
