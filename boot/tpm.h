/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The commands of a TPM 2.0 that the loader sends (TPM 2.0 Library, part 3), marshalled and parsed.
 * What the TPM answers may come from anything on its bus: every field is bounded. No call to
 * firmware: tested against swtpm, and fuzzed, on the host.
 */
#ifndef BOOT_TPM_H
#define BOOT_TPM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/image.h"
#include "boot/sha256.h"

#define TPM_BYTES 1024u /* room for a command, and for a response */

/* Beside the TPM's own response codes, which have 12 bits: none came, or one that is malformed. */
#define TPM_NO_ANSWER 0x10000u
#define TPM_MALFORMED 0x10001u

/* Part 2, 6.6.3; what is left once the bits that say which parameter or session are gone. */
#define TPM_POLICY_FAIL 0x09du
#define TPM_INTEGRITY	0x09fu
#define TPM_VALUE	0x084u

/* The PCRs that a root key is sealed to, in ascending order; root_seal.h says why these. */
#define TPM_PCRS 4u
extern const uint8_t tpm_pcrs[TPM_PCRS];

struct tpm {
	/*
	 * Sends a command; returns how many bytes of response there are, 0 if none came. Waits a
	 * little first if `again`: the TPM asked for the same once more.
	 */
	size_t (*submit)(struct tpm *tpm, struct blob command, bool again);
	const char *name; /* the command sent last */
	uint32_t code;	  /* what became of it; 0: well */
	size_t at, end;	  /* what is written of `command`, or is yet to be read of `response` */
	bool bad;	  /* something did not fit */
	uint8_t command[TPM_BYTES];
	uint8_t response[TPM_BYTES];
};

/* A code without the bits that say which parameter, handle or session was meant. */
uint32_t tpm_reason(uint32_t code);

/*
 * Each sends one command and tells whether that went well; if not, name and code say what did not.
 * A blob that one gives lies in the response, until the next is sent.
 */

/* Values of tpm_pcrs[] in the SHA-256 bank; TPM_MALFORMED too if the TPM has no such bank. */
bool tpm_pcr_read(struct tpm *tpm, uint8_t value[TPM_PCRS][SHA256_BYTES]);

/* Values of registers one behind the other in that bank, from `first` on, a multiple of 8. */
#define TPM_PCRS_READ 8u
bool tpm_pcr_range(struct tpm *tpm, unsigned first, uint8_t value[TPM_PCRS_READ][SHA256_BYTES]);

bool tpm_random(struct tpm *tpm, uint8_t out[SHA256_BYTES]);

/* A storage key of the owner hierarchy, the same at each call: ECC P-256, without lockout. */
bool tpm_primary(struct tpm *tpm, uint32_t *handle);

/* A policy session; `trial`: one that computes a policy's digest and opens nothing. */
bool tpm_session(struct tpm *tpm, bool trial, uint32_t *handle);

/* tpm_pcrs[] as they are now; with `digest`, refused (TPM_VALUE) unless that is theirs. */
bool tpm_policy_pcr(struct tpm *tpm, uint32_t session, const uint8_t *digest);

bool tpm_policy_digest(struct tpm *tpm, uint32_t session, uint8_t digest[SHA256_BYTES]);

/* What makes an object up, each with its size in front as the TPM wants it back. */
struct tpm_object {
	struct blob private_part, public_part, creation, ticket;
};

/*
 * Seals `secret`, so that a policy session of that digest alone opens it. The TPM attests the
 * values of tpm_pcrs[] at that time.
 */
bool tpm_create(struct tpm *tpm, uint32_t parent, const uint8_t policy[SHA256_BYTES],
    struct blob secret, struct tpm_object *made);

bool tpm_load(struct tpm *tpm, uint32_t parent, const struct tpm_object *object, uint32_t *handle);

/* Whether this TPM has made the object as `creation` says. */
bool tpm_certify(struct tpm *tpm, uint32_t handle, const struct tpm_object *object);

/* TPM_MALFORMED too if what is sealed has another size. */
bool tpm_unseal(struct tpm *tpm, uint32_t handle, uint32_t session, uint8_t *secret, size_t size);

void tpm_flush(struct tpm *tpm, uint32_t handle);

/* Leaves nothing of earlier commands and responses here and in the TPM's own buffer. */
bool tpm_wash(struct tpm *tpm);

/* Cuts one thing, with its size of 16 bits in front, off the front of `from`. false: too short. */
bool tpm_cut(struct blob *from, struct blob *thing);

/* Cuts a ticket off. */
bool tpm_cut_ticket(struct blob *from, struct blob *ticket);

/* Whether `creation` says that tpm_pcrs[] and no others had that digest. */
bool tpm_created_at(struct blob creation, const uint8_t digest[SHA256_BYTES]);

#endif
