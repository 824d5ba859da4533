/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The vTPM's state as a file, and which of two files is the current one. Nothing is read or written
 * here: bytes come from the caller, in memory that nobody else can write, and go back to it.
 *
 * A file, all numbers little-endian:
 *
 *   struct nv_header     readable without the key, and authenticated
 *   `payload` bytes      AES-256-GCM of sections: type, size, data, zeros up to a multiple of 8
 *   16 bytes             GCM's tag, over the header too
 *   32 bytes             SHA-256 of all that is in front of it
 *
 * The key is the run-time's of the label NV_LABEL for the SVNs in the header, made the file's own
 * by its salt, as sealing has it (seal.h). The SHA-256 at the end proves nothing: it tells a torn
 * or damaged file from one that somebody else made, also to a person who has no key. In every
 * version magic, version and total stand where they stand and the SHA-256 is last.
 *
 * A slot is a file of NV_FILE_MAX bytes, allocated once, that begins with the state; what stands
 * behind `total` bytes there is left over and means nothing. A state may as well be a file as long
 * as itself. The two slots are written in turn, the older one overwritten and flushed before the
 * TPM's answer goes out: so one of them is whole at each time. A slot does not know which it is:
 * swapped, they say the same.
 *
 * Generations count writes, over all TPMs that the machine has had in its slots. Each file has the
 * digest of the one before as its parent. What the slots alone cannot tell is that both were put
 * back to what they were before; for that there is the anchor in the platform's TPM (binding.h).
 */
#ifndef VTPM_NV_H
#define VTPM_NV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NV_MAGIC    0x314d505456544452ull /* "RDTVTPM1" */
#define NV_VERSION  1u
#define NV_LABEL    "vtpm state"
#define NV_DIGEST   32u
#define NV_ID	    32u
#define NV_SALT	    32u
#define NV_TAG	    16u
#define NV_FILE_MAX (256u * 1024u)
#define NV_SLOTS    2u

/* How a TPM came to be where it is: for as long as it is there. */
enum nv_kind {
	NV_MANUFACTURED = 1,
	NV_COPIED,   /* of another TPM, with its seeds: both answer to the same EK */
	NV_REPLACED, /* of another TPM, with seeds and EK of its own */
	NV_IMPORTED, /* moved here, or out of another program's state */
	NV_RESTORED, /* from a backup */
};

/*
 * Written by a keeper of whom nobody knows that the disk has it when it says so: firmware's drivers
 * for SATA never flush. Until one who flushes is there it is this slot that is written again, and
 * the other one stays.
 */
#define NV_LOOSE 1u

struct nv_header {
	uint64_t magic;
	uint32_t version;
	uint32_t total;	      /* bytes of the file */
	uint32_t header_size; /* sizeof(struct nv_header) */
	uint32_t payload;     /* bytes of ciphertext */
	uint64_t generation;  /* from 1 */
	uint64_t first;	      /* generation at which this TPM came here, as `kind` says */
	uint64_t svn;	      /* of image, and monitor in bits 63:32, that wrote it */
	uint32_t kind;	      /* enum nv_kind */
	uint32_t flags;	      /* NV_LOOSE */
	uint8_t lineage[NV_ID];
	uint8_t
	    parent[NV_DIGEST]; /* SHA-256 of the file before; in the first, of what it is from */
	uint8_t origin_lineage[NV_ID];	  /* of the TPM it is from; zero: not known, or none */
	uint8_t origin_digest[NV_DIGEST]; /* SHA-256 of what it is from; zero: manufactured */
	uint8_t salt[NV_SALT];
};

_Static_assert(sizeof(struct nv_header) == 216, "no padding");
_Static_assert(offsetof(struct nv_header, total) == 12, "the same in every version");
_Static_assert(offsetof(struct nv_header, generation) == 24, "layout");
_Static_assert(offsetof(struct nv_header, lineage) == 56, "layout");
_Static_assert(offsetof(struct nv_header, salt) == 184, "layout");

/* What is in a payload, in this order. Type of a section: one more than its number here. */
enum nv_part {
	NV_PERMANENT, /* libtpms's permanent state, always there */
	NV_VOLATILE,  /* its volatile state, where that is kept */
	NV_CA_KEY,    /* of the machine's CA for EK certificates */
	NV_EK_CERTS,
	NV_ANCHOR, /* to what in the platform's TPM it is bound (binding.h) */
	NV_PPI,	   /* what the operating system asked of who is at the machine */
	NV_PARTS,
};

#define NV_PERMANENT_MAX (160u * 1024u)
#define NV_VOLATILE_MAX	 (64u * 1024u)
#define NV_CA_KEY_MAX	 4096u
#define NV_EK_CERTS_MAX	 (16u * 1024u)
#define NV_ANCHOR_MAX	 4096u
#define NV_PPI_MAX	 4096u

struct nv_section {
	uint32_t type;
	uint32_t size; /* of the data, not 0 */
};

_Static_assert(sizeof(struct nv_section) == 8, "no padding");

#define NV_OVERHEAD    (sizeof(struct nv_header) + NV_TAG + NV_DIGEST)
#define NV_PAYLOAD_MAX (NV_FILE_MAX - NV_OVERHEAD)

