/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * See fake_vtd.h.
 */
#include "fake_vtd.h"

#define PERSISTENT (VTD_TE | 1u << 28 | VTD_QIE | VTD_IRE | VTD_CFI)
#define ONE_SHOT   (VTD_SRTP | 1u << 29 | 1u << 27 | 1u << 24)
#define KNOWN	   (VTD_TE | VTD_SRTP | VTD_QIE) /* what the monitor may ask for */
#define PMEN_ON	   (1u << 31 | 1u)
#define FSTS_W1C   0x71u

#define CONTEXT_WIDTH(context) ((unsigned)((context)[1] & 7))
#define HOST_BITS	       46u

/* Of commands. VT-d 6.5.2. */
#define KIND(low)	    ((low)&0xf)
#define CONTEXTS_RESERVED   0xfffc00000000ffc0ull
#define ADDRESSES_RESERVED  0xffffffff0000ff00ull
#define WAIT_RESERVED	    0x00000000ffffff80ull
#define GRANULARITY(low)    ((low) >> 4 & 3)
#define DRAIN(low)	    ((low) >> 6 & 3)
#define WAIT_STATUS_WRITTEN (1ull << 5)

static uint64_t cap(const struct fake_unit *unit)
{
	return fake_get(unit, VTD_CAP, 8);
}

static unsigned record_at(const struct fake_unit *unit, unsigned i)
{
	return (unsigned)(cap(unit) >> 24 & 0x3ff) * 16 + 16 * i;
}

static unsigned records(const struct fake_unit *unit)
{
	return (unsigned)(cap(unit) >> 40 & 0xff) + 1;
}

static void change_status(struct fake_unit *unit, unsigned at, uint32_t set, uint32_t clear)
{
	fake_put(unit, at, 4, (fake_get(unit, at, 4) | set) & ~(uint64_t)clear);
}

/* ---- Tables: VT-d 9.1, 9.3, 9.8 ---- */

static void fetch(const struct fake_unit *unit, uint16_t id, uint64_t *context)
{
	uint64_t root = unit->table + 16 * (id >> 8u);
	uint64_t low = fake_walked(unit, root), contexts = low & ~0xfffull;

	memset(context, 0, 32);
	if (!(low & 1))
		return;
	assert_int_equal(low & 0xffe, 0);
	assert_int_equal(fake_walked(unit, root + 8), 0);
	context[0] = fake_walked(unit, contexts + 16 * (id & 0xffu));
	context[1] = fake_walked(unit, contexts + 16 * (id & 0xffu) + 8);
	if (!(context[0] & 1))
		return;
	/*
	 * No fault is kept quiet, untranslated requests alone are translated; domain 0 is reserved.
	 */
	assert_int_equal(context[0] & 0xffe, 0);
	assert_int_equal(context[1] & 0xffffffffff000080ull, 0);
	assert_int_not_equal(context[1] >> 8 & 0xffff, 0);
	assert_int_not_equal(cap(unit) >> 8 & 1u << CONTEXT_WIDTH(context), 0);
}

static struct fake_step decode(const struct fake_unit *unit, uint64_t entry, unsigned level)
{
	bool is_page = level == 1 || (level < 4 && entry & 1 << 7);
	uint64_t reserved = 1ull << 62 | 1ull << 11 |
	    (0x000ffffffffff000ull >> HOST_BITS << HOST_BITS);
	struct fake_step step = { .read = entry & 1, .write = entry & 2 };

	if (!step.read && !step.write) {
		assert_int_equal(entry, 0);
		return step;
	}
	if (level == 4)
		reserved |= 1 << 7;
	if (is_page && level > 1) {
		reserved |= (1ull << (FRAME_SHIFT + 9 * (level - 1))) - FRAME_SIZE;
		assert_true(cap(unit) & (level == 2 ? VTD_CAP_2M : VTD_CAP_1G));
	}
	if (entry & reserved)
		fail_msg("level %u: entry %lx has reserved bits", level, entry);
	step.to = entry & 0x000ffffffffff000ull;
	step.below = is_page ? 0 : level - 1;
	return step;
}

static struct fake_reach walk(const struct fake_unit *unit, const uint64_t *context,
    uint64_t address)
{
	if (!(context[0] & 1))
		return (struct fake_reach){ 0 };
	return fake_walk(unit, context[0] & ~0xfffull, CONTEXT_WIDTH(context) + 2, address);
}

uint64_t fake_vtd_frames(const struct fake_unit *unit, uint16_t id)
{
	uint64_t context[4];

	fetch(unit, id, context);
	assert_true(context[0] & 1);
	return fake_count(unit, context[0] & ~0xfffull, CONTEXT_WIDTH(context) + 2, 0);
}

/* ---- Commands ---- */

