/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The report for programs; see json.h.
 */
#include "tools/doctor/linux/json.h"

#include <stdio.h>

#include "tools/doctor/doctor.h"

/* Texts are printable ASCII (report.h): two characters are to be escaped. */
static void put_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('"');
}

static void put_member(const char *name, const char *text)
{
	printf("\"%s\": ", name);
	put_string(text);
}

void print_json(const struct report *report, const char *engine)
{
	const char *claim, *reason = report->obstacle ? report->obstacle : "";

	if (report->refusal != LAUNCH_OK)
		reason = launch_sentence(report->refusal);
	printf("{");
	put_member("verdict", answer_word(report_verdict(report)));
	printf(", ");
	put_member("reason", reason);
	printf(", ");
	put_member("engine", engine);
	printf(",\n \"claims\": [");
	for (unsigned i = 0; (claim = doctor_claim(report, i)); i++) {
		printf("%s", i ? ", " : "");
		put_string(claim);
	}
	printf("],\n \"lines\": [");
	for (unsigned i = 0; i < report->count; i++) {
		printf("%s\n  {", i ? "," : "");
		put_member("id", report->lines[i].id);
		printf(", ");
		put_member("answer", answer_word(report->lines[i].answer));
		printf(", ");
		put_member("text", report->lines[i].text);
		printf("}");
	}
	printf("]}\n");
}
