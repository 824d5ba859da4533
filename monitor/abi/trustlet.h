/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a program finds in its secure partition, and how it is started.
 *
 *   GPA                       what                                      rights
 *   TRUSTLET_IMAGE_BASE       the image's header page (image.h)         R
 *     + 4096                  text; its first byte is the entry         R X
 *     behind the text         read-only data, initial values of data    R
 *   TRUSTLET_DEVICE_BASE      of the vtpm: the platform's TPM (bootinfo.h) R W, uncached
 *   TRUSTLET_DATA_BASE        private memory, zeroed at the start       R W
 *   TRUSTLET_SHARED_BASE      what is lent or shared, TRUSTLET_SHARED_BYTES at most   R W
 *
 * Nothing of the image is ever writable, so the measurement stays true and a partition that died is
 * started anew from the same frames. Nothing else is mapped, page 0 least of all.
 *
 * A VP starts as arch/vp.h says, at the entry, with
 *   EBX  TRUSTLET_DATA_BASE, in its low 12 bits START_ bits: a partition has no CPUID to ask
 *   ESI  pages of private memory
 *   EDI  its index
 */
#pragma once

#include <stdint.h>

#define TRUSTLET_IMAGE_BASE   0x200000u
#define TRUSTLET_DEVICE_BASE  0x3fe00000u
#define TRUSTLET_DATA_BASE    0x40000000u
#define TRUSTLET_SHARED_BASE  0x80000000u
#define TRUSTLET_SHARED_BYTES 0x40000000u

#define START_VMMCALL (1u << 0) /* a call is VMMCALL (AMD), otherwise VMCALL */
#define START_RDRAND  (1u << 1) /* the CPU has RDRAND and lets a partition use it */
#define START_RDSEED  (1u << 2)
#define START_SHA     (1u << 3) /* the CPU has the SHA extensions, SSSE3 and SSE4.1 */

/*
 * What a partition is, for another one of this machine to check (calls report_make, report_check).
 */
struct redoubt_report {
	uint8_t items[3][32]; /* id, measurement, signer, as partition_info tells them */
	uint32_t svn;
	uint32_t flags; /* IMAGE_ of image.h */
	uint8_t nonce[32];
	uint8_t mac[32]; /* HMAC-SHA-256 of all above, by a key of this launch */
};
