/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * libFuzzer: what the loader makes of a payload. The first byte chooses: sections of a PE image; a
 * monitor image as it is; a monitor image whose digest is put right, so that what lies behind it is
 * reached. An image that passes is placed, in exactly the memory that its header asks for.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/image.h"
#include "boot/sha256.h"
#include "monitor/abi/cpuid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_sections(struct blob image)
{
	struct blob section;
	unsigned sum = 0;

	if (!image_section(image, ".monvmx", &section))
		return;
	if (section.data < image.data || section.size > image.size ||
	    section.data + section.size > image.data + image.size)
		abort();
	for (size_t i = 0; i < section.size; i++)
		sum += section.data[i];
	(void)*(volatile unsigned *)&sum;
}

static void seal(uint8_t *payload, size_t size)
{
	const size_t at = offsetof(struct monitor_image, digest);
	struct sha256 hash;

	if (size < sizeof(struct monitor_image))
		return;
	memset(payload + at, 0, SHA256_BYTES);
	sha256_start(&hash);
	sha256_add(&hash, payload, size);
	sha256_end(&hash, payload + at);
}

static void try_payload(struct blob payload)
{
	const struct monitor_image *header = (const struct monitor_image *)payload.data;
	uint8_t *target;

	if (monitor_image_check(payload, REDOUBT_VENDOR_VMX))
		return;
	target = malloc(header->load_size);
	monitor_image_place(payload, target);
	if (header->entry >= header->load_size)
		abort();
	free(target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (size < 2)
		return 0;
	copy = malloc(size - 1);
	memcpy(copy, data + 1, size - 1);
	if (data[0] % 3 == 2)
		seal(copy, size - 1);
	if (data[0] % 3 == 0)
		try_sections((struct blob){ copy, size - 1 });
	else
		try_payload((struct blob){ copy, size - 1 });
	free(copy);
	return 0;
}
