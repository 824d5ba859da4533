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

/* Whether the block is refused with `field` set to `value`; puts the field back. */
#define REFUSES(field, value)                                                                      \
	({                                                                                         \
		__typeof__(field) kept = (field);                                                  \
		bool refused;                                                                      \
		(field) = (value);                                                                 \
		refused = !bootinfo_valid(info);                                                   \
		(field) = kept;                                                                    \
		refused;                                                                           \
	})

static void right_block_is_taken(void **state)
{
	assert_true(bootinfo_valid(info));
	assert_false(REFUSES(info->record_base, 0));
	assert_false(REFUSES(info->flags, BOOTINFO_FLAGS));
	assert_false(REFUSES(info->power.s5_type, 7));
	assert_false(REFUSES(info->power.s5_type, POWER_S5_UNKNOWN));
	assert_false(REFUSES(info->attempts, 3));
}

static void header_is_checked(void **state)
{
	assert_true(REFUSES(info->magic, info->magic + 1));
	assert_true(REFUSES(info->magic, 0x334f464e49544452ull)); /* another layout */
}

static void settings_are_checked(void **state)
{
	assert_true(REFUSES(info->flags, BOOTINFO_FLAGS + 1));
	assert_true(REFUSES(info->flags, 1u << 31));
	assert_true(REFUSES(info->flags, BOOTINFO_SERIAL_KEEP));
	assert_true(REFUSES(info->serial_port, 0));
	assert_true(REFUSES(info->log_level, LOG_DEBUG + 1));
	assert_true(REFUSES(info->log_level, ~0u));
	assert_true(REFUSES(info->power.s5_type, 8));
}

static void arrays_are_as_long_as_there_is(void **state)
{
	assert_true(REFUSES(info->cpu_count, 0));
	assert_true(REFUSES(info->cpu_count, BOOTINFO_MAX_CPUS + 1));
	assert_true(REFUSES(info->cpu_count, ~0u));
	assert_true(REFUSES(info->range_count, 0));
	assert_true(REFUSES(info->range_count, 4));
	assert_true(REFUSES(info->range_count, BOOTINFO_MAX_RANGES + 1));
	assert_true(REFUSES(info->range_count, ~0u));
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
	assert_true(bootinfo_valid(info));
	assert_false(REFUSES(p->image_base, 0));
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
	memset(p->id, 'a', sizeof(p->id));
	assert_false(bootinfo_valid(info));
}

static void iommus_are_checked(void **state)
{
	struct bootinfo_iommu *unit = info->iommus;

	assert_false(REFUSES(info->iommu_status, IOMMU_TABLES_DRIVEN));
	assert_true(REFUSES(info->iommu_status, IOMMU_TABLES_OK));
	assert_true(REFUSES(info->iommu_status, IOMMU_TABLES_DRIVEN + 1));
	assert_true(REFUSES(info->iommu_count, 1));
	info->iommu_count = 2;
	info->iommu_status = IOMMU_TABLES_OK;
	unit[0] = (struct bootinfo_iommu){ .base = 0xfed80000,
		.kind = BOOTINFO_IOMMU_VTD,
		.pages = 4 };
	unit[1] = (struct bootinfo_iommu){ .base = 0xfed90000,
		.kind = BOOTINFO_IOMMU_VTD,
		.flags = BOOTINFO_IOMMU_ALL,
		.pages = 1 };
	assert_true(bootinfo_valid(info));
	for (uint32_t status = 0; status <= IOMMU_TABLES_DRIVEN; status++)
		assert_int_equal(REFUSES(info->iommu_status, status), status != IOMMU_TABLES_OK);
	assert_true(REFUSES(info->iommu_count, 0));
	assert_true(REFUSES(info->iommu_count, 3));
	assert_true(REFUSES(info->iommu_count, BOOTINFO_IOMMUS + 1));
	assert_true(REFUSES(info->iommu_count, ~0u));
	assert_true(REFUSES(unit[1].kind, 0));
	assert_true(REFUSES(unit[1].kind, 3));
	assert_true(REFUSES(unit[1].kind, BOOTINFO_IOMMU_AMDVI)); /* of two makers */
	unit[0].kind = unit[1].kind = BOOTINFO_IOMMU_AMDVI;
	assert_true(bootinfo_valid(info));
	unit[0].kind = BOOTINFO_IOMMU_VTD;
	for (unsigned i = 1; i < BOOTINFO_IOMMUS; i++)
		unit[i] = (struct bootinfo_iommu){ 0xfed90000 + 4096 * i, 1, 0, 0, 0, 1 };
	info->iommu_count = BOOTINFO_IOMMUS;
	assert_true(bootinfo_valid(info));
	/* What stands behind the array would pass as one more. */
	unit[BOOTINFO_IOMMUS - 1].base = 0xfeda0000;
	memcpy(info->apic_ids, &(struct bootinfo_iommu){ 0xfedb0000, 1, 7, 0, 0, 1 },
	    sizeof(*unit));
	assert_true(bootinfo_valid(info));
	assert_true(REFUSES(info->iommu_count, BOOTINFO_IOMMUS + 1));
}

