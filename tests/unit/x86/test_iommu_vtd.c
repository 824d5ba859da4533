/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The table that devices go by, behind VT-d units (fake_vtd.h). Built twice, with the formats of
 * EPT and of NPT entries: a unit reads both.
 */
#include "fake_vtd.h"

#include "arch/stage2_format.h"
#include "fake_amdvi.h"
#include "iommu_test.h"
#include "monitor/abi/audit.h"
#include "monitor/abi/tpm.h"

#define BASE	0xfed90000ull
#define SECOND	0xfed91000ull
#define FRAMES	(FAKE_TOP / FRAME_SIZE)
#define FRAME	0x12345000ull	     /* one that changes hands */
#define FIRST	HUGE_SIZE	     /* above all holes but one */
#define ELSE	(3 + TPM_LOCALITIES) /* pages without what comes and goes */
#define REFUSED REDOUBT_AUDIT_DMA_REFUSED

static int setup(void **state)
{
	fake_reset();
	unit = fake_add_vtd(BASE, VTD_CAP_PLAIN, VTD_ECAP_PLAIN);
	return 0;
}

/* ---- What is refused ---- */

static void refused(const char *why)
{
	uint32_t status = (uint32_t)fake_get(unit, VTD_GSTS, 4);

	assert_true(dma_init(FAKE_TOP, FAKE_POOL));
	assert_false(dma_protected() || dma_listed());
	assert_null(dma_map());
	assert_string_equal(fake.log, why);
	/* Nothing was done to it, and nothing is later. */
	assert_string_equal(unit->seen, "");
	assert_int_equal(fake_get(unit, VTD_GSTS, 4), status);
	assert_true(dma_block((spa_t){ FRAME }, 1));
	dma_sync();
	dma_allow((spa_t){ FRAME }, 1);
	dma_report();
	dma_end();
	assert_string_equal(unit->seen, "");
	assert_true(reaches(FRAME));
}

static void test_refused(void **state)
{
	static const struct {
		uint64_t cap, ecap;
		uint32_t status;
		const char *why;
	} cases[] = {
		{ 0, VTD_ECAP_QI, 0, "VT-d without large pages or a queue" },
		{ VTD_CAP_2M, 0, 0, "VT-d without large pages or a queue" },
		{ VTD_CAP_RWBF, 0, 0, "VT-d without large pages or a queue" },
		{ VTD_CAP_48 | VTD_CAP_39, 0, 0, "VT-d that does not reach all memory" },
		{ 0, 0, VTD_IRE, "firmware has VT-d remap interrupts" },
		{ 0, 0, VTD_IRE | VTD_CFI, "firmware has VT-d remap interrupts" },
	};
	char why[128];

	for (unsigned i = 0; i < COUNT(cases); i++) {
		fake_reset();
		unit = fake_add_vtd(BASE, VTD_CAP_PLAIN ^ cases[i].cap,
		    VTD_ECAP_PLAIN ^ cases[i].ecap);
		fake_put(unit, VTD_GSTS, 4, cases[i].status);
		snprintf(why, sizeof(why), "dma: unprotected: %s\n", cases[i].why);
		refused(why);
	}
}

/* One unit that will not do, and none is touched. */
static void test_second_refused(void **state)
{
	unit = fake_add_vtd(SECOND, VTD_CAP_PLAIN, VTD_ECAP_PLAIN & ~VTD_ECAP_QI);
	refused("dma: unprotected: VT-d without large pages or a queue\n");
	assert_string_equal(fake.units[0].seen, "");
}

