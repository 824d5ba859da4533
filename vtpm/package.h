/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The state on its way between machines. tools/state/README.md has the format of a package.
 *
 * The image names a guardian, a key of P-256 whose private half is on no machine: so it is measured
 * and signed with the image, and nothing that comes to this partition can name another one (T62).
 * What leaves is wrapped to the guardian. What comes must have been wrapped by the guardian, for
 * this machine and for the place it has.
 *
 * The place is what the platform's anchor is (binding.h): a package that was taken once is for a
 * place that is no more, as soon as a state behind it was acknowledged.
 */
#ifndef VTPM_PACKAGE_H
#define VTPM_PACKAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vtpm/nv.h"

#define PACKAGE_POINT 65u

/* The guardian's point, uncompressed; all zero: none (guardian.py makes it). */
extern const uint8_t guardian_point[PACKAGE_POINT];

#define PACKAGE_ASK_MAGIC 0x31304b5341544452ull /* "RDTASK01" */

/* What a guardian is told of a machine. A person compares its SHA-256 with the console's. */
struct package_ask {
	uint64_t magic;
	uint8_t place[NV_DIGEST];
	uint8_t point[PACKAGE_POINT]; /* the machine's, which follows from its root key */
	uint8_t zero[7];
};

_Static_assert(sizeof(struct package_ask) == 112, "no padding");

struct package_source {
	const struct nv_header *header;	  /* of the state that was kept last */
	const uint8_t *digest;		  /* of it */
	const struct nv_content *content; /* parts that do not travel are left out */
};

/* Whether the image names a guardian. */
bool package_has_guardian(void);

/*
 * Makes a backup for the guardian, at most NV_FILE_MAX bytes, and returns how many it has; 0: the
 * content is none (nv_size()). Ends the partition where there is no root key: there is nothing to
 * back up either.
 */
size_t package_make(const struct package_source *source, uint8_t *room);

/*
 * By what a guardian knows the machine's packages: SHA-256 of its key's SubjectPublicKeyInfo.
 * false: no root key.
 */
bool package_key(uint8_t digest[NV_DIGEST]);

/* false: the machine has no root key. */
bool package_ask(const uint8_t place[NV_DIGEST], struct package_ask *ask);

/*
 * Opens what the guardian has wrapped for this machine and this place. NV_OK, or NV_NO_GUARDIAN and
 * what stands behind it in tpm_state.def, BAD_SIZE, DAMAGED, BAD_VERSION, BAD_FIELD, NO_KEY,
 * BAD_CONTENT. `payload` has room for NV_PAYLOAD_MAX bytes; unless it is NV_OK nothing is left
 * there. The header is that of a state before the first one here, to be followed by nv_follow().
 */
enum nv_verdict package_open(struct nv_bytes file, const uint8_t place[NV_DIGEST], uint8_t *payload,
    struct nv_header *header, struct nv_content *content);

#endif
