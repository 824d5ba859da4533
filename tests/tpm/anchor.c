/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * vtpm/ptpm/anchor.c on the host, against the TPM behind a socket, with a party on the bus between
 * the two:
 *
 *   counter SOCKET define|read INDEX AUTH          AUTH: 64 hexadecimal digits
 *   counter SOCKET increment INDEX AUTH TIMES
 *   counter SOCKET flips INDEX AUTH                each bit of each answer to a read, one at a time
 *   counter SOCKET replay INDEX AUTH WHAT          old answers: the last one of a read, or all
 *   counter SOCKET redirect INDEX AUTH OTHER       the command goes to another index
 *   counter SOCKET busy INDEX AUTH CODE TIMES      patience is asked for at each command
 *   counter SOCKET meddle INDEX AUTH               someone else who has it counts too
 *   counter SOCKET cut INDEX AUTH VERB NUMBER      no answer to that command, counted from 0
 *   counter SOCKET relay                           one command on stdin, the response on stdout
 *
 * One line on stdout tells the result, the value, and the TPM's code.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/vtpm/ptpm_rt.h"
#include "vtpm/ptpm/anchor.h"

#define CC_START_SESSION 0x176u
#define CC_FLUSH	 0x165u
#define NONE		 ~0u
#define MOST		 16u /* exchanges that are kept */
#define BYTES		 4096u

static int where = -1;
static struct ptpm ptpm;
static uint8_t auth[ANCHOR_AUTH_BYTES];
static uint32_t counter;

struct answer {
	uint8_t bytes[256];
	size_t size;
};

/* The party on the bus. */
static struct {
	unsigned exchanges; /* so far */
	unsigned cut;	    /* exchange that has no answer */
	unsigned flip, bit; /* exchange, bit of its answer */
	unsigned busy, left;
	uint32_t code;
	uint32_t redirect; /* index that is put in */
	unsigned meddle;   /* exchange in front of which someone else counts */
	unsigned replay;   /* from this exchange on: old answers */
	uint32_t session;  /* that the TPM opened */
	struct answer now[MOST], old[MOST];
} bus;

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		die("path");
	strcpy(address.sun_path, path);
	where = socket(AF_UNIX, SOCK_STREAM, 0);
	if (where < 0 || connect(where, (struct sockaddr *)&address, sizeof(address)))
		die(path);
}

static size_t transmit(const uint8_t *command, size_t size, uint8_t *response, size_t room)
{
	ssize_t bytes;

	if (write(where, command, size) != (ssize_t)size)
		die("write");
	bytes = read(where, response, room);
	if (bytes < 0)
		die("read");
	return (size_t)bytes;
}

static uint32_t word(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void put_word(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * (3 - i));
}

/* ---- The bus ---- */

static void bus_start(void)
{
	bus.exchanges = bus.session = bus.redirect = 0;
	bus.cut = bus.flip = bus.replay = bus.meddle = NONE;
	bus.busy = bus.left = 0;
}

static size_t error(uint32_t code, uint8_t *response)
{
	memcpy(response, "\x80\x01\0\0\0\x0a", 6);
	put_word(response + 6, code);
	return 10;
}

/* Both handles of an authorized command. */
static void redirect(uint8_t *command)
{
	if (bus.redirect && command[1] == 2) {
		put_word(command + 10, bus.redirect);
		put_word(command + 14, bus.redirect);
	}
}

/* TPM2_NV_Increment, with the authorization as a password. */
static void count(void)
{
	uint8_t command[10 + 8 + 4 + 9 + ANCHOR_AUTH_BYTES] = { 0x80, 2, 0, 0, 0, sizeof(command),
		0, 0, 1, 0x34 },
					 response[BYTES];

	put_word(command + 10, counter);
	put_word(command + 14, counter);
	memcpy(command + 18, "\0\0\0\x29\x40\0\0\t\0\0\0\0\x20", 13);
	memcpy(command + sizeof(command) - sizeof(auth), auth, sizeof(auth));
	transmit(command, sizeof(command), response, sizeof(response));
}

