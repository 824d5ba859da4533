/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Random numbers, of whatever the machine has.
 */
#ifndef BOOT_RANDOM_H
#define BOOT_RANDOM_H

#include "boot/efi.h"
#include "boot/sha256.h"

/*
 * Whatever differs from machine to machine and from start to start, hashed. FALSE: neither firmware
 * nor the CPU has given random numbers, so it can be guessed.
 */
BOOLEAN random_gather(uint8_t out[SHA256_BYTES]);

#endif
