/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* redoubtctl partitions, redoubtctl restart. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest/linux/libredoubt/json.h"
#include "guest/linux/libredoubt/libredoubt.h"
#include "guest/linux/libredoubt/names.h"
#include "guest/linux/redoubtctl/redoubtctl.h"

static void print_hex(const char *what, const uint8_t *bytes, size_t count)
{
	printf("     %-12s", what);
	for (size_t i = 0; i < count; i++)
		printf("%02x", bytes[i]);
	printf("\n");
}

/* An id is the image's text: nothing in it may move a terminal's cursor. */
static void print_id(const struct redoubt_ioc_partition *partition)
{
	for (size_t i = 0; i < sizeof(partition->id) && partition->id[i]; i++) {
		char c = partition->id[i];

		putchar(c >= ' ' && c <= '~' ? c : '?');
	}
}

static void print_text(const struct redoubt_ioc_partition *partition)
{
	printf("%3" PRIu32 "  ", partition->number);
	print_id(partition);
	printf(": %s, SVN %" PRIu32 ", ", redoubt_state_name(partition->state), partition->svn);
	if (partition->memory)
		printf("%" PRIu64 " bytes, ", (uint64_t)partition->memory);
	printf("%" PRIu64 " requests served\n", (uint64_t)partition->served);
	print_hex("measurement", partition->measurement, sizeof(partition->measurement));
	print_hex("signer", partition->signer, sizeof(partition->signer));
}

static void print_json(struct json *json, const struct redoubt_ioc_partition *partition)
{
	json_begin(json, NULL, '{');
	json_number(json, "number", partition->number);
	json_text(json, "id", partition->id, strnlen(partition->id, sizeof(partition->id)));
	json_string(json, "state", redoubt_state_name(partition->state));
	json_number(json, "svn", partition->svn);
	json_number(json, "flags", partition->flags);
	json_number(json, "memory", partition->memory);
	json_number(json, "served", partition->served);
	json_hex(json, "measurement", partition->measurement, sizeof(partition->measurement));
	json_hex(json, "signer", partition->signer, sizeof(partition->signer));
	json_end(json, '}');
}

/* Prints each; 0, or the error that ended it. */
static int print_each(int fd, struct json *json)
{
	struct redoubt_ioc_partition partition;
	unsigned int count = 0;

	for (uint32_t number = 1; number <= REDOUBT_PARTITION_MAX; number++) {
		int error = redoubt_get_partition(fd, number, &partition);

		if (error == -ENOENT)
			continue;
		if (error)
			return error;
		count++;
		if (json)
			print_json(json, &partition);
		else
			print_text(&partition);
	}
	if (!count && !json)
		printf("There is no secure partition.\n");
	return 0;
}

/* Whether the monitor knows partitions is asked before anything is printed. */
static int ask_first(int fd)
{
	struct redoubt_ioc_partition partition;
	int error = redoubt_get_partition(fd, 1, &partition);

	return error == -ENOENT ? 0 : error;
}

int command_partitions(const struct options *options)
{
	struct json json = { .out = stdout };
	int fd, error, status;

	if (!open_device(false, &fd, &status))
		return status;
	error = ask_first(fd);
	if (!error && options->json) {
		json_begin(&json, NULL, '{');
		json_begin(&json, "partitions", '[');
		error = print_each(fd, &json);
		json_end(&json, ']');
		json_end(&json, '}');
		printf("\n");
	} else if (!error) {
		error = print_each(fd, NULL);
	}
	close(fd);
	return error ? say_error(error, "partitions") : EXIT_DONE;
}

int command_restart(const struct options *options)
{
	struct json json = { .out = stdout };
	int fd, error, status;

	if (!open_device(true, &fd, &status))
		return status;
	error = redoubt_restart_partition(fd, options->number);
	close(fd);
	if (error)
		return say_error(error, "partition that could be restarted");
	if (options->json) {
		json_begin(&json, NULL, '{');
		json_number(&json, "restarted", options->number);
		json_end(&json, '}');
		printf("\n");
	}
	return EXIT_DONE;
}
