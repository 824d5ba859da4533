/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The fake monitor, and a fake generator of random numbers.
 */
#include "tests/unit/trustlets/fake.h"

#include <stdlib.h>

#include "monitor/abi/call.h"

struct fake fake;
const struct rt_boot rt_boot = { .flags = 0, .pages = 100 };

static uint64_t state;

uint64_t random_next(void)
{
	if (state == 0) {
		const char *seed = getenv("SEED");

		state = seed ? strtoull(seed, NULL, 0) * 2 + 1 : 1;
		print_message("seed %s\n", seed ? seed : "0");
	}
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dull;
}

uint64_t rounds(void)
{
	const char *n = getenv("N");

	return n ? strtoull(n, NULL, 0) : 10000;
}

static void log_write(const struct monitor_call *regs)
{
	size_t length = strlen(fake.log);

	assert_in_range(regs->rdx, 1, 256);
	assert_true(length + regs->rdx + 2 < sizeof(fake.log));
	memcpy(fake.log + length, (const void *)regs->rcx, regs->rdx);
	fake.log[length + regs->rdx] = '\n';
	fake.log[length + regs->rdx + 1] = 0;
}

static void fill(uint64_t to, size_t bytes, uint8_t first)
{
	for (size_t i = 0; i < bytes; i++)
		((uint8_t *)to)[i] = (uint8_t)(first + i);
}

static void report(const struct monitor_call *regs)
{
	struct monitor_report *made = (void *)regs->rdx;
	uint8_t nonce[TRUSTLET_NONCE_BYTES];

	memcpy(nonce, (const void *)regs->rcx, sizeof(nonce));
	fill(regs->rdx, sizeof(*made), 1);
	memcpy(made->nonce, nonce, sizeof(nonce));
}

/* What is handed over lies in the exchange, which does not cross a page. */
static void check_buffer(uint64_t address, size_t bytes)
{
	assert_true(address >= (uint64_t)exchange);
	assert_true(address + bytes <= (uint64_t)exchange + EXCHANGE_BYTES);
	assert_true(address % 4096 + bytes <= 4096);
}

void monitor_call(struct monitor_call *regs)
{
	uint64_t id = regs->rax;

	regs->rax = REDOUBT_OK;
	if (fake.refuse && id == fake.refuse) {
		regs->rax = REDOUBT_INVALID;
		return;
	}
	switch (id) {
	case MONITOR_NEXT_REQUEST:
		fake.next_request(regs);
		break;
	case MONITOR_LOG_WRITE:
		check_buffer(regs->rcx, regs->rdx);
		log_write(regs);
		break;
	case MONITOR_ENTROPY:
		check_buffer(regs->rcx, 32);
		fill(regs->rcx, 32, (uint8_t)fake.entropy);
		break;
	case MONITOR_KEY_DERIVE:
		check_buffer(regs->rcx, regs->rdx);
		check_buffer(regs->r8, 32);
		fill(regs->r8, 32, ((const uint8_t *)regs->rcx)[0]);
		break;
	case MONITOR_REPORT:
		check_buffer(regs->rcx, 32);
		check_buffer(regs->rdx, sizeof(struct monitor_report));
		report(regs);
		break;
	case MONITOR_EXIT:
		fake.exit = *regs;
		longjmp(fake.end, 1);
	case MONITOR_TIME:
		regs->rcx = fake.time;
		break;
	default:
		fail_msg("no such call: %lu", id);
	}
}

bool hardware_random(bool seed, uint64_t *word)
{
	if (fake.hardware)
		return fake.hardware(seed, word);
	*word = random_next();
	return true;
}

void fake_start(void)
{
	memset(&fake, 0, sizeof(fake));
}

bool ends(void (*fn)(void *arg), void *arg)
{
	if (setjmp(fake.end))
		return true;
	fn(arg);
	return false;
}
