/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Programs that are brought along, offered (offering.h).
 */
#include "guest/suite/offering.h"

#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/text.h"
#include "guest/suite/suite.h"
#include "monitor/abi/image.h"

#define PAGES_MAX  512u
#define DATA_PAGES 96u

static struct offered offered[OFFERED_MOST];
static uint64_t *list, room[OFFERED_MOST];

const struct offered *offering_take(unsigned slot, const struct offering *file)
{
	struct offered *own = &offered[slot];

	own->bytes = (uint64_t)(file->end - file->start);
	own->image_pages = (own->bytes + PAGE - 1) / PAGE;
	list = list ? list : pages_alloc(1);
	own->data = own->data ? own->data : pages_alloc(DATA_PAGES);
	if (room[slot] < own->image_pages) {
		room[slot] = own->image_pages;
		own->image = pages_alloc((unsigned)room[slot]);
	}
	memcpy(own->image, file->start, own->bytes);
	return own;
}

uint64_t offering_give(uint64_t partition, uint64_t what, const uint8_t *from, uint64_t pages)
{
	for (uint64_t i = 0; i < pages && i < PAGES_MAX; i++)
		list[i] = (uint64_t)from + i * PAGE;
	return redoubt_partition_give(partition | what << 32, (uint64_t)list, pages, 0);
}

uint64_t offering_give_all(unsigned slot)
{
	const struct offered *own = &offered[slot];
	const struct redoubt_image *header = (const void *)own->image;
	struct redoubt_partition_create made = { 0 };
	uint32_t data_pages = header->data_pages;

	if (redoubt_partition_create(&made) != REDOUBT_OK)
		bail("partition_create");
	tap(data_pages <= DATA_PAGES &&
		offering_give(made.partition, REDOUBT_GIVE_IMAGE, own->image, own->image_pages) ==
		    REDOUBT_OK &&
		offering_give(made.partition, REDOUBT_GIVE_DATA, own->data, data_pages) ==
		    REDOUBT_OK,
	    "offer: image and memory are given");
	return made.partition;
}

void offering_end(unsigned slot, uint64_t partition)
{
	const struct offered *own = &offered[slot];
	uint64_t status, left = 0;

	do
		status = redoubt_partition_end(partition);
	while (status == REDOUBT_BUSY);
	for (uint64_t i = 0; i < own->image_pages * PAGE / 8; i++)
		left |= ((const volatile uint64_t *)own->image)[i];
	for (uint64_t i = 0; i < DATA_PAGES * PAGE / 8; i++)
		left |= ((const volatile uint64_t *)own->data)[i];
	tap(status == REDOUBT_OK && !left, "T15 it is ended, and all it had comes back zeroed");
}
