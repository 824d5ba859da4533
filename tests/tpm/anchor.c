/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * vtpm/ptpm/anchor.c on the host, against the TPM behind a socket, with a party on the bus between
 * the two:
 *
 *   anchor SOCKET AUTH VERB                        AUTH, VALUE: 64 hexadecimal digits each
 *   anchor SOCKET AUTH cut NUMBER VERB             that command is lost, counted from 0
 *   anchor SOCKET AUTH lost NUMBER VERB            its answer is
 *   anchor SOCKET AUTH busy CODE TIMES VERB        patience is asked for at each command
 *   anchor SOCKET AUTH redirect OTHER VERB         the authorized command goes to another index
 *   anchor SOCKET relay                            one command on stdin, the response on stdout
 *
 * VERB is one of these, and what it takes:
 *
 *   define, undefine, read, look, write VALUE
 *   writes TIMES                    each of another value, each read back
 *   flips read|write                each bit of each answer to it, one at a time
 *   replay read|write last|all      old answers in the place of new ones
 *   held VALUE LATER                a write that the party brings when a later one was carried out
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
static bool sent; /* the last write was */
static uint8_t auth[ANCHOR_AUTH_BYTES];

struct bytes {
	uint8_t bytes[256];
	size_t size;
};

/* The party on the bus. Its exchanges are counted from 0. */
static struct {
	unsigned exchanges; /* so far */
	unsigned cut;	    /* exchange whose command does not arrive */
	unsigned lost;	    /* exchange whose answer does not */
	unsigned flip, bit; /* exchange, bit of its answer */
	unsigned replay;    /* from this exchange on: old answers, the TPM is not asked */
	unsigned hold;	    /* exchange whose command is kept; none gets through from there on */
	unsigned busy, left;
	uint32_t code;
	uint32_t redirect; /* index that is put in */
	uint32_t session;  /* that the TPM opened */
	struct bytes now[MOST], old[MOST], held;
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
	bus.cut = bus.lost = bus.flip = bus.replay = bus.hold = NONE;
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

static void keep(struct bytes *in, const uint8_t *bytes, size_t size)
{
	in->size = size < sizeof(in->bytes) ? size : sizeof(in->bytes);
	memcpy(in->bytes, bytes, in->size);
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

static size_t silence(struct ptpm *tpm)
{
	tpm->reason = "it was cut off";
	return 0;
}

/* The TPM's answer, after what the party does to it. */
static size_t ask_tpm(unsigned exchange, const uint8_t *command, size_t size, uint8_t *response)
{
	uint8_t passed[BYTES];

	memcpy(passed, command, size);
	redirect(passed);
	size = transmit(passed, size, response, BYTES);
	if (word(passed + 6) == CC_START_SESSION && size >= 14)
		bus.session = word(response + 10);
	keep(&bus.now[exchange], response, size);
	if (exchange == bus.flip)
		response[bus.bit / 8] ^= (uint8_t)(1u << bus.bit % 8);
	return size;
}

size_t ptpm_command(struct ptpm *tpm, const uint8_t *command, size_t size, uint8_t *response,
    size_t room)
{
	uint8_t answer[BYTES];
	unsigned exchange;

	if (bus.busy && patience())
		return error(bus.code, response);
	exchange = bus.exchanges < MOST ? bus.exchanges++ : MOST - 1;
	if (exchange == bus.hold)
		keep(&bus.held, command, size);
	if (exchange == bus.cut || exchange >= bus.hold)
		return silence(tpm);
	if (exchange >= bus.replay) {
		size = bus.old[exchange].size;
		memcpy(answer, bus.old[exchange].bytes, size);
	} else {
		size = ask_tpm(exchange, command, size, answer);
	}
	if (exchange == bus.lost)
		return silence(tpm);
	memcpy(response, answer, size < room ? size : room);
	return size < room ? size : room;
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

static bool is_zero(const uint8_t value[ANCHOR_BYTES])
{
	static const uint8_t zeros[ANCHOR_BYTES];

	return memcmp(value, zeros, sizeof(zeros)) == 0;
}

/* `value` is NULL where there is none. */
static int tell(enum anchor_result result, const uint8_t *value)
{
	printf("%s", name(result));
	if (result == ANCHOR_OK && value)
		printf(" ");
	for (unsigned i = 0; result == ANCHOR_OK && value && i < ANCHOR_BYTES; i++)
		printf("%02x", value[i]);
	if (result != ANCHOR_OK && value && !is_zero(value))
		printf(" LEFT");
	if (result == ANCHOR_ERROR)
		printf(" 0x%x", (unsigned)ptpm.code);
	printf("\n");
	return result != ANCHOR_OK;
}

static void parse(const char *digits, uint8_t bytes[32])
{
	for (unsigned i = 0; i < 32; i++)
		if (sscanf(digits + 2 * i, "%2hhx", &bytes[i]) != 1)
			die("digits");
}

/* Another one each time. */
static void make_value(uint8_t value[ANCHOR_BYTES])
{
	static uint32_t number;

	memset(value, 0xa5, ANCHOR_BYTES);
	put_word(value + 7, ++number);
}

static enum anchor_result read_it(uint8_t value[ANCHOR_BYTES])
{
	memset(value, 0xff, ANCHOR_BYTES);
	return anchor_read(&ptpm, auth, value);
}

static int do_define(char **args)
{
	return tell(anchor_define(&ptpm, auth), NULL);
}

static int do_undefine(char **args)
{
	return tell(anchor_undefine(&ptpm), NULL);
}

static int do_read(char **args)
{
	uint8_t value[ANCHOR_BYTES];
	enum anchor_result result = read_it(value);

	return tell(result, value);
}

static int do_look(char **args)
{
	uint8_t value[ANCHOR_BYTES];
	enum anchor_result result;

	memset(value, 0xff, sizeof(value));
	result = anchor_look(&ptpm, value);
	return tell(result, value);
}

static int do_write(char **args)
{
	uint8_t value[ANCHOR_BYTES];

	parse(args[0], value);
	return tell(anchor_write(&ptpm, auth, value, &sent), NULL);
}

static int do_writes(char **args)
{
	uint8_t value[ANCHOR_BYTES] = { 0 }, back[ANCHOR_BYTES];
	unsigned times = (unsigned)atoi(args[0]);

	for (unsigned i = 0; i < times; i++) {
		enum anchor_result result;

		make_value(value);
		result = anchor_write(&ptpm, auth, value, &sent);
		if (result == ANCHOR_OK)
			result = read_it(back);
		if (result != ANCHOR_OK)
			return tell(result, NULL);
		if (memcmp(value, back, sizeof(value)) != 0) {
			printf("write %u: ", i);
			return tell(result, back);
		}
	}
	return tell(ANCHOR_OK, value);
}

/* ---- Answers that are changed, or old ---- */

/* An honest reading of what the TPM has. */
static void look(uint8_t value[ANCHOR_BYTES])
{
	enum anchor_result result;

	bus_start();
	result = read_it(value);
	if (result != ANCHOR_OK) {
		printf("afterwards: ");
		tell(result, value);
		exit(1);
	}
}

static enum anchor_result try(bool writes, uint8_t value[ANCHOR_BYTES])
{
	if (!writes)
		return read_it(value);
	make_value(value);
	return anchor_write(&ptpm, auth, value, &sent);
}

/*
 * With an answer that was changed. A value that is believed is the TPM's; what is said to be
 * written is, and otherwise nothing else was.
 */
static enum anchor_result try_flip(bool writes, unsigned exchange, unsigned bit)
{
	uint8_t before[ANCHOR_BYTES], value[ANCHOR_BYTES], after[ANCHOR_BYTES];
	enum anchor_result result;
	bool same, right;

	look(before);
	bus_start();
	bus.flip = exchange;
	bus.bit = bit;
	result = try(writes, value);
	bus.flip = NONE;
	flush();
	look(after);
	same = memcmp(value, after, sizeof(value)) == 0;
	if (result == ANCHOR_OK)
		right = same;
	else if (writes)
		right = same || memcmp(before, after, sizeof(after)) == 0;
	else
		right = is_zero(value);
	if (!right) {
		printf("bit %u of answer %u: ", bit, exchange);
		tell(result, value);
		exit(1);
	}
	return result;
}

/* For each exchange: bits, and of how many it was OK nevertheless; then all results. */
static int do_flips(char **args)
{
	unsigned results[ANCHOR_RESULTS] = { 0 }, sizes[MOST], exchanges;
	bool writes = strcmp(args[0], "write") == 0;
	uint8_t value[ANCHOR_BYTES];
	enum anchor_result result = try(writes, value);

	if (result != ANCHOR_OK)
		return tell(result, NULL);
	exchanges = bus.exchanges;
	for (unsigned i = 0; i < exchanges; i++)
		sizes[i] = 8 * (unsigned)bus.now[i].size;
	for (unsigned i = 0; i < exchanges; i++) {
		unsigned passed = results[ANCHOR_OK];

		for (unsigned bit = 0; bit < sizes[i]; bit++)
			results[try_flip(writes, i, bit)]++;
		printf("%u:%u ", sizes[i], results[ANCHOR_OK] - passed);
	}
	for (unsigned i = 0; i < ANCHOR_RESULTS; i++)
		if (results[i])
			printf("%s ", name(i));
	printf("\n");
	return 0;
}

static int do_replay(char **args)
{
	bool writes = strcmp(args[0], "write") == 0;
	uint8_t value[ANCHOR_BYTES], before[ANCHOR_BYTES], after[ANCHOR_BYTES];
	enum anchor_result result = try(writes, value);

	if (result != ANCHOR_OK)
		return tell(result, NULL);
	memcpy(bus.old, bus.now, sizeof(bus.old));
	if (try(true, before) != ANCHOR_OK)
		return tell(ANCHOR_ERROR, NULL);
	bus_start();
	bus.replay = strcmp(args[1], "all") == 0 ? 0 : 2;
	result = try(writes, value);
	bus.replay = NONE;
	flush();
	look(after);
	printf("%s", memcmp(before, after, sizeof(after)) == 0 ? "" : "changed, ");
	return tell(result, writes ? NULL : value);
}

static int do_held(char **args)
{
	uint8_t response[BYTES], value[ANCHOR_BYTES];
	enum anchor_result result;

	parse(args[0], value);
	bus.hold = 2;
	result = anchor_write(&ptpm, auth, value, &sent);
	bus.hold = NONE;
	printf("%s ", name(result));
	parse(args[1], value);
	printf("%s ", name(anchor_write(&ptpm, auth, value, &sent)));
	transmit(bus.held.bytes, bus.held.size, response, sizeof(response));
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

/* ---- The command line ---- */

static int run(char **args);

static int do_cut(char **args)
{
	bus.cut = (unsigned)atoi(args[0]);
	return run(args + 1);
}

static int do_lost(char **args)
{
	bus.lost = (unsigned)atoi(args[0]);
	return run(args + 1);
}

static int do_busy(char **args)
{
	bus.code = (uint32_t)strtoul(args[0], NULL, 0);
	bus.left = bus.busy = (unsigned)atoi(args[1]);
	return run(args + 2);
}

static int do_redirect(char **args)
{
	bus.redirect = (uint32_t)strtoul(args[0], NULL, 0);
	return run(args + 1);
}

static const struct row {
	const char *name;
	int args;
	bool verb; /* and so no more arguments */
	int (*run)(char **args);
} commands[] = {
	{ "define", 0, true, do_define },
	{ "undefine", 0, true, do_undefine },
	{ "read", 0, true, do_read },
	{ "look", 0, true, do_look },
	{ "write", 1, true, do_write },
	{ "writes", 1, true, do_writes },
	{ "flips", 1, true, do_flips },
	{ "replay", 2, true, do_replay },
	{ "held", 2, true, do_held },
	{ "cut", 1, false, do_cut },
	{ "lost", 1, false, do_lost },
	{ "busy", 2, false, do_busy },
	{ "redirect", 1, false, do_redirect },
};

static int run(char **args)
{
	int count = 0;

	while (args[count])
		count++;
	for (size_t i = 0; count && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(args[0], commands[i].name) == 0 &&
		    (commands[i].verb ? count - 1 == commands[i].args
				      : count - 1 > commands[i].args))
			return commands[i].run(args + 1);
	fprintf(stderr, "usage: see %s\n", __FILE__);
	return 2;
}

int main(int count, char **args)
{
	if (count < 3)
		return run(args + count);
	connect_to(args[1]);
	if (strcmp(args[2], "relay") == 0)
		return do_relay();
	if (strlen(args[2]) != 2 * sizeof(auth))
		return run(args + count);
	parse(args[2], auth);
	ptpm_clock.step = 1000000;
	bus_start();
	return run(args + 3);
}