static bool forget(struct fake_unit *unit, uint64_t low, uint64_t high)
{
	uint64_t drains = cap(unit) >> 54 & 3;

	if (GRANULARITY(low) != 1 || high != 0)
		return false;
	if (KIND(low) == 1) {
		fake_see(unit, 'C');
		unit->context_count = 0;
		return (low & CONTEXTS_RESERVED) == 0;
	}
	/* Without a drain what was on its way may still arrive. */
	fake_see(unit, 'T');
	if ((DRAIN(low) & drains) == drains)
		unit->translation_count = 0;
	return (low & ADDRESSES_RESERVED) == 0;
}

static bool carry_out(struct fake_unit *unit, uint64_t low, uint64_t high)
{
	uint32_t status = (uint32_t)(low >> 32);

	if (KIND(low) == 1 || KIND(low) == 2)
		return forget(unit, low, high);
	if (KIND(low) != 5 || low & WAIT_RESERVED || high & 3)
		return false;
	if (low & WAIT_STATUS_WRITTEN)
		memcpy(fake_memory(high & ~7ull), &status, sizeof(status));
	fake_see(unit, 'W');
	return true;
}

/* The queue is read by way of the caches, whatever is said of tables. */
static void run_queue(struct fake_unit *unit)
{
	uint64_t head = fake_get(unit, VTD_IQH, 8), base = fake_get(unit, VTD_IQA, 8) & ~0xfffull;

	while (!unit->stuck && fake_get(unit, VTD_GSTS, 4) & VTD_QIE &&
	    !(fake_get(unit, VTD_FSTS, 4) & VTD_IQE) && head != fake_get(unit, VTD_IQT, 8)) {
		if (!carry_out(unit, *fake_memory(base + head), *fake_memory(base + head + 8))) {
			fake_see(unit, '!');
			change_status(unit, VTD_FSTS, VTD_IQE, 0);
			return;
		}
		head = (head + 16) % FRAME_SIZE;
		fake_put(unit, VTD_IQH, 8, head);
	}
}

/* ---- Registers ---- */

static void switch_translation(struct fake_unit *unit, bool on)
{
	unit->translates = on;
	fake_see(unit, on ? 'E' : 'e');
}

static void switch_queue(struct fake_unit *unit, bool on)
{
	fake_see(unit, on ? 'Q' : 'q');
	/* VT-d 6.5.2: it is empty when it is switched off, and begins at its start. */
	if (!on && !unit->stuck)
		assert_int_equal(fake_get(unit, VTD_IQT, 8), fake_get(unit, VTD_IQH, 8));
	fake_put(unit, VTD_IQH, 8, 0);
	if (on)
		assert_int_equal(fake_get(unit, VTD_IQT, 8), 0);
}

static void take_effect(struct fake_unit *unit)
{
	uint32_t value = (uint32_t)unit->wanted, now = (uint32_t)fake_get(unit, VTD_GSTS, 4);
	uint32_t changed = ((value ^ now) & PERSISTENT) & ~(uint32_t)unit->never;

	if (changed & VTD_TE)
		switch_translation(unit, value & VTD_TE);
	if (changed & VTD_QIE)
		switch_queue(unit, value & VTD_QIE);
	now ^= changed;
	if (value & VTD_SRTP & ~unit->never) {
		fake_see(unit, 'R');
		unit->table = fake_get(unit, VTD_RTADDR, 8);
		now |= VTD_SRTP;
	}
	fake_put(unit, VTD_GSTS, 4, now);
}

static void settle(struct fake_unit *unit)
{
	if (unit->left != 0 && --unit->left == 0)
		take_effect(unit);
	run_queue(unit);
}

/* VT-d 11.4.4.1: one thing at a time, and the next when that is done. */
static void write_command(struct fake_unit *unit, uint32_t value)
{
	uint32_t now = (uint32_t)fake_get(unit, VTD_GSTS, 4);
	uint32_t asked = ((value ^ now) & PERSISTENT) | (value & ONE_SHOT);

	assert_int_equal(unit->left, 0);
	assert_int_equal(asked & (asked - 1), 0);
	assert_int_equal(asked & ~KNOWN, 0);
	if (value & VTD_SRTP)
		change_status(unit, VTD_GSTS, 0, VTD_SRTP);
	unit->wanted = value;
	unit->left = asked ? unit->delay : 0;
}

static void write_fault_status(struct fake_unit *unit, uint32_t value)
{
	fake_see(unit, 'F');
	change_status(unit, VTD_FSTS, 0, value & FSTS_W1C);
}

static void write_record(struct fake_unit *unit, unsigned at, uint32_t value)
{
	bool pending = false;

	assert_true(at >= record_at(unit, 0) && at < record_at(unit, records(unit)));
	assert_int_equal(at % 16, 12);
	assert_int_equal(value, VTD_FAULT >> 32);
	fake_put(unit, at, 4, fake_get(unit, at, 4) & ~(VTD_FAULT >> 32));
	for (unsigned i = 0; i < records(unit); i++)
		pending |= (fake_get(unit, record_at(unit, i) + 8, 8) & VTD_FAULT) != 0;
	change_status(unit, VTD_FSTS, 0, pending ? 0 : VTD_PPF);
}

