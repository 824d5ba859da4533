/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Secure partitions as redoubt.efi carries them: the probe (guest/trustlets/probe) is the first,
 * the sample the second. Requests, answers, suspension, crashes, restart; and the normal world at
 * their memory (T01, T02, T11, T15, T28, T31, T40, T43).
 */
#include "guest/suite/partition.h"

#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/options.h"
#include "guest/lib/smp.h"
#include "guest/lib/text.h"
#include "guest/lib/trap.h"
#include "guest/lib/x86.h"
#include "guest/suite/suite.h"
#include "guest/suite/test_calls.h"
#include "guest/suite/timer.h"

#define ONES	       (~0ull)
#define SHORT_REQUESTS 13u /* of arch/include/arch/test_switch.h */
#define TIMER_SOON     50000u
#define RESUMES	       100000u

/* ---- Requests ---- */

struct answer partition_ask(uint64_t partition, uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	struct redoubt_partition_call r = { 0 };
	struct answer answer = { .rax = redoubt_partition_call(partition | number << 32, a, b, c,
				     &r) };

	for (unsigned i = 0; answer.rax == REDOUBT_OK && r.state == REDOUBT_SUSPENDED; i++) {
		struct redoubt_partition_resume more = { 0 };

		if (i == RESUMES)
			bail("request %lx to partition %lx: never done", number, partition);
		take_interrupts();
		answer.suspended++;
		answer.rax = redoubt_partition_resume(r.first, &more);
		r = (struct redoubt_partition_call){ more.state, more.first, more.second,
			more.third };
	}
	answer.status = r.state;
	answer.words[0] = r.first;
	answer.words[1] = r.second;
	answer.words[2] = r.third;
	return answer;
}

bool partition_expect(const char *what, struct answer answer, uint64_t rax, uint64_t status)
{
	bool pass = tap(answer.rax == rax && answer.status == status, "%s", what);

	if (!pass)
		tap_note("got %lx, %lx, %lx %lx %lx", answer.rax, answer.status, answer.words[0],
		    answer.words[1], answer.words[2]);
	return pass;
}

static void answers(void)
{
	struct answer first = partition_ask(SAMPLE, SAMPLE_add, 2, 3, 0);
	struct answer again, other;

	partition_expect("partition: the first request starts it and is answered", first,
	    REDOUBT_OK, 0);
	tap(first.words[0] == 5 && !first.words[1] && !first.words[2],
	    "T43 the answer, and zero in what the request does not give");
	first = partition_ask(SAMPLE, SAMPLE_count, 0, 0, 0);
	again = partition_ask(SAMPLE, SAMPLE_count, 0, 0, 0);
	tap(first.words[0] == 1 && again.words[0] == 2, "partition: it keeps its state");
	partition_expect("partition: an unknown request is the program's to refuse",
	    partition_ask(SAMPLE, 77, 0, 0, 0), REDOUBT_OK, REDOUBT_UNKNOWN_CALL);
	partition_expect("partition: so is an argument that must be zero",
	    partition_ask(SAMPLE, SAMPLE_count, 1, 0, 0), REDOUBT_OK, REDOUBT_INVALID);
	first = partition_ask(PROBE, PROBE_random, 0, 0, 0);
	again = partition_ask(PROBE, PROBE_random, 0, 0, 0);
	tap(first.status == 0 && again.status == 0 && first.words[0] != again.words[0] &&
		first.words[1] != again.words[1] && first.words[0] != first.words[1],
	    "partition: random words differ");
	first = partition_ask(PROBE, PROBE_key, 1, 0, 0);
	again = partition_ask(PROBE, PROBE_key, 1, 0, 0);
	other = partition_ask(PROBE, PROBE_key, 2, 0, 0);
	tap(first.status == 0 && first.words[0] == again.words[0] &&
		first.words[0] != other.words[0],
	    "partition: a label's key is the same, another's is another");
	tap_note("key check %lx", first.words[0]);
	partition_expect("partition: a report is made and found genuine",
	    partition_ask(PROBE, PROBE_report, 0x77, 0, 0), REDOUBT_OK, 0);
	first = partition_ask(PROBE, PROBE_time, 0, 0, 0);
	again = partition_ask(PROBE, PROBE_time, 0, 0, 0);
	tap(first.words[0] && first.words[0] <= first.words[1] && first.words[1] < again.words[0],
	    "partition: its time goes forward");
	partition_expect("partition: SSE is its to use",
	    partition_ask(PROBE, PROBE_float, 145, 0, 0), REDOUBT_OK, 0);
	partition_expect("partition: the heap holds",
	    partition_ask(PROBE, PROBE_heap_work, 500, 3, 0), REDOUBT_OK, 0);
}

