/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * No CPU escapes (T28, T29, T75, I14): every other CPU is busy, some of them sending, while
 * INITs and SIPIs go to all of them at random times. SIPI leads to a few bytes of real-mode
 * code without stack or data, so that no order of messages is one that the guest could not
 * stand. Behind each round every CPU is started in an orderly way, and must be under the
 * monitor: its signature and a call are answered there.
 *
 * ROUNDS= rounds of STORM= messages by the first CPU; SEED= of all that is random.
 */
#include "guest/suite/suite.h"

#include "guest/lib/apic.h"
#include "guest/lib/call.h"
#include "guest/lib/low_layout.h"
#include "guest/lib/memory.h"
#include "guest/lib/options.h"
#include "guest/lib/rand.h"
#include "guest/lib/smp.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "monitor/abi/cpuid.h"

#define ROUNDS_DEFAULT 5u
#define STORM_DEFAULT  60u
#define SETTLE	       200000u
#define PAUSE_MASK     0x1fffu
#define CODE_COUNTER   0x80u /* in the page of the code */
#define DENIED_MSR     0x480u

/* inc word cs:[0x80]; mov eax, 0x40000000; xor ecx, ecx; cpuid; pause; again */
static const uint8_t real_mode_code[] = { 0x2e, 0xff, 0x06, CODE_COUNTER, 0x00, 0x66, 0xb8, 0x00,
	0x00, 0x00, 0x40, 0x66, 0x31, 0xc9, 0x0f, 0xa2, 0xf3, 0x90, 0xeb, 0xec };
_Static_assert(sizeof(real_mode_code) == 20, "the jump leads to the start");

static uint8_t *code_page(void)
{
	return low_area() + LOW_SPARE;
}

static void send_sipi(uint32_t id)
{
	apic_send(id, ICR_STARTUP | ICR_ASSERT | (uint32_t)((uint64_t)code_page() >> 12));
}

/* INIT or SIPI to one of the others. */
static void send_one(uint64_t *seed)
{
	uint64_t r = rand_next(seed);
	uint32_t id = cpu_at(1 + (unsigned)(r >> 8) % (cpu_total() - 1))->apic_id;

	if (r & 1)
		apic_send(id, ICR_INIT | ICR_LEVEL | ICR_ASSERT);
	else
		send_sipi(id);
	delay(r >> 40 & PAUSE_MASK);
}

/*
 * Whether the code that SIPIs of the storm lead to runs, on one CPU at least. On a busy host the
 * storm can be over before another CPU has had any time, so it is sent what a storm sends and
 * waited for.
 */
static bool code_runs(void)
{
	const volatile uint16_t *counter = (const uint16_t *)(code_page() + CODE_COUNTER);
	uint32_t id = cpu_at(1)->apic_id;
	uint64_t start = rdtsc();
	uint16_t before;

	apic_send(id, ICR_INIT | ICR_LEVEL | ICR_ASSERT);
	before = *counter;
	send_sipi(id);
	while (*counter == before && !passed(start, SMP_PATIENCE))
		cpu_pause();
	return *counter != before;
}

static void sends(void *seed)
{
	uint64_t own = (uint64_t)seed;

	for (;;)
		send_one(&own);
}

static void calls(void *arg)
{
	for (;;)
		call_simple(REDOUBT_CALL_version, 0, 0, 0, 0);
}

static void cpuids(void *arg)
{
	for (;;)
		cpuid(REDOUBT_CPUID_BASE, 0);
}

static void faults(void *arg)
{
	uint64_t value;

	for (;;)
		try_rdmsr(DENIED_MSR, &value);
}

static void halts(void *arg)
{
	for (;;)
		__asm__ volatile("hlt" : : : "memory");
}

static void (*const jobs[])(void *arg) = { sends, calls, cpuids, faults, halts };

/* As many INITs and SIPIs as were asked for, while the others do something. */
static bool storm(uint64_t *seed, uint64_t messages)
{
	bool ran;

	for (unsigned i = 1; i < cpu_total(); i++) {
		uint64_t r = rand_next(seed);

		smp_begin(i, jobs[r % (sizeof(jobs) / sizeof(jobs[0]))], (void *)(r >> 8));
	}
	for (uint64_t i = 0; i < messages; i++)
		send_one(seed);
	ran = code_runs();
	apic_send(0, ICR_INIT | ICR_ASSERT | ICR_LEVEL | ICR_OTHERS);
	delay(SETTLE);
	return ran;
}

struct answer {
	bool signature, call;
	uint32_t covered, index;
};

static void ask(void *answer)
{
	struct answer *a = answer;
	struct cpuid state;
	struct redoubt_version version = { 0, 0 };

	a->signature = monitor_present();
	if (!a->signature)
		return;
	state = cpuid(REDOUBT_CPUID_STATE, 0);
	a->covered = state.ecx;
	a->index = state.edx;
	a->call = redoubt_version(&version) == REDOUBT_OK && version.abi == REDOUBT_ABI_VERSION;
}

static void check(unsigned index, uint64_t round)
{
	struct answer a = { 0 };
	bool started = index == 0 || smp_start(index);

	if (started && index == 0)
		ask(&a);
	else if (started)
		started = smp_run(index, ask, &a);
	tap(started, "T29 escape: round %lu: CPU %u can be started", round, index);
	tap(a.signature && a.call && a.covered == cpu_total() && a.index == index,
	    "T28 escape: round %lu: CPU %u is under the monitor", round, index);
}

void suite_escape(void)
{
	uint64_t seed = option_number("SEED", 1), rounds = option_number("ROUNDS", ROUNDS_DEFAULT);
	uint64_t messages = option_number("STORM", STORM_DEFAULT);
	bool ran = true;

	tap_note("escape: ROUNDS=%lu STORM=%lu SEED=%lu", rounds, messages, seed);
	memset(code_page(), 0, CODE_COUNTER + sizeof(uint16_t));
	memcpy(code_page(), real_mode_code, sizeof(real_mode_code));
	for (uint64_t round = 0; round < rounds && !tap_failures(); round++) {
		ran &= storm(&seed, messages);
		for (unsigned i = 0; i < cpu_total(); i++)
			check(i, round);
	}
	tap(ran, "escape: in each round a SIPI started a CPU");
}
