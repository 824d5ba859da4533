/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The table that devices go by, behind AMD-Vi units (fake_amdvi.h). What dma.c does for units of
 * every kind is in test_iommu_vtd.c.
 */
#include "arch/cpu.h"
#include "fake_amdvi.h"
#include "fake_vtd.h"
#include "iommu_test.h"
#include "monitor/abi/audit.h"
#include "monitor/abi/tpm.h"

#define BASE	0xfed80000ull
#define SECOND	0xfed84000ull
#define MAPPED	(FAKE_TOP / FRAME_SIZE - FAKE_REGION_PAGES - 2 - 4 - TPM_LOCALITIES)
#define FRAME	0x12345000ull
#define REFUSED REDOUBT_AUDIT_DMA_REFUSED
#define LOG	1023u /* events that fit; of 1,024 places one is not used */

/* On: coherent, commands and events; and what firmware has of its bus. */
#define CONTROL_ON   0x1405ull
#define CONTROL_KEPT 0xf02ull

static int setup(void **state)
{
	fake_reset();
	unit = fake_add_amdvi(BASE, AMDVI_IA);
	return 0;
}

static void test_refused(void **state)
{
	fake_reset();
	unit = fake_add_amdvi(BASE, ~AMDVI_IA);
	fake_amdvi_firmware(unit, FAKE_REGION);
	assert_true(dma_init(FAKE_TOP, FAKE_POOL));
	assert_false(dma_protected() || dma_listed());
	assert_null(dma_map());
	assert_string_equal(fake.log, "dma: unprotected: AMD-Vi that cannot drop everything\n");
	dma_sync();
	dma_end();
	assert_string_equal(unit->seen, "");
	assert_int_equal(unit->table, FAKE_FIRMWARE);
}

static void test_region_too_small(void **state)
{
	const size_t needed = MONITOR_IOMMU_PAGES + FAKE_POOL + MONITOR_DEVICE_PAGES;

	fake.heap_end = FAKE_REGION + (needed - 1) * FRAME_SIZE;
	assert_false(dma_init(FAKE_TOP, FAKE_POOL));
	assert_string_equal(unit->seen, "");
	setup(NULL);
	fake.heap_end = FAKE_REGION + needed * FRAME_SIZE;
	assert_true(dma_init(FAKE_TOP, FAKE_POOL));
}

static void test_starts(void **state)
{
	assert_true(dma_init(FAKE_TOP, FAKE_POOL));
	assert_string_equal(unit->seen, "RXECLATW");
	assert_int_equal(fake_get(unit, AMDVI_CONTROL, 8), CONTROL_ON);
	assert_false(reaches(FAKE_REGION));
	assert_string_equal(fake.log,
	    "dma: AMD-Vi at fed80000, segment 0, all other devices: blocks\n");
}

/* It is never off, whether it answers at once or not. */
static void test_takes_over(void **state)
{
	for (unsigned delay = 1; delay < 8; delay++) {
		setup(NULL);
		unit->delay = delay;
		fake_amdvi_firmware(unit, FAKE_REGION);
		assert_true(reaches(FRAME));
		fake.watch = FAKE_REGION;
		assert_true(dma_init(FAKE_TOP, FAKE_POOL));
		assert_string_equal(unit->seen, "clRXCLATW");
		assert_int_equal(fake_get(unit, AMDVI_CONTROL, 8), CONTROL_ON | CONTROL_KEPT);
		assert_int_equal(fake_get(unit, AMDVI_STATUS, 8), AMDVI_RUN | AMDVI_EVENTS_RUN);
		assert_int_equal(fake_get(unit, AMDVI_EXCLUSION, 8), 0);
		assert_true(reaches(FRAME) && reaches(FAKE_FIRMWARE));
	}
}

static void test_firmware_is_forgotten(void **state)
{
	fake_amdvi_firmware(unit, FAKE_REGION + LARGE_SIZE);
	assert_true(reaches(FAKE_REGION));
	start();
	assert_false(reaches(FAKE_REGION));
}

static void test_silent_at_start(void **state)
{
	for (unsigned i = 0; i < 3; i++) {
		setup(NULL);
		fake_add_amdvi(SECOND, AMDVI_IA);
		unit->stuck = i == 0;
		if (i != 0)
			fake_amdvi_firmware(unit, FAKE_REGION);
		unit->never = i == 1 ? AMDVI_RUN : i == 2 ? AMDVI_EVENTS_RUN : 0;
		assert_true(dma_init(FAKE_TOP, FAKE_POOL));
		assert_false(dma_protected());
		assert_null(dma_map());
		assert_non_null(strstr(fake.log,
		    "AMD-Vi at fed80000, segment 0, all other devices: does not answer\n"));
		assert_false(fake.units[1].translates || unit->translates);
		dma_sync();
		dma_report();
	}
}

