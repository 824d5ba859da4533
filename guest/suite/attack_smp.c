/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Attacks with the protection on and off (attack.h): those that take a second CPU.
 */
#include "guest/suite/attack.h"

#include "guest/lib/apic.h"
#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/smp.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "guest/suite/suite.h"
#include "guest/suite/test_calls.h"

#define MSR_VMX_BASIC 0x480u
#define A_WHILE	      2000000u
#define NMIS	      200u
#define NMI_PATIENCE  50000000u
#define HOST_PATIENCE 200000000u /* the host may give a CPU no time for a while */
#define PROT_NO_WRITE 13u
#define PROT_ALL      15u

static volatile uint64_t stop, turns;

static void victim_online(void)
{
	if (!cpu_at(1)->online && !smp_start(1))
		bail("CPU 1 does not start");
}

/* ---- NMIs that find their target in root mode ---- */

static void read_log(void *page)
{
	while (!stop)
		call_simple(REDOUBT_CALL_log_read, 0, (uint64_t)page, PAGE, 0);
}

static void read_denied(void *arg)
{
	uint64_t value;

	while (!stop)
		try_rdmsr(MSR_VMX_BASIC, &value);
}

static void flush(void *arg)
{
	while (!stop)
		redoubt_test_flush(3);
}

static bool taken(uint64_t wanted)
{
	uint64_t start = rdtsc(), patience = attack_is_open() ? NMI_PATIENCE : HOST_PATIENCE;

	while (cpu_at(1)->nmis < wanted && !passed(start, patience))
		cpu_pause();
	return cpu_at(1)->nmis >= wanted;
}

/* Whether one of the NMIs sent is never taken. */
static bool loses_nmi(void (*job)(void *arg), void *arg)
{
	unsigned lost = 0;

	victim_online();
	stop = 0;
	smp_begin(1, job, arg);
	delay(A_WHILE / 10);
	for (unsigned i = 0; i < NMIS && !lost; i++) {
		uint64_t before = cpu_at(1)->nmis;

		apic_send(cpu_at(1)->apic_id, ICR_NMI | ICR_ASSERT);
		lost += !taken(before + 1);
		delay(i * 37 % 211);
	}
	stop = 1;
	if (!smp_wait(1))
		bail("CPU 1 does not end its job");
	return lost;
}

static bool nmi_in_exit(void)
{
	return loses_nmi(read_denied, NULL);
}

static bool nmi_in_call(void)
{
	return loses_nmi(read_log, pages_alloc(1));
}

static bool nmi_in_flush(void)
{
	return loses_nmi(flush, NULL);
}

/* ---- INIT that is not obeyed ---- */

static void count(void *arg)
{
	for (;;) {
		turns++;
		cpu_pause();
	}
}

/* Whether CPU 1 runs on, with the state it had, after INIT. */
static bool runs_on(void)
{
	uint64_t before;

	victim_online();
	turns = 0;
	smp_begin(1, count, NULL);
	wait_flag(&turns);
	smp_init(1);
	delay(A_WHILE);
	before = turns;
	delay(A_WHILE);
	if (turns != before)
		return true;
	smp_sipi(1);
	smp_wait_online(1);
	return false;
}

/* ---- A translation that outlives the protection of its page ---- */

static void increment(void *word)
{
	__asm__ volatile("incq (%0)" : : "r"(word) : "memory");
}

static void write_on(void *word)
{
	while (!stop)
		trap_try(increment, word, NULL);
}

/* Whether a write lands after the protection has returned. The page is the word's only user. */
static bool writes_after_seal(void)
{
	volatile uint64_t *word = pages_alloc(1);
	uint64_t sealed, later;

	victim_online();
	stop = 0;
	smp_begin(1, write_on, (void *)(uint64_t)word);
	wait_flag(word);
	if (redoubt_test_protect((uint64_t)word, 1, PROT_NO_WRITE) != REDOUBT_OK)
		bail("test_protect is refused");
	sealed = *word;
	delay(A_WHILE);
	later = *word;
	redoubt_test_protect((uint64_t)word, 1, PROT_ALL);
	stop = 1;
	if (!smp_wait(1))
		bail("CPU 1 does not end its job");
	return later != sealed;
}

/* ---- Control registers: a CPU keeps what it got, so each attack has one for itself ---- */

struct cr4_try {
	uint64_t bits;
	unsigned taken;
};

static void set_cr4_bits(void *attempt)
{
	struct cr4_try *a = attempt;

	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t old = read_cr4(), value = old | 1ull << bit;

		if (!(a->bits >> bit & 1))
			continue;
		a->taken += trap_try(do_write_cr4, &value, NULL) == TRAP_NONE &&
		    read_cr4() >> bit & 1;
	}
}

static bool cr4_vmxe(void)
{
	struct cr4_try attempt = { CR4_VMXE, 0 };

	victim_online();
	if (!smp_run(1, set_cr4_bits, &attempt))
		bail("CPU 1 does not come back from MOV to CR4");
	return attempt.taken;
}

static bool cr4_reserved(void)
{
	struct cr4_try attempt = { 1ull << 15 | 1ull << 19 | 1ull << 31 | 1ull << 40 | 1ull << 63,
		0 };

	set_cr4_bits(&attempt);
	return attempt.taken;
}

const struct attack attacks_smp[] = {
	{ "T27 an NMI while the CPU is in the exit path", "NO_NMI_GUARD", nmi_in_exit, SUCCEEDS,
	    false, false },
	{ "T28 an NMI at a CPU in the monitor is lost", "NO_NMI_GUARD", nmi_in_call, SUCCEEDS,
	    false, false },
	{ "T75 an NMI during invalidations is lost", "NO_NMI_GUARD", nmi_in_flush, SUCCEEDS, false,
	    true },
	{ "T08 a write through a stale translation", "NO_FLUSH", writes_after_seal, SUCCEEDS, false,
	    true },
	{ 0 },
};

const struct attack attacks_vmx[] = {
	{ "T29 a CPU runs on after INIT", "NO_INIT_GUARD", runs_on, SUCCEEDS, false, false },
	{ "T16 setting reserved bits of CR4", "NO_CR_GUARD", cr4_reserved, REFUSED, true, false },
	{ "T16 setting CR4.VMXE", "NO_CR_GUARD", cr4_vmxe, SUCCEEDS, true, false },
	{ 0 },
};
