/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * For judged.py: `judged digest FILE` prints the digest of a PE file, `judged log` writes a log,
 * and `judged final` the table of final events with the same events.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/authenticode.h"
#include "boot/tcg_log.h"

#define ROOM 4096u

/* Ends the program if there is no such file. */
static uint8_t *whole_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data;
	long length;

	if (!file || fseek(file, 0, SEEK_END) || (length = ftell(file)) <= 0)
		exit(2);
	rewind(file);
	data = malloc((size_t)length);
	*size = data ? fread(data, 1, (size_t)length, file) : 0;
	fclose(file);
	return data;
}

static int print_digest(const char *path)
{
	uint8_t digest[SHA256_BYTES];
	size_t size;
	uint8_t *data = whole_file(path, &size);
	bool good = authenticode_sha256((struct blob){ data, size }, digest);

	for (unsigned i = 0; good && i < SHA256_BYTES; i++)
		printf("%02x", digest[i]);
	puts(good ? "" : "refused");
	free(data);
	return 0;
}

static int write_log(bool final)
{
	static const struct {
		uint32_t pcr, type;
		const char *data;
	} events[] = {
		{ 0, EV_S_CRTM_VERSION, "R" },
		{ 4, EV_EFI_ACTION, "Calling EFI Application from Boot Option" },
		{ 4, EV_SEPARATOR, "\0\0\0" },
		{ 4, EV_EFI_ACTION, "again" },
		{ 5, EV_EFI_ACTION, "" },
	};
	uint8_t memory[ROOM];
	struct tcg_log log;

	if (final)
		tcg_log_start_final(&log, memory, ROOM);
	else
		tcg_log_start(&log, memory, ROOM);
	for (unsigned i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		struct tcg_event event = { .pcr = events[i].pcr, .type = events[i].type };

		event.data.data = (const uint8_t *)events[i].data;
		event.data.size = event.type == EV_SEPARATOR ? 4 : strlen(events[i].data);
		tcg_digest(&event, event.data);
		if (!tcg_log_add(&log, &event))
			return 1;
	}
	return fwrite(memory, 1, log.used, stdout) != log.used;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "digest") == 0)
		return print_digest(argv[2]);
	if (argc == 2)
		return write_log(strcmp(argv[1], "final") == 0);
	return 2;
}