static void test_39_bits(void **state)
{
	fake_reset();
	unit = fake_add_vtd(BASE, VTD_CAP_PLAIN & ~VTD_CAP_48, VTD_ECAP_PLAIN);
	assert_true(dma_init((1ull << 39) + HUGE_SIZE, FAKE_POOL));
	assert_string_equal(fake.log, "dma: unprotected: VT-d that does not reach all memory\n");
	assert_false(dma_protected());
	fake_reset();
	unit = fake_add_vtd(BASE, VTD_CAP_PLAIN & ~VTD_CAP_48, VTD_ECAP_PLAIN);
	assert_true(dma_init(1ull << 39, FAKE_POOL));
	assert_true(dma_protected());
	assert_true(reaches((1ull << 39) - FRAME_SIZE));
	assert_false(reaches(1ull << 39));
}

/* The others' table has as many levels, whichever comes first; those that cannot are refused. */
static void test_39_bits_beside_48(void **state)
{
	static const struct {
		uint64_t first, second;
		bool works;
	} cases[] = {
		{ VTD_CAP_39, VTD_CAP_39 | VTD_CAP_48, true },
		{ VTD_CAP_39 | VTD_CAP_48, VTD_CAP_39, true },
		{ VTD_CAP_39, VTD_CAP_48, false },
		{ VTD_CAP_48, VTD_CAP_39, false },
		{ VTD_CAP_48, VTD_CAP_48, true },
	};
	const uint64_t none = VTD_CAP_PLAIN & ~VTD_CAP_39 & ~VTD_CAP_48;

	for (unsigned i = 0; i < COUNT(cases); i++) {
		fake_reset();
		fake_add_vtd(BASE, none | cases[i].first, VTD_ECAP_PLAIN);
		fake_add_vtd(SECOND, none | cases[i].second, VTD_ECAP_PLAIN);
		assert_true(dma_init(FAKE_TOP, FAKE_POOL));
		assert_int_equal(dma_protected(), cases[i].works);
		for (unsigned k = 0; k < 2 && cases[i].works; k++) {
			unit = &fake.units[k];
			assert_true(reaches(FRAME));
		}
	}
}

static void test_no_units(void **state)
{
	static const char *const reasons[] = { "firmware tells of no IOMMU", NULL,
		"firmware's tables of IOMMUs are damaged",
		"firmware's tables of IOMMUs contradict themselves", "there are too many IOMMUs",
		"the IOMMUs are of an unknown kind" };
	char why[128];

	for (unsigned i = 0; i < COUNT(reasons); i++) {
		if (!reasons[i])
			continue;
		fake_reset();
		fake.info.iommu_status = i;
		snprintf(why, sizeof(why), "dma: unprotected: %s\n", reasons[i]);
		assert_true(dma_init(FAKE_TOP, FAKE_POOL));
		assert_string_equal(fake.log, why);
		assert_false(dma_protected() || dma_listed());
		assert_int_equal(fake.heap, FAKE_REGION);
	}
}

static void test_left_alone(void **state)
{
	fake.info.flags = BOOTINFO_IOMMU_OFF;
	refused("dma: unprotected: the configuration leaves IOMMUs alone\n");
}

/* Its registers end before the records that it tells of. */
static void test_records_elsewhere(void **state)
{
	fake_reset();
	unit = fake_add_vtd(BASE, fake_vtd_records(VTD_CAP_PLAIN, 256), VTD_ECAP_PLAIN);
	refused("dma: unprotected: VT-d with more registers than firmware tells of\n");
}

static void test_region_too_small(void **state)
{
	const size_t needed = MONITOR_IOMMU_PAGES + FAKE_POOL + 2;

	for (size_t pages = 0; pages < needed; pages++) {
		setup(NULL);
		fake.heap_end = FAKE_REGION + pages * FRAME_SIZE;
		assert_false(dma_init(FAKE_TOP, FAKE_POOL));
		assert_string_equal(unit->seen, "");
	}
	setup(NULL);
	fake.heap_end = FAKE_REGION + needed * FRAME_SIZE;
	assert_true(dma_init(FAKE_TOP, FAKE_POOL));
	setup(NULL);
	assert_false(dma_init(FAKE_TOP, 4));
	assert_string_equal(unit->seen, "");
}

/* ---- The start ---- */

