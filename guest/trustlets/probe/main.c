/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The probe: what a broken or hostile trustlet would do, at the caller's wish.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "guest/trustlets/rt/monitor_calls.h"
#include "guest/trustlets/rt/seal/seal.h"
#include "guest/trustlets/rt/sha256.h"
#include "guest/trustlets/rt/trustlet.h"
#include "monitor/abi/call.h"

/* From PROBE_SEAL on: what came of sealing (seal.h). */
enum { PROBE_NO_KEY = REQUEST_OWN_STATUS, PROBE_NOT_GENUINE, PROBE_SEAL = REQUEST_OWN_STATUS + 16 };

#define SEALED_BYTES 16u
#define BLOB_WORDS   ((SEALED_BYTES + SEAL_OVERHEAD) / 8)

static uint64_t secret[4];
static uint64_t *secret_on_heap;
static uint64_t blob[BLOB_WORDS + 2]; /* a word is given away with the two behind it */
static const uint64_t constant[4] = { 1, 2, 3, 4 };
static uint64_t initialized[2] = { 0x1122334455667788ull, 42 };
static volatile uint64_t sink;

static uint64_t check_of(const void *data, size_t bytes)
{
	struct sha256 hash;
	uint8_t digest[SHA256_BYTES];
	uint64_t first;

	sha256_start(&hash);
	sha256_add(&hash, data, bytes);
	sha256_end(&hash, digest);
	memcpy(&first, digest, sizeof(first));
	return first;
}

/* A number as an address, hidden from the compiler. */
static volatile uint64_t *at(uint64_t address)
{
	__asm__("" : "+r"(address));
	return (volatile uint64_t *)address;
}

REQUEST_HANDLER(secret_make)
{
	volatile uint64_t on_stack[4];

	trustlet_random(secret, sizeof(secret));
	secret_on_heap = secret_on_heap ? secret_on_heap : malloc(sizeof(secret));
	memcpy(secret_on_heap, secret, sizeof(secret));
	for (unsigned i = 0; i < 4; i++)
		on_stack[i] = secret[i];
	sink = on_stack[0];
	results[0] = check_of(secret, sizeof(secret));
	return REDOUBT_OK;
}

REQUEST_HANDLER(secret_leak)
{
	if (args[0] >= 4)
		return REDOUBT_INVALID;
	results[0] = secret[args[0]];
	return REDOUBT_OK;
}

REQUEST_HANDLER(read)
{
	results[0] = *at(args[0]);
	return REDOUBT_OK;
}

REQUEST_HANDLER(key)
{
	uint8_t key[TRUSTLET_KEY_BYTES];
	char label[] = "probe key 0";

	if (args[0] > 9)
		return REDOUBT_INVALID;
	label[sizeof(label) - 2] = (char)('0' + args[0]);
	if (!trustlet_key(label, trustlet_svn(), key))
		return PROBE_NO_KEY;
	results[0] = check_of(key, sizeof(key));
	return REDOUBT_OK;
}

REQUEST_HANDLER(random)
{
	trustlet_random(results, 2 * sizeof(results[0]));
	return REDOUBT_OK;
}

REQUEST_HANDLER(time)
{
	results[0] = trustlet_time();
	results[1] = trustlet_time();
	return REDOUBT_OK;
}

REQUEST_HANDLER(report)
{
	uint8_t nonce[TRUSTLET_NONCE_BYTES] = { 0 };
	struct redoubt_report report;

	memcpy(nonce, &args[0], sizeof(args[0]));
	trustlet_report(nonce, &report);
	if (!trustlet_report_genuine(&report))
		return PROBE_NOT_GENUINE;
	results[0] = report.svn;
	memcpy(&results[1], report.nonce, sizeof(results[1]));
	memcpy(&results[2], report.mac, sizeof(results[2]));
	return REDOUBT_OK;
}

