/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * boot/config.c: every key, every complaint with its line, and what may not be there.
 */
#include "boot/config.h"

#include <stdlib.h>

#include "monitor/abi/bootinfo.h"
#include "tests/unit/unit.h"

#define MAX_REPORTS 8

struct reports {
	unsigned count;
	struct {
		unsigned line;
		char complaint[80];
		char key[40];
	} report[MAX_REPORTS];
};

static void collect(void *context, unsigned line, const char *complaint, const char *key)
{
	struct reports *reports = context;

	assert_true(strlen(key) < 32);
	if (reports->count < MAX_REPORTS) {
		reports->report[reports->count].line = line;
		strcpy(reports->report[reports->count].complaint, complaint);
		strcpy(reports->report[reports->count].key, key);
	}
	reports->count++;
}

static struct config config;

/* Parses a copy that ends where the text ends, so that the sanitizer sees a read beyond it. */
static struct reports parse_bytes(const char *text, size_t length)
{
	struct reports reports = { 0 };
	char *copy = malloc(length ? length : 1);
	unsigned errors;

	memcpy(copy, text, length);
	errors = config_parse(&config, copy, length, collect, &reports);
	free(copy);
	assert_int_equal(errors, reports.count);
	return reports;
}

static struct reports parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static void accepts(const char *text)
{
	struct reports reports = parse(text);

	if (reports.count)
		print_error("%s: %s\n", text, reports.report[0].complaint);
	assert_int_equal(reports.count, 0);
}

static void complains(const char *text, unsigned line, const char *complaint)
{
	struct reports reports = parse(text);

	assert_int_equal(reports.count, 1);
	assert_int_equal(reports.report[0].line, line);
	if (!strstr(reports.report[0].complaint, complaint))
		print_error("%s: %s\n", text, reports.report[0].complaint);
	assert_non_null(strstr(reports.report[0].complaint, complaint));
}

static void nothing_gives_the_defaults(void **state)
{
	accepts("");
	assert_string_equal(config.next, "\\EFI\\debian\\shimx64.efi");
	assert_string_equal(config.options, "");
	assert_string_equal(config.initrd, "");
	assert_int_equal(config.log_level, LOG_INFO);
	assert_int_equal(config.serial_port, 0x3f8);
	assert_int_equal(config.flags, BOOTINFO_PANIC_RESET);
}

static void every_key_is_understood(void **state)
{
	accepts("# comment = with equals\n"
		"\n"
		"next = \\vmlinuz.efi\n"
		"  options\t=  root=/dev/sda1 quiet # not a comment  \n"
		"initrd=\\boot\\initrd.img\n"
		"log_level = debug\n"
		"console = debugcon serial\r\n"
		"serial_port = 0x2F8\n"
		"serial = keep\n"
		"panic = halt\n"
		"   # indented comment\n"
		"iommu = off\n"
		"mitigations = on");
	assert_string_equal(config.next, "\\vmlinuz.efi");
	assert_string_equal(config.options, "root=/dev/sda1 quiet # not a comment");
	assert_string_equal(config.initrd, "\\boot\\initrd.img");
	assert_int_equal(config.log_level, LOG_DEBUG);
	assert_int_equal(config.serial_port, 0x2f8);
	assert_int_equal(config.flags,
	    BOOTINFO_SERIAL | BOOTINFO_SERIAL_KEEP | BOOTINFO_DEBUGCON | BOOTINFO_MITIGATE |
		BOOTINFO_IOMMU_OFF);
}

static void every_value_is_understood(void **state)
{
	accepts("log_level = error\nconsole = none\nserial = release\npanic = reset\n"
		"mitigations = auto\niommu = auto\noptions =\nserial_port = 0x100\n");
	assert_int_equal(config.log_level, LOG_ERROR);
	assert_int_equal(config.flags, BOOTINFO_PANIC_RESET);
	assert_int_equal(config.serial_port, 0x100);
	accepts("log_level = warn\nconsole = serial\nserial_port = 0xfff8\n");
	assert_int_equal(config.log_level, LOG_WARN);
	assert_int_equal(config.flags, BOOTINFO_PANIC_RESET | BOOTINFO_SERIAL);
	assert_int_equal(config.serial_port, 0xfff8);
	accepts("log_level = info\nconsole =   serial    debugcon\n");
	assert_int_equal(config.flags, BOOTINFO_PANIC_RESET | BOOTINFO_SERIAL | BOOTINFO_DEBUGCON);
}

static void wrong_lines_are_named(void **state)
{
	complains("\n\nbogus = 1\n", 3, "no such key");
	complains("Next = \\a\n", 1, "no such key");
	complains("next \\a\n", 1, "not `key = value`");
	complains("= \\a\n", 1, "no key");
	complains("next =\n", 1, "no value");
	complains("next =   \n", 1, "no value");
	complains("panic = halt\npanic = halt\n", 2, "twice");
	complains("options = a\n#\noptions = a", 3, "twice");
	complains("options = a\tb\n", 1, "tab");
	complains("next extra = \\a\n", 1, "no such key");
}

static void wrong_values_are_named(void **state)
{
	complains("log_level = loud\n", 1, "is one of");
	complains("log_level = Debug\n", 1, "is one of");
	complains("console = serial serial\n", 1, "twice");
	complains("console = none serial\n", 1, "is none, or");
	complains("console = serial,debugcon\n", 1, "is none, or");
	complains("console = debugconsoledebugcon\n", 1, "is none, or");
	complains("serial = drop\n", 1, "release or keep");
	complains("panic = reboot\n", 1, "halt or reset");
	complains("mitigations = off\n", 1, "auto or on");
	complains("iommu = on\n", 1, "auto or off");
	complains("\nserial = keep\n", 2, "needs serial");
	complains("serial = keep\nconsole = debugcon\n", 1, "needs serial");
}