/* SHA1NEXTE, where the CPU has it, executes in a partition, and the probe knows whether. */
static void sha_extensions(void)
{
	struct answer answer = partition_ask(PROBE, PROBE_sha, 0x80000001, 5, 0);
	uint64_t has = cpu_has_sha();

	partition_expect("partition: SHA extensions are its to use", answer, REDOUBT_OK, 0);
	if (!tap(answer.words[0] == has && answer.words[1] == (has ? 0x60000005 : 0),
		"partition: it knows whether the CPU has them"))
		tap_note("got %lx %lx", answer.words[0], answer.words[1]);
}

/* ---- What is told of them ---- */

static void info(uint64_t partition, const char *id, const char *key, uint32_t svn)
{
	struct redoubt_partition_info r = { 0 };
	uint64_t status = redoubt_partition_info(partition, REDOUBT_INFO_ID, &r);

	tap(status == REDOUBT_OK && text_equal((const char *)&r, id), "partition %lx: is %s",
	    partition, id);
	redoubt_partition_info(partition, REDOUBT_INFO_MEASUREMENT, &r);
	if (!tap(r.word0 == option_number(key, 0),
		"partition %lx: its measurement is that of the file", partition))
		tap_note("got %lx", r.word0);
	redoubt_partition_info(partition, REDOUBT_INFO_SUMMARY, &r);
	tap((uint32_t)r.word0 == REDOUBT_PARTITION_READY && (uint32_t)r.word1 == svn && r.word3 > 4,
	    "partition %lx: ready, SVN %u, memory", partition, svn);
}

/* ---- Interrupts ---- */

static void suspension(void)
{
	uint64_t before = timer_hits();
	struct redoubt_partition_call r = { 0 };
	struct answer answer;
	uint64_t status;

	timer_use();
	timer_every((uint32_t)(20000 * tick_scale()));
	answer = partition_ask(PROBE, PROBE_heap_work, 3000, 5, 0);
	timer_in(0);
	take_interrupts();
	partition_expect("T28 interrupts suspend a request, and it comes to its end", answer,
	    REDOUBT_OK, 0);
	tap(answer.suspended > 2 && timer_hits() - before >= answer.suspended,
	    "T28 each of them was delivered (%lu interrupts, suspended %u times)",
	    timer_hits() - before, answer.suspended);
	timer_in(TIMER_SOON);
	status = redoubt_partition_call(PROBE | (uint64_t)PROBE_spin << 32, 0, 0, 0, &r);
	tap(status == REDOUBT_OK && r.state == REDOUBT_SUSPENDED && r.first && !r.second &&
		!r.third,
	    "T31 a request without end is suspended all the same");
	partition_expect("partition: it is BUSY for others",
	    partition_ask(PROBE, PROBE_random, 0, 0, 0), REDOUBT_BUSY, 0);
	tap(redoubt_partition_cancel(r.first ^ 0x400) == REDOUBT_STATE &&
		redoubt_partition_cancel(r.first ^ 1) == REDOUBT_STATE,
	    "T40 other tokens are none");
	tap(redoubt_partition_cancel(r.first) == REDOUBT_OK, "partition: it is cancelled");
	take_interrupts();
	timer_in(TIMER_SOON);
	status = redoubt_partition_call(PROBE | (uint64_t)PROBE_random << 32, 0, 0, 0, &r);
	tap(status == REDOUBT_OK && r.state == REDOUBT_SUSPENDED,
	    "partition: the next request carries it on");
	tap(redoubt_partition_cancel(r.first) == REDOUBT_OK, "partition: cancelled too");
	timer_done();
}

/* What spins is still in the midst of its request. */
static void time_limit(void)
{
	struct redoubt_test_switch before;

	if (redoubt_test_switch(SHORT_REQUESTS, 1, &before) != REDOUBT_OK)
		bail("no switch for short requests");
	timer_use();
	timer_every((uint32_t)(200000 * tick_scale()));
	partition_expect("T31 a request beyond its time is the partition's end",
	    partition_ask(PROBE, PROBE_random, 0, 0, 0), REDOUBT_DEAD, 0);
	timer_done();
	redoubt_test_switch(SHORT_REQUESTS, 0, &before);
	tap(redoubt_partition_restart(PROBE) == REDOUBT_OK, "partition: it is started anew");
	partition_expect("partition: and serves again", partition_ask(PROBE, PROBE_random, 0, 0, 0),
	    REDOUBT_OK, 0);
}

/* ---- Crashes ---- */

