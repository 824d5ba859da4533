/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * libFuzzer: the loader's configuration parser. Whatever the text, errors are reported with lines
 * it has; what is accepted holds only what a configuration may, and says the same when written out
 * and read again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/config.h"
#include "monitor/abi/bootinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reports {
	unsigned count;
	unsigned lines; /* of the text */
};

static void demand(int good)
{
	if (!good)
		abort();
}

static void count(void *context, unsigned line, const char *complaint, const char *key)
{
	struct reports *reports = context;

	reports->count++;
	demand(line >= 1 && line <= reports->lines);
	demand(*complaint && strlen(key) < 32);
	for (; *key; key++)
		demand((unsigned char)*key >= 0x20 && (unsigned char)*key < 0x7f);
}

static unsigned parse(struct config *config, const char *text, size_t size)
{
	struct reports reports = { 0, 1 };
	unsigned errors;

	for (size_t i = 0; i < size; i++)
		reports.lines += text[i] == '\n';
	errors = config_parse(config, text, size, count, &reports);
	demand(errors == reports.count);
	return errors;
}

static void printable(const char *text, size_t room)
{
	demand(strnlen(text, room) < room);
	for (; *text; text++)
		demand((unsigned char)*text >= 0x20 && (unsigned char)*text < 0x7f);
}

static void sane(const struct config *config)
{
	printable(config->next, sizeof(config->next));
	printable(config->initrd, sizeof(config->initrd));
	printable(config->options, sizeof(config->options));
	demand(config->next[0] == '\\' && (!*config->initrd || config->initrd[0] == '\\'));
	demand(!strstr(config->next, "\\..\\") && !strstr(config->initrd, "\\..\\"));
	demand(config->log_level <= LOG_DEBUG && !(config->flags & ~BOOTINFO_FLAGS));
	demand(!(config->flags & BOOTINFO_SERIAL_KEEP) || config->flags & BOOTINFO_SERIAL);
	demand(config->serial_port >= 0x100 && config->serial_port % 8 == 0);
}

static int write_out(char *out, size_t size, const struct config *config)
{
	static const char *const levels[] = { "error", "warn", "info", "debug" };
	uint32_t f = config->flags;
	const char *console = f & BOOTINFO_SERIAL
	    ? f & BOOTINFO_DEBUGCON ? "serial debugcon" : "serial"
	    : f & BOOTINFO_DEBUGCON ? "debugcon"
				    : "none";

	return snprintf(out, size,
	    "next=%s\noptions=%s\n%s%s\nlog_level=%s\nconsole=%s\nserial_port=0x%x\nserial=%s\n"
	    "panic=%s\nmitigations=%s\niommu=%s\n",
	    config->next, config->options, *config->initrd ? "initrd=" : "", config->initrd,
	    levels[config->log_level], console, config->serial_port,
	    f & BOOTINFO_SERIAL_KEEP ? "keep" : "release",
	    f & BOOTINFO_PANIC_RESET ? "reset" : "halt", f & BOOTINFO_MITIGATE ? "on" : "auto",
	    f & BOOTINFO_IOMMU_OFF ? "off" : "auto");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config first, second;
	static char out[2 * CONFIG_LINE_MAX];

	if (parse(&first, (const char *)data, size))
		return 0;
	sane(&first);
	demand(parse(&second, out, (size_t)write_out(out, sizeof(out), &first)) == 0);
	demand(!memcmp(&first, &second, offsetof(struct config, options)));
	demand(!strcmp(first.options, second.options));
	demand(first.log_level == second.log_level && first.flags == second.flags &&
	    first.serial_port == second.serial_port);
	return 0;
}
