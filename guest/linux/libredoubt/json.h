/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Writes JSON, one value after the other. A key is given inside an object, NULL inside an array and
 * for what stands alone. The caller closes what it opens.
 */
#ifndef REDOUBT_GUEST_LINUX_LIBREDOUBT_JSON_H
#define REDOUBT_GUEST_LINUX_LIBREDOUBT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Zero but `out` to begin with. */
struct json {
	FILE *out;
	bool comma; /* the next value follows another */
};

/* `bracket` is { or [, and } or ] to close. */
void json_begin(struct json *json, const char *key, char bracket);
void json_end(struct json *json, char bracket);

void json_number(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);

/* Text of any bytes: what is no printable ASCII is escaped, each byte as one character. */
void json_text(struct json *json, const char *key, const char *text, size_t length);
void json_string(struct json *json, const char *key, const char *text);

/* Bytes as a string of hexadecimal digits. */
void json_hex(struct json *json, const char *key, const void *bytes, size_t count);

#endif