static void test_every_device(void **state)
{
	start();
	for (unsigned id = 0; id < 0x10000; id++) {
		struct fake_reach in = fake_would_reach(unit, (uint16_t)id, FRAME);
		struct fake_reach out = fake_would_reach(unit, (uint16_t)id, FAKE_REGION);

		assert_true(in.read && in.write && !out.read && !out.write);
	}
}

static void test_what_is_mapped(void **state)
{
	start();
	assert_int_equal(fake_amdvi_frames(unit, 0), MAPPED);
	assert_int_equal(fake_amdvi_frames(unit, 0xffff), MAPPED);
	assert_false(reaches(BASE + 3 * FRAME_SIZE) || reaches(FAKE_RECORD) || reaches(FAKE_TOP));
	assert_false(reaches(TPM_BASE) || reaches(TPM_BUFFER - FRAME_SIZE));
	assert_true(reaches(TPM_BASE - FRAME_SIZE) && reaches(TPM_BUFFER));
	setup(NULL);
	fake.huge = false;
	start();
	assert_int_equal(fake_amdvi_frames(unit, 0), MAPPED);
}

static void test_changes_hands(void **state)
{
	start();
	for (uint64_t frames = 1; frames < 2000; frames += 333) {
		uint64_t last = FRAME + (frames - 1) * FRAME_SIZE;

		assert_true(reaches(FRAME) && reaches(last));
		assert_true(dma_block((spa_t){ FRAME }, frames));
		assert_int_equal(fake_amdvi_frames(unit, 0), MAPPED - frames);
		assert_true(reaches(FRAME) && reaches(last));
		dma_sync();
		assert_false(reaches(FRAME) || reaches(last));
		assert_true(reaches(FRAME - FRAME_SIZE) && reaches(last + FRAME_SIZE));
		dma_allow((spa_t){ FRAME }, frames);
		dma_sync();
		assert_true(reaches(FRAME) && reaches(last));
		assert_int_equal(fake_amdvi_frames(unit, 0), MAPPED);
	}
}

