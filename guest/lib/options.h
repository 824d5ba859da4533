/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the test driver tells the guest: words KEY=VALUE, separated by blanks, from the load
 * options, or from the file \guest.txt on the volume where there are no load options.
 */
#ifndef GUEST_LIB_OPTIONS_H
#define GUEST_LIB_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#define OPTION_MAX 512u

/*
 * Takes the text over (copied; what is longer than OPTION_MAX - 1 is an error of the driver's and
 * ends the run).
 */
void options_set(const char *text);

/* The whole text. */
const char *options_text(void);

/* The value of a key as text (empty if there is none). Valid until the next call. */
const char *option(const char *key);

/* The value of a key as a number, decimal or 0x..., or `otherwise`. */
uint64_t option_number(const char *key, uint64_t otherwise);

bool text_equal(const char *a, const char *b);

#endif
