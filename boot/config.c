/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Parser of redoubt.conf. A setter answers NULL, or what is wrong with the value.
 */
#include "boot/config.h"

#include <stdbool.h>
#include <string.h>

#include "boot/bytes.h"
#include "monitor/abi/bootinfo.h"

#define KEY_TEXT 32u

struct choice {
	const char *word;
	uint32_t value;
};

static bool choose(const struct choice *choices, const char *word, uint32_t *value)
{
	for (; choices->word; choices++)
		if (text_equal(choices->word, word)) {
			*value = choices->value;
			return true;
		}
	return false;
}

/* Sets the bits of `mask` in the flags to the choice that `word` names. */
static bool choose_flag(struct config *config, const struct choice *choices, const char *word,
    uint32_t mask)
{
	uint32_t value;

	if (!choose(choices, word, &value))
		return false;
	config->flags = (config->flags & ~mask) | value;
	return true;
}

/* Characters that FAT keeps out of names (and / is none of EFI's separators). */
static bool path_char(char c)
{
	return !text_has("/:*?\"<>|", c);
}

static const char *check_path(const char *value)
{
	if (text_length(value) > CONFIG_PATH_MAX)
		return "the path is longer than 255 characters";
	if (value[0] != '\\')
		return "a path starts with \\";
	for (const char *p = value; *p; p++) {
		if (!path_char(*p))
			return "a path may not hold / : * ? \" < > |";
		if (p[0] == '\\' && (p[1] == '\\' || p[1] == 0))
			return "the path has an empty part";
		if (p[0] == '\\' && p[1] == '.' && (p[2] == '\\' || p[2] == 0 || p[2] == '.'))
			return "the path may not hold . or .. as a part";
	}
	return NULL;
}

static const char *set_next(struct config *config, const char *value)
{
	const char *complaint = check_path(value);

	if (!complaint)
		memcpy(config->next, value, text_length(value) + 1);
	return complaint;
}

static const char *set_initrd(struct config *config, const char *value)
{
	const char *complaint = check_path(value);

	if (!complaint)
		memcpy(config->initrd, value, text_length(value) + 1);
	return complaint;
}

static const char *set_options(struct config *config, const char *value)
{
	memcpy(config->options, value, text_length(value) + 1);
	return NULL;
}

static const char *set_log_level(struct config *config, const char *value)
{
	static const struct choice levels[] = { { "error", LOG_ERROR }, { "warn", LOG_WARN },
		{ "info", LOG_INFO }, { "debug", LOG_DEBUG }, { NULL, 0 } };

	return choose(levels, value, &config->log_level) ? NULL
							 : "is one of: error warn info debug";
}

/* Copies the next word of `*text`, at most size - 1 characters of it, and moves on behind it. */
static bool next_word(const char **text, char *word, size_t size)
{
	size_t length = 0;

	while (**text == ' ')
		++*text;
	for (; **text && **text != ' '; ++*text)
		if (length + 1 < size)
			word[length++] = **text;
	word[length] = 0;
	return length > 0;
}

static const char *set_console(struct config *config, const char *value)
{
	static const struct choice sinks[] = { { "serial", BOOTINFO_SERIAL },
		{ "debugcon", BOOTINFO_DEBUGCON }, { NULL, 0 } };
	uint32_t all = 0, one;
	char word[16];

	if (text_equal(value, "none"))
		return NULL;
	while (next_word(&value, word, sizeof(word))) {
		if (!choose(sinks, word, &one))
			return "is none, or a list of: serial debugcon";
		if (all & one)
			return "names a console twice";
		all |= one;
	}
	config->flags |= all;
	return NULL;
}

static const char *set_serial(struct config *config, const char *value)
{
	static const struct choice modes[] = { { "release", 0 }, { "keep", BOOTINFO_SERIAL_KEEP },
		{ NULL, 0 } };

	return choose_flag(config, modes, value, BOOTINFO_SERIAL_KEEP) ? NULL
								       : "is release or keep";
}

static const char *set_panic(struct config *config, const char *value)
{
	static const struct choice modes[] = { { "halt", 0 }, { "reset", BOOTINFO_PANIC_RESET },
		{ NULL, 0 } };

	return choose_flag(config, modes, value, BOOTINFO_PANIC_RESET) ? NULL : "is halt or reset";
}

static const char *set_mitigations(struct config *config, const char *value)
{
	static const struct choice modes[] = { { "auto", 0 }, { "on", BOOTINFO_MITIGATE },
		{ NULL, 0 } };

	return choose_flag(config, modes, value, BOOTINFO_MITIGATE) ? NULL : "is auto or on";
}

static const char *set_iommu(struct config *config, const char *value)
{
	static const struct choice modes[] = { { "auto", 0 }, { "off", BOOTINFO_IOMMU_OFF },
		{ NULL, 0 } };

	return choose_flag(config, modes, value, BOOTINFO_IOMMU_OFF) ? NULL : "is auto or off";
}

/* A digit's value, or 16. */
static unsigned hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

