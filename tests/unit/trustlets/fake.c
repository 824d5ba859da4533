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

/* 32 bytes of results. */
static void fill(uint64_t *to, uint8_t first)
{
	for (size_t i = 0; i < 32; i++)
		((uint8_t *)to)[i] = (uint8_t)(first + i);
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
	case REDOUBT_CALL_next_request:
		fake.next_request(regs);
		break;
	case REDOUBT_CALL_log_write:
		check_buffer(regs->rcx, regs->rdx);
		log_write(regs);
		break;
	case REDOUBT_CALL_entropy:
		fill(&regs->rcx, (uint8_t)fake.entropy);
		break;
	case REDOUBT_CALL_key_derive:
		if ((uint32_t)regs->r8 > fake.svn || regs->r8 >> 32 > MONITOR_SVN)
			regs->rax = REDOUBT_RANGE;
		else
			fill(&regs->rcx, (uint8_t)(regs->rcx + regs->rdx + regs->r8));
		break;
	case REDOUBT_CALL_partition_info:
		assert_int_equal(regs->rcx, 0);
		if (regs->rdx != REDOUBT_INFO_SUMMARY) {
			fill(&regs->rcx, (uint8_t)(0x40 * regs->rdx));
			break;
		}
		regs->rcx = MONITOR_SVN << 32 | REDOUBT_PARTITION_READY;
		regs->rdx = fake.svn | 1ull << 32;
		break;
	case REDOUBT_CALL_report_make:
		fill(&regs->rcx, (uint8_t)regs->rcx);
		break;
	case REDOUBT_CALL_report_check:
		check_buffer(regs->rcx, sizeof(struct redoubt_report));
		regs->rcx = ((const struct redoubt_report *)regs->rcx)->mac[31] == fake.genuine;
		break;
	case REDOUBT_CALL_partition_exit:
		fake.exit = *regs;
		longjmp(fake.end, 1);
	case REDOUBT_CALL_time:
		regs->rcx = fake.time;
		regs->rdx = fake.khz;
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
