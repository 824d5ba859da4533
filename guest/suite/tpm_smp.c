/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Other CPUs at the vTPM's window while a command is carried out (T60): its bytes rewritten, a
 * second Start, another locality, the storing instruction itself rewritten, stores from all CPUs.
 */
#include "guest/lib/apic.h"
#include "guest/lib/options.h"
#include "guest/lib/rand.h"
#include "guest/lib/smp.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "guest/suite/suite.h"
#include "guest/suite/timer.h"
#include "guest/suite/tpm.h"

#define RACES	     100u
#define SIZE_RACES   1000u
#define COPIED_BY    20u
#define PASSES	     3u
#define CODE_RACES   500u
#define STORES_EACH  2000u
#define EVERY	     50000u
#define SEED_DEFAULT 1u
#define FIRST_STRAY  32u
#define SIZE_LOW     5u /* in a command: the lowest byte of its size */
#define LONGER	     44u
#define RSA_BYTES    506u
#define RC_CANCELED  0x909u
#define MUTATIONS    0x5bu

static volatile uint64_t stop, seen;

/* ---- A byte that changes while the command is read ---- */

static struct {
	unsigned at;
	uint8_t values[2];
} flipped;

static void flip(void *unused)
{
	for (unsigned i = 0; !stop; i++) {
		tpm_buffer()[flipped.at] = flipped.values[i & 1];
		seen = i;
		for (unsigned k = i % 5; k; k--)
			cpu_pause();
	}
}

static void begin(void (*job)(void *))
{
	stop = seen = 0;
	smp_begin(1, job, NULL);
	wait_flag(&seen);
}

/* Whatever was put, the other CPU has been at it since. */
static void let_flip(unsigned times)
{
	uint64_t from = seen, start = rdtsc();

	while (seen < from + times && !passed(start, SMP_PATIENCE))
		cpu_pause();
}

static void end(void)
{
	stop = 1;
	smp_wait(1);
}

/*
 * GetRandom, as long as it is or with bytes behind: either it is carried out or it is refused for
 * these. A size that is read twice gives a third answer.
 */
static void size_races(void)
{
	static uint8_t bytes[LONGER];
	uint64_t good = 0, refused = 0, other = 0;
	uint32_t length = tpm_compose(tpm_find("GetRandom"), bytes);

	flipped.at = SIZE_LOW;
	flipped.values[0] = (uint8_t)length;
	flipped.values[1] = LONGER;
	tpm_take();
	begin(flip);
	for (unsigned i = 0; i < SIZE_RACES; i++) {
		uint32_t code;

		tpm_put(bytes, sizeof(bytes));
		let_flip(1 + i % 4);
		tpm_set(0, CTRL_START, 1);
		code = tpm_number(6, 4);
		good += code == 0;
		refused += code == RC_TRAILING;
		other += code != 0 && code != RC_TRAILING;
	}
	end();
	tap(!other,
	    "T60 a size that changes during the command: it is as long as it was read, once");
	tap(good && refused, "T60 it was seen both ways");
	tap_note("%lu carried out, %lu refused, %lu otherwise", good, refused, other);
}

static void digest_races(void)
{
	static uint8_t bytes[128];
	uint64_t first = 0, second = 0;
	uint32_t length = tpm_compose(tpm_find("PCR_Extend"), bytes);

	flipped.at = DIGEST_AT + DIGEST_BYTES - 1;
	flipped.values[0] = 0xa5;
	flipped.values[1] = 0x5a;
	for (unsigned i = 0; i < RACES; i++) {
		tpm_pcr_reset();
		tpm_put(bytes, length);
		begin(flip);
		let_flip(1 + i % 4);
		tpm_set(0, CTRL_START, 1);
		end();
		if (tpm_pcr_is(tpm_extended_a5))
			first++;
		else
			second += tpm_pcr_is(tpm_extended_a5_5a);
	}
	tap(first + second == RACES,
	    "T60 a digest that changes during the command: one that was there is extended");
	/* Which one, the emulators' turns decide: under load it may be one alone. */
	tap_note("%lu and %lu", first, second);
}

/* ---- A long command, with others at the window ---- */

static uint8_t original[PAGE];
static volatile uint64_t written;

static bool started(void)
{
	uint64_t start = rdtsc();

	while (tpm_get(0, CTRL_START) == 0 && !passed(start, SMP_PATIENCE))
		cpu_pause();
	return tpm_get(0, CTRL_START) == 1;
}