static const char *set_serial_port(struct config *config, const char *value)
{
	static const char complaint[] = "is a port as 0x3f8: 0x100 to 0xfff8, a multiple of 8";
	uint32_t port = 0;
	const char *p = value + 2;

	if (value[0] != '0' || value[1] != 'x' || !*p || text_length(p) > 4)
		return complaint;
	for (; *p; p++) {
		if (hex_digit(*p) > 15)
			return complaint;
		port = port * 16 + hex_digit(*p);
	}
	if (port < 0x100 || port % 8)
		return complaint;
	config->serial_port = (uint16_t)port;
	return NULL;
}

static const struct key {
	const char *name;
	const char *(*set)(struct config *config, const char *value);
	bool may_be_empty;
} keys[] = {
	{ "next", set_next, false },
	{ "options", set_options, true },
	{ "initrd", set_initrd, false },
	{ "log_level", set_log_level, false },
	{ "console", set_console, false },
	{ "serial_port", set_serial_port, false },
	{ "serial", set_serial, false },
	{ "panic", set_panic, false },
	{ "mitigations", set_mitigations, false },
	{ "iommu", set_iommu, false },
};

#define KEY_COUNT  (sizeof(keys) / sizeof(keys[0]))
#define KEY_SERIAL 6u

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct parser {
	struct config *config;
	config_report_fn report;
	void *context;
	unsigned errors;
	unsigned line;
	unsigned seen_at[KEY_COUNT]; /* number of the line that set the key; 0: none */
};

static void complain(struct parser *parser, const char *complaint, const char *key)
{
	char shown[KEY_TEXT];
	size_t length = text_length(key);

	if (length > KEY_TEXT - 1)
		length = KEY_TEXT - 1;
	for (size_t i = 0; i < length; i++) {
		shown[i] = key[i];
		if (is_blank(key[i]))
			shown[i] = ' ';
	}
	shown[length] = 0;
	parser->errors++;
	parser->report(parser->context, parser->line, complaint, shown);
}

/* Cuts blanks off both ends of text, in place. */
static char *trim(char *text)
{
	char *end = text + text_length(text);

	while (end > text && is_blank(end[-1]))
		end--;
	*end = 0;
	while (is_blank(*text))
		text++;
	return text;
}

static size_t find_key(const char *name)
{
	size_t i = 0;

	while (i < KEY_COUNT && !text_equal(keys[i].name, name))
		i++;
	return i;
}

static void parse_setting(struct parser *parser, const char *name, const char *value)
{
	size_t i = find_key(name);
	const char *complaint;

	if (i == KEY_COUNT) {
		complain(parser, "no such key", name);
		return;
	}
	if (parser->seen_at[i]) {
		complain(parser, "is given twice", name);
		return;
	}
	parser->seen_at[i] = parser->line;
	if (!*value && !keys[i].may_be_empty)
		complaint = "has no value";
	else if (text_has(value, '\t'))
		complaint = "holds a tab";
	else
		complaint = keys[i].set(parser->config, value);
	if (complaint)
		complain(parser, complaint, name);
}

/* `line` is printable ASCII and tabs. */
static void parse_line(struct parser *parser, char *line)
{
	char *value;

	line = trim(line);
	if (!*line || *line == '#')
		return;
	if (!text_has(line, '=')) {
		complain(parser, "not `key = value`", "");
		return;
	}
	for (value = line; *value != '='; value++)
		;
	*value++ = 0;
	line = trim(line);
	if (!*line)
		complain(parser, "no key before =", "");
	else
		parse_setting(parser, line, trim(value));
}

static bool printable(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((text[i] < 0x20 && text[i] != '\t') || text[i] > 0x7e)
			return false;
	return true;
}

static void parse_raw_line(struct parser *parser, const char *text, size_t length)
{
	char line[CONFIG_LINE_MAX + 1];

	if (length && text[length - 1] == '\r')
		length--;
	if (length > CONFIG_LINE_MAX) {
		complain(parser, "longer than 2047 characters", "");
	} else if (!printable(text, length)) {
		complain(parser, "holds a character that is not printable ASCII", "");
	} else {
		memcpy(line, text, length);
		line[length] = 0;
		parse_line(parser, line);
	}
}

/* What no line alone can show. */
static void check_whole(struct parser *parser)
{
	uint32_t flags = parser->config->flags;

	if (flags & BOOTINFO_SERIAL_KEEP && !(flags & BOOTINFO_SERIAL)) {
		parser->line = parser->seen_at[KEY_SERIAL];
		complain(parser, "keep needs serial in console", "serial");
	}
}

void config_defaults(struct config *config)
{
	memset(config, 0, sizeof(*config));
	memcpy(config->next, CONFIG_NEXT_DEFAULT, sizeof(CONFIG_NEXT_DEFAULT));
	config->log_level = LOG_INFO;
	config->serial_port = CONFIG_SERIAL_PORT_DEFAULT;
	config->flags = BOOTINFO_PANIC_RESET;
}

unsigned config_parse(struct config *config, const char *text, size_t length,
    config_report_fn report, void *context)
{
	struct parser parser = { .config = config, .report = report, .context = context };
	size_t start = 0;

	config_defaults(config);
	while (start < length) {
		size_t end = start;

		while (end < length && text[end] != '\n')
			end++;
		parser.line++;
		parse_raw_line(&parser, text + start, end - start);
		start = end + 1;
	}
	check_whole(&parser);
	return parser.errors;
}
