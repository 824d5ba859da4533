/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * See fake_amdvi.h.
 */
#include "fake_amdvi.h"

#define ADDRESS	     0x000ffffffffff000ull
#define EVENT_LENGTH 16u
#define STATUS_W1C   0x7ull

/* A device table entry's bits that stay clear: AMD-Vi 2.2.2.1. */
#define ENTRY_RESERVED_0 (~(3ull | 7ull << 9 | ADDRESS | 3ull << 61))
#define MODE(context)	 ((unsigned)((context)[0] >> 9 & 7))

/* ---- Tables: AMD-Vi 2.2.2, 2.2.3 ---- */

static void fetch(const struct fake_unit *unit, uint16_t id, uint64_t *context)
{
	uint64_t entries = ((unit->table & 0x1ff) + 1) * FRAME_SIZE / 32;

	memset(context, 0, 32);
	/* Beyond the table a device is not told apart: that is refused. */
	if (id >= entries)
		return;
	for (unsigned i = 0; i < 4; i++)
		context[i] = fake_walked(unit, (unit->table & ADDRESS) + 32 * id + 8 * i);
	/* No guest tables, no IOTLB of its own, no interrupts remapped; a domain. */
	assert_int_equal(context[0] & ENTRY_RESERVED_0, 0);
	assert_int_equal(context[1] & ~0xffffull, 0);
	assert_int_equal(context[2] | context[3], 0);
}

static struct fake_step decode(const struct fake_unit *unit, uint64_t entry, unsigned level)
{
	unsigned next = (unsigned)(entry >> 9 & 7);
	uint64_t reserved = 1ull << 63 | 0x7full << 52 | (next == 0 ? 0 : 3ull << 59);
	struct fake_step step = { .to = entry & ADDRESS, .below = next };

	if (!(entry & 1)) {
		assert_int_equal(entry, 0);
		return step;
	}
	if (next >= level)
		fail_msg("level %u: entry %lx leads to level %u", level, entry, next);
	if (next == 0)
		reserved |= (1ull << (FRAME_SHIFT + 9 * (level - 1))) - FRAME_SIZE;
	if (entry & reserved)
		fail_msg("level %u: entry %lx has reserved bits", level, entry);
	step.read = entry >> 61 & 1;
	step.write = entry >> 62 & 1;
	return step;
}

static struct fake_reach walk(const struct fake_unit *unit, const uint64_t *context,
    uint64_t address)
{
	struct fake_reach reach = { 0 };

	/* An entry that is not valid, or of no table, would let everything pass. */
	assert_int_equal(context[0] & 3, 3);
	assert_in_range(MODE(context), 1, 4);
	reach = fake_walk(unit, context[0] & ADDRESS, MODE(context), address);
	reach.read &= context[0] >> 61 & 1;
	reach.write &= context[0] >> 62 & 1;
	return reach;
}

uint64_t fake_amdvi_frames(const struct fake_unit *unit, uint16_t id)
{
	uint64_t context[4];

	fetch(unit, id, context);
	assert_int_equal(context[0] & (3 | 3ull << 61), 3 | 3ull << 61);
	return fake_count(unit, context[0] & ADDRESS, MODE(context), 0);
}

/* ---- Events: AMD-Vi 2.5 ---- */

static void change_status(struct fake_unit *unit, uint64_t set, uint64_t clear)
{
	fake_put(unit, AMDVI_STATUS, 8, (fake_get(unit, AMDVI_STATUS, 8) | set) & ~clear);
}

static uint64_t length(uint64_t base)
{
	return EVENT_LENGTH << (base >> 56 & 0xf);
}

void fake_amdvi_event(struct fake_unit *unit, enum amdvi_event event, uint16_t id, uint64_t address)
{
	uint64_t base = fake_get(unit, AMDVI_EVENTS, 8), tail = fake_get(unit, AMDVI_EVENT_TAIL, 8);
	uint64_t next = (tail + EVENT_LENGTH) % length(base);
	uint64_t *words = fake_memory((base & ADDRESS) + tail);

	if (!(fake_get(unit, AMDVI_STATUS, 8) & AMDVI_EVENTS_RUN))
		return;
	/* No room: nothing more is written down until the log is off and on again. */
	if (next == fake_get(unit, AMDVI_EVENT_HEAD, 8)) {
		change_status(unit, AMDVI_OVERFLOW, AMDVI_EVENTS_RUN);
		return;
	}
	words[0] = (uint64_t)event << 60 | (uint64_t)IOMMU_DOMAIN << 32 | id;
	words[1] = address;
	fake_put(unit, AMDVI_EVENT_TAIL, 8, next);
	change_status(unit, 2, 0);
}

