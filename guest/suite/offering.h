/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Programs for partitions that the guest brings along, signed for the codeint of tests.
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

/* A file as it was built in (offered.S). */
struct offering {
	const uint8_t *start, *end;
};

extern const struct offering offering_sample;
/* The probe again: SVN 8 and 9, of another name, of another signer. */
extern const struct offering offering_probe8, offering_probe9, offering_named, offering_signed;

/* Where the file stands that is offered next, to be changed before that. */
struct offered {
	uint8_t *image, *data;
	uint64_t bytes, image_pages;
};

/* So many at a time; each function is told which. */
#define OFFERED_MOST 2u

/* Copies a file into memory of the guest's. */
const struct offered *offering_take(unsigned slot, const struct offering *file);

/* Gives pages from `from` on to a partition. */
uint64_t offering_give(uint64_t partition, uint64_t what, const uint8_t *from, uint64_t pages);

/* A partition with the file as it stands now, not yet judged. A TAP point. */
uint64_t offering_give_all(unsigned slot);

/* Ends it; a TAP point: all that it had is zero. */
void offering_end(unsigned slot, uint64_t partition);

#endif