_Static_assert(NV_PERMANENT_MAX + NV_VOLATILE_MAX + NV_CA_KEY_MAX + NV_EK_CERTS_MAX +
	    NV_ANCHOR_MAX + NV_PPI_MAX + NV_PARTS * sizeof(struct nv_section) <=
	NV_PAYLOAD_MAX,
    "all parts at their longest fit");

struct nv_bytes {
	const uint8_t *bytes; /* NULL: there are none */
	size_t size;
};

struct nv_content {
	struct nv_bytes part[NV_PARTS];
};

/* What a file or slot is: NV_OK, NV_ABSENT, ... */
enum nv_verdict {
#define VERDICT(name, sentence) NV_##name,
#include "monitor/abi/tpm_state.def"
#undef VERDICT
	NV_VERDICTS,
};

/* What a verdict means, for a person: a clause, "the file ..." or "the slot ..." goes before. */
const char *nv_sentence(enum nv_verdict verdict);

/*
 * All that can be judged without a key. Only NV_OK, NV_BLANK, NV_BAD_SIZE, NV_BAD_MAGIC,
 * NV_DAMAGED, NV_BAD_VERSION, NV_BAD_FIELD; the header is zero if not NV_OK.
 */
enum nv_verdict nv_peek(struct nv_bytes file, struct nv_header *header);

/*
 * Opens a file: NV_OK, what nv_peek() gives, or NV_NEWER to NV_BAD_CONTENT. `payload` has room for
 * NV_PAYLOAD_MAX bytes, or as many as the file is long; `content` points into it. Unless it is
 * NV_OK the header and the content are zero, and nothing of the payload is left.
 */
enum nv_verdict nv_open(struct nv_bytes file, uint8_t *payload, struct nv_header *header,
    struct nv_content *content);

/* Bytes of a file with this content. 0: a part is too long, or there is no permanent state. */
size_t nv_size(const struct nv_content *content);

/*
 * Makes a file of nv_size(content) bytes. Of the header the caller has filled generation, first,
 * kind, lineage, parent and the origin, best by nv_begin() or nv_follow(); the rest is filled here.
 * Only NV_OK, NV_BAD_FIELD, NV_BAD_CONTENT, NV_NO_KEY; then there is no file.
 */
enum nv_verdict nv_seal(struct nv_header *header, const struct nv_content *content, uint8_t *file);

/*
 * The sections of a content that nv_size() finds right: nv_size() - NV_OVERHEAD bytes. And back:
 * whether bytes are such sections; the content points into them.
 */
void nv_compose(const struct nv_content *content, uint8_t *to);
bool nv_parse(const uint8_t *payload, size_t size, struct nv_content *content);

/* SHA-256 of a file that nv_peek() finds right, without what may stand behind it in a slot. */
void nv_digest(struct nv_bytes file, uint8_t digest[NV_DIGEST]);

/* The header of a TPM that is manufactured: lineage of its own, at this generation. */
void nv_begin(uint64_t generation, struct nv_header *header);

/* The header that comes behind that of a file with this digest. */
void nv_follow(const struct nv_header *now, const uint8_t digest[NV_DIGEST],
    struct nv_header *next);

/* ---- Two slots ---- */

/* What else is known of the state. */
struct nv_demand {
	bool has_floor; /* this generation was reached, says somebody who knows */
	uint64_t floor;
	bool has_lineage; /* only this TPM is wanted */
	uint8_t lineage[NV_ID];
};

enum nv_outcome {
	NV_CURRENT,  /* choice->current is to be used */
	NV_NEVER,    /* nothing was ever written: who may, manufactures */
	NV_LOST,     /* nothing is there, though there was: an error */
	NV_UNUSABLE, /* something is there, and nothing of it is to be used: an error */
};

struct nv_choice {
	enum nv_outcome outcome;
	enum nv_verdict verdict[NV_SLOTS]; /* NV_OK: the current one */
	unsigned current;		   /* NV_SLOTS unless NV_CURRENT */
	unsigned next; /* to be written next; NV_SLOTS: none, until a person has decided */
	struct nv_header header;   /* of the current one; zero: none */
	uint8_t digest[NV_DIGEST]; /* of it: the next one's parent */
	struct nv_content content; /* of it */
};

/*
 * Which slot is current. A slot without bytes is absent if its size is 0, else it could not be
 * read. `payload` has room for NV_PAYLOAD_MAX bytes; choice->content points into it, and unless the
 * outcome is NV_CURRENT nothing of a state is left there.
 *
 * No slot is used that is not genuine. A torn one is no obstacle, for a cut leaves one; but no slot
 * is used beside one that says it is of a newer image, monitor or format, which is then what was
 * written last; nor beside one that cannot be read, which may be it, and which no cut leaves; nor
 * beside another of the same generation or of another branch (T63).
 */
void nv_choose(const struct nv_bytes slots[NV_SLOTS], const struct nv_demand *demand,
    uint8_t *payload, struct nv_choice *choice);

const char *nv_outcome_sentence(enum nv_outcome outcome);

#endif