bool fake_amdvi_access(struct fake_unit *unit, uint16_t id, uint64_t address, bool write)
{
	struct fake_reach reach = fake_reach(unit, id, address);

	if (write ? reach.write : reach.read)
		return true;
	fake_amdvi_event(unit, IO_PAGE_FAULT, id, address);
	return false;
}

/* ---- Commands: AMD-Vi 2.4 ---- */

/* Of the monitor's domain. */
static void forget_translations(struct fake_unit *unit, uint64_t page)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < unit->translation_count; i++) {
		const struct fake_translation *t = &unit->translations[i];

		if ((t->domain & 0xffff) != IOMMU_DOMAIN || (page != ~0ull && t->page != page))
			unit->translations[kept++] = *t;
	}
	unit->translation_count = kept;
}

static bool invalidate_pages(struct fake_unit *unit, uint64_t low, uint64_t high)
{
	/* With S the lowest clear bit of the address tells the size; bit 63: all. */
	bool all = high & 1 && (high | 0xfff) == ~(1ull << 63);

	if (low & 0x0fff0000ffffffffull || high & 0xff8 || (low >> 32 & 0xffff) != IOMMU_DOMAIN)
		return false;
	fake_see(unit, 'T');
	/* A large page may have been split: what leads to the leaves goes, too. */
	if (high & 2)
		forget_translations(unit, all ? ~0ull : high & ~0xfffull);
	return true;
}

static bool carry_out(struct fake_unit *unit, uint64_t low, uint64_t high)
{
	switch (low >> 60) {
	case 1:
		if (low & 0x0ff0000000000006ull || !(low & 1))
			return false;
		memcpy(fake_memory(low & 0x000ffffffffffff8ull), &high, sizeof(high));
		fake_see(unit, 'W');
		return true;
	case 3:
		return invalidate_pages(unit, low, high);
	case 8:
		if (low << 4 || high || !(fake_get(unit, AMDVI_FEATURES, 8) & AMDVI_IA))
			return false;
		fake_see(unit, 'A');
		unit->context_count = unit->translation_count = 0;
		return true;
	default:
		return false;
	}
}

static void run_commands(struct fake_unit *unit)
{
	uint64_t base = fake_get(unit, AMDVI_COMMANDS, 8), head = fake_get(unit, AMDVI_HEAD, 8);

	while (!unit->stuck && fake_get(unit, AMDVI_STATUS, 8) & AMDVI_RUN &&
	    head != fake_get(unit, AMDVI_TAIL, 8)) {
		const uint64_t *words = fake_memory((base & ADDRESS) + head);

		if (!carry_out(unit, words[0], words[1])) {
			fake_see(unit, '!');
			change_status(unit, 0, AMDVI_RUN);
			fake_amdvi_event(unit, ILLEGAL_COMMAND_ERROR, 0, (base & ADDRESS) + head);
			return;
		}
		head = (head + EVENT_LENGTH) % length(base);
		fake_put(unit, AMDVI_HEAD, 8, head);
	}
}

/* ---- Registers ---- */

static void change_run(struct fake_unit *unit, bool on, uint64_t bit, char letter)
{
	bool now = fake_get(unit, AMDVI_STATUS, 8) & bit;

	if (on == now || unit->never & bit)
		return;
	change_status(unit, on ? bit : 0, on ? 0 : bit);
	fake_see(unit, on ? letter : (char)(letter - 'A' + 'a'));
}

static void settle(struct fake_unit *unit)
{
	uint64_t control = unit->wanted;

	if (unit->left != 0 && --unit->left == 0) {
		change_run(unit, control & AMDVI_ON && control & AMDVI_COMMANDS_ON, AMDVI_RUN, 'C');
		change_run(unit, control & AMDVI_ON && control & AMDVI_EVENTS_ON, AMDVI_EVENTS_RUN,
		    'L');
	}
	run_commands(unit);
}

