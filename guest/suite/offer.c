/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Partitions that the guest offers while it runs, judged by codeint: the sample once more, right
 * and wrong (T15, T37, T39).
 */
#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/options.h"
#include "guest/lib/text.h"
#include "guest/suite/offering.h"
#include "guest/suite/partition.h"
#include "guest/suite/suite.h"
#include "monitor/abi/image.h"

#define ONES (~0ull)

static struct offering own;

/* A partition with the image as it stands now, not yet judged. */
static uint64_t offer(void)
{
	tap(offering_make(&own), "offer: image and memory are given");
	return own.partition;
}

static void end(void)
{
	tap(offering_end(&own) == REDOUBT_OK && offering_is_back(&own),
	    "T15 it is ended, and all it had comes back zeroed");
}

static void prepare(void)
{
	offering_prepare(&own, offered_sample, offered_sample_end);
}

static void right(void)
{
	struct redoubt_partition_info r = { 0 };
	uint64_t partition;
	struct answer answer;

	prepare();
	partition = offer();
	tap(*(volatile uint64_t *)own.image == ONES && *(volatile uint64_t *)own.data == ONES,
	    "T37 what was given is out of reach before it is judged");
	partition_expect("offer: nothing runs unjudged",
	    partition_ask(partition, SAMPLE_add, 2, 3, 0), REDOUBT_STATE, 0);
	answer = partition_ask(CODEINT, CODEINT_launch, partition, own.bytes, 0);
	partition_expect("offer: codeint finds it right and launches it", answer, REDOUBT_OK, 0);
	redoubt_partition_info(partition, REDOUBT_INFO_SIGNER, &r);
	tap(r.word0 && r.word0 == answer.words[0] && r.word1 == answer.words[1] &&
		r.word2 == answer.words[2] && r.word3,
	    "offer: its signer is told");
	redoubt_partition_info(partition, REDOUBT_INFO_MEASUREMENT, &r);
	tap(r.word0 == option_number("SAMPLE", 0), "offer: its measurement is that of the file");
	answer = partition_ask(partition, SAMPLE_add, 2, 3, 0);
	tap(answer.rax == REDOUBT_OK && answer.status == 0 && answer.words[0] == 5,
	    "offer: it serves requests");
	answer = partition_ask(partition, SAMPLE_count, 0, 0, 0);
	tap(answer.words[0] == 1, "offer: its state is not that of the one with the same image");
	tap(offering_give(&own, REDOUBT_GIVE_DATA, own.data, 1) != REDOUBT_OK,
	    "T39 what it has cannot be given again");
	partition_expect("offer: launched once",
	    partition_ask(CODEINT, CODEINT_launch, partition, own.bytes, 0), REDOUBT_OK,
	    CODEINT_NOT_READ);
	end();
	partition_expect("offer: it is gone", partition_ask(partition, SAMPLE_add, 2, 3, 0),
	    REDOUBT_STATE, 0);
}

static void refused(const char *what, uint64_t at, uint64_t bytes, uint64_t status)
{
	uint64_t partition;

	tap_note("%s", what);
	prepare();
	own.image[at] ^= 1;
	partition = offer();
	partition_expect("offer: codeint refuses it",
	    partition_ask(CODEINT, CODEINT_launch, partition, bytes, 0), REDOUBT_OK, status);
	partition_expect("offer: it does not run", partition_ask(partition, SAMPLE_add, 2, 3, 0),
	    REDOUBT_STATE, 0);
	end();
}

static void wrong(void)
{
	const struct redoubt_image *header = (const void *)offered_sample;
	uint64_t loaded = (uint64_t)header->pages * PAGE;

	refused("a bit of text", PAGE + 100, own.bytes, CODEINT_BAD_SIGNATURE);
	refused("a bit of the last page", loaded - 1, own.bytes, CODEINT_BAD_SIGNATURE);
	refused("a bit of the signature", own.bytes - 1, own.bytes, CODEINT_BAD_SIGNATURE);
	refused("a bit of the key", own.bytes - 70, own.bytes, CODEINT_UNKNOWN_SIGNER);
	refused("no signature", PAGE + 100, loaded, CODEINT_UNSIGNED);
	refused("not an image", 0, own.bytes, CODEINT_BAD_FORM);
	refused("less than is said", PAGE, own.image_pages * PAGE + 1, CODEINT_NOT_READ);
}

void suite_offer(void)
{
	right();
	wrong();
	right();
	partition_expect("offer: a partition that is none",
	    partition_ask(CODEINT, CODEINT_launch, 16, own.bytes, 0), REDOUBT_OK, CODEINT_NOT_READ);
	partition_expect("offer: one that the loader placed",
	    partition_ask(CODEINT, CODEINT_launch, SAMPLE, own.bytes, 0), REDOUBT_OK,
	    CODEINT_NOT_READ);
}