static size_t change(unsigned exchange, uint8_t *response, size_t size)
{
	if (exchange >= bus.replay) {
		memcpy(response, bus.old[exchange].bytes, bus.old[exchange].size);
		return bus.old[exchange].size;
	}
	bus.now[exchange].size = size;
	memcpy(bus.now[exchange].bytes, response, size);
	if (exchange == bus.flip)
		response[bus.bit / 8] ^= (uint8_t)(1u << bus.bit % 8);
	return size;
}

static bool patience(void)
{
	if (bus.left == 0) {
		bus.left = bus.busy;
		return false;
	}
	bus.left--;
	return true;
}

size_t ptpm_command(struct ptpm *tpm, const uint8_t *command, size_t size, uint8_t *response,
    size_t room)
{
	uint8_t sent[BYTES];
	unsigned exchange;

	if (bus.busy && patience())
		return error(bus.code, response);
	exchange = bus.exchanges++;
	if (exchange >= MOST)
		exchange = MOST - 1;
	if (exchange == bus.cut) {
		tpm->reason = "it was cut off";
		return 0;
	}
	if (exchange == bus.meddle)
		count();
	memcpy(sent, command, size);
	redirect(sent);
	size = transmit(sent, size, response, room);
	if (word(sent + 6) == CC_START_SESSION && size >= 14)
		bus.session = word(response + 10);
	return change(exchange, response, size);
}

/* What the party on the bus kept from being ended. */
static void flush(void)
{
	uint8_t command[14] = { 0x80, 1, 0, 0, 0, 14, 0, 0, 1, CC_FLUSH & 0xff }, response[BYTES];

	put_word(command + 10, bus.session);
	if (bus.session)
		transmit(command, sizeof(command), response, sizeof(response));
}

/* ---- Commands ---- */

static const char *name(enum anchor_result result)
{
	static const char *const names[] = {
#define ANCHOR_RESULT(name, sentence) #name,
#include "vtpm/ptpm/anchor.def"
#undef ANCHOR_RESULT
	};

	return result < ANCHOR_RESULTS && anchor_sentence(result) ? names[result] : "unknown";
}

static int tell(enum anchor_result result, uint64_t value)
{
	printf("%s", name(result));
	if (result == ANCHOR_OK)
		printf(" %llu", (unsigned long long)value);
	else if (value)
		printf(" LEFT");
	if (result == ANCHOR_ERROR)
		printf(" 0x%x", (unsigned)ptpm.code);
	printf("\n");
	return result != ANCHOR_OK;
}

static int do_define(char **args)
{
	return tell(anchor_define(&ptpm, counter, auth), 0);
}

static int do_read(char **args)
{
	uint64_t value = 1;
	enum anchor_result result = anchor_read(&ptpm, counter, auth, &value);

	return tell(result, value);
}

static int do_increment(char **args)
{
	uint64_t value = 0, last = 0;
	unsigned times = (unsigned)atoi(args[0]);

	for (unsigned i = 0; i < times; i++) {
		enum anchor_result result = anchor_increment(&ptpm, counter, auth, &value);

		if (result != ANCHOR_OK)
			return tell(result, value);
		if (i && value != last + 1) {
			printf("from %llu to %llu\n", (unsigned long long)last,
			    (unsigned long long)value);
			return 1;
		}
		last = value;
	}
	return tell(ANCHOR_OK, value);
}

/* How many bits of an exchange's answer were passed over, with the right value nevertheless. */
static unsigned flips(unsigned exchange, unsigned bits, uint64_t right, unsigned *results)
{
	unsigned passed = 0;

	for (unsigned bit = 0; bit < bits; bit++) {
		uint64_t value = 0;
		enum anchor_result result;

		bus_start();
		bus.flip = exchange;
		bus.bit = bit;
		result = anchor_read(&ptpm, counter, auth, &value);
		bus.flip = NONE;
		flush();
		results[result]++;
		if (result == ANCHOR_OK && value != right) {
			printf("bit %u of answer %u: %llu\n", bit, exchange,
			    (unsigned long long)value);
			exit(1);
		}
		passed += result == ANCHOR_OK;
	}
	return passed;
}

