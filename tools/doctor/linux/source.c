/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Facts on Linux; see source.h.
 */
#include "tools/doctor/linux/source.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/doctor/acpi.h"

#define EFI_FOLDER	"/sys/firmware/efi"
#define GLOBAL_VARIABLE "8be4df61-93ca-11d2-aa0d-00e098032b8c"

struct linux_context {
	struct source source;
	cpu_set_t all;
	int cpu; /* its number to Linux */
	uint8_t *table;
};

/* What an error of open() or read() means. */
static enum fact fact_of(struct linux_context *context, int error)
{
	context->source.hidden = error == EACCES || error == EPERM ? "needs root" : strerror(error);
	return error == ENOENT ? FACT_ABSENT : FACT_HIDDEN;
}

static void get_cpuid(void *context, uint32_t number, uint32_t subleaf, struct leaf *leaf)
{
	__cpuid_count(number, subleaf, leaf->eax, leaf->ebx, leaf->ecx, leaf->edx);
}

static enum fact get_msr(void *opaque, uint32_t number, uint64_t *value)
{
	struct linux_context *context = opaque;
	char path[64];
	ssize_t got;
	int fd, error;

	snprintf(path, sizeof(path), "/dev/cpu/%d/msr", context->cpu);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		fact_of(context, errno);
		if (errno == ENOENT || errno == ENXIO || errno == ENODEV)
			context->source.hidden = geteuid()
			    ? "needs root and the module msr (modprobe msr)"
			    : "needs the module msr (modprobe msr)";
		return FACT_HIDDEN;
	}
	got = pread(fd, value, sizeof(*value), number);
	error = errno;
	close(fd);
	if (got == sizeof(*value))
		return FACT_OK;
	/* EIO: the CPU answered with #GP, so it has no such MSR. */
	return got < 0 && error != EIO ? fact_of(context, error) : FACT_ABSENT;
}

static unsigned get_cpus(void *opaque)
{
	const struct linux_context *context = opaque;

	return (unsigned)CPU_COUNT(&context->all);
}

/* Runs on one CPU from now on. */
static bool go_to(struct linux_context *context, int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		return false;
	context->cpu = cpu;
	return true;
}

/* Linux' number of the CPU that is the index-th in our list. */
static int number_of(const struct linux_context *context, unsigned index)
{
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &context->all) && index-- == 0)
			return cpu;
	return -1;
}

static bool run_on_cpu(void *opaque, unsigned index, void (*run)(void *argument), void *argument)
{
	struct linux_context *context = opaque;
	int back = context->cpu, cpu = number_of(context, index);

	if (cpu < 0 || !go_to(context, cpu))
		return false;
	run(argument);
	return go_to(context, back);
}

static enum fact get_cr4(void *context, uint64_t *value)
{
	return FACT_HIDDEN;
}

static enum fact get_processors(void *context, struct processors *processors)
{
	return FACT_HIDDEN;
}

/* The whole file, as far as it is no longer than a table may be. */
static enum fact read_file(struct linux_context *context, const char *path, struct bytes *bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t size = 0;
	ssize_t got;

	if (fd < 0)
		return fact_of(context, errno);
	do {
		got = read(fd, context->table + size, ACPI_TABLE_MAX - size);
		size += got > 0 ? (size_t)got : 0;
	} while (got > 0);
	if (got < 0) {
		enum fact fact = fact_of(context, errno);

		close(fd);
		return fact;
	}
	close(fd);
	*bytes = (struct bytes){ context->table, size };
	return FACT_OK;
}

static enum fact get_table(void *opaque, const char *signature, struct bytes *table)
{
	char path[64];
	enum fact fact;

	snprintf(path, sizeof(path), "/sys/firmware/acpi/tables/%.4s", signature);
	fact = read_file(opaque, path, table);
	if (fact != FACT_OK)
		return fact;
	return acpi_whole(*table, signature) ? FACT_OK : FACT_DAMAGED;
}

/* efivarfs: four bytes of attributes, then the value. */
static enum fact get_variable(void *opaque, const char *name, uint8_t *value)
{
	struct linux_context *context = opaque;
	struct bytes bytes;
	char path[128];
	enum fact fact;

	snprintf(path, sizeof(path), EFI_FOLDER "/efivars/%s-" GLOBAL_VARIABLE, name);
	fact = read_file(context, path, &bytes);
	if (fact == FACT_OK && bytes.size != 5)
		return FACT_DAMAGED;
	if (fact == FACT_OK)
		*value = bytes.data[4];
	/* Every firmware has boot variables: without them the file system is not mounted. */
	if (fact == FACT_ABSENT && access(EFI_FOLDER, F_OK) == 0 &&
	    access(EFI_FOLDER "/efivars/BootOrder-" GLOBAL_VARIABLE, F_OK) &&
	    access(EFI_FOLDER "/efivars/BootCurrent-" GLOBAL_VARIABLE, F_OK)) {
		context->source.hidden = "needs efivarfs, mounted on " EFI_FOLDER "/efivars";
		return FACT_HIDDEN;
	}
	return fact;
}

static enum fact get_firmware(void *opaque, unsigned *bits)
{
	char text[16];

	if (access(EFI_FOLDER, F_OK))
		return FACT_ABSENT;
	if (!read_text(EFI_FOLDER "/fw_platform_size", text, sizeof(text)))
		return fact_of(opaque, errno);
	*bits = (unsigned)strtoul(text, NULL, 10);
	return FACT_OK;
}

bool read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return false;
	got = read(fd, text, size - 1);
	close(fd);
	if (got < 0)
		return false;
	text[got] = 0;
	text[strcspn(text, "\n")] = 0;
	return true;
}

const struct source *linux_source(void)
{
	static struct linux_context context = {
		.source = { .hidden = "",
		    .cpuid = get_cpuid,
		    .msr = get_msr,
		    .cpus = get_cpus,
		    .on_cpu = run_on_cpu,
		    .cr4 = get_cr4,
		    .processors = get_processors,
		    .table = get_table,
		    .variable = get_variable,
		    .firmware = get_firmware },
	};
	int first;

	context.source.context = &context;
	context.table = malloc(ACPI_TABLE_MAX);
	if (!context.table || sched_getaffinity(0, sizeof(context.all), &context.all))
		return NULL;
	first = number_of(&context, 0);
	return first >= 0 && go_to(&context, first) ? &context.source : NULL;
}
