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

#define LAUNCH(name)                                                                               \
	({                                                                                         \
		static struct offering own_##name;                                                 \
		offering_launch(&own_##name, offered_##name, offered_##name##_end);                \
		&own_##name;                                                                       \
	})

static void end(const struct offering *own)
{
	tap(offering_end(own) == REDOUBT_OK && offering_is_back(own),
	    "T15 it is ended, and all it had comes back zeroed");
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

/* SVN 8 stays while others come and go: codeint would not launch it behind SVN 9. */
static void across_versions(const struct blob *of_loader)
{
	const struct offering *own = LAUNCH(probe8), *other;
	uint64_t older = own->partition;
	struct blob old, new;

	refuses("what one without a signer sealed", older, of_loader, SEAL(NOT_GENUINE));
	seal(older, &old);
	opens("by SVN 8, sealed by SVN 8", older, &old);
	other = LAUNCH(probe);
	opens("by SVN 9, sealed by SVN 8", other->partition, &old);
	seal(other->partition, &new);
	opens("by SVN 9, sealed by SVN 9", other->partition, &new);
	end(other);
	opens("by SVN 8 again, sealed by SVN 8", older, &old);
	refuses("by SVN 8, sealed by SVN 9", older, &new, SEAL(NEWER));
	new.word[2] = old.word[2];
	refuses("by SVN 8, sealed by SVN 9 and said to be by 8", older, &new, SEAL(NOT_GENUINE));
	other = LAUNCH(named);
	refuses("by another name of the same signer", other->partition, &old, SEAL(NOT_GENUINE));
	end(other);
	other = LAUNCH(signed);
	refuses("by the same name of another signer", other->partition, &old, SEAL(NOT_GENUINE));
	end(other);
	end(own);
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
