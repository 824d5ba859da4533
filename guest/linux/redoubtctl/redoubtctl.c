/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* redoubtctl: what an administrator asks of Redoubt from Linux above it. */
#include "guest/linux/redoubtctl/redoubtctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/linux/libredoubt/libredoubt.h"
#include "guest/linux/libredoubt/state.h"

static const char HELP[] =
    "usage: redoubtctl COMMAND [--json]\n"
    "  status         does this system run above Redoubt, on every CPU; what is protected\n"
    "                 and what is not (needs no privilege and no driver)\n"
    "  partitions     secure partitions: state, measurement, signer, memory, requests served\n"
    "  log            the monitor's log; --follow goes on with what is added\n"
    "  audit          the audit ring; --follow likewise\n"
    "  restart N      starts partition N, which has died, anew\n"
    "  backup FILE    the TPM's state for the guardian whom its image names, in a new file;\n"
    "                 prints its digest\n"
    "--json prints one object, for log and audit one a line.\n"
    "All but status ask /dev/redoubt, the module redoubt's, which is root's.\n"
    "exit status: 0 done (status: covered on every CPU), 1 not so, or the monitor refused,\n"
    "             2 wrong usage, could not tell or write, 3 no monitor, or it has no such thing,\n"
    "             4 the module is not loaded, or no right to the device\n";

static const struct command {
	const char *name;
	bool follows; /* takes --follow */
	bool number;  /* takes a partition's number */
	bool file;    /* takes a file's name */
	int (*run)(const struct options *options);
} commands[] = {
	{ "status", false, false, false, command_status },
	{ "partitions", false, false, false, command_partitions },
	{ "log", true, false, false, command_log },
	{ "audit", true, false, false, command_audit },
	{ "restart", false, true, false, command_restart },
	{ "backup", false, false, true, command_backup },
};

bool open_device(bool writing, int *fd, int *status)
{
	*fd = redoubt_open(writing);
	if (*fd >= 0)
		return true;
	fprintf(stderr, "redoubtctl: cannot open " REDOUBT_DEVICE ": %s\n",
	    redoubt_open_error(*fd));
	*status = redoubt_below() ? EXIT_NO_DEVICE : EXIT_NO_MONITOR;
	return false;
}

int say_error(int error, const char *what)
{
	if (error == -ENOSYS) {
		fprintf(stderr, "redoubtctl: this monitor has no %s\n", what);
		return EXIT_NO_MONITOR;
	}
	fprintf(stderr, "redoubtctl: refused: %s\n", redoubt_error_text(error));
	return EXIT_NOT_SO;
}

static int usage(const char *fault, const char *word)
{
	if (fault)
		fprintf(stderr, "redoubtctl: %s: %s\n", word, fault);
	fputs(HELP, stderr);
	return EXIT_USAGE;
}

static bool read_number(const char *text, uint32_t *number)
{
	unsigned long value;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 0);
	*number = (uint32_t)value;
	return !errno && !*end && value > 0 && value <= REDOUBT_PARTITION_MAX;
}

/* The words behind the command. */
static bool read_options(const struct command *command, char **words, struct options *options)
{
	bool number = false;

	for (; *words; words++) {
		if (!strcmp(*words, "--json"))
			options->json = true;
		else if (command->follows && !strcmp(*words, "--follow"))
			options->follow = true;
		else if (command->number && !number && read_number(*words, &options->number))
			number = true;
		else if (command->file && !options->file && (*words)[0] && (*words)[0] != '-')
			options->file = *words;
		else
			return false;
	}
	return number == command->number && !options->file == !command->file;
}

static int run(const struct command *command, char **words)
{
	struct options options = { 0 };
	int status;

	if (!read_options(command, words, &options))
		return usage("wrong arguments", command->name);
	status = command->run(&options);
	return fflush(stdout) || ferror(stdout) ? EXIT_USAGE : status;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage(NULL, NULL);
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help"))
			return fputs(HELP, stdout) < 0 ? EXIT_USAGE : EXIT_DONE;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(argv[1], commands[i].name))
			return run(&commands[i], argv + 2);
	}
	return usage("no such command", argv[1]);
}
