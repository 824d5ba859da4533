/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Random bytes: HMAC_DRBG, seeded from the CPU's generator and from what the loader gathered, fed
 * from the CPU's generator before each use. Either source alone is enough; a CPU without RDRAND, or
 * one whose generator is stuck, ends the trustlet, because the other source cannot be judged.
 */
#include <stddef.h>
#include <string.h>

#include "guest/trustlets/rt/drbg.h"
#include "guest/trustlets/rt/monitor_calls.h"
#include "guest/trustlets/rt/rt.h"
#include "guest/trustlets/rt/trustlet.h"

#define TRIES	     100u
#define SEED_WORDS   32u
#define FRESH_WORDS  4u
#define LOADER_BYTES 32u
#define AT_ONCE	     65536u

static struct drbg pool;
static uint64_t last;

/* Refuses what generators that broke are known to give: the same again, all zeroes, all ones. */
static uint64_t hardware_word(void)
{
	uint64_t word = 0;
	bool good = false;

	for (unsigned i = 0; i < TRIES && !good; i++)
		good = hardware_random(true, &word) || hardware_random(false, &word);
	if (!good)
		trustlet_panic("random: the CPU gives no numbers");
	if (word == last || word == 0 || word == ~0ull)
		trustlet_panic("random: the CPU's generator is stuck");
	last = word;
	return word;
}

/* A cycle of a few values is stuck as well. */
static void check_distinct(const uint64_t *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < i; k++) {
			if (words[i] == words[k])
				trustlet_panic("random: the CPU's generator repeats itself");
		}
	}
}

void random_start(void)
{
	struct {
		uint64_t words[SEED_WORDS];
		uint8_t loader[LOADER_BYTES];
		uint64_t time;
	} seed;
	struct monitor_call loader;

	for (size_t i = 0; i < SEED_WORDS; i++)
		seed.words[i] = hardware_word();
	check_distinct(seed.words, SEED_WORDS);
	loader = monitor_must((struct monitor_call){ .rax = REDOUBT_CALL_entropy });
	memcpy(seed.loader, (uint8_t *)&loader + offsetof(struct monitor_call, rcx),
	    sizeof(seed.loader));
	seed.time = trustlet_time();
	drbg_start(&pool, &seed, sizeof(seed));
	trustlet_scrub(&seed, sizeof(seed));
	trustlet_scrub(&loader, sizeof(loader));
}

void trustlet_random(void *to, size_t bytes)
{
	uint64_t fresh[FRESH_WORDS];
	uint8_t *target = to;

	for (size_t i = 0; i < FRESH_WORDS; i++)
		fresh[i] = hardware_word();
	drbg_add(&pool, fresh, sizeof(fresh));
	trustlet_scrub(fresh, sizeof(fresh));
	while (bytes) {
		size_t part = bytes < AT_ONCE ? bytes : AT_ONCE;

		drbg_get(&pool, target, part);
		target += part;
		bytes -= part;
	}
}
