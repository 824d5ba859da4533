/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * redoubtctl log, redoubtctl audit: a ring from its oldest byte on. The log is lines of text, the
 * audit ring records (monitor/abi/audit.h), printed a line each.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest/linux/libredoubt/json.h"
#include "guest/linux/libredoubt/libredoubt.h"
#include "guest/linux/redoubtctl/redoubtctl.h"
#include "monitor/abi/audit.h"

#define FOLLOW_MS  1000u /* of one wait */
#define LINE_BYTES 512u	 /* longer lines are cut in JSON */

/* Where output goes; a line that is not complete yet stays here. */
struct sink {
	bool json;
	size_t length;
	char line[LINE_BYTES];
};

static void put_object(const char *key, const char *text, size_t length)
{
	struct json json = { .out = stdout };

	json_begin(&json, NULL, '{');
	json_text(&json, key, text, length);
	json_end(&json, '}');
	printf("\n");
}

static void flush_line(struct sink *sink)
{
	if (sink->length)
		put_object("line", sink->line, sink->length);
	sink->length = 0;
}

/* Text as it is, but for what would move a terminal's cursor; in JSON an object a line. */
static void put_log(struct sink *sink, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char c = bytes[i];

		if (!sink->json) {
			putchar(c == '\n' || c == '\t' || (c >= ' ' && c <= '~') ? c : '?');
		} else if (c == '\n') {
			flush_line(sink);
		} else {
			sink->line[sink->length++] = c;
			if (sink->length == LINE_BYTES)
				flush_line(sink);
		}
	}
}

static const char *event_name(uint32_t event)
{
	static const char *const names[REDOUBT_AUDIT_LAST] = {
#define NAME(name, value, sentence) [value] = #name,
		REDOUBT_AUDIT_EVENTS(NAME)
#undef NAME
	};

	return event < REDOUBT_AUDIT_LAST && names[event] ? names[event] : "UNKNOWN";
}

static void put_record(const struct sink *sink, const struct redoubt_audit_record *record)
{
	struct json json = { .out = stdout };

	if (!sink->json) {
		printf("%llu [%llu %u] %s subject=%llx fact=%llx count=%llu total=%llu "
		       "unrecorded=%llu\n",
		    (unsigned long long)record->number, (unsigned long long)record->cycles,
		    record->cpu, event_name(record->event), (unsigned long long)record->subject,
		    (unsigned long long)record->fact, (unsigned long long)record->count,
		    (unsigned long long)record->total, (unsigned long long)record->unrecorded);
		return;
	}
	json_begin(&json, NULL, '{');
	json_number(&json, "number", record->number);
	json_number(&json, "cycles", record->cycles);
	json_number(&json, "cpu", record->cpu);
	json_number(&json, "id", record->event);
	json_string(&json, "event", event_name(record->event));
	json_number(&json, "subject", record->subject);
	json_number(&json, "fact", record->fact);
	json_number(&json, "count", record->count);
	json_number(&json, "total", record->total);
	json_number(&json, "unrecorded", record->unrecorded);
	json_hex(&json, "chain", record->chain, sizeof(record->chain));
	json_end(&json, '}');
	printf("\n");
}

/* Whole records; what has come of one so far stays in the line. */
static void put_audit(struct sink *sink, const char *bytes, size_t count)
{
	struct redoubt_audit_record record;

	for (size_t i = 0; i < count; i++) {
		sink->line[sink->length++] = bytes[i];
		if (sink->length < sizeof(record))
			continue;
		memcpy(&record, sink->line, sizeof(record));
		put_record(sink, &record);
		sink->length = 0;
	}
}

static void say_lost(const struct sink *sink, uint64_t lost)
{
	struct json json = { .out = stdout };

	if (!lost)
		return;
	if (!sink->json) {
		fprintf(stderr, "redoubtctl: %llu overwritten before they could be read\n",
		    (unsigned long long)lost);
		return;
	}
	json_begin(&json, NULL, '{');
	json_number(&json, "lost", lost);
	json_end(&json, '}');
	printf("\n");
}

/* Reads to the end, and goes on waiting if told; 0 or the error that ended it. */
static int copy_ring(int fd, struct redoubt_reader *reader, struct sink *sink, bool follow)
{
	for (;;) {
		int error = redoubt_read(fd, reader, follow ? FOLLOW_MS : 0);

		if (error)
			return error;
		say_lost(sink, reader->lost);
		if (reader->ring == REDOUBT_RING_LOG)
			put_log(sink, reader->bytes, reader->copied);
		else
			put_audit(sink, reader->bytes, reader->copied);
		if (fflush(stdout))
			return -errno;
		if (!reader->copied && !follow) {
			if (reader->ring == REDOUBT_RING_LOG)
				flush_line(sink);
			return 0;
		}
	}
}

static int show_ring(enum redoubt_ring ring, const struct options *options, const char *what)
{
	struct redoubt_reader reader = { .ring = ring };
	struct sink sink = { .json = options->json };
	int fd, error, status;

	if (!open_device(false, &fd, &status))
		return status;
	error = copy_ring(fd, &reader, &sink, options->follow);
	close(fd);
	return error ? say_error(error, what) : EXIT_DONE;
}

int command_log(const struct options *options)
{
	return show_ring(REDOUBT_RING_LOG, options, "log that can be read");
}

int command_audit(const struct options *options)
{
	return show_ring(REDOUBT_RING_AUDIT, options, "audit ring that can be read");
}
