/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Partitions of the guest's own memory (offering.h).
 */
#include "guest/suite/offering.h"

#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/text.h"
#include "guest/suite/partition.h"
#include "monitor/abi/image.h"

#define PAGES_MAX 512u
#define MARK	  0x5a

void offering_prepare(struct offering *own, const uint8_t *image, const uint8_t *end)
{
	const struct redoubt_image *header = (const void *)image;

	if (!own->list) {
		own->bytes = (uint64_t)(end - image);
		own->image_pages = (own->bytes + PAGE - 1) / PAGE;
		own->data_pages = header->data_pages;
		own->image = pages_alloc((unsigned)own->image_pages);
		own->data = pages_alloc((unsigned)own->data_pages);
		own->list = pages_alloc(1);
	}
	memcpy(own->image, image, own->bytes);
	memset(own->data, MARK, own->data_pages * PAGE);
}

uint64_t offering_give(const struct offering *own, uint64_t what, const uint8_t *from,
    uint64_t pages)
{
	for (uint64_t i = 0; i < pages && i < PAGES_MAX; i++)
		own->list[i] = (uint64_t)from + i * PAGE;
	return redoubt_partition_give(own->partition | what << 32, (uint64_t)own->list, pages, 0);
}

bool offering_make(struct offering *own)
{
	struct redoubt_partition_create made = { 0 };

	if (redoubt_partition_create(&made) != REDOUBT_OK)
		bail("partition_create");
	own->partition = made.partition;
	return offering_give(own, REDOUBT_GIVE_IMAGE, own->image, own->image_pages) == REDOUBT_OK &&
	    offering_give(own, REDOUBT_GIVE_DATA, own->data, own->data_pages) == REDOUBT_OK;
}

void offering_launch(struct offering *own, const uint8_t *image, const uint8_t *end)
{
	struct answer answer;

	offering_prepare(own, image, end);
	if (!offering_make(own))
		bail("a partition is not made");
	answer = partition_ask(CODEINT, CODEINT_launch, own->partition, own->bytes, 0);
	if (answer.rax != REDOUBT_OK || answer.status != 0)
		bail("a partition is not launched: %lx, %lx", answer.rax, answer.status);
}

uint64_t offering_end(const struct offering *own)
{
	uint64_t status;

	do
		status = redoubt_partition_end(own->partition);
	while (status == REDOUBT_BUSY);
	return status;
}

static bool is_zero(const uint8_t *from, uint64_t pages)
{
	for (uint64_t i = 0; i < pages * PAGE / 8; i++)
		if (((const volatile uint64_t *)from)[i])
			return false;
	return true;
}

bool offering_is_back(const struct offering *own)
{
	return is_zero(own->image, own->image_pages) && is_zero(own->data, own->data_pages);
}
