/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The stage's calls: each as monitor/abi/CALLS.md has it, with made-up contents.
 */
#include "guest/trustlets/rt/monitor_calls.h"

#include "guest/trustlets/rt/trustlet.h"
#include "monitor/abi/bootinfo.h"
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

/* What a script says between requests; false for a request. */
static bool between_requests(const struct line *line, uint64_t cr3)
{
	uint64_t at = line->number[0] % PAGE / sizeof(uint64_t);

	switch (line->word) {
	case 'm':
		tell_map(cr3);
		return true;
	case 'w':
		shared_page()[at] = line->number[1];
		return true;
	case 'd':
		tell("word %x\n", shared_page()[at]);
		return true;
	default:
		return false;
	}
}

static enum outcome next_request(uint64_t regs[14], uint64_t cr3)
{
	struct line line;

	if (asked)
		tell("reply %x %x %x %x\n", regs[RCX], regs[RDX], regs[R8], regs[R9]);
	asked = true;
	while (script_peek(&line) && between_requests(&line, cr3))
		script_take();
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

/* Results from RCX on: 32 bytes. */
static void give(uint64_t regs[14], const uint8_t bytes[32])
{
	const uint64_t *words = (const void *)bytes;

	regs[RCX] = words[0];
	regs[RDX] = words[1];
	regs[R8] = words[2];
	regs[R9] = words[3];
}

static uint64_t entropy(uint64_t regs[14])
{
	_Alignas(8) uint8_t bytes[32];

	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (uint8_t)(17 * i + entropy_calls);
	entropy_calls++;
	give(regs, bytes);
	return REDOUBT_OK;
}

static uint64_t key_derive(uint64_t regs[14])
{
	_Alignas(8) uint8_t bytes[32];

	if (regs[R8] != ((const struct redoubt_image *)(const void *)partition.image)->svn ||
	    regs[R9])
		return REDOUBT_RANGE;
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (uint8_t)((regs[RCX] >> i) + i);
	give(regs, bytes);
	return REDOUBT_OK;
}

static uint64_t info(uint64_t regs[14])
{
	const struct redoubt_image *header = (const void *)partition.image;
	_Alignas(8) uint8_t bytes[32] = { (uint8_t)regs[RDX] };

	if (regs[RCX] != 0)
		return REDOUBT_STATE;
	if (regs[RDX] == REDOUBT_INFO_SUMMARY)
		bytes[8] = (uint8_t)header->svn;
	give(regs, bytes);
	return REDOUBT_OK;
}

static uint64_t report_make(uint64_t regs[14])
{
	for (unsigned i = 0; i < 4; i++)
		regs[(unsigned[]){ RCX, RDX, R8, R9 }[i]] ^= 0x5a5a5a5a5a5a5a5aull;
	return REDOUBT_OK;
}

static uint64_t report_check(uint64_t regs[14])
{
	const struct redoubt_report *report = (const void *)buffer(regs[RCX],
	    sizeof(struct redoubt_report));
	bool genuine = true;

	if (!report)
		return REDOUBT_RANGE;
	for (unsigned i = 0; i < 32; i++)
		genuine &= report->mac[i] == (report->nonce[i] ^ 0x5a);
	for (unsigned i = 0; i < 3; i++)
		genuine &= report->items[i][0] == i + 1;
	give(regs, (const uint8_t[32]){ genuine });
	return REDOUBT_OK;
}

/* ---- For codeint ---- */

static const struct offered *offered(uint64_t number)
{
	if (number < OFFERED_FIRST || number - OFFERED_FIRST >= partition.offered_count)
		return NULL;
	return &partition.offered[number - OFFERED_FIRST];
}

static uint64_t image_read(const uint64_t regs[14])
{
	const struct offered *file = offered(regs[RCX]);
	uint8_t *to = buffer(regs[R8], REDOUBT_IMAGE_PIECE);

	if (!file)
		return REDOUBT_STATE;
	if (regs[RDX] % REDOUBT_IMAGE_PIECE || regs[R8] % REDOUBT_IMAGE_PIECE)
		return REDOUBT_ALIGNMENT;
	if (!to || regs[RDX] >= (file->bytes + PAGE - 1) / PAGE * PAGE)
		return REDOUBT_RANGE;
	for (unsigned i = 0; i < REDOUBT_IMAGE_PIECE; i++)
		to[i] = file->frames[regs[RDX] + i];
	return REDOUBT_OK;
}

static uint64_t first_word(const uint8_t *bytes)
{
	return *(const uint64_t *)(const void *)bytes;
}

static uint64_t partition_launch(const uint64_t regs[14])
{
	const struct bootinfo_partition *is = (const void *)buffer(regs[RDX],
	    sizeof(struct bootinfo_partition));

	if (!is)
		return REDOUBT_RANGE;
	if (!offered(regs[RCX]))
		return REDOUBT_STATE;
	tell("launch %x %s %x %x %x %x %x %x %x\n", regs[RCX], is->id, is->text_pages,
	    is->rodata_pages, is->data_pages, is->svn, is->flags, first_word(is->measurement),
	    first_word(is->signer));
	return REDOUBT_OK;
}

enum outcome call(uint64_t *rax, uint64_t regs[14], uint64_t cr3)
{
	uint64_t id = *rax;

	*rax = REDOUBT_OK;
	switch (id) {
	case REDOUBT_CALL_next_request:
		return next_request(regs, cr3);
	case REDOUBT_CALL_partition_exit:
		tell("exit %x %x %x\n", regs[RCX], regs[RDX], regs[R8]);
		return ENDED;
	case REDOUBT_CALL_log_write:
		*rax = log_write(regs);
		break;
	case REDOUBT_CALL_entropy:
		*rax = entropy(regs);
		break;
	case REDOUBT_CALL_key_derive:
		*rax = key_derive(regs);
		break;
	case REDOUBT_CALL_partition_info:
		*rax = info(regs);
		break;
	case REDOUBT_CALL_image_read:
		*rax = image_read(regs);
		break;
	case REDOUBT_CALL_partition_launch:
		*rax = partition_launch(regs);
		break;
	case REDOUBT_CALL_report_make:
		*rax = report_make(regs);
		break;
	case REDOUBT_CALL_report_check:
		*rax = report_check(regs);
		break;
	case REDOUBT_CALL_time:
		regs[RCX] = tsc();
		regs[RDX] = 0;
		break;
	default:
		*rax = REDOUBT_UNKNOWN_CALL;
	}
	/* Of these codeint tells itself. */
	if (*rax != REDOUBT_OK && id != REDOUBT_CALL_image_read)
		tell("refused call %x: %x\n", id, *rax);
	return GO_ON;
}