static void registers_lie_apart_and_outside_memory(void **state)
{
	struct bootinfo_iommu *unit = info->iommus;
	uint64_t end = info->ranges[2].base + info->ranges[2].pages * FRAME_SIZE;

	info->iommu_count = 2;
	info->iommu_status = IOMMU_TABLES_OK;
	unit[0] = (struct bootinfo_iommu){ 0xfed80000, BOOTINFO_IOMMU_VTD, 0, 0, 0, 1 };
	unit[1] = (struct bootinfo_iommu){ 0xfed90000, BOOTINFO_IOMMU_VTD, 0, 0, 0, 1 };
	assert_true(REFUSES(unit[0].base, 0));
	assert_true(REFUSES(unit[0].base, 0xfed80008));
	assert_true(REFUSES(unit[0].base, 0xfed90000));
	assert_true(REFUSES(unit[0].base, 0xfed91000)); /* not sorted */
	assert_true(REFUSES(unit[0].pages, 0));
	assert_false(REFUSES(unit[0].pages, 16));
	assert_true(REFUSES(unit[0].pages, 17));
	assert_true(REFUSES(unit[1].pages, ~0u));
	assert_true(REFUSES(unit[1].base, 1ull << 52));
	assert_true(REFUSES(unit[1].base, ~0xfffull));
	assert_true(REFUSES(unit[0].base, info->ranges[0].base));
	assert_false(REFUSES(unit[0].base, 0xa0000)); /* between two ranges */
	assert_true(REFUSES(unit[0].base, 0x9e000));
	assert_true(REFUSES(unit[1].base, end - FRAME_SIZE));
	assert_false(REFUSES(unit[1].base, IOMMU_END - FRAME_SIZE));
	assert_true(REFUSES(unit[1].base, IOMMU_END));
	assert_true(REFUSES(unit[1].base, end));
	unit[0].base = 0xa0000;
	assert_true(bootinfo_valid(info));
	assert_false(REFUSES(unit[0].pages, 0x60));
	assert_true(REFUSES(unit[0].pages, 0x61));
}

static void cpus_are_distinct(void **state)
{
	assert_true(REFUSES(info->apic_ids[0], info->apic_ids[2]));
	assert_true(REFUSES(info->apic_ids[2], info->apic_ids[1]));
	assert_true(REFUSES(info->apic_ids[1], 0xffffffff));
	assert_false(REFUSES(info->apic_ids[1], 0xfffffffe));
}

static void ranges_are_sorted_and_sane(void **state)
{
	assert_true(REFUSES(info->ranges[0].base, 1));
	assert_true(REFUSES(info->ranges[0].pages, 0));
	assert_true(REFUSES(info->ranges[2].pages, 0));
	assert_true(REFUSES(info->ranges[2].pages, ~0ull));
	assert_true(REFUSES(info->ranges[2].pages, 1ull << 52));
	assert_true(REFUSES(info->ranges[2].base, 1ull << 52));
	assert_true(REFUSES(info->ranges[2].base, ~0xfffull));
	assert_true(REFUSES(info->ranges[0].base, 0x200000));
	assert_true(REFUSES(info->ranges[0].pages, 0x200));
	/* Adjacent ranges are one. */
	assert_true(REFUSES(info->ranges[0].pages, 0xff));
	assert_false(REFUSES(info->ranges[0].pages, 0xfe));
}

static void region_lies_in_memory(void **state)
{
	uint64_t end = info->ranges[1].base + info->ranges[1].pages * FRAME_SIZE;

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
	cmocka_unit_test_setup(arrays_are_as_long_as_there_is, build),
	cmocka_unit_test_setup(partitions_are_checked, build),
	cmocka_unit_test_setup(iommus_are_checked, build),
	cmocka_unit_test_setup(registers_lie_apart_and_outside_memory, build),
	cmocka_unit_test_setup(cpus_are_distinct, build),
	cmocka_unit_test_setup(ranges_are_sorted_and_sane, build),
	cmocka_unit_test_setup(region_lies_in_memory, build),
	cmocka_unit_test_setup(record_lies_in_memory_and_apart, build),
};

UNIT_MAIN(tests)