static void test_many_flushes(void **state)
{
	start();
	for (unsigned i = 0; i < 1000; i++) {
		memset(unit->seen, 0, sizeof(unit->seen));
		assert_true(reaches(FRAME));
		dma_sync();
		assert_string_equal(unit->seen, "TW");
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
	/* Commands have stopped. */
	fake_put(unit, AMDVI_STATUS, 8, AMDVI_EVENTS_RUN);
	expect_assert_failure(dma_sync());
}

static void test_end(void **state)
{
	fake_amdvi_firmware(unit, FAKE_REGION);
	start();
	dma_end();
	assert_string_equal(unit->seen, "ecl");
	assert_int_equal(fake_get(unit, AMDVI_CONTROL, 8), CONTROL_KEPT);
	assert_true(reaches(FAKE_REGION));
	assert_null(dma_map());
}

/* A unit has the devices behind it, whatever is listed. */
static void test_other_maker(void **state)
{
	fake_reset();
	unit = fake_add_vtd(BASE, VTD_CAP_PLAIN, VTD_ECAP_PLAIN);
	assert_true(dma_init(FAKE_TOP, FAKE_POOL));
	assert_false(dma_protected());
	assert_null(dma_map());
	assert_string_equal(fake.log, "dma: unprotected: the IOMMUs are not of the CPU's maker\n");
	assert_string_equal(unit->seen, "");
}

/* ---- Events ---- */

static void expect_audit(unsigned i, uint64_t subject, uint64_t fact)
{
	assert_true(i < fake.audit_count);
	assert_int_equal(fake.audits[i].event, REFUSED);
	assert_int_equal(fake.audits[i].subject, subject);
	assert_int_equal(fake.audits[i].fact, fact);
}

/* The log takes its time to be on again. */
static void report(void)
{
	dma_report();
	for (unsigned i = 0; i < unit->delay; i++)
		cpu_pause();
}

static void test_reports(void **state)
{
	fake.info.iommus[0].segment = 2;
	start();
	report();
	assert_int_equal(fake.audit_count, 0);
	for (unsigned round = 1; round <= 3; round++) {
		assert_false(fake_amdvi_access(unit, 0x18, FAKE_REGION + 0x123, false));
		assert_false(fake_amdvi_access(unit, 0xffff, FAKE_TOP + round, true));
		assert_true(fake_amdvi_access(unit, 0x18, FRAME, true));
		report();
		report();
		assert_int_equal(fake.audit_count, 2 * round);
		expect_audit(2 * round - 2, 0x20018, FAKE_REGION + 0x123);
		expect_audit(2 * round - 1, 0x2ffff, FAKE_TOP + round);
	}
	/* Commands went on all the time, and a flush still works. */
	assert_string_equal(unit->seen, "lLlLlL");
	dma_sync();
}

/* Whatever a device may bring about is audited, and no line of the log. */
static void test_every_event(void **state)
{
	start();
	for (unsigned event = ILLEGAL_DEV_TABLE_ENTRY; event < AMDVI_EVENT_END; event++) {
		fake.audit_count = fake.log_lines = 0;
		fake_amdvi_event(unit, event, 0x77, 0xabc0);
		report();
		assert_int_equal(fake.audit_count, 1);
		assert_int_equal(fake.log_lines, 0);
		expect_audit(0, 0x77, 0xabc0);
	}
}

/* Several kinds, one behind the other. */
static void test_mixed_events(void **state)
{
	start();
	fake_amdvi_event(unit, IOTLB_INV_TIMEOUT, 1, 0x1000);
	fake_amdvi_event(unit, IO_PAGE_FAULT, 2, 0x2000);
	fake_amdvi_event(unit, INVALID_DEVICE_REQUEST, 3, 0x3000);
	fake_amdvi_event(unit, IO_PAGE_FAULT, 4, 0x4000);
	report();
	assert_int_equal(fake.audit_count, 4);
	for (unsigned i = 0; i < 4; i++)
		expect_audit(i, i + 1, (i + 1) * 0x1000);
}

static void test_overflow(void **state)
{
	fake_amdvi_firmware(unit, FAKE_REGION);
	start();
	for (unsigned round = 1; round <= 2; round++) {
		fake.audit_count = 0;
		for (unsigned i = 0; i < LOG + 5; i++)
			fake_amdvi_access(unit, (uint16_t)i, FAKE_REGION, true);
		assert_int_equal(fake_get(unit, AMDVI_STATUS, 8) & 9, AMDVI_OVERFLOW);
		report();
		assert_int_equal(fake.audit_count, LOG);
		for (unsigned i = 0; i < LOG; i++)
			expect_audit(i, i, FAKE_REGION);
		assert_int_equal(fake_get(unit, AMDVI_STATUS, 8) & 9, AMDVI_EVENTS_RUN);
	}
}

/* Whatever the unit has written there, what lies behind the log is left alone. */
static void test_end_of_log(void **state)
{
	uint64_t *log;

	start();
	log = fake_memory(fake_get(unit, AMDVI_EVENTS, 8) & 0x000ffffffffff000ull);
	for (unsigned i = 0; i < LOG + 1; i++)
		log[2 * i] = (uint64_t)IO_PAGE_FAULT << 60;
	dma_report();
	assert_int_equal(fake.audit_count, LOG + 1);
	assert_int_equal(fake.log_lines, 1);
	assert_int_equal(fake_amdvi_frames(unit, 0), MAPPED);
}

/* Erratum 732: the tail is ahead of the event, which comes later. */
static void test_tail_ahead(void **state)
{
	uint64_t *log, event;

	start();
	log = fake_memory(fake_get(unit, AMDVI_EVENTS, 8) & 0x000ffffffffff000ull);
	fake_amdvi_access(unit, 0x18, FAKE_REGION, true);
	event = log[0];
	log[0] = 0;
	report();
	assert_int_equal(fake.audit_count, 0);
	log[0] = event;
	report();
	assert_int_equal(fake.audit_count, 1);
	expect_audit(0, 0x18, FAKE_REGION);
}

/* A log that does not stop is left as it is. */
static void test_log_goes_on(void **state)
{
	start();
	fake_amdvi_access(unit, 0x18, FAKE_REGION, true);
	unit->never = AMDVI_EVENTS_RUN;
	report();
	assert_int_equal(fake.audit_count, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

static const struct CMUnitTest tests[] = {
	TEST(test_refused),
	TEST(test_region_too_small),
	TEST(test_starts),
	TEST(test_takes_over),
	TEST(test_firmware_is_forgotten),
	TEST(test_silent_at_start),
	TEST(test_every_device),
	TEST(test_what_is_mapped),
	TEST(test_changes_hands),
	TEST(test_many_flushes),
	TEST(test_silent_later),
	TEST(test_end),
	TEST(test_other_maker),
	TEST(test_reports),
	TEST(test_every_event),
	TEST(test_mixed_events),
	TEST(test_overflow),
	TEST(test_end_of_log),
	TEST(test_tail_ahead),
	TEST(test_log_goes_on),
};

UNIT_MAIN(tests)
