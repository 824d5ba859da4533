/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * monitor/bootinfo.c: one block that is right, and each way to spoil it.
 */
#include "arch/host/host.h"
#include "arch/upcall.h"
#include "tests/unit/unit.h"

static struct bootinfo *info;

static int build(void **state)
{
	struct host_machine machine = host_default();

	machine.cpus = 3;
	machine.flags = BOOTINFO_SERIAL;
	host_build(&machine);
	info = host_info();
	return 0;
}

static struct bootinfo_range *ranges(void)
{
	return (void *)((uint8_t *)info + info->range_offset);
}

static uint32_t *ids(void)
{
	return (void *)((uint8_t *)info + info->cpu_offset);
}

static bool valid(void)
{
	return bootinfo_valid(info, info->size);
}

/* Whether the block is refused with `field` set to `value`; puts the field back. */
#define REFUSES(field, value)                                                                      \
	({                                                                                         \
		__typeof__(field) kept = (field);                                                  \
		bool refused;                                                                      \
		(field) = (value);                                                                 \
		refused = !valid();                                                                \
		(field) = kept;                                                                    \
		refused;                                                                           \
	})

static void right_block_is_taken(void **state)
{
	assert_true(valid());
	assert_true(bootinfo_valid(info, BOOTINFO_MAX_SIZE));
	assert_false(bootinfo_valid(info, info->size - 1));
	assert_false(bootinfo_valid(info, sizeof(*info) - 1));
	assert_false(bootinfo_valid(info, 0));
	assert_false(REFUSES(info->record_base, 0));
	assert_false(REFUSES(info->flags, BOOTINFO_FLAGS));
	assert_false(REFUSES(info->power.s5_type, 7));
	assert_false(REFUSES(info->power.s5_type, POWER_S5_UNKNOWN));
	assert_false(REFUSES(info->attempts, 3));
}

static void header_is_checked(void **state)
{
	assert_true(REFUSES(info->magic, info->magic + 1));
	assert_true(REFUSES(info->version, 0));
	assert_true(REFUSES(info->version, 1));
	assert_true(REFUSES(info->version, 3));
	assert_true(!bootinfo_valid(info, info->size - 1));
	assert_true(REFUSES(info->size, sizeof(*info) - 1));
	assert_true(REFUSES(info->size, info->size - 1));
	info->size = BOOTINFO_MAX_SIZE + 8;
	assert_false(bootinfo_valid(info, 1 << 20));
}

static void settings_are_checked(void **state)
{
	assert_true(REFUSES(info->flags, BOOTINFO_FLAGS + 1));
	assert_true(REFUSES(info->flags, 1u << 31));
	assert_true(REFUSES(info->flags, BOOTINFO_SERIAL_KEEP));
	assert_true(REFUSES(info->serial_port, 0));
	assert_true(REFUSES(info->log_level, LOG_DEBUG + 1));
	assert_true(REFUSES(info->log_level, ~0u));
	assert_true(REFUSES(info->reserved0, 1));
	assert_true(REFUSES(info->reserved1[0], 1));
	assert_true(REFUSES(info->reserved1[6], 1u << 31));
	assert_true(REFUSES(info->power.s5_type, 8));
}

static void arrays_lie_within_and_apart(void **state)
{
	assert_true(REFUSES(info->cpu_count, 0));
	assert_true(REFUSES(info->cpu_count, BOOTINFO_MAX_CPUS + 1));
	assert_true(REFUSES(info->cpu_count, ~0u));
	assert_true(REFUSES(info->range_count, 0));
	assert_true(REFUSES(info->range_count, 4));
	assert_true(REFUSES(info->range_count, ~0u));
	assert_true(REFUSES(info->cpu_offset, 0));
	assert_true(REFUSES(info->cpu_offset, info->cpu_offset + 4));
	assert_true(REFUSES(info->cpu_offset, info->range_offset));
	assert_true(REFUSES(info->cpu_offset, info->size));
	assert_true(REFUSES(info->cpu_offset, ~7u));
	assert_true(REFUSES(info->range_offset, info->range_offset - 8));
	assert_true(REFUSES(info->range_offset, info->range_offset + 8));
	assert_true(REFUSES(info->range_offset, ~7u));
}

static void partitions_are_checked(void **state)
{
	struct bootinfo_partition *p = &info->partitions[2];

	*p = (struct bootinfo_partition){ .image_base = 0x200000,
		.data_base = 0x300000,
		.text_pages = 3,
		.rodata_pages = 2,
		.data_pages = 16,
		.svn = 1,
		.id = "a-0" };
	assert_true(valid());
	assert_true(REFUSES(p->image_base, 0));
	assert_true(REFUSES(p->image_base, 0x200008));
	assert_true(REFUSES(p->image_base, 0x9d000)); /* over the end of a range */
	assert_true(REFUSES(p->image_base, ~0xfffull));
	assert_true(REFUSES(p->data_base, 0));
	assert_true(REFUSES(p->data_base, 0x300001));
	assert_true(REFUSES(p->data_base, 0x9e000));
	assert_true(REFUSES(p->text_pages, ~0u));
	assert_true(REFUSES(p->rodata_pages, ~0u));
	assert_true(REFUSES(p->data_pages, 0));
	assert_true(REFUSES(p->data_pages, ~0u));
	assert_true(REFUSES(p->reserved, 1));
	memset(p->id, 'a', sizeof(p->id));
	assert_false(valid());
}

