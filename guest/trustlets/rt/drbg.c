/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * HMAC_DRBG: names as in SP 800-90A, 10.1.2.
 */
#include "guest/trustlets/rt/drbg.h"

#include <string.h>

static void next_value(struct drbg *drbg)
{
	struct hmac mac;

	hmac_start(&mac, drbg->key, sizeof(drbg->key));
	hmac_add(&mac, drbg->value, sizeof(drbg->value));
	hmac_end(&mac, drbg->value);
}

static void next_key(struct drbg *drbg, uint8_t step, const void *data, size_t bytes)
{
	struct hmac mac;

	hmac_start(&mac, drbg->key, sizeof(drbg->key));
	hmac_add(&mac, drbg->value, sizeof(drbg->value));
	hmac_add(&mac, &step, 1);
	hmac_add(&mac, data, bytes);
	hmac_end(&mac, drbg->key);
	next_value(drbg);
}

/* HMAC_DRBG_Update */
static void update(struct drbg *drbg, const void *data, size_t bytes)
{
	next_key(drbg, 0, data, bytes);
	if (bytes)
		next_key(drbg, 1, data, bytes);
}

void drbg_start(struct drbg *drbg, const void *seed, size_t bytes)
{
	memset(drbg->key, 0, sizeof(drbg->key));
	memset(drbg->value, 1, sizeof(drbg->value));
	update(drbg, seed, bytes);
}

void drbg_add(struct drbg *drbg, const void *fresh, size_t bytes)
{
	update(drbg, fresh, bytes);
}

void drbg_get(struct drbg *drbg, void *to, size_t bytes)
{
	uint8_t *target = to;

	while (bytes) {
		size_t part = bytes < SHA256_BYTES ? bytes : SHA256_BYTES;

		next_value(drbg);
		memcpy(target, drbg->value, part);
		target += part;
		bytes -= part;
	}
	update(drbg, NULL, 0);
}
