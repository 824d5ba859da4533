/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * redoubtctl: what an administrator asks of Redoubt from Linux above it.
 *
 * Exit status: 0 every CPU is under the monitor and all agree; 1 not so; 2 wrong usage or the
 * state could not be read.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "guest/linux/redoubtctl/print.h"
#include "guest/linux/redoubtctl/state.h"

static int usage(void)
{
	fputs("usage: redoubtctl status [--json]\n"
	      "  status   says whether this system runs above Redoubt, on every CPU,\n"
	      "           what is protected and what is not\n"
	      "exit status: 0 covered on every CPU, 1 not, 2 could not tell\n",
	    stderr);
	return 2;
}

static int status(void (*print)(const struct monitor_state *))
{
	struct monitor_state state;
	int result;

	if (!read_state(&state)) {
		fprintf(stderr, "redoubtctl: cannot ask every CPU: %s\n", strerror(errno));
		return 2;
	}
	print(&state);
	result = state_is_uniform(&state) ? 0 : 1;
	free_state(&state);
	return fflush(stdout) ? 2 : result;
}

int main(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[1], "status"))
		return usage();
	if (argc == 2)
		return status(print_text);
	if (argc == 3 && !strcmp(argv[2], "--json"))
		return status(print_json);
	return usage();
}
