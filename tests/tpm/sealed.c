/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * In the guest: has the probe seal, or open what it sealed at an earlier start, through
 * /dev/redoubt.
 *
 *   sealed seal           prints the blob in hexadecimal
 *   sealed unseal BLOB    prints what was sealed, or the probe's status
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "guest/linux/redoubt.h"

#define PROBE	   1u
#define BLOB_WORDS 11u
#define FIRST	   0x0123456789abcdefull
#define SECOND	   0xfedcba9876543210ull

/* The probe's requests. */
enum {
#define REQUEST(id, name, arguments, results, summary) PROBE_##name = (id),
#include "guest/trustlets/probe/requests.def"
#undef REQUEST
};

static int device;

static struct redoubt_ioc_request ask(__u32 number, __u64 a, __u64 b, __u64 c)
{
	struct redoubt_ioc_request r = { .partition = PROBE,
		.number = number,
		.words = { a, b, c },
		.wait_ms = 1000 };

	if (ioctl(device, REDOUBT_IOC_REQUEST, &r) < 0) {
		perror("request");
		exit(2);
	}
	return r;
}

static int seal(void)
{
	struct redoubt_ioc_request r = ask(PROBE_seal, FIRST, SECOND, 1);

	if (r.status || r.words[0] != 8 * BLOB_WORDS) {
		printf("status %u\n", r.status);
		return 1;
	}
	printf("blob ");
	for (__u64 i = 0; i < BLOB_WORDS; i++)
		printf("%016llx", ask(PROBE_blob_get, i, 0, 0).words[0]);
	printf("\n");
	return 0;
}

static int unseal(const char *blob)
{
	struct redoubt_ioc_request r;

	for (__u64 i = 0; i < BLOB_WORDS && strlen(blob) == 16 * BLOB_WORDS; i++) {
		unsigned long long word;

		sscanf(blob + 16 * i, "%16llx", &word);
		ask(PROBE_blob_put, i, word, 0);
	}
	r = ask(PROBE_unseal, 8 * BLOB_WORDS, 1, 0);
	if (r.status)
		printf("status %u\n", r.status);
	else
		printf("opened %016llx %016llx\n", r.words[0], r.words[1]);
	return r.status != 0;
}

int main(int argc, char **argv)
{
	device = open(REDOUBT_DEVICE, O_RDWR);
	if (device < 0) {
		perror(REDOUBT_DEVICE);
		return 2;
	}
	if (argc == 2 && strcmp(argv[1], "seal") == 0)
		return seal();
	if (argc == 3 && strcmp(argv[1], "unseal") == 0)
		return unseal(argv[2]);
	return 2;
}