static void write_control(struct fake_unit *unit, uint64_t value)
{
	bool on = value & AMDVI_ON;

	if (on != unit->translates)
		fake_see(unit, on ? 'E' : 'e');
	unit->translates = on;
	fake_put(unit, AMDVI_CONTROL, 8, value);
	unit->wanted = value;
	unit->left = unit->delay;
}

/* A log's and a queue's registers are left alone while they are used. */
static void write_idle(struct fake_unit *unit, unsigned at, uint64_t value, uint64_t running)
{
	assert_int_equal(fake_get(unit, AMDVI_STATUS, 8) & running, 0);
	fake_put(unit, at, 8, value);
}

static void write(struct fake_unit *unit, unsigned at, unsigned bytes, uint64_t value)
{
	assert_int_equal(bytes, 8);
	switch (at) {
	case AMDVI_CONTROL:
		return write_control(unit, value);
	case AMDVI_TABLE:
		fake_see(unit, 'R');
		unit->table = value;
		return fake_put(unit, at, 8, value);
	case AMDVI_EXCLUSION:
		assert_int_equal(value, 0);
		fake_see(unit, 'X');
		return fake_put(unit, at, 8, 0);
	case AMDVI_COMMANDS:
	case AMDVI_HEAD:
		return write_idle(unit, at, value, AMDVI_RUN);
	case AMDVI_EVENTS:
	case AMDVI_EVENT_HEAD:
	case AMDVI_EVENT_TAIL:
		return write_idle(unit, at, value, AMDVI_EVENTS_RUN);
	case AMDVI_TAIL:
		return fake_put(unit, at, 8, value);
	case AMDVI_STATUS:
		return change_status(unit, 0, value & STATUS_W1C);
	default:
		fail_msg("%x is written", at);
	}
}

/* ---- How it begins ---- */

struct fake_unit *fake_add_amdvi(uint64_t base, uint64_t features)
{
	struct fake_unit *unit = fake_add_unit(BOOTINFO_IOMMU_AMDVI, base, 4);

	unit->settle = settle;
	unit->write = write;
	unit->fetch = fetch;
	unit->walk = walk;
	unit->decode = decode;
	fake_put(unit, AMDVI_FEATURES, 8, features);
	return unit;
}

void fake_amdvi_firmware(struct fake_unit *unit, uint64_t end)
{
	uint64_t *table = fake_memory(FAKE_FIRMWARE);

	memset(table, 0, 5 * FRAME_SIZE);
	for (unsigned i = 0; i < 128; i++) {
		table[4 * i] = (FAKE_FIRMWARE + FRAME_SIZE) | 3 | 3 << 9 | 3ull << 61;
		table[4 * i + 1] = 7;
	}
	table[512] = (FAKE_FIRMWARE + 2 * FRAME_SIZE) | 1 | 2 << 9 | 3ull << 61;
	for (uint64_t at = 0; at < end; at += LARGE_SIZE)
		table[1024 + (at >> LARGE_SHIFT)] = at | 1 | 3ull << 61;
	fake_put(unit, AMDVI_TABLE, 8, FAKE_FIRMWARE);
	fake_put(unit, AMDVI_COMMANDS, 8, (FAKE_FIRMWARE + 3 * FRAME_SIZE) | 8ull << 56);
	fake_put(unit, AMDVI_EVENTS, 8, (FAKE_FIRMWARE + 4 * FRAME_SIZE) | 8ull << 56);
	fake_put(unit, AMDVI_HEAD, 8, 0x40);
	fake_put(unit, AMDVI_TAIL, 8, 0x40);
	fake_put(unit, AMDVI_EVENT_HEAD, 8, 0x80);
	fake_put(unit, AMDVI_EVENT_TAIL, 8, 0x90);
	fake_put(unit, AMDVI_EXCLUSION, 8, 0x30000001);
	fake_put(unit, AMDVI_LIMIT, 8, 0x3000f000);
	/* With the bits for its bus, and interrupts. */
	fake_put(unit, AMDVI_CONTROL, 8, 0x1f1f);
	fake_put(unit, AMDVI_STATUS, 8, AMDVI_RUN | AMDVI_EVENTS_RUN | AMDVI_OVERFLOW);
	unit->table = FAKE_FIRMWARE;
	unit->translates = true;
}
