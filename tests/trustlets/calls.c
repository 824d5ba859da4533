/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The stage's calls: each as guest/trustlets/rt/monitor_calls.h has it, with made-up contents.
 */
#include "guest/trustlets/rt/monitor_calls.h"

#include "guest/trustlets/rt/trustlet.h"
#include "monitor/abi/call.h"
#include "monitor/abi/image.h"
#include "tests/trustlets/stage.h"

enum { RBX, RCX, RDX, RSI, RDI, RBP, R8, R9 };

#define LOG_MAX 256u

static bool asked;
static uint64_t entropy_calls;

void calls_start(void)
{
	asked = false;
}

static uint64_t tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* Memory of a call must not cross a page. */
static uint8_t *buffer(uint64_t gpa, uint64_t bytes)
{
	if (bytes == 0 || bytes > PAGE || gpa % PAGE + bytes > PAGE)
		return NULL;
	return partition_at(gpa, bytes, true);
}

static enum outcome next_request(uint64_t regs[14], uint64_t cr3)
{
	struct line line;

	if (asked)
		tell("reply %x %x %x %x\n", regs[RCX], regs[RDX], regs[R8], regs[R9]);
	asked = true;
	for (; script_peek(&line) && line.word == 'm'; script_take())
		tell_map(cr3);
	if (!script_peek(&line) || line.word != 'r')
		return ENDED;
	script_take();
	regs[RCX] = line.number[0];
	regs[RDX] = line.number[1];
	regs[R8] = line.number[2];
	regs[R9] = line.number[3];
	return GO_ON;
}

static uint64_t log_write(const uint64_t regs[14])
{
	const uint8_t *text = regs[RDX] <= LOG_MAX ? buffer(regs[RCX], regs[RDX]) : NULL;
	char line[LOG_MAX + 1];

	if (!text)
		return REDOUBT_RANGE;
	for (uint64_t i = 0; i < regs[RDX]; i++)
		line[i] = (char)(text[i] >= ' ' && text[i] < 127 ? text[i] : '?');
	line[regs[RDX]] = 0;
	tell("log %s\n", line);
	return REDOUBT_OK;
}

static uint64_t entropy(const uint64_t regs[14])
{
	uint8_t *to = buffer(regs[RCX], 32);

	if (!to)
		return REDOUBT_RANGE;
	for (unsigned i = 0; i < 32; i++)
		to[i] = (uint8_t)(17 * i + entropy_calls);
	entropy_calls++;
	return REDOUBT_OK;
}

static uint64_t key_derive(const uint64_t regs[14])
{
	const uint8_t *label = regs[RDX] <= 64 ? buffer(regs[RCX], regs[RDX]) : NULL;
	uint8_t *to = buffer(regs[R8], 32);

	if (!label || !to)
		return REDOUBT_RANGE;
	for (unsigned i = 0; i < 32; i++)
		to[i] = (uint8_t)(label[i % regs[RDX]] + i);
	return REDOUBT_OK;
}

static uint64_t report(const uint64_t regs[14])
{
	const struct redoubt_image *header = (const void *)partition.image;
	const uint8_t *nonce = buffer(regs[RCX], 32);
	uint8_t *to = buffer(regs[RDX], sizeof(struct monitor_report));
	struct monitor_report *made = (void *)to;

	if (!nonce || !to)
		return REDOUBT_RANGE;
	*made = (struct monitor_report){ .svn = header->svn, .flags = header->flags };
	for (unsigned i = 0; i < 32; i++) {
		made->nonce[i] = nonce[i];
		made->mac[i] = (uint8_t)(nonce[i] ^ 0x5a);
	}
	return REDOUBT_OK;
}

enum outcome call(uint64_t *rax, uint64_t regs[14], uint64_t cr3)
{
	uint64_t id = *rax;

	*rax = REDOUBT_OK;
	switch (id) {
	case MONITOR_NEXT_REQUEST:
		return next_request(regs, cr3);
	case MONITOR_EXIT:
		tell("exit %x %x %x\n", regs[RCX], regs[RDX], regs[R8]);
		return ENDED;
	case MONITOR_LOG_WRITE:
		*rax = log_write(regs);
		break;
	case MONITOR_ENTROPY:
		*rax = entropy(regs);
		break;
	case MONITOR_KEY_DERIVE:
		*rax = key_derive(regs);
		break;
	case MONITOR_REPORT:
		*rax = report(regs);
		break;
	case MONITOR_TIME:
		regs[RCX] = tsc();
		break;
	default:
		*rax = REDOUBT_UNKNOWN_CALL;
	}
	if (*rax != REDOUBT_OK)
		tell("refused call %x: %x\n", id, *rax);
	return GO_ON;
}
