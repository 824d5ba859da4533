/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A partition that the guest makes of its own memory, and what it gets back.
 */
#ifndef GUEST_SUITE_OFFERING_H
#define GUEST_SUITE_OFFERING_H

#include <stdbool.h>
#include <stdint.h>

enum codeint_status {
#define STATUS(name, value, sentence) CODEINT_##name = 0x100 + (value),
#include "guest/trustlets/codeint/statuses.def"
#undef STATUS
};

struct offering {
	uint8_t *image, *data; /* its frames */
	uint64_t *list;
	uint64_t bytes; /* of the image's file */
	uint64_t image_pages, data_pages;
	uint64_t partition; /* its number */
};

/*
 * Images signed by keys that codeint trusts. The probe has SVN 9; or SVN 8, also by another name,
 * and of another signer.
 */
extern const uint8_t offered_sample[], offered_sample_end[];
extern const uint8_t offered_probe[], offered_probe_end[];
extern const uint8_t offered_probe8[], offered_probe8_end[];
extern const uint8_t offered_named[], offered_named_end[];
extern const uint8_t offered_signed[], offered_signed_end[];

/* Copies the image in; memory is taken the first time. What it will have is filled with a mark. */
void offering_prepare(struct offering *own, const uint8_t *image, const uint8_t *end);

/* Gives pages of the guest's by one call; returns its status. */
uint64_t offering_give(const struct offering *own, uint64_t what, const uint8_t *from,
    uint64_t pages);

/* Makes a partition of it, not yet judged. false: it is not given. */
bool offering_make(struct offering *own);

/* The same, and codeint launches it. Ends the run if it does not. */
void offering_launch(struct offering *own, const uint8_t *image, const uint8_t *end);

/* Ends it; its last status. */
uint64_t offering_end(const struct offering *own);

/* Whether all it had is the guest's again, and zero. */
bool offering_is_back(const struct offering *own);

#endif