static int do_flips(char **args)
{
	unsigned results[ANCHOR_RESULTS] = { 0 }, exchanges;
	size_t sizes[MOST];
	uint64_t right;

	if (anchor_read(&ptpm, counter, auth, &right) != ANCHOR_OK)
		return tell(ANCHOR_ERROR, 0);
	exchanges = bus.exchanges;
	for (unsigned i = 0; i < exchanges; i++)
		sizes[i] = bus.now[i].size;
	for (unsigned i = 0; i < exchanges; i++)
		printf("%zu:%u ", 8 * sizes[i], flips(i, 8 * (unsigned)sizes[i], right, results));
	for (unsigned i = 0; i < ANCHOR_RESULTS; i++)
		if (results[i])
			printf("%s ", name(i));
	printf("\n");
	return 0;
}

static int do_replay(char **args)
{
	uint64_t value;
	enum anchor_result result = anchor_read(&ptpm, counter, auth, &value);

	memcpy(bus.old, bus.now, sizeof(bus.old));
	if (result != ANCHOR_OK || anchor_increment(&ptpm, counter, auth, &value) != ANCHOR_OK)
		return tell(ANCHOR_ERROR, 0);
	bus_start();
	bus.replay = strcmp(args[0], "all") == 0 ? 0 : 2;
	result = anchor_read(&ptpm, counter, auth, &value);
	bus.replay = NONE;
	flush();
	return tell(result, value);
}

static int do_redirect(char **args)
{
	bus.redirect = (uint32_t)strtoul(args[0], NULL, 0);
	return do_read(args);
}

/* Ahead of the last command, which reads the value again. */
static int do_meddle(char **args)
{
	uint64_t value = 0;
	enum anchor_result result;

	bus.meddle = 4;
	result = anchor_increment(&ptpm, counter, auth, &value);
	return tell(result, value);
}

static int do_busy(char **args)
{
	bus.code = (uint32_t)strtoul(args[0], NULL, 0);
	bus.left = bus.busy = (unsigned)atoi(args[1]);
	return do_read(args);
}

static int do_relay(void)
{
	static uint8_t command[BYTES], response[BYTES];
	size_t size;

	while (fread(command, 1, 10, stdin) == 10) {
		size = word(command + 2);
		if (size < 10 || size > sizeof(command) ||
		    fread(command + 10, 1, size - 10, stdin) != size - 10)
			return 1;
		fwrite(response, 1, transmit(command, size, response, sizeof(response)), stdout);
		fflush(stdout);
	}
	return 0;
}

static const struct row {
	const char *name;
	int args;
	int (*run)(char **args);
} commands[];

static int run(const char *verb, int count, char **args);

static int do_cut(char **args)
{
	static char once[] = "1", *times[] = { once };

	bus.cut = (unsigned)atoi(args[1]);
	return run(args[0], strcmp(args[0], "increment") == 0, times);
}

static const struct row commands[] = {
	{ "define", 0, do_define },
	{ "read", 0, do_read },
	{ "increment", 1, do_increment },
	{ "flips", 0, do_flips },
	{ "replay", 1, do_replay },
	{ "redirect", 1, do_redirect },
	{ "meddle", 0, do_meddle },
	{ "busy", 2, do_busy },
	{ "cut", 2, do_cut },
};

static int run(const char *verb, int count, char **args)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].args == count && strcmp(verb, commands[i].name) == 0)
			return commands[i].run(args);
	fprintf(stderr, "usage: see %s\n", __FILE__);
	return 2;
}

int main(int count, char **args)
{
	if (count < 3)
		return run("", 0, args);
	connect_to(args[1]);
	if (strcmp(args[2], "relay") == 0)
		return do_relay();
	if (count < 5)
		return run("", 0, args);
	counter = (uint32_t)strtoul(args[3], NULL, 0);
	for (unsigned i = 0; i < sizeof(auth); i++)
		sscanf(args[4] + 2 * i, "%2hhx", &auth[i]);
	ptpm_clock.step = 1000000;
	bus_start();
	return run(args[2], count - 5, args + 5);
}
