/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Payloads: finding a section of a loaded PE image, checking a monitor image, putting it in place.
 * No call to firmware: tested and fuzzed on the host.
 */
#ifndef BOOT_IMAGE_H
#define BOOT_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "monitor/abi/bootinfo.h"

/* Limits on what a header may ask for, so that no sum of sizes can overflow. */
#define MONITOR_MAX_BYTES (16u << 20)
#define MONITOR_MAX_PAGES (1u << 20)

struct blob {
	const uint8_t *data;
	size_t size;
};

/*
 * Finds the section `name` (at most 8 characters) of a PE32+ image that lies in memory as loaded,
 * `image.size` bytes of it. false: no such section, or headers that point out of the image.
 */
bool image_section(struct blob image, const char *name, struct blob *section);

/*
 * Whether `payload` is a whole, undamaged monitor image for `vendor`. NULL if so, else a sentence
 * that says what is wrong. The payload must be 8-byte aligned.
 */
const char *monitor_image_check(struct blob payload, uint32_t vendor);

/*
 * Copies a checked image to `target`, its header's load_size bytes, zeroes the rest, and relocates
 * it to run there.
 */
void monitor_image_place(struct blob payload, uint8_t *target);

#endif
