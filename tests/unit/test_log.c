/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * monitor/log.c.
 */
#include "arch/host/host.h"
#include "arch/upcall.h"
#include "monitor/log.h"
#include "tests/unit/unit.h"

static int new_machine(void **state)
{
	struct host_machine machine = host_default();

	host_build(&machine);
	host_info()->log_level = LOG_INFO;
	return 0;
}

/* The log's text from `position` on. */
static struct log_part text_from(uint64_t position, char *to, size_t size)
{
	struct log_part part = log_copy(position, to, size - 1);

	to[part.copied] = '\0';
	return part;
}

static void line_has_time_cpu_and_level(void **state)
{
	uint64_t start = log_end();
	char text[LOG_LINE];

	host_on(1);
	host_set_cycles(42, 0);
	klog(LOG_WARN, "%s %u", "hello", 7u);
	text_from(start, text, sizeof(text));
	assert_string_equal(text, "[42 1 warn] hello 7\n");
}

static void console_gets_its_levels_only(void **state)
{
	klog(LOG_DEBUG, "not this");
	klog(LOG_INFO, "but this");
	assert_null(strstr(host_console(), "not this"));
	assert_non_null(strstr(host_console(), "but this"));
}

static void long_line_is_cut_visibly(void **state)
{
	uint64_t start = log_end();
	char text[2 * LOG_LINE];
	char name[300];
	struct log_part part;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	klog(LOG_INFO, "%s", name);
	part = text_from(start, text, sizeof(text));
	assert_true(part.copied <= LOG_LINE);
	assert_string_equal(text + part.copied - 3, "n~\n");
}

static void reader_goes_on_where_it_stopped(void **state)
{
	uint64_t start = log_end();
	char whole[3 * LOG_LINE], pieces[3 * LOG_LINE];
	struct log_part part = { .next = start };
	size_t used = 0;

	klog(LOG_INFO, "one");
	klog(LOG_INFO, "two");
	text_from(start, whole, sizeof(whole));
	do {
		part = log_copy(part.next, pieces + used, 5);
		used += part.copied;
		assert_int_equal(part.lost, 0);
	} while (part.copied > 0);
	assert_int_equal(part.next, log_end());
	assert_memory_equal(whole, pieces, used);
}

static void fill_ring(void)
{
	for (unsigned i = 0; i < 3 * LOG_BYTES / 50; i++)
		klog(LOG_DEBUG, "line number %u of many that fill it", i);
}

static void lost_bytes_are_counted(void **state)
{
	uint64_t start = log_end();
	struct log_part part;
	char text[16];

	fill_ring();
	part = text_from(start, text, sizeof(text));
	assert_int_equal(part.lost, log_end() - LOG_BYTES - start);
	assert_int_equal(part.next, start + part.lost + part.copied);
	part = text_from(log_end() - LOG_BYTES, text, sizeof(text));
	assert_int_equal(part.lost, 0);
	part = text_from(log_end() - LOG_BYTES - 1, text, sizeof(text));
	assert_int_equal(part.lost, 1);
}

static void position_behind_the_end_is_the_end(void **state)
{
	char text[16];
	struct log_part part = text_from(~0ull, text, sizeof(text));

	assert_int_equal(part.copied, 0);
	assert_int_equal(part.next, log_end());
}

static void tail_is_whole_lines(void **state)
{
	char tail[1000];
	size_t bytes;

	fill_ring();
	bytes = log_tail(tail, sizeof(tail));
	assert_in_range(bytes, sizeof(tail) - LOG_LINE, sizeof(tail));
	assert_int_equal(tail[0], '[');
	assert_int_equal(tail[bytes - 1], '\n');
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(line_has_time_cpu_and_level, new_machine),
	cmocka_unit_test_setup(console_gets_its_levels_only, new_machine),
	cmocka_unit_test_setup(long_line_is_cut_visibly, new_machine),
	cmocka_unit_test_setup(reader_goes_on_where_it_stopped, new_machine),
	cmocka_unit_test_setup(lost_bytes_are_counted, new_machine),
	cmocka_unit_test_setup(position_behind_the_end_is_the_end, new_machine),
	cmocka_unit_test_setup(tail_is_whole_lines, new_machine),
};

UNIT_MAIN(tests)