/* The table, the queue, all forgotten; only then on, or as it was. */
static void test_takes_over(void **state)
{
	static const struct {
		bool on, queue;
		const char *seen;
	} cases[] = {
		{ false, false, "RQCWTWEM" },
		{ true, false, "RQCWTWM" },
		{ true, true, "RqQCWTWM" },
	};

	for (unsigned i = 0; i < COUNT(cases); i++) {
		setup(NULL);
		fake_put(unit, VTD_PMEN, 4, 1u << 31 | 1);
		if (cases[i].on) {
			fake_vtd_firmware(unit, FAKE_REGION, cases[i].queue);
			assert_true(reaches(FRAME));
			fake.watch = FAKE_REGION;
		}
		assert_true(dma_init(FAKE_TOP, FAKE_POOL));
		assert_string_equal(unit->seen, cases[i].seen);
		assert_false(reaches(FAKE_REGION));
		assert_true(reaches(FAKE_FIRMWARE));
		assert_int_equal(fake_get(unit, VTD_FECTL, 4), 1u << 31);
		assert_string_equal(fake.log,
		    "dma: VT-d at fed90000, segment 0, all other devices: blocks\n");
	}
}

/* What firmware's table let pass is not remembered; nor is an error of its queue. */
static void test_firmware_is_forgotten(void **state)
{
	fake_vtd_firmware(unit, FAKE_REGION + LARGE_SIZE, true);
	assert_true(reaches(FAKE_REGION));
	fake_put(unit, VTD_FSTS, 4, VTD_IQE | VTD_PFO);
	start();
	assert_false(reaches(FAKE_REGION));
	assert_int_equal(fake_get(unit, VTD_FSTS, 4), 0);
}

static void test_no_protected_regions(void **state)
{
	fake_reset();
	unit = fake_add_vtd(BASE, VTD_CAP_PLAIN & ~VTD_CAP_PMR, VTD_ECAP_PLAIN);
	assert_true(dma_init(FAKE_TOP, FAKE_POOL));
	assert_string_equal(unit->seen, "RQCWTWE");
}

/* A unit that does not answer: all are off, and the monitor goes on without. */
static void test_silent_at_start(void **state)
{
	static const uint64_t never[] = { VTD_SRTP, VTD_QIE, VTD_TE, 0 };

	for (unsigned i = 0; i < COUNT(never); i++) {
		setup(NULL);
		unit = fake_add_vtd(SECOND, VTD_CAP_PLAIN, VTD_ECAP_PLAIN);
		unit->never = never[i];
		unit->stuck = never[i] == 0;
		assert_true(dma_init(FAKE_TOP, FAKE_POOL));
		assert_false(dma_protected() || dma_listed());
		assert_null(dma_map());
		assert_non_null(
		    strstr(fake.log, "fed91000, segment 0, all other devices: does not answer\n"));
		for (unsigned k = 0; k < 2; k++) {
			unit = &fake.units[k];
			assert_true(reaches(FAKE_REGION));
		}
		assert_true(dma_block((spa_t){ FRAME }, 1));
		dma_sync();
		dma_report();
	}
}

/* ---- The table ---- */

static void test_every_device(void **state)
{
	fake.info.iommus[0].segment = 1;
	start();
	for (unsigned id = 0; id < 0x10000; id++) {
		struct fake_reach in = fake_would_reach(unit, (uint16_t)id, FRAME);
		struct fake_reach out = fake_would_reach(unit, (uint16_t)id, FAKE_REGION);

		assert_true(in.read && in.write && !out.read && !out.write);
	}
}

