/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Random numbers (random.h).
 */
#include "boot/random.h"

#include <string.h>

#include "boot/bytes.h"
#include "boot/x86.h"

#define RANDOM_WORDS 16u

BOOLEAN random_gather(uint8_t out[SHA256_BYTES])
{
	EFI_GUID guid = EFI_RNG_PROTOCOL_GUID;
	struct {
		uint64_t words[RANDOM_WORDS], before, after;
		uint8_t firmware[SHA256_BYTES];
		EFI_TIME time;
	} facts;
	EFI_RNG_PROTOCOL *rng;
	struct sha256 hash;
	BOOLEAN by_firmware, by_cpu = TRUE;

	memset(&facts, 0, sizeof(facts));
	facts.before = read_tsc();
	by_firmware = !EFI_ERROR(BS->LocateProtocol(&guid, NULL, (void **)&rng)) &&
	    !EFI_ERROR(rng->GetRNG(rng, NULL, sizeof(facts.firmware), facts.firmware));
	for (unsigned i = 0; i < RANDOM_WORDS; i++) {
		facts.words[i] = cpu_random();
		/* None, or one that is stuck. */
		if (facts.words[i] == 0 || (i > 0 && facts.words[i] == facts.words[i - 1]))
			by_cpu = FALSE;
	}
	RT->GetTime(&facts.time, NULL);
	facts.after = read_tsc();
	sha256_start(&hash);
	sha256_add(&hash, &facts, sizeof(facts));
	sha256_end(&hash, out);
	scrub(&facts, sizeof(facts));
	return by_firmware || by_cpu;
}