static void gaps_are_zero(void **state)
{
	uint8_t *bytes = (uint8_t *)info;

	/* Three APIC ids leave four bytes before the ranges. */
	bytes[info->range_offset - 1] = 1;
	assert_false(valid());
	bytes[info->range_offset - 1] = 0;
	info->size += 16;
	assert_true(valid());
	bytes[info->size - 1] = 1;
	assert_false(valid());
}

static void order_of_arrays_is_free(void **state)
{
	uint32_t list[3];
	struct bootinfo_range all[3];
	uint32_t start = info->cpu_offset;

	memcpy(list, ids(), sizeof(list));
	memcpy(all, ranges(), sizeof(all));
	memset((uint8_t *)info + start, 0, info->size - start);
	info->range_offset = start;
	info->cpu_offset = start + sizeof(all);
	memcpy(ranges(), all, sizeof(all));
	memcpy(ids(), list, sizeof(list));
	assert_true(valid());
	assert_true(REFUSES(info->cpu_offset, start + 8));
}

static void cpus_are_distinct(void **state)
{
	assert_true(REFUSES(ids()[0], ids()[2]));
	assert_true(REFUSES(ids()[2], ids()[1]));
	assert_true(REFUSES(ids()[1], 0xffffffff));
	assert_false(REFUSES(ids()[1], 0xfffffffe));
}

static void ranges_are_sorted_and_sane(void **state)
{
	assert_true(REFUSES(ranges()[0].base, 1));
	assert_true(REFUSES(ranges()[0].pages, 0));
	assert_true(REFUSES(ranges()[2].pages, 0));
	assert_true(REFUSES(ranges()[2].pages, ~0ull));
	assert_true(REFUSES(ranges()[2].pages, 1ull << 52));
	assert_true(REFUSES(ranges()[2].base, 1ull << 52));
	assert_true(REFUSES(ranges()[2].base, ~0xfffull));
	assert_true(REFUSES(ranges()[0].base, 0x200000));
	assert_true(REFUSES(ranges()[0].pages, 0x200));
	/* Adjacent ranges are one. */
	assert_true(REFUSES(ranges()[0].pages, 0xff));
	assert_false(REFUSES(ranges()[0].pages, 0xfe));
}

static void region_lies_in_memory(void **state)
{
	uint64_t end = ranges()[1].base + ranges()[1].pages * FRAME_SIZE;

	assert_true(REFUSES(info->region_base, 0));
	assert_true(REFUSES(info->region_base, info->region_base + 1));
	assert_true(REFUSES(info->region_base, 0xa0000));
	assert_true(REFUSES(info->region_base, end - FRAME_SIZE));
	assert_true(REFUSES(info->region_base, 1ull << 63));
	assert_true(REFUSES(info->region_pages, 0));
	assert_true(REFUSES(info->region_pages, 0x10000));
	assert_true(REFUSES(info->region_pages, 1ull << 52));
	assert_true(REFUSES(info->region_pages, ~0ull));
}

static void record_lies_in_memory_and_apart(void **state)
{
	uint64_t base = info->region_base;
	uint64_t end = base + info->region_pages * FRAME_SIZE;

	assert_true(REFUSES(info->record_base, info->record_base + 8));
	assert_true(REFUSES(info->record_base, 0xa0000));
	assert_true(REFUSES(info->record_base, ~0xfffull));
	assert_true(REFUSES(info->record_base, base));
	assert_true(REFUSES(info->record_base, end - FRAME_SIZE));
	assert_false(REFUSES(info->record_base, end));
	assert_false(REFUSES(info->record_base, base - FRAME_SIZE));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(right_block_is_taken, build),
	cmocka_unit_test_setup(header_is_checked, build),
	cmocka_unit_test_setup(settings_are_checked, build),
	cmocka_unit_test_setup(arrays_lie_within_and_apart, build),
	cmocka_unit_test_setup(partitions_are_checked, build),
	cmocka_unit_test_setup(gaps_are_zero, build),
	cmocka_unit_test_setup(order_of_arrays_is_free, build),
	cmocka_unit_test_setup(cpus_are_distinct, build),
	cmocka_unit_test_setup(ranges_are_sorted_and_sane, build),
	cmocka_unit_test_setup(region_lies_in_memory, build),
	cmocka_unit_test_setup(record_lies_in_memory_and_apart, build),
};

UNIT_MAIN(tests)
