/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* JSON; see json.h. */
#include "guest/linux/libredoubt/json.h"

#include <inttypes.h>
#include <string.h>

static void put_text(FILE *out, const char *text, size_t length)
{
	fputc('"', out);
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte == '"' || byte == '\\')
			fprintf(out, "\\%c", byte);
		else if (byte < ' ' || byte > '~')
			fprintf(out, "\\u%04x", byte);
		else
			fputc(byte, out);
	}
	fputc('"', out);
}

/* What stands before a value. */
static void lead(struct json *json, const char *key)
{
	if (json->comma)
		fputc(',', json->out);
	json->comma = true;
	if (key) {
		put_text(json->out, key, strlen(key));
		fputc(':', json->out);
	}
}

void json_begin(struct json *json, const char *key, char bracket)
{
	lead(json, key);
	fputc(bracket, json->out);
	json->comma = false;
}

void json_end(struct json *json, char bracket)
{
	fputc(bracket, json->out);
	json->comma = true;
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	lead(json, key);
	fprintf(json->out, "%" PRIu64, value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	lead(json, key);
	fputs(value ? "true" : "false", json->out);
}

void json_text(struct json *json, const char *key, const char *text, size_t length)
{
	lead(json, key);
	put_text(json->out, text, length);
}

void json_string(struct json *json, const char *key, const char *text)
{
	json_text(json, key, text, strlen(text));
}

void json_hex(struct json *json, const char *key, const void *bytes, size_t count)
{
	const unsigned char *byte = bytes;

	lead(json, key);
	fputc('"', json->out);
	for (size_t i = 0; i < count; i++)
		fprintf(json->out, "%02x", byte[i]);
	fputc('"', json->out);
}
