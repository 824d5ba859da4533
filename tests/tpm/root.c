/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The loader's code for a sealed root key, on the host, against the TPM behind a socket or device:
 *
 *   root WHERE seal FILE KEY ORIGIN   seals a key of 64 hexadecimal digits, writes the file
 *   root WHERE unseal FILE            opens the file
 *   root WHERE force FILE             asks the TPM to open it, whatever the loader would make of it
 *   root WHERE extend PCR TEXT        extends a PCR by the SHA-256 of a text
 *   root WHERE relay                  takes one command on stdin, gives the response on stdout
 *
 * WHERE is the path of swtpm's socket, or of Linux' TPM device. Options: cut=N, the connection
 * fails at command N. One line on stdout tells the result.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "boot/root_seal.h"

#define HEAD_BYTES (sizeof(ROOT_MAGIC) - 1 + TPM_PCRS * SHA256_BYTES)

static int where = -1;
static unsigned sent, cut = ~0u;

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	where = open(path, O_RDWR);
	if (where >= 0)
		return;
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

	if (sent++ == cut)
		return 0;
	if (write(where, command, size) != (ssize_t)size)
		die("write");
	bytes = read(where, response, room);
	if (bytes < 0)
		die("read");
	return (size_t)bytes;
}

static size_t submit(struct tpm *tpm, struct blob command, bool again)
{
	if (again)
		usleep(1000);
	return transmit(command.data, command.size, tpm->response, TPM_BYTES);
}

static const char *const results[] = {
	[ROOT_OK] = "ok",
	[ROOT_DAMAGED] = "damaged",
	[ROOT_CHANGED] = "changed",
	[ROOT_FOREIGN] = "foreign",
	[ROOT_FORGED] = "forged",
	[ROOT_FAILED] = "failed",
};

static void tell(const struct tpm *tpm, enum root_result result)
{
	if (result == ROOT_FAILED)
		printf("failed %s 0x%x\n", tpm->name, (unsigned)tpm->code);
	else
		printf("%s", results[result]);
}

static int do_seal(struct tpm *tpm, char **args)
{
	struct root_secret secret = { .origin = (uint8_t)atoi(args[2]) };
	uint8_t blob[ROOT_BLOB_MAX];
	enum root_result result;
	size_t size;
	FILE *file;

	for (unsigned i = 0; i < SHA256_BYTES; i++)
		sscanf(args[1] + 2 * i, "%2hhx", &secret.key[i]);
	result = root_seal(tpm, &secret, blob, &size);
	tell(tpm, result);
	if (result != ROOT_OK)
		return 1;
	file = fopen(args[0], "wb");
	if (!file || fwrite(blob, 1, size, file) != size || fclose(file))
		die(args[0]);
	printf(" %zu bytes, washed %d\n", size, tpm_wash(tpm));
	return 0;
}

static int do_unseal(struct tpm *tpm, char **args)
{
	uint8_t whole[2 * ROOT_BLOB_MAX], *blob;
	struct root_secret secret;
	unsigned changed, any = 0;
	enum root_result result;
	size_t size;
	FILE *file = fopen(args[0], "rb");

	if (!file)
		die(args[0]);
	size = fread(whole, 1, sizeof(whole), file);
	fclose(file);
	blob = malloc(size ? size : 1); /* so that a byte too far is noticed */
	memcpy(blob, whole, size);
	result = root_unseal(tpm, (struct blob){ blob, size }, &secret, &changed);
	free(blob);
	tell(tpm, result);
	for (unsigned i = 0; i < sizeof(secret); i++)
		any |= ((const uint8_t *)&secret)[i];
	if (result != ROOT_OK && any)
		printf(" LEAKED");
	if (result == ROOT_CHANGED)
		printf(" %u", changed);
	if (result == ROOT_OK) {
		printf(" %u ", secret.origin);
		for (unsigned i = 0; i < SHA256_BYTES; i++)
			printf("%02x", secret.key[i]);
		printf(" washed %d", tpm_wash(tpm));
	}
	printf("\n");
	return result != ROOT_OK;
}

/* A file as it was written; what the TPM itself says to a session that meets the policy of now. */
static int do_force(struct tpm *tpm, char **args)
{
	uint8_t file[ROOT_BLOB_MAX], secret[sizeof(struct root_secret)];
	struct tpm_object object = { 0 };
	uint32_t primary, handle, session;
	FILE *from = fopen(args[0], "rb");
	struct blob parts = { file + HEAD_BYTES, 0 };
	size_t size;
	bool good;

	if (!from)
		die(args[0]);
	size = fread(file, 1, sizeof(file), from);
	fclose(from);
	parts.size = size < HEAD_BYTES ? 0 : size - HEAD_BYTES;
	if (!tpm_cut(&parts, &object.private_part) || !tpm_cut(&parts, &object.public_part))
		return 2;
	good = tpm_primary(tpm, &primary) && tpm_load(tpm, primary, &object, &handle) &&
	    tpm_session(tpm, false, &session) && tpm_policy_pcr(tpm, session, NULL) &&
	    tpm_unseal(tpm, handle, session, secret, sizeof(secret));
	if (good)
		printf("ok\n");
	else
		tell(tpm, ROOT_FAILED);
	return !good;
}

static int do_extend(struct tpm *tpm, char **args)
{
	uint8_t command[65] = { 0x80, 2, 0, 0, 0, 65, 0, 0, 1, 0x82 };
	struct sha256 hash;

	command[13] = (uint8_t)atoi(args[0]);
	memcpy(command + 14, "\0\0\0\t\x40\0\0\t\0\0\0\0\0\0\0\0\1\0\x0b", 19);
	sha256_start(&hash);
	sha256_add(&hash, args[1], strlen(args[1]));
	sha256_end(&hash, command + 33);
	if (transmit(command, sizeof(command), tpm->response, TPM_BYTES) < 10 ||
	    memcmp(tpm->response + 6, "\0\0\0\0", 4) != 0) {
		printf("not extended\n");
		return 1;
	}
	printf("extended\n");
	return 0;
}

/* For tpm2-tools' transport "cmd". */
static int do_relay(struct tpm *tpm, char **args)
{
	static uint8_t command[4096], response[4096];
	size_t size, bytes;

	(void)args;
	while (fread(command, 1, 10, stdin) == 10) {
		size = (size_t)command[4] << 8 | command[5];
		if (size < 10 || size > sizeof(command) ||
		    fread(command + 10, 1, size - 10, stdin) != size - 10)
			return 1;
		bytes = transmit(command, size, response, sizeof(response));
		fwrite(response, 1, bytes, stdout);
		fflush(stdout);
	}
	return 0;
}

static const struct {
	const char *name;
	int args;
	int (*run)(struct tpm *tpm, char **args);
} commands[] = {
	{ "seal", 3, do_seal },
	{ "unseal", 1, do_unseal },
	{ "force", 1, do_force },
	{ "extend", 2, do_extend },
	{ "relay", 0, do_relay },
};

int main(int count, char **args)
{
	static struct tpm tpm = { .submit = submit };

	if (count > 1 && strncmp(args[count - 1], "cut=", 4) == 0)
		cut = (unsigned)atoi(args[--count] + 4);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (count != 3 + commands[i].args || strcmp(args[2], commands[i].name) != 0)
			continue;
		connect_to(args[1]);
		return commands[i].run(&tpm, args + 3);
	}
	fprintf(stderr, "usage: see %s\n", __FILE__);
	return 2;
}