/*
 * The command has been copied in when the other CPU has taken a few interrupts during it; it goes
 * on long behind that.
 */
static void rewrite(void *unused)
{
	uint64_t start = rdtsc(), from;

	seen = 1;
	if (!started())
		return;
	from = timer_hits();
	while (timer_hits() < from + COPIED_BY && !passed(start, SMP_PATIENCE))
		cpu_pause();
	for (unsigned i = 0; i < PASSES * PAGE; i++)
		tpm_buffer()[i % PAGE] = (uint8_t)(i * MUTATIONS);
	written = tpm_get(0, CTRL_START);
}

/*
 * The first store is one during the command, and gives it this CPU's time: the others may come
 * behind it.
 */
static void attack(void *unused)
{
	seen = 1;
	if (!started())
		return;
	tpm_set(0, CTRL_START, 1);
	tpm_set(3, LOC_CTRL, LOC_SEIZE);
	tpm_set(4, LOC_CTRL, LOC_SEIZE);
	tpm_set(1, LOC_CTRL, LOC_REQUEST);
	written = 1;
}

static void cancel(void *unused)
{
	seen = 1;
	if (!started())
		return;
	tpm_set(0, CTRL_CANCEL, 1);
	written = 1;
}

static void seize(void *unused)
{
	seen = 1;
	if (!started())
		return;
	tpm_set(2, LOC_CTRL, LOC_SEIZE);
	written = 1;
}

/* The same primary key, with a job at the other CPU, and this one's timer on. */
static struct tpm_answer with(void (*job)(void *))
{
	static uint8_t bytes[256];
	uint32_t length = tpm_compose(tpm_find("CreatePrimary RSA"), bytes);

	tpm_take();
	tpm_put(bytes, length);
	written = 0;
	if (job)
		begin(job);
	timer_use();
	timer_every((uint32_t)(EVERY * tick_scale()));
	irq_on();
	tpm_set(0, CTRL_START, 1);
	irq_off();
	timer_done();
	if (job)
		end();
	return tpm_look();
}

static bool as_original(void)
{
	unsigned i = 0;

	while (i < RSA_BYTES && tpm_buffer()[i] == original[i])
		i++;
	return i == RSA_BYTES;
}

static void flush_key(void)
{
	tpm_take();
	if (tpm_do_named("FlushContext").code != 0)
		tap_note("there is no key to flush");
}

static void keep_original(void)
{
	struct tpm_answer a = with(NULL);

	for (unsigned i = 0; i < PAGE; i++)
		original[i] = tpm_buffer()[i];
	tap(a.whole && a.code == 0 && a.size == RSA_BYTES, "tpm: a long command, undisturbed");
	flush_key();
}

/* A TPM may give up or go on. */
static void cancelled(void)
{
	struct tpm_answer a = with(cancel);

	tap(written && ((a.whole && a.code == RC_CANCELED) || as_original()),
	    "T60 a command that is cancelled while it is carried out has one whole response");
	tap_note("it is %x", a.code);
	flush_key();
	tap(tpm_alive(), "T60 the TPM answers behind it");
}

static void long_commands(void)
{
	keep_original();
	with(rewrite);
	tap(written, "T60 the whole buffer was rewritten while it was carried out");
	tap(as_original(), "T60 the response is the command's that was started, and whole");
	flush_key();
	with(attack);
	tap(written, "T60 others stored while it was carried out");
	tap(tpm_get(0, LOC_STATE) == 0x82 && tpm_get(0, LOC_STS) == 1 &&
		tpm_get(0, CTRL_STS) == 0 && tpm_get(0, CTRL_START) == 0 &&
		tpm_get(3, LOC_STS) == UINT32_MAX && tpm_get(4, LOC_STS) == UINT32_MAX,
	    "T60 none of localities 1, 3 and 4 has it, and none was seized");
	tap(as_original(), "T60 a second Start does nothing: the response is the first one's");
	tpm_set(0, LOC_CTRL, LOC_RELINQUISH);
	tap(tpm_get(1, LOC_STS) == 1, "T60 who asked meanwhile is next");
	flush_key();
	with(seize);
	tap(written && tpm_get(2, LOC_STS) == 1 && tpm_get(0, LOC_STS) == 2,
	    "T60 locality 2 seizes during a command, and has it behind it");
	tap(as_original(), "T60 that command's response is whole");
	flush_key();
	cancelled();
}

