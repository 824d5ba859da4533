/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Sealing: data that only this program, on this machine, gets back. For trustlets whose Makefile
 * says SEAL := 1; the CPU must have AES-NI and PCLMULQDQ, or the first use ends the trustlet.
 *
 * A blob is AES-256-GCM by a key that follows from the label and from who seals: id, signer, debug
 * flag, and the SVNs of image and monitor (trustlet_key()). An image or a monitor of a higher SVN
 * opens it as well; a lower one, another id or signer, and one with the debug flag never do (T56).
 *
 * Each blob has a key of its own, derived from that one and 32 random bytes: so the nonce may be
 * constant, and no number of blobs wears a key out, as it would with 96 random bits of nonce.
 *
 * What a blob does not tell is its age: who stores it can give back an older one.
 */
#ifndef TRUSTLET_RT_SEAL_SEAL_H
#define TRUSTLET_RT_SEAL_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEAL_MAGIC   0x314c414553544452ull /* "RDTSEAL1" */
#define SEAL_VERSION 1u
#define SEAL_SALT    32u
#define SEAL_TAG     16u

/*
 * In front of the ciphertext, which has the size of the data; the tag is behind it. All is
 * authenticated.
 */
struct seal_header {
	uint64_t magic;
	uint32_t version;
	uint32_t size; /* bytes of data */
	uint64_t svn;  /* of the image, and the monitor's in bits 63:32 */
	uint8_t salt[SEAL_SALT];
};

_Static_assert(sizeof(struct seal_header) == 56, "no padding");

/* By how much a blob is longer than the data, which may be up to SEAL_MOST bytes, and none. */
#define SEAL_OVERHEAD (sizeof(struct seal_header) + SEAL_TAG)
#define SEAL_MOST     0x7fffffffu

enum seal_result {
	SEAL_OK,
	SEAL_BAD_SIZE,	  /* shorter than any blob, or not as long as it says; data too long */
	SEAL_BAD_MAGIC,	  /* not a blob */
	SEAL_BAD_VERSION, /* a format of later times */
	SEAL_NEWER,	  /* says that a newer image or monitor sealed it */
	SEAL_NO_KEY,	  /* the machine has no root key */
	SEAL_NO_ROOM,	  /* the data is longer than there is room */
	SEAL_NOT_GENUINE, /* another label, program or machine, or changed */
};

/*
 * Seals `size` bytes; the blob has size + SEAL_OVERHEAD. The label is trustlet_key()'s, and two
 * purposes never share one. Only SEAL_OK, SEAL_BAD_SIZE, SEAL_NO_KEY; the blob is zero if not
 * SEAL_OK and the size was right.
 */
enum seal_result trustlet_seal(const char *label, const void *data, size_t size, void *blob);

/*
 * Opens a blob. `*size` is the room at `data`, then what of it is used; unless SEAL_OK is returned
 * that is 0 and all the room is zero.
 *
 * Memory for both is private, and they do not overlap: a blob in memory that another party can
 * write is copied in first (copy_in_once()), and data is there before it is known to be genuine.
 */
enum seal_result trustlet_unseal(const char *label, const void *blob, size_t blob_size, void *data,
    size_t *size);

/*
 * The same for a format with a header of its own, which is `aad`, authenticated and not encrypted,
 * and has the salt and the SVNs in it. Who seals fills `salt` with random bytes for each blob, a
 * salt that comes twice gives both away, and takes trustlet_svn(); who opens takes them from there.
 */
struct seal_frame {
	const char *label;
	uint64_t svn;
	const uint8_t *salt; /* SEAL_SALT bytes */
	const void *aad;
	size_t aad_size;
};

/*
 * `text` is the ciphertext, as long as the data, and SEAL_TAG bytes of tag behind it; it may be
 * where the data is. At most SEAL_MOST bytes. Only SEAL_OK, SEAL_NO_KEY; `text` is zero if not
 * SEAL_OK.
 */
enum seal_result trustlet_seal_frame(const struct seal_frame *frame, const void *data, size_t size,
    uint8_t *text);

/*
 * `size` bytes of data out of as many of ciphertext and a tag. Only SEAL_OK, SEAL_NEWER,
 * SEAL_NO_KEY, SEAL_NOT_GENUINE; the data is zero if not SEAL_OK.
 */
enum seal_result trustlet_unseal_frame(const struct seal_frame *frame, const uint8_t *text,
    size_t size, void *data);

#endif
