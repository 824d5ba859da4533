/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A long command and interrupts; what a store that ran the partition leaves behind in registers
 * (T57); and the calls that know the partition by its number.
 */
#include "guest/lib/apic.h"
#include "guest/lib/call.h"
#include "guest/lib/smp.h"
#include "guest/lib/text.h"
#include "guest/lib/trap.h"
#include "guest/lib/x86.h"
#include "guest/suite/partition.h"
#include "guest/suite/suite.h"
#include "guest/suite/timer.h"
#include "guest/suite/tpm.h"
#include "monitor/abi/tpm_state.h"

#define EVERY	       100000u
#define TICKS_AT_LEAST 20u
/* In instructions; where the TSC counts time, a busy host takes its part. */
#define GAP_MAX	     2000000ull
#define GAP_OF_TIME  2000000000ull
#define SOON	     60000u
#define STATUS_FLAGS 0x8d5u

/* Its requests: vtpm/requests.def. */
#define VTPM_SELF_TEST 2u
#define VTPM_COMMAND   4u

/* ---- Interrupts during a command ---- */

static volatile uint64_t hits, last, gap;

static void on_timer(struct trap_frame *frame)
{
	uint64_t now = rdtsc();

	gap = hits && now - last > gap ? now - last : gap;
	last = now;
	hits++;
	apic_eoi();
}

static void long_command(void)
{
	uint64_t most = tick_scale() == 1 ? GAP_MAX : GAP_OF_TIME, start;
	struct tpm_answer a;

	trap_set_handler(VECTOR_TIMER, on_timer);
	tpm_take();
	hits = gap = 0;
	timer_every((uint32_t)(EVERY * tick_scale()));
	irq_on();
	start = rdtsc();
	a = tpm_do_named("CreatePrimary RSA");
	start = rdtsc() - start;
	irq_off();
	timer_done();
	tap(a.whole && a.code == 0, "tpm: an RSA key is made under interrupts");
	tap(hits > TICKS_AT_LEAST, "T28 interrupts come during a command");
	tap(gap <= most && gap < start / 4, "T28 none is held off for longer than an RSA key may");
	tap_note("%lu interrupts in %lu ticks, at most %lu between two, %lu allowed", hits, start,
	    gap, most);
	tap(tpm_do_named("FlushContext").code == 0, "tpm: it is flushed");
	tap(tpm_do_named("CreatePrimary ECC").code == 0,
	    "tpm: without interrupts a command runs through");
	tap(tpm_do_named("FlushContext").code == 0, "tpm: its key is flushed");
}

/* One is pending when the command starts, and the CPU does not take it before the store. */
static void behind_sti(void)
{
	uint64_t every = EVERY * tick_scale(), start;
	uint8_t bytes[256];

	trap_set_handler(VECTOR_TIMER, on_timer);
	tpm_take();
	tpm_put(bytes, tpm_compose(tpm_find("CreatePrimary ECC"), bytes));
	hits = 0;
	timer_every((uint32_t)every);
	start = rdtsc();
	while (rdtsc() - start < 8 * every)
		cpu_pause();
	tpm_store_behind_sti(tpm_register(0, CTRL_START), 1);
	timer_done();
	tap(hits && tpm_look().whole && tpm_look().code == 0,
	    "T28 a command is carried out that starts behind STI, with an interrupt pending");
	tap(tpm_do_named("FlushContext").code == 0, "tpm: and its key is flushed");
}

/* ---- Registers ---- */

