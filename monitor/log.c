/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The log (log.h).
 */
#include "monitor/log.h"

#include "arch/console.h"
#include "arch/cpu.h"
#include "monitor/lib/fmt.h"

static struct spinlock lock = { .rank = LOCK_LOG };

/* The lock guards all of it. */
static struct {
	uint64_t end; /* bytes since launch */
	char text[LOG_BYTES];
} ring;

static size_t format_line(char *line, size_t size, const char *format, ...)
{
	va_list args;
	size_t bytes;

	va_start(args, format);
	bytes = format_text(line, size, format, args);
	va_end(args);
	return bytes;
}

/* Prefix, text and newline in `line`; returns its bytes. */
static size_t make_line(char line[LOG_LINE], enum log_level level, const char *format, va_list args)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };
	size_t room = LOG_LINE - 1;
	size_t bytes;

	bytes = format_line(line, room, "[%lu %u %s] ", cpu_cycles(), cpu_index(), names[level]);
	bytes += format_text(line + bytes, room - bytes, format, args);
	if (bytes == room - 1)
		line[bytes - 1] = '~';
	/* Text may be a partition's. */
	for (size_t i = 0; i < bytes; i++)
		if (line[i] < ' ' || line[i] > '~')
			line[i] = '?';
	line[bytes++] = '\n';
	return bytes;
}

static void append(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		ring.text[(ring.end + i) % LOG_BYTES] = text[i];
	__atomic_store_n(&ring.end, ring.end + bytes, __ATOMIC_RELEASE);
}

void klog(enum log_level level, const char *format, ...)
{
	char line[LOG_LINE];
	va_list args;
	size_t bytes;

	va_start(args, format);
	bytes = make_line(line, level, format, args);
	va_end(args);
	spin_lock(&lock);
	append(line, bytes);
	if (level <= start_info()->log_level)
		console_write(line, bytes);
	spin_unlock(&lock);
}

uint64_t log_end(void)
{
	return __atomic_load_n(&ring.end, __ATOMIC_ACQUIRE);
}

static void copy_out(uint64_t from, char *to, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		to[i] = ring.text[(from + i) % LOG_BYTES];
}

struct log_part log_part(uint64_t position, uint64_t wanted, uint64_t end, uint64_t kept)
{
	uint64_t oldest = end > kept ? end - kept : 0;
	uint64_t from = position < oldest ? oldest : position < end ? position : end;
	uint64_t copied = end - from < wanted ? end - from : wanted;

	return (
	    struct log_part){ from + copied, copied, position < oldest ? oldest - position : 0 };
}

struct log_part log_copy(uint64_t position, char *to, size_t bytes)
{
	struct log_part part;

	spin_lock(&lock);
	part = log_part(position, bytes, ring.end, LOG_BYTES);
	copy_out(part.next - part.copied, to, part.copied);
	spin_unlock(&lock);
	return part;
}

size_t log_tail(char *to, size_t bytes)
{
	uint64_t end = log_end();
	uint64_t oldest = end > LOG_BYTES ? end - LOG_BYTES : 0;
	uint64_t from = end - oldest > bytes ? end - bytes : oldest;

	if (from > 0)
		while (from < end && ring.text[(from - 1) % LOG_BYTES] != '\n')
			from++;
	copy_out(from, to, end - from);
	return end - from;
}
