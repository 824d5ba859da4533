/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a command of the vTPM takes, as a driver sends it: five stores. The lines are for
 * tests/bench/vtpm.py, which counts the exits between them.
 */
#include "guest/lib/call.h"
#include "guest/lib/text.h"
#include "guest/suite/bench.h"
#include "guest/suite/suite.h"
#include "guest/suite/tpm.h"
#include "monitor/abi/tpm_state.h"

#define ROUNDS	 16u
#define COMMANDS 64u
#define MEMORY	 3u /* a request: vtpm/requests.def */

static uint64_t send(const uint8_t *bytes, uint32_t length)
{
	volatile uint8_t *buffer = tpm_buffer();
	uint64_t start = rdtsc();

	tpm_set(0, LOC_CTRL, LOC_REQUEST);
	tpm_set(0, CTRL_REQ, REQ_READY);
	for (uint32_t i = 0; i < length; i++)
		buffer[i] = bytes[i];
	tpm_set(0, CTRL_START, 1);
	while (tpm_get(0, CTRL_START) != 0)
		tpm_say_kept();
	tpm_set(0, CTRL_REQ, REQ_IDLE);
	tpm_set(0, LOC_CTRL, LOC_RELINQUISH);
	return rdtsc() - start;
}

static uint64_t send_named(const char *name)
{
	uint8_t bytes[256] = { 0 };

	return send(bytes, tpm_compose(tpm_find(name), bytes));
}

/* `behind`: what undoes it, not measured; NULL: nothing. */
static void measure(const char *as, const char *name, const char *behind)
{
	uint64_t least = UINT64_MAX, most = 0, good = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t ticks = send_named(name);

		good += tpm_number(6, 4) == 0;
		least = ticks < least ? ticks : least;
		most = ticks > most ? ticks : most;
		if (behind)
			(void)send_named(behind);
	}
	tap_note("bench %s min %lu max %lu", as, least, most);
	tap(good == ROUNDS, "bench: %s: %lu of %u went well, the last with %x", name, good, ROUNDS,
	    tpm_number(6, 4));
}

/* Of a code that is none libtpms reads no more than the header. */
static void measure_refused(void)
{
	static const uint8_t none[HEADER] = { 0x80, 0x01, 0, 0, 0, HEADER, 0, 0, 0xff, 0xff };
	uint64_t least = UINT64_MAX, most = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t ticks = send(none, sizeof(none));

		least = ticks < least ? ticks : least;
		most = ticks > most ? ticks : most;
	}
	tap_note("bench vtpm_refused min %lu max %lu", least, most);
	tap(tpm_number(6, 4) == RC_CODE, "bench: a command that is none is refused with %x",
	    tpm_number(6, 4));
}

/* A store that changes nothing. */
static void measure_store(void)
{
	uint64_t least = UINT64_MAX, most = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t start = rdtsc(), ticks;

		tpm_set(0, LOC_CTRL, LOC_RELINQUISH);
		ticks = rdtsc() - start;
		least = ticks < least ? ticks : least;
		most = ticks > most ? ticks : most;
	}
	tap_note("bench vtpm_store min %lu max %lu", least, most);
}

static uint64_t served(void)
{
	struct redoubt_partition_info info = { 0 };

	(void)redoubt_partition_info(tpm_partition(), REDOUBT_INFO_SUMMARY, &info);
	return info.word2;
}

static void tell_memory(void)
{
	struct redoubt_partition_call r = { 0 };
	uint64_t status = redoubt_partition_call(tpm_partition() | (uint64_t)MEMORY << 32, 0, 0, 0,
	    &r);

	tap(status == REDOUBT_OK && r.state == REDOUBT_OK, "bench: it tells of its memory");
	tap_note("bench vtpm_heap min %lu max %lu", r.first & UINT32_MAX, r.first >> 32);
	tap_note("bench vtpm_stack min %lu max %lu", r.second, r.second);
}

/* Keys that lockout protects want somebody who keeps the state. */
static void become_keeper(void)
{
	struct redoubt_partition_call r = { 0 };

	(void)redoubt_partition_call(tpm_partition() | (uint64_t)TPM_REQUEST_STORAGE << 32,
	    TPM_KEEPER_SURE, 0, 0, &r);
}

void suite_bench_vtpm(void)
{
	uint64_t before, behind;

	become_keeper();
	measure("vtpm_random", "GetRandom", NULL);
	measure("vtpm_extend", "PCR_Extend", NULL);
	measure("vtpm_hash", "Hash", NULL);
	measure("vtpm_create_ecc", "CreatePrimary ECC", "FlushContext");
	(void)send_named("CreatePrimary ECC");
	(void)send_named("Quote"); /* TPM_RC_RETRY: the state has to say that a key was used */
	measure("vtpm_quote_ecc", "Quote", NULL);
	(void)send_named("FlushContext");
	measure_refused();
	measure_store();
	before = served();
	tap_note("bench idle");
	tap_note("bench run");
	for (unsigned i = 0; i < COMMANDS; i++)
		(void)send_named("GetRandom");
	tap_note("bench over");
	behind = served();
	tap_note("bench vtpm_requests min %lu max %lu", behind - before, behind - before);
	tell_memory();
}
