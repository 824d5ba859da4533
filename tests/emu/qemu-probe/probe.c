/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Counts instructions in QEMU's translator, for machines with one CPU: each line that the machine
 * prints is written to a file with the number of instructions executed before it. It is one file
 * that is there twice: as QEMU's plugin, which counts, and by LD_PRELOAD, where it stands before
 * the C library's writev(), through which QEMU passes on each byte of COM1 and port 0xE9 before it
 * executes the next instruction.
 *
 * Counted is what was begun, in the guest and in the monitor: an instruction that exits or faults
 * counts again when it is repeated, each round of a string instruction counts, a halted CPU's time
 * does not. Each exit from a guest is followed by a VMRUN, and these are counted, too.
 *
 * Arguments: marks=FILE serial=DEVICE (what COM1 is connected to; port 0xE9 is standard output). A
 * line of the file: SOURCE TIME COUNT,VMRUNS TEXT, SOURCE `serial` or `e9`, TIME always 0.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "plugin.h"

#define LINE_MAX_BYTES 240u

struct line {
	const char *source;
	unsigned bytes;
	char text[LINE_MAX_BYTES];
};

static uint64_t executed, entered;
static FILE *marks;
static struct stat serial;
static struct line serial_line = { "serial", 0, "" };
static struct line e9_line = { "e9", 0, "" };

int qemu_plugin_version = PLUGIN_VERSION;

static bool is_vmrun(const struct instruction *instruction)
{
	static const unsigned char vmrun[] = { 0x0f, 0x01, 0xd8 };

	return qemu_plugin_insn_size(instruction) == sizeof(vmrun) &&
	    !memcmp(qemu_plugin_insn_data(instruction), vmrun, sizeof(vmrun));
}

static void on_translated(plugin_id id, struct block *block)
{
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
		struct instruction *instruction = qemu_plugin_tb_get_insn(block, i);

		qemu_plugin_register_vcpu_insn_exec_inline(instruction, PLUGIN_INLINE_ADD,
		    &executed, 1);
		if (is_vmrun(instruction))
			qemu_plugin_register_vcpu_insn_exec_inline(instruction, PLUGIN_INLINE_ADD,
			    &entered, 1);
	}
}

static const char *argument(const char *name, int argc, char **argv)
{
	size_t n = strlen(name);

	for (int i = 0; i < argc; i++)
		if (!strncmp(argv[i], name, n) && argv[i][n] == '=')
			return argv[i] + n + 1;
	return "";
}

int qemu_plugin_install(plugin_id id, const struct machine *machine, int argc, char **argv)
{
	if (stat(argument("serial", argc, argv), &serial))
		return 1;
	marks = fopen(argument("marks", argc, argv), "w");
	if (!marks)
		return 1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translated);
	return 0;
}

static void add(struct line *line, char c)
{
	if (c == '\n') {
		fprintf(marks, "%s 0 %llu,%llu %.*s\n", line->source, (unsigned long long)executed,
		    (unsigned long long)entered, (int)line->bytes, line->text);
		fflush(marks);
		line->bytes = 0;
	} else if (c != '\r' && line->bytes < LINE_MAX_BYTES) {
		line->text[line->bytes++] = c;
	}
}

static struct line *line_of(int fd)
{
	struct stat found;

	if (!marks)
		return NULL;
	if (fd == STDOUT_FILENO)
		return &e9_line;
	if (fstat(fd, &found) || !S_ISCHR(found.st_mode) || found.st_rdev != serial.st_rdev)
		return NULL;
	return &serial_line;
}

EXPORTED ssize_t writev(int fd, const struct iovec *parts, int count)
{
	static ssize_t (*next)(int, const struct iovec *, int);
	struct line *line = line_of(fd);
	ssize_t done, left;

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "writev");
	done = left = next(fd, parts, count);
	for (int i = 0; line && i < count; i++)
		for (size_t k = 0; k < parts[i].iov_len && left-- > 0; k++)
			add(line, ((const char *)parts[i].iov_base)[k]);
	return done;
}