static void wrong_ports_are_named(void **state)
{
	static const char *const ports[] = { "3f8", "0x", "0x3f9", "0xf8", "0x10000", "0x3g8",
		"-0x3f8", "0x 3f8", "0x00003f8", "com1", "0X3f8", "0xfffc" };

	for (unsigned i = 0; i < COUNT(ports); i++) {
		char text[64];

		snprintf(text, sizeof(text), "serial_port = %s\n", ports[i]);
		complains(text, 1, "is a port");
	}
}

static void wrong_paths_are_named(void **state)
{
	static const struct {
		const char *path, *complaint;
	} paths[] = { { "a.efi", "starts with" }, { "\\a/b", "may not hold /" },
		{ "\\a\\\\b", "empty part" }, { "\\", "empty part" }, { "\\a\\", "empty part" },
		{ "\\..\\a", ". or .." }, { "\\a\\..", ". or .." }, { "\\.\\a", ". or .." },
		{ "\\a\\.", ". or .." }, { "\\a:b", "may not hold" }, { "\\a*", "may not hold" } };

	for (unsigned i = 0; i < COUNT(paths); i++) {
		char text[64];

		snprintf(text, sizeof(text), "next = %s\n", paths[i].path);
		complains(text, 1, paths[i].complaint);
		snprintf(text, sizeof(text), "initrd = %s\n", paths[i].path);
		complains(text, 1, paths[i].complaint);
	}
	accepts("next = \\.hidden\\a.b.c\\d\n");
}

static void paths_have_a_limit(void **state)
{
	char text[CONFIG_PATH_MAX + 32] = "next = \\";
	size_t length = strlen(text);

	memset(text + length, 'a', CONFIG_PATH_MAX - 1);
	accepts(text);
	assert_int_equal(strlen(config.next), CONFIG_PATH_MAX);
	text[length + CONFIG_PATH_MAX - 1] = 'a';
	complains(text, 1, "longer than 255");
}

static void lines_have_a_limit(void **state)
{
	static char text[CONFIG_LINE_MAX + 32];

	memset(text, 'a', CONFIG_LINE_MAX);
	memcpy(text, "options =", 9);
	accepts(text);
	assert_int_equal(strlen(config.options), CONFIG_LINE_MAX - 9);
	strcpy(text + CONFIG_LINE_MAX, "\r\n");
	accepts(text);
	strcpy(text + CONFIG_LINE_MAX, "a\n");
	complains(text, 1, "longer than 2047");
	memset(text, ' ', CONFIG_LINE_MAX + 1);
	complains(text, 1, "longer than 2047");
}

static void only_printable_ascii_passes(void **state)
{
	for (unsigned c = 0; c < 256; c++) {
		char text[] = "options = a?b";

		text[11] = (char)c;
		if ((c >= 0x20 && c < 0x7f))
			assert_int_equal(parse_bytes(text, sizeof(text) - 1).count, 0);
		else if (c != '\n')
			assert_int_equal(parse_bytes(text, sizeof(text) - 1).count, 1);
	}
	complains("\xef\xbb\xbfpanic = halt\n", 1, "printable ASCII");
	complains("# \xc3\xa4\n", 1, "printable ASCII");
	complains("panic = halt\rpanic = reset\n", 1, "printable ASCII");
	complains("panic = halt\r\r\n", 1, "printable ASCII");
}

static void all_errors_are_reported(void **state)
{
	struct reports reports = parse("a = 1\nconsole = debugcon\nb\npanic = x\nlong_key_"
				       "0123456789012345678901234567890123456789 = 1\n");

	assert_int_equal(reports.count, 4);
	assert_int_equal(reports.report[0].line, 1);
	assert_int_equal(reports.report[1].line, 3);
	assert_int_equal(reports.report[2].line, 4);
	assert_string_equal(reports.report[2].key, "panic");
	assert_int_equal(reports.report[3].line, 5);
	assert_string_equal(reports.report[3].key, "long_key_0123456789012345678901");
}

static void a_key_is_shown_without_tabs(void **state)
{
	struct reports reports = parse("a\tb = 1\n");

	assert_int_equal(reports.count, 1);
	assert_string_equal(reports.report[0].key, "a b");
}

static void a_failed_value_leaves_the_default(void **state)
{
	parse("next = a\nserial_port = 1\n");
	assert_string_equal(config.next, CONFIG_NEXT_DEFAULT);
	assert_int_equal(config.serial_port, CONFIG_SERIAL_PORT_DEFAULT);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(nothing_gives_the_defaults),
	cmocka_unit_test(every_key_is_understood),
	cmocka_unit_test(every_value_is_understood),
	cmocka_unit_test(wrong_lines_are_named),
	cmocka_unit_test(wrong_values_are_named),
	cmocka_unit_test(wrong_ports_are_named),
	cmocka_unit_test(wrong_paths_are_named),
	cmocka_unit_test(paths_have_a_limit),
	cmocka_unit_test(lines_have_a_limit),
	cmocka_unit_test(only_printable_ascii_passes),
	cmocka_unit_test(all_errors_are_reported),
	cmocka_unit_test(a_key_is_shown_without_tabs),
	cmocka_unit_test(a_failed_value_leaves_the_default),
};

UNIT_MAIN(tests)
