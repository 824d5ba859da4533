/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a maker of TPMs does before one leaves the factory, as the TCG's EK Credential Profile for
 * TPM 2.0 has it: a certificate for each of the endorsement keys that follow from the TPM's seed
 * with the profile's templates L-1 (RSA-2048) and L-2 (ECC P-256), in NV memory where tools look
 * for them. The maker is a CA of this one machine (P-256), made here as well; its certificate is in
 * NV memory too. So a certificate says that the key is this TPM's to whoever knows, from elsewhere,
 * that the CA is this machine's. The CA's private key signs these two certificates and, for now,
 * nothing else.
 */
#ifndef VTPM_MANUFACTURE_H
#define VTPM_MANUFACTURE_H

#include <stdint.h>

#define VTPM_CA_KEY_BYTES 32u

/* NV indices: the profile's. 0x01c00100 is where a chain of certificates begins. */
#define VTPM_RSA_CERTIFICATE 0x01c00002u
#define VTPM_ECC_CERTIFICATE 0x01c0000au
#define VTPM_CA_CERTIFICATE  0x01c00100u

/*
 * To be called once in the life of a TPM: behind TPM2_Startup, with the platform's hierarchy open
 * and its authorization empty. `ca_key` is the CA's private key, big-endian: the caller's to keep
 * and to wipe; without the rest of the result it is zero. Returns NULL, or what did not succeed:
 * then the TPM is half made and must not be kept.
 */
const char *vtpm_manufacture(uint8_t ca_key[VTPM_CA_KEY_BYTES]);

#endif