static void test_what_is_mapped(void **state)
{
	const uint64_t hole = (FAKE_BUS_END - FAKE_BUS) / FRAME_SIZE;
	const struct {
		uint64_t top, without;
	} cases[] = {
		{ 4ull << 30, 0 },
		{ FAKE_TOP, 0 },
		{ FAKE_BUS, 0 },
		{ FAKE_BUS + HUGE_SIZE, HUGE_SIZE / FRAME_SIZE },
		{ FAKE_BUS_END, hole },
		{ FAKE_BUS_END + 3 * HUGE_SIZE, hole },
	};

	for (unsigned i = 0; i < COUNT(cases); i++) {
		setup(NULL);
		assert_true(dma_init(cases[i].top, FAKE_POOL));
		/* The region, the record, the unit's registers, the I/O APIC, a TPM's registers. */
		assert_int_equal(fake_vtd_frames(unit, FAKE_DEVICE),
		    cases[i].top / FRAME_SIZE - cases[i].without - FAKE_REGION_PAGES - ELSE);
		assert_false(reaches(FAKE_RECORD) || reaches(BASE) || reaches(cases[i].top));
		for (unsigned page = 0; page < TPM_LOCALITIES; page++)
			assert_false(reaches(TPM_BASE + page * FRAME_SIZE));
		assert_true(reaches(TPM_BASE - FRAME_SIZE) && reaches(TPM_BUFFER));
	}
	setup(NULL);
	fake.info.record_base = 0;
	start();
	assert_true(reaches(FAKE_RECORD));
}

/* The unit has no pages of 1 GiB, or the CPU has none, or three levels. */
static void test_kinds_of_units(void **state)
{
	static const struct {
		uint64_t without;
		bool huge;
	} cases[] = { { 0, true }, { 0, false }, { VTD_CAP_1G, true }, { VTD_CAP_48, true },
		{ VTD_CAP_39, true }, { VTD_CAP_48 | VTD_CAP_1G, false } };

	for (unsigned i = 0; i < COUNT(cases); i++) {
		fake_reset();
		fake.huge = cases[i].huge;
		unit = fake_add_vtd(BASE, VTD_CAP_PLAIN & ~cases[i].without, VTD_ECAP_PLAIN);
		start();
		assert_int_equal(fake_vtd_frames(unit, 0xffff), FRAMES - FAKE_REGION_PAGES - ELSE);
		assert_int_equal(fake_vtd_frames(unit, 0), FRAMES - FAKE_REGION_PAGES - ELSE);
	}
}

/* ---- Frames that change hands ---- */

static void change_hands(uint64_t at, uint64_t frames)
{
	const uint64_t all = fake_vtd_frames(unit, 0), last = at + (frames - 1) * FRAME_SIZE;

	assert_true(reaches(at) && reaches(last));
	assert_true(dma_block((spa_t){ at }, frames));
	assert_int_equal(fake_vtd_frames(unit, 0), all - frames);
	/* What is remembered goes with the flush, not before. */
	assert_true(reaches(at) && reaches(last));
	dma_sync();
	assert_false(reaches(at) || reaches(last));
	assert_true(reaches(at - FRAME_SIZE) && reaches(last + FRAME_SIZE));
	dma_allow((spa_t){ at }, frames);
	dma_sync();
	assert_true(reaches(at) && reaches(last));
	assert_int_equal(fake_vtd_frames(unit, 0), all);
}

static void test_changes_hands(void **state)
{
	start();
	change_hands(FRAME, 1);
	change_hands(FRAME, 1);
	change_hands(FRAME - 3 * FRAME_SIZE, 700);
	change_hands(FAKE_TOP - 2 * FRAME_SIZE, 1);
	assert_true(dma_block((spa_t){ 0 }, 1));
	dma_sync();
	assert_false(reaches(0));
	assert_int_equal(fake.written_back, 0);
}

/* Nothing reaches a unit that does not look into caches but what is written back. */
static void test_not_coherent(void **state)
{
	const uint64_t mapped = FRAMES - FAKE_REGION_PAGES - ELSE;

	fake_reset();
	unit = fake_add_vtd(BASE, VTD_CAP_PLAIN, VTD_ECAP_PLAIN & ~1ull);
	start();
	assert_int_equal(fake_vtd_frames(unit, 0), mapped);
	change_hands(FRAME, 1);
	change_hands(FRAME + 5 * LARGE_SIZE, 900);
	/* Where there is nothing a table of nothing comes, whatever lay in its memory. */
	assert_true(dma_block((spa_t){ FAKE_REGION + FRAME_SIZE }, 1));
	assert_int_equal(fake_vtd_frames(unit, 0), mapped);
	assert_int_not_equal(fake.written_back, 0);
}

