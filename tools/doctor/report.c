/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Lines of text, built without a C library.
 */
#include "tools/doctor/report.h"

#include <stddef.h>

static void add_char(struct line *line, char c)
{
	if (c < 0x20 || c > 0x7e || line->length + 1 >= REPORT_TEXT)
		return;
	line->text[line->length++] = c;
	line->text[line->length] = 0;
}

void line_add(struct line *line, const char *text)
{
	while (*text)
		add_char(line, *text++);
}

static void add_number(struct line *line, uint64_t value, unsigned base)
{
	char digits[20];
	unsigned count = 0;

	do {
		digits[count++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (count)
		add_char(line, digits[--count]);
}

void line_dec(struct line *line, uint64_t value)
{
	add_number(line, value, 10);
}

void line_hex(struct line *line, uint64_t value)
{
	line_add(line, "0x");
	add_number(line, value, 16);
}

struct line *report_line(struct report *report, const char *id, enum answer answer,
    const char *text)
{
	struct line *line;

	if (report->count < REPORT_LINES)
		report->count++;
	line = &report->lines[report->count - 1];
	line->id = id;
	line->answer = answer;
	line->length = 0;
	line->text[0] = 0;
	line_add(line, text);
	return line;
}

void report_refuse(struct report *report, enum launch_status status)
{
	if (report->refusal == LAUNCH_OK)
		report->refusal = status;
}

void report_obstacle(struct report *report, const char *sentence)
{
	if (!report->obstacle)
		report->obstacle = sentence;
}

const char *launch_sentence(enum launch_status status)
{
	static const char *const sentences[] = {
#define LAUNCH(name, value, sentence) [value] = sentence,
#include "monitor/abi/launch.def"
#undef LAUNCH
	};

	if ((unsigned)status < sizeof(sentences) / sizeof(sentences[0]) && sentences[status])
		return sentences[status];
	return "a reason without a name";
}

enum answer report_verdict(const struct report *report)
{
	if (report->refusal != LAUNCH_OK || report->obstacle)
		return ANSWER_NO;
	return report->doubts ? ANSWER_UNKNOWN : ANSWER_YES;
}
