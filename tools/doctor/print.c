/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The report as text: answer, what it is about, and the finding, broken at blanks.
 */
#include "tools/doctor/doctor.h"

#define COLUMNS	      79u
#define COLUMN_ID     9u
#define COLUMN_TEXT   25u
#define LINE_CAPACITY (COLUMNS + 1)

const char *answer_word(enum answer answer)
{
	static const char *const words[] = {
		[ANSWER_YES] = "yes",
		[ANSWER_NO] = "no",
		[ANSWER_UNKNOWN] = "unknown",
		[ANSWER_NOTE] = "note",
	};

	return words[answer];
}

struct row {
	char text[LINE_CAPACITY];
	unsigned length;
};

static void row_add(struct row *row, const char *text, unsigned length)
{
	for (unsigned i = 0; i < length && row->length < COLUMNS; i++)
		row->text[row->length++] = text[i];
	row->text[row->length] = 0;
}

static void row_pad(struct row *row, unsigned column)
{
	while (row->length < column)
		row_add(row, " ", 1);
}

static void row_put(struct row *row, const struct printer *printer)
{
	while (row->length && row->text[row->length - 1] == ' ')
		row->text[--row->length] = 0;
	printer->put(printer->context, row->text);
	printer->put(printer->context, printer->newline);
	row->length = 0;
}

static unsigned length_of(const char *text)
{
	unsigned length = 0;

	while (text[length])
		length++;
	return length;
}

/* How much of the text stands in one row: to the last blank that fits, or all the row holds. */
static unsigned take(const char *text, unsigned room)
{
	unsigned length = length_of(text), cut = room;

	if (length <= room)
		return length;
	while (cut > 0 && text[cut] != ' ')
		cut--;
	return cut ? cut : room;
}

void doctor_print(const struct report *report, const struct printer *printer)
{
	for (unsigned i = 0; i < report->count; i++) {
		const struct line *line = &report->lines[i];
		const char *text = line->text, *word = answer_word(line->answer);
		struct row row = { .length = 0 };

		row_add(&row, word, length_of(word));
		row_pad(&row, COLUMN_ID);
		row_add(&row, line->id, length_of(line->id));
		do {
			unsigned length;

			row_pad(&row, COLUMN_TEXT);
			length = take(text, COLUMNS - COLUMN_TEXT);
			row_add(&row, text, length);
			row_put(&row, printer);
			text += length;
			while (*text == ' ')
				text++;
		} while (*text);
	}
}