static const struct {
	const char *what;
	uint64_t number, a, b;
} crashes[] = {
	{ "a port", PROBE_port, 0, 0 },
	{ "an MSR", PROBE_msr, 0, 0 },
	{ "CPUID", PROBE_cpuid, 0, 0 },
	{ "its own code, written", PROBE_write_text, 0, 0 },
	{ "a null pointer", PROBE_write, 8, 1 },
	{ "memory behind all of its own", PROBE_write, 0x80001000, 1 },
	{ "code in data", PROBE_execute_data, 0, 0 },
	{ "a failed assertion", PROBE_assert, 0, 0 },
	{ "division by zero", PROBE_divide, 0, 0 },
	{ "a smashed stack", PROBE_smash, 80, 0 },
	{ "recursion without end", PROBE_recurse, 0, 0 },
};

static void crash(const char *what, uint64_t number, uint64_t a, uint64_t b)
{
	struct redoubt_partition_info r = { 0 };

	tap_note("%s", what);
	partition_expect("partition: one that crashes ends its request",
	    partition_ask(PROBE, number, a, b, 0), REDOUBT_DEAD, 0);
	partition_expect("partition: and takes no other",
	    partition_ask(PROBE, PROBE_random, 0, 0, 0), REDOUBT_DEAD, 0);
	redoubt_partition_info(PROBE, REDOUBT_INFO_SUMMARY, &r);
	tap((uint32_t)r.word0 == REDOUBT_PARTITION_CRASHED, "partition: it counts as crashed");
	partition_expect("partition: another one goes on",
	    partition_ask(SAMPLE, SAMPLE_add, 1, 1, 0), REDOUBT_OK, 0);
	tap(redoubt_partition_restart(PROBE) == REDOUBT_OK, "partition: it is started anew");
	tap(redoubt_partition_restart(PROBE) == REDOUBT_STATE, "partition: once");
}

static void dies(void)
{
	struct answer secret;

	partition_expect("partition: it makes a secret",
	    partition_ask(PROBE, PROBE_secret_make, 0, 0, 0), REDOUBT_OK, 0);
	secret = partition_ask(PROBE, PROBE_secret_leak, 1, 0, 0);
	tap(secret.words[0] != 0, "partition: it gives it away if told to");
	for (unsigned i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		crash(crashes[i].what, crashes[i].number, crashes[i].a, crashes[i].b);
	secret = partition_ask(PROBE, PROBE_secret_leak, 1, 0, 0);
	tap(secret.rax == REDOUBT_OK && secret.words[0] == 0,
	    "T15 a partition started anew finds nothing of before");
}

/* ---- Its memory, from outside ---- */

static void do_read(void *address)
{
	(void)*(volatile uint64_t *)address;
}

static void do_write(void *address)
{
	*(volatile uint64_t *)address = 0x600d600d600d600d;
}

static void do_fetch(void *address)
{
	((void (*)(void))address)();
}

static void reach(const char *what, uint64_t base, uint64_t pages)
{
	uint64_t read = 0, written = 0, fetched = 0;

	for (uint64_t i = 0; i < pages; i++) {
		void *word = (void *)(base + i * PAGE + i * 8 % PAGE);

		read += trap_try(do_read, word, NULL) != TRAP_NONE ||
		    *(volatile uint64_t *)word != ONES;
		written += trap_try(do_write, word, NULL) != VECTOR_GP;
		fetched += trap_try(do_fetch, word, NULL) != VECTOR_GP;
	}
	tap(pages && !read, "T11 each of %lu pages of the partition's %s reads as ones", pages,
	    what);
	tap(!written, "T01 a write to each page of the partition's %s is #GP", what);
	tap(!fetched, "T02 a fetch from each page of the partition's %s is #GP", what);
}

static void from_outside(void)
{
	struct partition_place place = partition_find(PROBE);
	struct redoubt_partition_info r = { 0 };

	redoubt_partition_info(PROBE, REDOUBT_INFO_SUMMARY, &r);
	tap(place.image && place.data, "partition: the log says where it is");
	if (!place.image || !place.data)
		return;
	/* The image and behind it the memory lie in one block. */
	reach("image", place.image, (place.data - place.image) / PAGE);
	reach("memory", place.data, r.word3 - (place.data - place.image) / PAGE);
	partition_expect("partition: and it does not notice",
	    partition_ask(PROBE, PROBE_random, 0, 0, 0), REDOUBT_OK, 0);
}

void suite_partition(void)
{
	info(PROBE, "probe", "PROBE", 7);
	info(SAMPLE, "sample", "SAMPLE", 1);
	answers();
	sha_extensions();
	from_outside();
	dies();
	suspension();
	if (call_test_build())
		time_limit();
}