REQUEST_HANDLER(heap_work)
{
	static uint8_t *held[32];
	uint64_t random = args[1];

	if (args[0] > 100000)
		return REDOUBT_INVALID;
	for (uint64_t i = 0; i < args[0]; i++) {
		random = random * 6364136223846793005ull + 1442695040888963407ull;
		size_t bytes = (size_t)(random >> 40) % 6000;
		uint8_t **slot = &held[random >> 59];

		free(*slot);
		*slot = malloc(bytes);
		if (*slot)
			memset(*slot, 0xa5, bytes);
		results[0] += *slot ? bytes : 0;
	}
	return REDOUBT_OK;
}

REQUEST_HANDLER(share_copy)
{
	copy_in_once(&results[0], at(args[0]), sizeof(results[0]));
	return REDOUBT_OK;
}

REQUEST_HANDLER(exchange)
{
	static uint64_t page[512];
	volatile uint64_t *shared = at(args[0]);

	copy_in_once(page, shared, sizeof(page));
	results[0] = page[0];
	for (unsigned i = 0; i < 512; i++)
		shared[i] = ~page[i];
	return REDOUBT_OK;
}

REQUEST_HANDLER(float)
{
	double root;

	__asm__("sqrtsd %1, %0" : "=x"(root) : "x"((double)(int64_t)args[0]));
	results[0] = (uint64_t)(int64_t)root;
	return REDOUBT_OK;
}

REQUEST_HANDLER(sha)
{
	/* A and E are the highest words. */
	uint32_t e[4] = { 0, 0, 0, (uint32_t)args[1] }, a[4] = { 0, 0, 0, (uint32_t)args[0] };

	results[0] = trustlet_has_sha();
	if (!results[0] || !args[0])
		return REDOUBT_OK;
	__asm__("movups %1, %%xmm0\n\tmovups %0, %%xmm1\n\tsha1nexte %%xmm1, %%xmm0\n\t"
		"movups %%xmm0, %0"
		: "+m"(e)
		: "m"(a)
		: "xmm0", "xmm1");
	results[1] = e[3];
	return REDOUBT_OK;
}

static uint64_t seal_status(enum seal_result result)
{
	return result == SEAL_OK ? REDOUBT_OK : PROBE_SEAL + result;
}

REQUEST_HANDLER(seal)
{
	char label[] = "probe seal 0";

	if (args[2] > 9)
		return REDOUBT_INVALID;
	label[sizeof(label) - 2] = (char)('0' + args[2]);
	results[0] = SEALED_BYTES + SEAL_OVERHEAD;
	return seal_status(trustlet_seal(label, args, SEALED_BYTES, blob));
}

REQUEST_HANDLER(blob_get)
{
	if (args[0] >= BLOB_WORDS)
		return REDOUBT_INVALID;
	memcpy(results, &blob[args[0]], 3 * sizeof(blob[0]));
	return REDOUBT_OK;
}

REQUEST_HANDLER(blob_put)
{
	if (args[0] >= BLOB_WORDS)
		return REDOUBT_INVALID;
	blob[args[0]] = args[1];
	return REDOUBT_OK;
}

REQUEST_HANDLER(unseal)
{
	char label[] = "probe seal 0";
	size_t size = SEALED_BYTES;

	if (args[0] > sizeof(blob) || args[1] > 9)
		return REDOUBT_INVALID;
	label[sizeof(label) - 2] = (char)('0' + args[1]);
	return seal_status(trustlet_unseal(label, blob, args[0], results, &size));
}

REQUEST_HANDLER(write)
{
	*at(args[0]) = args[1];
	return REDOUBT_OK;
}

REQUEST_HANDLER(execute)
{
	((void (*)(void))(uintptr_t)at(args[0]))();
	return REDOUBT_OK;
}

REQUEST_HANDLER(spin)
{
	for (;;)
		sink++;
}

static uint64_t deeper(uint64_t depth)
{
	volatile uint64_t here[64];

	here[depth % 64] = depth;
	if (depth == ~0ull)
		return 0;
	return deeper(depth + 1) + here[depth % 64];
}

REQUEST_HANDLER(recurse)
{
	sink = deeper(0);
	return REDOUBT_OK;
}

