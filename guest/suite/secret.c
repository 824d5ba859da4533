/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A partition's secret, and whoever looks for it from outside (tests/suite/secret.py): at each
 * point the probe has made a new one and used it, the guest has asked what it can ask, and the
 * driver searches all memory of the normal world's. At the last one the probe was told to give the
 * secret away, so it is found (T57).
 */
#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/options.h"
#include "guest/lib/text.h"
#include "guest/suite/partition.h"
#include "guest/suite/suite.h"

static void note_words(struct answer answer)
{
	tap_note("words %lx %lx %lx %lx %lx", answer.rax, answer.status, answer.words[0],
	    answer.words[1], answer.words[2]);
}

/* What may carry something of the secret: all the probe does short of giving it away. */
static void use(unsigned point)
{
	static const uint64_t asked[] = { PROBE_random, PROBE_key, PROBE_time, PROBE_report,
		PROBE_heap_work, PROBE_float };

	for (unsigned i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		note_words(partition_ask(PROBE, asked[i], 1 + point % 9, 0, 0));
	/* It ends by reading from an address that is the secret. */
	if (point % 2 == 1) {
		note_words(partition_ask(PROBE, PROBE_secret_fault, 0, 0, 0));
		redoubt_partition_restart(PROBE);
	}
}

void suite_secret(void)
{
	uint64_t points = option_number("POINTS", 5);
	uint64_t *leaked = pages_alloc(1);

	for (unsigned i = 0; i < points; i++) {
		struct answer made = partition_ask(PROBE, PROBE_secret_make, 0, 0, 0);

		if (made.rax != REDOUBT_OK || made.status != 0)
			bail("secret_make: %lx, %lx", made.rax, made.status);
		tap_note("secret %lx", made.words[0]);
		text_wait();
		use(i);
		tap_note("point %u", i);
		text_wait();
	}
	tap(points > 0, "secret: %lu points", points);
	tap_note("secret %lx", partition_ask(PROBE, PROBE_secret_make, 0, 0, 0).words[0]);
	text_wait();
	for (unsigned i = 0; i < 4; i++)
		leaked[i] = partition_ask(PROBE, PROBE_secret_leak, i, 0, 0).words[0];
	tap_note("leaked");
	text_wait();
}
