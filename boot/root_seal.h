/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The root key, sealed by a platform TPM: a data object below a storage key of the owner hierarchy,
 * which the TPM opens while the PCRs tpm_pcrs[] are as they were when it was sealed:
 *
 *   0  firmware's code
 *   2  drivers that are not firmware's: of devices, and from disks
 *   4  every program that firmware started, in their order: the last is redoubt.efi itself
 *   7  Secure Boot: on or off, its keys, and who signed what was started
 *
 * So no other program and no other version of this one gets it, and no code that ran before this
 * one can have been another. PCRs of mere settings (1, 3, 5, 6) are left out: a change of the boot
 * order would lose the key.
 *
 * The TPM also attests with which PCRs the object was made (creation data and its ticket). They
 * must be those of now: an operating system that uses the TPM can seal a key of its own choosing to
 * the same policy, and this is how that is told from ours, since PCR 4 is capped before it runs.
 *
 * The storage key is made at each start, from a template: nothing stays in the TPM, and nothing has
 * to be there but an owner hierarchy without password.
 */
#ifndef BOOT_ROOT_SEAL_H
#define BOOT_ROOT_SEAL_H

#include "boot/tpm.h"

/*
 * The file: magic; the values of the PCRs when it was sealed, which tell a person what has changed
 * and nothing hangs on; private part, public part, creation data, ticket; SHA-256 of all that.
 */
#define ROOT_MAGIC    "RDTROOT1"
#define ROOT_BLOB_MAX 1024u

/* Where a root key comes from. It is sealed with the key. */
#define ROOT_MADE 1u /* made by the loader and never in a file */
#define ROOT_FILE 2u /* read from root.key: whoever read that file has it as well */

struct root_secret {
	uint8_t key[SHA256_BYTES];
	uint8_t origin;
};

_Static_assert(sizeof(struct root_secret) == SHA256_BYTES + 1, "it is sealed as it stands");

enum root_result {
	ROOT_OK,
	ROOT_DAMAGED, /* the file is not as it was written */
	ROOT_CHANGED, /* the PCRs differ: *changed has a bit for each of tpm_pcrs[] that does */
	/* it is not this TPM's, or not of its owner hierarchy since that was cleared */
	ROOT_FOREIGN,
	ROOT_FORGED, /* this TPM has not made it when the PCRs were as they are now */
	ROOT_FAILED, /* a command failed: tpm->name and tpm->code */
};

/* Seals `secret`; `blob` is then to be written to a file. Only ROOT_OK and ROOT_FAILED. */
enum root_result root_seal(struct tpm *tpm, const struct root_secret *secret,
    uint8_t blob[ROOT_BLOB_MAX], size_t *size);

/* Opens what a file holds. `secret` is zero unless that is ROOT_OK. */
enum root_result root_unseal(struct tpm *tpm, struct blob file, struct root_secret *secret,
    unsigned *changed);

#endif