static void registers_kept(void)
{
	static struct tpm_register_file in, out;
	uint8_t bytes[256];

	for (unsigned i = 0; i < 15; i++)
		in.general[i] = 0x1111111111111111ull * (i + 1);
	for (unsigned i = 0; i < 32; i++)
		in.vectors[i] = 0x0123456789abcdefull * (2 * i + 1);
	in.general[0] = 0xabcdef0000000001ull; /* EAX: Start */
	in.general[6] = (uint64_t)tpm_register(0, CTRL_START);
	in.flags = RFLAGS_FIXED | RFLAGS_IF | STATUS_FLAGS;
	tpm_take();
	tpm_put(bytes, tpm_compose(tpm_find("CreatePrimary ECC"), bytes));
	timer_use();
	timer_every((uint32_t)(EVERY * tick_scale()));
	tpm_store_between(&in, &out);
	irq_off();
	timer_done();
	tap(tpm_look().whole && tpm_look().code == 0, "T57 a store that ran the partition");
	tap(memcmp(in.general, out.general, sizeof(in.general)) == 0,
	    "T57 leaves all general registers as they were");
	tap(out.flags == in.flags, "T57 and the flags");
	tap(memcmp(in.vectors, out.vectors, sizeof(in.vectors)) == 0,
	    "T57 and all vector registers");
	tap(tpm_do_named("FlushContext").code == 0, "T57 it was carried out");
}

void tpm_interrupts(void)
{
	long_command();
	behind_sti();
	registers_kept();
}

/* ---- Calls ---- */

static uint64_t tpm;

/* Each with the status that its reason has. */
static const struct {
	const char *what;
	uint64_t number, words[3], status;
} refused[] = {
	{ "an unknown request", 0, { 0 }, REDOUBT_UNKNOWN_CALL },
	{ "another", 77, { 1, 2 }, REDOUBT_UNKNOWN_CALL },
	{ "all ones", UINT32_MAX, { UINT64_MAX, UINT64_MAX, UINT64_MAX }, REDOUBT_UNKNOWN_CALL },
	{ "a self test of something", VTPM_SELF_TEST, { 1 }, REDOUBT_INVALID },
	{ "a command in a page that nobody lends", VTPM_COMMAND, { HEADER }, REDOUBT_UNKNOWN_CALL },
	{ "a piece of a slot once it is on", TPM_REQUEST_STATE_SLOT, { 0, 0, 8 }, TPM_STATUS_LATE },
	{ "that a slot cannot be read, likewise", TPM_REQUEST_STATE_SLOT, { 1 }, TPM_STATUS_LATE },
	{ "a piece longer than the mailbox", TPM_REQUEST_STATE_SLOT, { 0, 0, TPM_PIECE_BYTES + 1 },
	    REDOUBT_INVALID },
	{ "a piece without end", TPM_REQUEST_STATE_SLOT, { 0, 0, UINT64_MAX }, REDOUBT_INVALID },
	{ "a keeper of a fifth kind", TPM_REQUEST_STORAGE, { TPM_KEEPER_OFF + 1 },
	    REDOUBT_INVALID },
	{ "what was never written as kept", TPM_REQUEST_STATE_KEPT, { UINT64_MAX },
	    TPM_STATUS_UNKNOWN },
	{ "nothing as kept", TPM_REQUEST_STATE_KEPT, { 0 }, TPM_STATUS_UNKNOWN },
	{ "a package without a guardian", TPM_REQUEST_PACKAGE, { 0 }, TPM_STATUS_NO_GUARDIAN },
	{ "what such a one is to know", TPM_REQUEST_ASK, { 0 }, TPM_STATUS_NO_GUARDIAN },
	{ "its key for packages", TPM_REQUEST_KEY, { 0 }, TPM_STATUS_NO_GUARDIAN },
};

static void refuses(void)
{
	for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		const uint64_t *words = refused[i].words;
		struct answer answer = partition_ask(tpm, refused[i].number, words[0], words[1],
		    words[2]);

		if (!tap(answer.rax == REDOUBT_OK && answer.status == refused[i].status,
			"T59 the partition refuses %s", refused[i].what))
			tap_note("got %lx, %lx", answer.rax, answer.status);
	}
}

