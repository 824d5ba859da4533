/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Sealed data across restarts, SVNs, names and signers (T56): the probe as the loader brings it,
 * and as the guest offers it while it runs. A blob travels through the guest, word by word, as it
 * would through a file of the operating system's.
 */
#include "guest/trustlets/rt/seal/seal.h"
#include "guest/lib/call.h"
#include "guest/lib/text.h"
#include "guest/suite/offering.h"
#include "guest/suite/partition.h"
#include "guest/suite/suite.h"

#define BLOB_BYTES (16 + SEAL_OVERHEAD)
#define BLOB_WORDS (BLOB_BYTES / 8)
#define FIRST	   0x1122334455667788ull
#define SECOND	   0x99aabbccddeeff00ull
#define LABEL	   3u
#define SEAL(what) (0x110u + SEAL_##what) /* the probe's statuses */

struct blob {
	uint64_t word[BLOB_WORDS];
};

static void seal(uint64_t partition, struct blob *blob)
{
	struct answer answer = partition_ask(partition, PROBE_seal, FIRST, SECOND, LABEL);

	if (partition_expect("seal: the probe seals", answer, REDOUBT_OK, 0))
		tap(answer.words[0] == BLOB_BYTES, "seal: a blob is longer by what it should be");
	for (uint64_t i = 0; i < BLOB_WORDS; i++)
		blob->word[i] = partition_ask(partition, PROBE_blob_get, i, 0, 0).words[0];
}

static struct answer unseal(uint64_t partition, const struct blob *blob)
{
	for (uint64_t i = 0; i < BLOB_WORDS; i++)
		partition_ask(partition, PROBE_blob_put, i, blob->word[i], 0);
	return partition_ask(partition, PROBE_unseal, BLOB_BYTES, LABEL, 0);
}

static void opens(const char *what, uint64_t partition, const struct blob *blob)
{
	struct answer answer = unseal(partition, blob);

	tap(answer.rax == REDOUBT_OK && answer.status == 0 && answer.words[0] == FIRST &&
		answer.words[1] == SECOND,
	    "T56 %s: opened", what);
}

static void refuses(const char *what, uint64_t partition, const struct blob *blob, uint64_t status)
{
	struct answer answer = unseal(partition, blob);

	if (!tap(answer.rax == REDOUBT_OK && answer.status == status && !answer.words[0] &&
		    !answer.words[1],
		"T56 %s: refused, and nothing given away", what))
		tap_note("got %lx, %lx", answer.rax, answer.status);
}

static uint64_t launch(unsigned slot, const struct offering *file)
{
	uint64_t bytes = offering_take(slot, file)->bytes, partition = offering_give_all(slot);

	partition_expect("seal: codeint launches the probe once more",
	    partition_ask(CODEINT, CODEINT_launch, partition, bytes, 0), REDOUBT_OK, 0);
	return partition;
}

static void in_place(struct blob *blob)
{
	struct blob changed;
	uint64_t wrong = 0;

	seal(PROBE, blob);
	for (uint64_t i = 0; i < BLOB_WORDS; i++)
		wrong += blob->word[i] == FIRST || blob->word[i] == SECOND;
	tap(!wrong, "seal: the blob shows nothing of the data");
	opens("by who sealed it", PROBE, blob);
	for (uint64_t i = 3; i < BLOB_WORDS; i++) {
		changed = *blob;
		changed.word[i] ^= 1ull << i * 5;
		wrong += unseal(PROBE, &changed).status != SEAL(NOT_GENUINE);
	}
	tap(!wrong, "T56 a bit changed, in each word behind the SVN: refused");
	if (redoubt_partition_call(PROBE | (uint64_t)PROBE_divide << 32, 0, 0, 0,
		&(struct redoubt_partition_call){ 0 }) != REDOUBT_DEAD)
		bail("the probe does not end");
	tap(redoubt_partition_restart(PROBE) == REDOUBT_OK, "seal: the probe is started anew");
	opens("by who sealed it, started anew", PROBE, blob);
}

static void refuses_other(const char *what, const struct offering *file, const struct blob *blob)
{
	uint64_t partition = launch(1, file);

	refuses(what, partition, blob, SEAL(NOT_GENUINE));
	offering_end(1, partition);
}

/* SVN 8 stays while others come and go: codeint would not launch it behind SVN 9. */
static void across_versions(const struct blob *of_loader)
{
	uint64_t older = launch(0, &offering_probe8), newer;
	struct blob old, new;

	refuses("what one without a signer sealed", older, of_loader, SEAL(NOT_GENUINE));
	seal(older, &old);
	opens("by SVN 8, sealed by SVN 8", older, &old);
	newer = launch(1, &offering_probe9);
	opens("by SVN 9, sealed by SVN 8", newer, &old);
	seal(newer, &new);
	opens("by SVN 9, sealed by SVN 9", newer, &new);
	offering_end(1, newer);
	opens("by SVN 8 again, sealed by SVN 8", older, &old);
	refuses("by SVN 8, sealed by SVN 9", older, &new, SEAL(NEWER));
	new.word[2] = old.word[2];
	refuses("by SVN 8, sealed by SVN 9 and said to be by 8", older, &new, SEAL(NOT_GENUINE));
	refuses_other("by another name of the same signer", &offering_named, &old);
	refuses_other("by the same name of another signer", &offering_signed, &old);
	offering_end(0, older);
	refuses("by one without a signer", PROBE, &old, SEAL(NEWER));
	old.word[2] -= 1;
	refuses("the same, said to be of its SVN", PROBE, &old, SEAL(NOT_GENUINE));
}

void suite_seal(void)
{
	struct blob of_loader;

	in_place(&of_loader);
	across_versions(&of_loader);
	opens("by the first, which has stayed", PROBE, &of_loader);
}
