/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The TPM as a program: commands on standard input, responses on standard output, as
 * libtss2-tcti-cmd and pipes have them: a command's or response's own header says how long it is.
 *
 *   vtpm --state DIR [--startup clear|state|none] [--locality N]
 *   vtpm --state DIR --off
 *
 * DIR/permanent and DIR/volatile are the states. A change of the first is on the disk before the
 * response is given; the second is written with each response, so that the next program goes on
 * where this one ended, and removed by --off, which is what a power cut does. Without it the TPM is
 * powered on, and gets TPM2_Startup(CLEAR) unless --startup says otherwise. Where there is no
 * state a TPM is manufactured (manufacture.h), its CA's key in DIR/ca-key; with --startup none it
 * has no certificates, and never will.
 */
#include <getopt.h>
#include <mbedtls/platform_util.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vtpm/host/files.h"
#include "vtpm/manufacture.h"
#include "vtpm/tpm.h"

#define HEADER_BYTES 10u
#define LENGTH_AT    2u
#define PERMANENT    "permanent"
#define VOLATILE     "volatile"
#define CA_KEY	     "ca-key"

enum startup { CLEAR, STATE, NONE };

static struct {
	const char *folder;
	enum startup startup;
	unsigned locality;
	bool off;
} options;

static uint64_t written; /* generation of the permanent state that is on the disk */

static _Noreturn void die(const char *text)
{
	fprintf(stderr, "vtpm: %s\n", text);
	exit(1);
}

/* ---- States ---- */

static void keep_states(void)
{
	struct vtpm_bytes state;
	uint64_t generation = vtpm_permanent(&state);

	if (generation != written)
		file_write(options.folder, PERMANENT, state, true);
	written = generation;
	if (vtpm_volatile(&state) != VTPM_OK)
		die("the volatile state cannot be had");
	file_write(options.folder, VOLATILE, state, false);
	vtpm_free_state(&state);
}

static struct vtpm_bytes command(struct vtpm_bytes bytes)
{
	struct vtpm_bytes response;

	if (vtpm_command(options.locality, bytes, &response) != VTPM_OK)
		die("a command failed without a response");
	return response;
}

static struct vtpm_bytes carry_out(struct vtpm_bytes bytes)
{
	struct vtpm_bytes response = command(bytes);

	keep_states();
	return response;
}

/* Before all of it is made nothing is written. */
static void manufacture(void)
{
	uint8_t ca_key[VTPM_CA_KEY_BYTES];
	const char *failed = vtpm_manufacture(ca_key);

	if (failed) {
		fprintf(stderr, "vtpm: manufacture: %s cannot be made\n", failed);
		exit(1);
	}
	file_write(options.folder, CA_KEY, (struct vtpm_bytes){ ca_key, sizeof(ca_key) }, true);
	mbedtls_platform_zeroize(ca_key, sizeof(ca_key));
}

static void start_up(bool is_new)
{
	static const uint8_t startup[2][12] = {
		[CLEAR] = { 0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x44, 0, 0 },
		[STATE] = { 0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x44, 0, 1 },
	};
	struct vtpm_bytes response;

	if (options.startup == NONE)
		return;
	response = command(
	    (struct vtpm_bytes){ startup[options.startup], sizeof(startup[options.startup]) });
	if (response.length < HEADER_BYTES ||
	    memcmp(response.bytes + HEADER_BYTES - 4, "\0\0\0", 4) != 0)
		die("TPM2_Startup is refused");
	if (is_new)
		manufacture();
	keep_states();
}

static void power_on(void)
{
	struct vtpm_bytes permanent = file_read(options.folder, PERMANENT),
			  volatile_state = file_read(options.folder, VOLATILE);
	bool is_new = permanent.bytes == NULL, running = volatile_state.bytes != NULL;

	if (vtpm_start(permanent, volatile_state) != VTPM_OK)
		die("the states are refused");
	vtpm_free_state(&permanent);
	vtpm_free_state(&volatile_state);
	if (!running)
		start_up(is_new);
}

/* ---- Pipes ---- */

/* Returns false at the end of input before the first byte. */
static bool take(uint8_t *to, size_t bytes)
{
	size_t have = 0;

	while (have < bytes) {
		ssize_t got = read(STDIN_FILENO, to + have, bytes - have);

		if (got == 0 && have == 0)
			return false;
		if (got <= 0)
			die("a command that is cut off");
		have += (size_t)got;
	}
	return true;
}

static void give(struct vtpm_bytes response)
{
	while (response.length > 0) {
		ssize_t put = write(STDOUT_FILENO, response.bytes, response.length);

		if (put < 0)
			die("nobody reads the response");
		response.bytes += put;
		response.length -= (size_t)put;
	}
}

static size_t length_in(const uint8_t *header)
{
	const uint8_t *p = header + LENGTH_AT;

	return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

static void serve(void)
{
	uint8_t command[VTPM_BUFFER_MAX];

	while (take(command, HEADER_BYTES)) {
		size_t length = length_in(command);

		if (length < HEADER_BYTES || length > sizeof(command))
			die("a command of a length that there is not");
		if (length > HEADER_BYTES && !take(command + HEADER_BYTES, length - HEADER_BYTES))
			die("a command that is cut off");
		give(carry_out((struct vtpm_bytes){ command, length }));
	}
}

/* ---- Start ---- */

static enum startup startup_of(const char *name)
{
	static const char
	    *const names[] = { [CLEAR] = "clear", [STATE] = "state", [NONE] = "none" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0)
			return (enum startup)i;
	}
	die("--startup is clear, state or none");
}

static void take_option(int option)
{
	switch (option) {
	case 'd':
		options.folder = optarg;
		break;
	case 's':
		options.startup = startup_of(optarg);
		break;
	case 'l':
		options.locality = (unsigned)strtoul(optarg, NULL, 10);
		break;
	case 'o':
		options.off = true;
		break;
	default:
		exit(2);
	}
}

int main(int argc, char *argv[])
{
	static const struct option known[] = {
		{ "state", required_argument, NULL, 'd' },
		{ "startup", required_argument, NULL, 's' },
		{ "locality", required_argument, NULL, 'l' },
		{ "off", no_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) >= 0)
		take_option(option);
	if (!options.folder || options.locality >= VTPM_LOCALITIES || optind < argc)
		die("usage: vtpm --state DIR [--startup clear|state|none] [--locality N] | --off");
	(void)mkdir(options.folder, 0700);
	if (options.off) {
		file_remove(options.folder, VOLATILE);
		return 0;
	}
	power_on();
	serve();
	vtpm_stop();
	return 0;
}