/* What the loader asked at its start tells nothing and changes nothing now. */
static void asked_before(void)
{
	struct answer open = partition_ask(tpm, TPM_REQUEST_STATE_OPEN, 0, 0, 0);
	struct answer piece = partition_ask(tpm, TPM_REQUEST_STATE_PIECE, UINT64_MAX, 0, 0);

	tap(open.rax == REDOUBT_OK && open.status == REDOUBT_OK &&
		open.words[0] == TPM_STATE_OPENED,
	    "T59 the state is not opened again");
	tap(piece.rax == REDOUBT_OK && piece.status == REDOUBT_OK && piece.words[0] == 0,
	    "T59 a piece beyond what waits has no bytes");
	tap(tpm_alive(), "T59 the TPM answers behind them");
}

/* What a store would do, by a call: no more than a store can. */
static void stores_by_call(void)
{
	static const uint64_t offsets[] = { 3 * PAGE + LOC_CTRL, 4 * PAGE + LOC_CTRL,
		5 * PAGE + LOC_CTRL, 6 * PAGE, 1ull << 32, UINT64_MAX - 3, LOC_STATE, 0x41,
		PAGE - 4 };
	static const uint64_t widths[] = { 0, 1, 2, 3, 4, 5, 8, 9, UINT64_MAX };
	uint64_t answered = 0, asked = 0;

	tpm_take();
	for (unsigned i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
		for (unsigned k = 0; k < sizeof(widths) / sizeof(widths[0]); k++, asked++)
			answered += partition_ask(tpm, TPM_REQUEST_STORE, offsets[i], UINT64_MAX,
					widths[k])
					.rax == REDOUBT_OK;
	tap(answered == asked, "T59 stores by calls, with offsets and widths that are none");
	tap(tpm_get(0, LOC_STATE) == 0x82 && tpm_get(0, LOC_STS) == 1 &&
		tpm_get(0, CTRL_STS) == 0 && tpm_get(3, LOC_STS) == UINT32_MAX &&
		tpm_get(4, LOC_STS) == UINT32_MAX,
	    "T60 give nobody a locality");
}

static struct {
	uint64_t token;
	volatile bool stored, done, early;
} waiting;

static void finish(struct trap_frame *frame)
{
	struct redoubt_partition_resume r = { REDOUBT_SUSPENDED, waiting.token, 0, 0 };

	apic_eoi();
	while (r.state == REDOUBT_SUSPENDED && redoubt_partition_resume(r.first, &r) == REDOUBT_OK)
		;
	waiting.early = waiting.stored || tpm_get(0, CTRL_CANCEL) != 0;
	waiting.done = r.state == REDOUBT_OK;
}

/* A request of the partition's that is suspended; the handler ends it while the store waits. */
static void store_waits(void)
{
	struct redoubt_partition_call r = { 0 };
	uint64_t status;

	tpm_take();
	timer_use();
	timer_in((uint32_t)(SOON * tick_scale()));
	status = redoubt_partition_call(tpm | (uint64_t)VTPM_SELF_TEST << 32, 0, 0, 0, &r);
	take_interrupts();
	if (!tap(status == REDOUBT_OK && r.state == REDOUBT_SUSPENDED,
		"tpm: a request of another's is suspended"))
		return;
	waiting.token = r.first;
	trap_set_handler(VECTOR_TIMER, finish);
	timer_in((uint32_t)(SOON * tick_scale()));
	irq_on();
	tpm_set(0, CTRL_CANCEL, 1);
	waiting.stored = true;
	irq_off();
	timer_done();
	tap(waiting.done && !waiting.early, "T60 a store waits until that request has ended");
	tap(tpm_get(0, CTRL_CANCEL) == 1, "T60 and is then carried out");
	tpm_set(0, CTRL_CANCEL, 0);
}

void tpm_requests(void)
{
	tpm = tpm_partition();
	refuses();
	asked_before();
	stores_by_call();
	store_waits();
	tap(redoubt_partition_restart(tpm) == REDOUBT_STATE, "T60 the TPM is not started anew");
	tap(redoubt_partition_end(tpm) == REDOUBT_STATE, "T60 nor ended");
}