static void write_queue_base(struct fake_unit *unit, uint64_t value)
{
	assert_false(fake_get(unit, VTD_GSTS, 4) & VTD_QIE);
	assert_int_equal(value & 0xfff, 0); /* a page, commands of two words */
	fake_put(unit, VTD_IQA, 8, value);
}

static void write_protected(struct fake_unit *unit, uint32_t value)
{
	assert_int_not_equal(cap(unit) & VTD_CAP_PMR, 0);
	assert_int_equal(value, 0);
	fake_see(unit, 'M');
	fake_put(unit, VTD_PMEN, 4, 0);
}

static void write(struct fake_unit *unit, unsigned at, unsigned bytes, uint64_t value)
{
	bool wide = at == VTD_RTADDR || at == VTD_IQT || at == VTD_IQA;

	assert_int_equal(bytes, wide ? 8 : 4);
	switch (at) {
	case VTD_GCMD:
		return write_command(unit, (uint32_t)value);
	case VTD_FSTS:
		return write_fault_status(unit, (uint32_t)value);
	case VTD_PMEN:
		return write_protected(unit, (uint32_t)value);
	case VTD_IQA:
		return write_queue_base(unit, value);
	case VTD_FECTL:
	case VTD_RTADDR:
	case VTD_IQT:
		return fake_put(unit, at, bytes, value);
	default:
		return write_record(unit, at, (uint32_t)value);
	}
}

/* ---- Faults: VT-d 7.2.1 ---- */

static void record(struct fake_unit *unit, uint16_t id, uint64_t address, bool write)
{
	unsigned at = record_at(unit, unit->record);

	if (fake_get(unit, VTD_FSTS, 4) & VTD_PFO)
		return;
	if (fake_get(unit, at + 8, 8) & VTD_FAULT) {
		change_status(unit, VTD_FSTS, VTD_PFO, 0);
		return;
	}
	fake_put(unit, at, 8, address & ~0xfffull);
	fake_put(unit, at + 8, 8,
	    VTD_FAULT | (write ? 0 : VTD_READ) | (write ? 5ull : 6ull) << 32 | id);
	change_status(unit, VTD_FSTS, VTD_PPF, 0);
	unit->record = (unit->record + 1) % records(unit);
}

bool fake_vtd_access(struct fake_unit *unit, uint16_t id, uint64_t address, bool write)
{
	struct fake_reach reach = fake_reach(unit, id, address);

	if (write ? reach.write : reach.read)
		return true;
	record(unit, id, address, write);
	return false;
}

/* ---- How it begins ---- */

uint64_t fake_vtd_records(uint64_t cap, unsigned records)
{
	return (cap & ~(0xffull << 40)) | (uint64_t)(records - 1) << 40;
}

struct fake_unit *fake_add_vtd(uint64_t base, uint64_t cap, uint64_t ecap)
{
	struct fake_unit *unit = fake_add_unit(BOOTINFO_IOMMU_VTD, base, 1);

	unit->settle = settle;
	unit->write = write;
	unit->fetch = fetch;
	unit->walk = walk;
	unit->decode = decode;
	unit->snoops = ecap & 1;
	fake_put(unit, VTD_CAP, 8, cap);
	fake_put(unit, VTD_ECAP, 8, ecap);
	/* Read, it shows nothing of use. */
	fake_put(unit, VTD_GCMD, 4, 0xdeadbeef);
	return unit;
}

void fake_vtd_firmware(struct fake_unit *unit, uint64_t end, bool queue)
{
	uint64_t *root = fake_memory(FAKE_FIRMWARE);

	memset(root, 0, 5 * FRAME_SIZE);
	for (unsigned i = 0; i < 256; i++) {
		root[2 * i] = (FAKE_FIRMWARE + FRAME_SIZE) | 1;
		root[512 + 2 * i] = (FAKE_FIRMWARE + 2 * FRAME_SIZE) | 1;
		root[512 + 2 * i + 1] = 7 << 8 | 1;
	}
	root[1024] = (FAKE_FIRMWARE + 3 * FRAME_SIZE) | 3;
	for (uint64_t at = 0; at < end; at += LARGE_SIZE)
		root[1536 + (at >> LARGE_SHIFT)] = at | 0x83;
	fake_put(unit, VTD_IQA, 8, FAKE_FIRMWARE + 4 * FRAME_SIZE);
	if (queue) {
		fake_put(unit, VTD_IQH, 8, 0x70);
		fake_put(unit, VTD_IQT, 8, 0x70);
	}
	fake_put(unit, VTD_RTADDR, 8, FAKE_FIRMWARE);
	fake_put(unit, VTD_GSTS, 4, VTD_TE | VTD_SRTP | (queue ? VTD_QIE : 0));
	unit->table = FAKE_FIRMWARE;
	unit->translates = true;
}