static void test_pool_is_empty(void **state)
{
	uint64_t blocked = 0, at;

	start();
	for (at = FIRST; dma_block((spa_t){ at }, 1); at += LARGE_SIZE)
		blocked++;
	assert_int_not_equal(blocked, 0);
	dma_sync();
	assert_true(reaches(at));
	assert_int_equal(fake_vtd_frames(unit, 0), FRAMES - FAKE_REGION_PAGES - ELSE - blocked);
	/* What has a table already goes on. */
	assert_true(dma_block((spa_t){ FIRST + FRAME_SIZE }, 1));
}

static void test_open(void **state)
{
	start();
	fake.open = true;
	assert_true(dma_block((spa_t){ FRAME }, 1));
	dma_sync();
	assert_true(reaches(FRAME));
}

/* The queue goes round, with each unit. */
static void test_many_flushes(void **state)
{
	struct fake_unit *other = fake_add_vtd(SECOND, VTD_CAP_PLAIN, VTD_ECAP_PLAIN);

	start();
	for (unsigned i = 0; i < 1000; i++) {
		memset(unit->seen, 0, sizeof(unit->seen));
		memset(other->seen, 0, sizeof(other->seen));
		assert_true(reaches(FRAME));
		dma_sync();
		assert_string_equal(unit->seen, "TW");
		assert_string_equal(other->seen, "TW");
		assert_int_equal(unit->translation_count, 0);
	}
}

static void test_silent_later(void **state)
{
	start();
	dma_sync();
	unit->stuck = true;
	expect_assert_failure(dma_sync());
	unit->stuck = false;
	dma_sync();
	/* An error of the queue's is no answer either. */
	fake_put(unit, VTD_FSTS, 4, VTD_IQE);
	expect_assert_failure(dma_sync());
}

/* ---- What is written down ---- */

static void expect_audit(unsigned i, uint64_t subject, uint64_t fact)
{
	assert_true(i < fake.audit_count);
	assert_int_equal(fake.audits[i].event, REFUSED);
	assert_int_equal(fake.audits[i].subject, subject);
	assert_int_equal(fake.audits[i].fact, fact);
}

static void test_reports(void **state)
{
	fake_reset();
	unit = fake_add_vtd(BASE, fake_vtd_records(VTD_CAP_PLAIN, 4), VTD_ECAP_PLAIN);
	fake.info.iommus[0].segment = 3;
	start();
	dma_report();
	assert_int_equal(fake.audit_count, 0);
	assert_false(fake_vtd_access(unit, 0x0018, FAKE_REGION + 0x123, false));
	assert_false(fake_vtd_access(unit, 0xffff, FAKE_TOP, true));
	assert_true(fake_vtd_access(unit, 0x0018, FRAME, true));
	dma_report();
	assert_int_equal(fake.audit_count, 2);
	expect_audit(0, 0x30018, FAKE_REGION);
	expect_audit(1, 0x3ffff, FAKE_TOP);
	dma_report();
	assert_int_equal(fake.audit_count, 2);
	assert_int_equal(fake_get(unit, VTD_FSTS, 4), 0);
}

