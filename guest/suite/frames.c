/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Where the monitor's frames are. The monitor says so in its log, which any kernel can read by
 * log_read; the test build also tells of frames outside its region. The driver compares both with
 * what it sees itself.
 */
#include "guest/suite/partition.h"
#include "guest/suite/suite.h"

#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/text.h"
#include "guest/suite/test_calls.h"
#include "monitor/abi/result.h"

#define RANGES_MAX 4u
#define LOG_LINE   "monitor at "
#define CANARY	   0xca4a21e5ca4a21e5ull /* as in tests/suite/guestrun.py */

static struct frames ranges[RANGES_MAX];
static unsigned range_count;

static uint64_t hex(const char **p)
{
	uint64_t value = 0;

	for (;; (*p)++) {
		char c = **p;

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint64_t)(c - 'a' + 10);
		else
			return value;
	}
}

static uint64_t decimal(const char **p)
{
	uint64_t value = 0;

	while (**p >= '0' && **p <= '9')
		value = value * 10 + (uint64_t)(*(*p)++ - '0');
	return value;
}

/* "... monitor at ADDRESS, N KiB, ..." at `p`, which follows "monitor at ". */
static void parse(const char *p)
{
	ranges[0].base = hex(&p);
	if (p[0] == ',' && p[1] == ' ') {
		p += 2;
		ranges[0].pages = decimal(&p) / 4;
	}
	range_count = ranges[0].base && ranges[0].pages ? 1 : 0;
}

/* What follows a text in the log's first page; NULL: it is not there. */
static const char *log_behind(const char *text)
{
	static char *page;
	struct call_regs r = { REDOUBT_CALL_log_read, 0, 0, PAGE, 0 };
	size_t n = strlen(text);

	if (!page)
		page = pages_alloc(1);
	r.rdx = (uint64_t)page;
	call_monitor(&r);
	if (redoubt_status_of(r.rax) != REDOUBT_OK)
		bail("log_read: status %lx", r.rax);
	page[PAGE - 1] = 0;
	for (size_t i = 0; i + n < r.rdx && i + n < PAGE; i++)
		if (!memcmp(page + i, text, n))
			return page + i + n;
	return NULL;
}

static void from_log(void)
{
	const char *at = log_behind(LOG_LINE);

	if (at)
		parse(at);
}

/* "partition N: NAME, SVN N, image at ADDRESS, memory at ADDRESS" */
struct partition_place partition_find(unsigned partition)
{
	static const char image[] = "image at ", memory[] = "memory at ";
	const char line[] = { 'p', 'a', 'r', 't', 'i', 't', 'i', 'o', 'n', ' ',
		(char)('0' + partition), ':', ' ', 0 };
	const char *at = log_behind(line);
	struct partition_place place = { 0, 0 };

	for (; at && *at && *at != '\n'; at++) {
		const char *value;

		if (!memcmp(at, image, sizeof(image) - 1)) {
			value = at + sizeof(image) - 1;
			place.image = hex(&value);
		} else if (!memcmp(at, memory, sizeof(memory) - 1)) {
			value = at + sizeof(memory) - 1;
			place.data = hex(&value);
		}
	}
	return place;
}

static void from_test_call(void)
{
	struct redoubt_test_region r;

	if (redoubt_test_region(&r) != REDOUBT_OK || r.base != ranges[0].base ||
	    r.pages != ranges[0].pages)
		bail("test_region says %lx, %lx pages", r.base, r.pages);
	if (r.record)
		ranges[range_count++] = (struct frames){ r.record, 1, false };
}

void canary_frames(unsigned pages)
{
	uint64_t *block = pages_alloc(pages);
	unsigned count;

	monitor_frames(&count);
	if (count == RANGES_MAX || redoubt_test_take((uint64_t)block, pages) != REDOUBT_OK ||
	    redoubt_test_fill((uint64_t)block, pages, CANARY) != REDOUBT_OK)
		bail("the monitor does not take %u frames at %lx", pages, (uint64_t)block);
	ranges[range_count++] = (struct frames){ (uint64_t)block, pages, true };
	tap_note("canary %lx %u", (uint64_t)block, pages);
}

const struct frames *monitor_frames(unsigned *count)
{
	if (!range_count) {
		from_log();
		if (!range_count)
			bail("the monitor's log does not say where it is");
		if (call_test_build())
			from_test_call();
	}
	*count = range_count;
	return ranges;
}
