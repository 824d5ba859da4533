/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * States and the platform's counters (binding.h).
 */
#include "vtpm/binding.h"

#include <string.h>

#include "guest/trustlets/rt/trustlet.h"

#define VERSION 1u
/* The first image's and monitor's: the same key for all that come later. */
#define AUTH_SVN   (1u | 1ull << 32)
#define AUTH_LABEL "vtpm counters"

_Static_assert(COUNTER_AUTH_BYTES == TRUSTLET_KEY_BYTES, "a key as it is");

bool binding_open(struct binding *b)
{
	*b = (struct binding){ .steps = STEPS, .since = trustlet_time() };
	if (!trustlet_key(AUTH_LABEL, AUTH_SVN, b->auth)) {
		trustlet_log("vtpm: no root key, and so none for the platform's TPM");
		return false;
	}
	b->on = ptpm_open(&b->device, (volatile uint8_t *)TRUSTLET_DEVICE_BASE);
	if (!b->on)
		trustlet_log("vtpm: the platform's TPM: %s", b->device.reason);
	return b->on;
}

/* ---- The counters ---- */

static bool said(const struct binding *b, const char *what, enum counter_result result)
{
	if (result != COUNTER_OK)
		trustlet_log("vtpm: the platform's TPM, counter of %s: %s (%x)", what,
		    counter_sentence(result), b->device.code);
	return result == COUNTER_OK;
}

static bool step_store(struct binding *b)
{
	return said(b, "stores",
	    counter_increment(&b->device, COUNTER_STORES, b->auth, &b->stores));
}

static bool step_start(struct binding *b)
{
	return said(b, "starts",
	    counter_increment(&b->device, COUNTER_STARTS, b->auth, &b->starts));
}

/* Both are there afterwards, and `stores` has a value. */
static bool read(struct binding *b)
{
	enum counter_result result =
	    counter_read(&b->device, COUNTER_STORES, b->auth, &b->stores);

	if (result == COUNTER_NONE)
		result = counter_define(&b->device, COUNTER_STORES, b->auth);
	if (result == COUNTER_NONE)
		result = COUNTER_UNWRITTEN;
	if (result == COUNTER_OK)
		result = COUNTER_OK;
	return said(b, "stores", result);
}