static void test_more_than_records(void **state)
{
	fake_reset();
	unit = fake_add_vtd(BASE, fake_vtd_records(VTD_CAP_PLAIN, 4), VTD_ECAP_PLAIN);
	start();
	for (unsigned round = 1; round <= 3; round++) {
		for (unsigned i = 0; i < 10; i++)
			fake_vtd_access(unit, (uint16_t)(round << 8 | i), FAKE_REGION, true);
		assert_true(fake_get(unit, VTD_FSTS, 4) & VTD_PFO);
		dma_report();
		/* The first are kept, the later ones lost. */
		assert_int_equal(fake.audit_count, 4 * round);
		for (unsigned i = 0; i < 4; i++)
			expect_audit(4 * (round - 1) + i, round << 8 | i, FAKE_REGION);
		assert_int_equal(fake_get(unit, VTD_FSTS, 4), 0);
	}
}

static void test_reports_of_all(void **state)
{
	struct fake_unit *other = fake_add_vtd(SECOND, VTD_CAP_PLAIN, VTD_ECAP_PLAIN);

	start();
	fake_vtd_access(other, 2, FAKE_REGION, true);
	fake_vtd_access(unit, 1, FAKE_RECORD, true);
	dma_report();
	assert_int_equal(fake.audit_count, 2);
	expect_audit(0, 1, FAKE_RECORD);
	expect_audit(1, 2, FAKE_REGION);
}

/* ---- The end, and claims ---- */

static void test_end(void **state)
{
	start();
	dma_end();
	assert_string_equal(unit->seen, "eq");
	assert_false(dma_protected() || dma_listed());
	assert_null(dma_map());
	assert_true(reaches(FAKE_REGION));
	dma_sync();
	dma_report();
	dma_end();
	assert_string_equal(unit->seen, "eq");
}

static void test_claims(void **state)
{
	static const struct {
		uint32_t flags[2];
		uint16_t segments[2];
		bool listed;
	} cases[] = {
		{ { BOOTINFO_IOMMU_ALL, 0 }, { 0, 0 }, false },
		{ { 0, BOOTINFO_IOMMU_ALL }, { 0, 0 }, false },
		{ { 0, 0 }, { 0, 0 }, true },
		{ { BOOTINFO_IOMMU_ALL, 0 }, { 0, 1 }, true },
		{ { 0, BOOTINFO_IOMMU_ALL }, { 0, 1 }, true },
		{ { BOOTINFO_IOMMU_ALL, BOOTINFO_IOMMU_ALL }, { 0, 1 }, false },
	};

	for (unsigned i = 0; i < COUNT(cases); i++) {
		setup(NULL);
		fake_add_vtd(SECOND, VTD_CAP_PLAIN, VTD_ECAP_PLAIN);
		for (unsigned k = 0; k < 2; k++) {
			fake.info.iommus[k].flags = cases[i].flags[k];
			fake.info.iommus[k].segment = cases[i].segments[k];
		}
		start();
		assert_int_equal(dma_listed(), cases[i].listed);
		assert_non_null(dma_map());
	}
}

static void test_other_maker(void **state)
{
	fake_reset();
	unit = fake_add_amdvi(BASE, AMDVI_IA);
	refused("dma: unprotected: the IOMMUs are not of the CPU's maker\n");
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

static const struct CMUnitTest tests[] = {
	TEST(test_refused),
	TEST(test_second_refused),
	TEST(test_39_bits),
	TEST(test_39_bits_beside_48),
	TEST(test_no_units),
	TEST(test_left_alone),
	TEST(test_records_elsewhere),
	TEST(test_region_too_small),
	TEST(test_takes_over),
	TEST(test_firmware_is_forgotten),
	TEST(test_no_protected_regions),
	TEST(test_silent_at_start),
	TEST(test_every_device),
	TEST(test_what_is_mapped),
	TEST(test_kinds_of_units),
	TEST(test_changes_hands),
	TEST(test_not_coherent),
	TEST(test_pool_is_empty),
	TEST(test_open),
	TEST(test_many_flushes),
	TEST(test_silent_later),
	TEST(test_reports),
	TEST(test_more_than_records),
	TEST(test_reports_of_all),
	TEST(test_end),
	TEST(test_claims),
	TEST(test_other_maker),
};

UNIT_MAIN(tests)
