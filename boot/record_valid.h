/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Whether a frame that anything may have written holds a panic record. No call to firmware.
 */
#ifndef BOOT_RECORD_VALID_H
#define BOOT_RECORD_VALID_H

#include <stdbool.h>

#include "monitor/abi/bootinfo.h"

/* Magic, length and digest are right. It may still be forged: the text is not to be trusted. */
bool record_valid(const struct panic_record *record);

#endif