/* ---- The instruction that stores, rewritten ---- */

/*
 * MOV of 16, 64, 8 and 32 bits, and XCHG, three bytes each, and RET. A CPU need not fetch them at
 * once, so each mixture is one of these instructions too.
 */
static volatile uint64_t *code;
static const uint8_t variants[][4] = {
	{ 0x66, 0x89, 0x07, 0xc3 },
	{ 0x48, 0x89, 0x07, 0xc3 },
	{ 0x40, 0x88, 0x07, 0xc3 },
	{ 0x40, 0x89, 0x07, 0xc3 },
	{ 0x48, 0x87, 0x07, 0xc3 },
};

static void rewrite_code(void *unused)
{
	for (uint64_t i = 0; !stop; i++) {
		uint32_t bytes;

		memcpy(&bytes, variants[i % (sizeof(variants) / sizeof(variants[0]))], 4);
		*(volatile uint32_t *)code = bytes;
		seen = i;
		for (unsigned k = i % 31; k; k--)
			cpu_pause();
	}
}

static void run_code(void *target)
{
	__asm__ volatile("call *%1" : : "D"(target), "r"(code), "a"(1) : "memory");
}

static void code_races(void)
{
	uint64_t returned = 0, refused = 0, other = 0;

	tpm_take();
	code = pages_alloc(1);
	begin(rewrite_code);
	for (unsigned i = 0; i < CODE_RACES; i++) {
		unsigned vector = trap_try(run_code, (void *)(uint64_t)(TPM_BASE + CTRL_CANCEL),
		    NULL);

		returned += vector == TRAP_NONE;
		refused += vector == VECTOR_GP;
		other += vector != TRAP_NONE && vector != VECTOR_GP;
	}
	end();
	tap(!other && returned + refused == CODE_RACES,
	    "T60 an instruction rewritten while it exits is carried out or refused");
	tap_note("%lu carried out, %lu refused, %lu otherwise", returned, refused, other);
	tap(tpm_alive(), "T60 the TPM answers afterwards");
}

/* ---- Stores from everywhere ---- */

static uint64_t seed, storms;

static void store_any(uint64_t *state)
{
	static const unsigned registers[] = { LOC_CTRL, LOC_CTRL, CTRL_REQ, CTRL_CANCEL, CTRL_START,
		CTRL_START, LOC_STATE, CTRL_STS, CTRL_CMD_SIZE, 0x7c, 0x80 };
	uint64_t r = rand_next(state);

	tpm_set((unsigned)(r >> 8) % TPM_LOCALITIES, registers[(r & 0xff) % 11],
	    r >> 16 & 3 ? (uint32_t)(r >> 20 & 7) : (uint32_t)(r >> 32));
	tpm_buffer()[r >> 40 & 0x3f] = (uint8_t)r;
}

/* What firmware has left pending is taken, too. */
static void on_stray(struct trap_frame *frame)
{
	apic_eoi();
}

static void storm(void *arg)
{
	uint64_t state = seed * 64 + (uint64_t)arg;

	timer_every((uint32_t)(EVERY * tick_scale()));
	irq_on();
	for (unsigned i = 0; i < STORES_EACH; i++)
		store_any(&state);
	irq_off();
	timer_in(0);
	take_interrupts();
	__atomic_fetch_add(&storms, 1, __ATOMIC_SEQ_CST);
}

static void storm_of_stores(void)
{
	uint64_t start = rdtsc();

	seed = option_number("SEED", SEED_DEFAULT);
	for (unsigned vector = FIRST_STRAY; vector < VECTOR_TIMER; vector++)
		trap_set_handler(vector, on_stray);
	timer_use();
	for (uint64_t i = 1; i < cpu_total(); i++)
		smp_begin((unsigned)i, storm, (void *)i);
	storm(NULL);
	while (storms < cpu_total() && !passed(start, 20 * SMP_PATIENCE))
		cpu_pause();
	tap(storms == cpu_total(), "T60 %u CPUs end a storm of stores (seed %lu)", cpu_total(),
	    seed);
	timer_done();
	tap(tpm_alive(), "T60 the TPM answers after the storm");
}

void suite_tpm_smp(void)
{
	for (unsigned i = 0; i < LOCALITIES; i++)
		tpm_set(i, LOC_CTRL, LOC_RELINQUISH);
	(void)tpm_do_named("Startup");
	size_races();
	digest_races();
	code_races();
	long_commands();
	storm_of_stores();
}
