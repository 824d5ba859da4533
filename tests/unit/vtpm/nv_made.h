/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Files of the vTPM's state, made by hand, for tests of vtpm/nv.c; above the fake monitor of the
 * trustlets' tests, with a machine whose root key can be changed.
 */
#ifndef TESTS_UNIT_VTPM_NV_MADE_H
#define TESTS_UNIT_VTPM_NV_MADE_H

#include "tests/unit/trustlets/fake.h"
#include "vtpm/nv.h"

#define SVN 7u /* the image's */

/* Which machine this is: its keys are its own. */
extern uint8_t made_machine;

/* The monitor and the generator, as at the start. */
void made_start(void);

/* A header that is right in all that nv_seal() does not fill; lineage and so on from `tag`. */
struct nv_header made_header(uint8_t tag, uint64_t generation);

/* A genuine file of any payload, OVERHEAD longer than it. */
void made_file(const struct nv_header *header, const uint8_t *payload, size_t size, uint8_t *file);

/* A payload of one section of permanent state; its size. */
size_t made_payload(const void *state, size_t size, uint8_t *payload);

/* The SHA-256 at the end made right, where `total` says that it is. */
void made_mended(uint8_t *file, size_t total);

#endif