static __attribute__((noinline)) void overrun(size_t bytes)
{
	char buffer[32];

	memset((void *)(uintptr_t)at((uint64_t)buffer), 'x', bytes);
	sink = (uint8_t)buffer[0];
}

REQUEST_HANDLER(smash)
{
	overrun(args[0]);
	return REDOUBT_OK;
}

REQUEST_HANDLER(heap_overflow)
{
	uint8_t *memory = calloc(1, 24);

	*at((uint64_t)memory + 24) ^= 1;
	free(memory);
	return REDOUBT_OK;
}

REQUEST_HANDLER(heap_double)
{
	uint8_t *keep = malloc(100), *memory = malloc(100);

	sink = (uint64_t)keep;
	free(memory);
	free((void *)(uintptr_t)at((uint64_t)memory));
	return REDOUBT_OK;
}

REQUEST_HANDLER(heap_stale)
{
	uint8_t *memory = malloc(100);
	volatile uint64_t *stale = at((uint64_t)memory);

	free(memory);
	*stale = 1;
	sink = (uint64_t)malloc(100);
	return REDOUBT_OK;
}

REQUEST_HANDLER(assert)
{
	assert(args[0] == 1);
	return REDOUBT_OK;
}

REQUEST_HANDLER(divide)
{
	sink = args[2] + 1000 / args[0];
	return REDOUBT_OK;
}

REQUEST_HANDLER(port)
{
	__asm__ volatile("outb %b0, %w1" : : "a"(0), "Nd"(0x80));
	return REDOUBT_OK;
}

REQUEST_HANDLER(cpuid)
{
	uint32_t a = 0, c = 0;

	__asm__ volatile("cpuid" : "+a"(a), "+c"(c) : : "ebx", "edx");
	sink = a;
	return REDOUBT_OK;
}

REQUEST_HANDLER(msr)
{
	uint32_t a, d;

	__asm__ volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(0xc0000080));
	sink = a;
	return REDOUBT_OK;
}

REQUEST_HANDLER(write_text)
{
	*at((uint64_t)request_spin) = 0xf4f4f4f4f4f4f4f4ull;
	return REDOUBT_OK;
}

REQUEST_HANDLER(write_tables)
{
	uint64_t root;

	__asm__ volatile("movq %%cr3, %0" : "=r"(root));
	*at(root) = 0;
	return REDOUBT_OK;
}

REQUEST_HANDLER(write_data_image)
{
	*at((uint64_t)constant) = 0;
	return REDOUBT_OK;
}

REQUEST_HANDLER(execute_data)
{
	initialized[1] = 0xc3; /* ret */
	((void (*)(void))(uintptr_t)at((uint64_t)&initialized[1]))();
	return REDOUBT_OK;
}

/* A canonical address made of a secret: no number of it may be seen anywhere. */
REQUEST_HANDLER(secret_fault)
{
	sink = *at(secret[0] >> 17);
	return REDOUBT_OK;
}

/* Good arguments, as far as calls want any. */
static struct monitor_call call_of(uint64_t id)
{
	static _Alignas(512) struct redoubt_report report = { .svn = 7 };
	struct monitor_call regs = { .rax = id };

	if (id == REDOUBT_CALL_log_write || id == REDOUBT_CALL_report_check)
		regs.rcx = (uint64_t)&report;
	if (id == REDOUBT_CALL_log_write)
		regs.rdx = sizeof(report);
	return regs;
}

REQUEST_HANDLER(call_on)
{
	for (;;) {
		struct monitor_call regs = call_of(args[0]);

		monitor_call(&regs);
	}
}

REQUEST_HANDLER(call_crash)
{
	struct monitor_call regs = call_of(args[0]);

	monitor_call(&regs);
	*at(8) = regs.rax;
	return REDOUBT_OK;
}

int main(void)
{
	if (initialized[0] != 0x1122334455667788ull || initialized[1] != 42 || sink != 0)
		trustlet_panic("data is not as it was written");
	trustlet_serve();
}
