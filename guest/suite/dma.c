/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Devices and protected memory (T51, T52, T53): a device that this guest drives reads and writes
 * each kind of frame. DMA=on: a unit keeps it away, and the audit ring names the device. DMA=off:
 * there is none, or the loader was told to leave it alone; the same attacks succeed, and the claims
 * say so. DEVICE=NAME is the device (device.h), TELLS=no a unit that writes nothing down,
 * LISTED=yes one whose devices firmware lists, UNIT=ADDRESS are the unit's registers.
 */
#include "guest/suite/suite.h"

#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/options.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "guest/suite/device.h"
#include "guest/suite/partition.h"
#include "guest/suite/test_calls.h"
#include "monitor/abi/audit.h"
#include "monitor/abi/cpuid.h"

#define IMAGE_MAGIC 0x54494e4f4d544452ull
#define MARK	    0xd3a00000d3a0d3a0ull
#define SECRET	    0x5ec2e75ec2e75ec2ull
#define ROUNDS	    4u
#define PROBE_PAGES 4u	/* of its memory, with what it keeps */
#define SAMPLES	    24u /* of the monitor's region */
#define OPEN	    14u /* TEST_DMA_OPEN of arch/include/arch/test_switch.h */

static struct {
	bool blocked; /* as the driver of this test says it must be */
	bool tells;   /* the unit writes down what it refused */
	enum early { EARLY_NOT, EARLY_REFUSED, EARLY_READ } early;
	const struct device *device;
	uint16_t id;	  /* its requester id */
	bool met;	  /* a refusal must have been since the units were asked */
	uint64_t refused; /* at least: of several between two looks a unit may tell of one */
	uint8_t *ring;
	uint64_t next;			  /* record of the audit ring */
	struct redoubt_audit_record last; /* of a refused access */
	uint64_t written; /* 2 MiB region of the latest write that was refused to us */
} all;

/* A point of an attack: with a unit it fails, without it succeeds. */
static void judge(bool succeeded, const char *what)
{
	tap(succeeded == !all.blocked, "T51 %s: %s", what,
	    all.blocked ? "refused" : "nothing stops it");
}

/* Reads on in the ring. The units are asked, too. */
static void read_ring(void)
{
	struct redoubt_audit_read r;

	all.refused += all.met;
	all.met = false;
	do {
		if (redoubt_audit_read(all.next, (uint64_t)all.ring, REDOUBT_AUDIT_PAGE, &r) !=
		    REDOUBT_OK)
			bail("audit_read");
		for (uint64_t i = 0; i < r.copied; i++) {
			const struct redoubt_audit_record *record =
			    (const struct redoubt_audit_record *)(const void *)all.ring + i;

			if (record->event == REDOUBT_AUDIT_DMA_REFUSED)
				all.last = *record;
			if (record->event == REDOUBT_AUDIT_MONITOR_WRITE)
				all.written = record->subject;
		}
		all.next = r.next;
	} while (r.copied != 0);
}

static uint64_t read_word(uint64_t address)
{
	uint64_t words[DEVICE_BYTES / 8];

	all.device->read(address, words);
	return words[0];
}

static void write_word(uint64_t address, uint64_t word)
{
	uint64_t words[DEVICE_BYTES / 8];

	for (unsigned i = 0; i < DEVICE_BYTES / 8; i++)
		words[i] = word;
	all.device->write(address, words);
}

static bool device_reads(uint64_t address, uint64_t word)
{
	bool read = read_word(address) == word;

	all.met = true;
	read_ring();
	return read;
}

/* Whether the device finds there what it has written. */
static bool device_writes(uint64_t address, uint64_t word)
{
	write_word(address, word);
	all.met = true;
	return device_reads(address, word);
}

/* ---- The claims ---- */

static void claims(void)
{
	struct cpuid r = cpuid(REDOUBT_CPUID_STATE, 0);
	bool feature = r.eax & REDOUBT_FEATURE_DMA, degraded = r.ebx & REDOUBT_DEGRADED_DMA;

	tap(feature == all.blocked && degraded == !all.blocked, "T53 the claims say dma=%s",
	    all.blocked ? "blocked" : "unprotected");
	tap(text_equal(option("LISTED"), "yes") == !!(r.ebx & REDOUBT_DEGRADED_DMA_LISTED),
	    "T53 the claims say whether devices may be behind no unit");
}

static void own_memory(void)
{
	uint64_t *page = pages_alloc(1);

	*page = SECRET;
	tap(read_word((uint64_t)page) == SECRET, "dma: the device reads a page of ours");
	write_word((uint64_t)page, MARK);
	tap(*page == MARK, "dma: and writes it");
}

/* ---- What the monitor has ---- */

/* The first refusals are records of their own. */
static void first_refusal(uint64_t address)
{
	if (!all.blocked)
		return;
	if (!all.tells)
		tap_skip("the emulator's unit does not write refusals down",
		    "T51 the audit ring names device and address");
	else
		tap(all.last.event == REDOUBT_AUDIT_DMA_REFUSED && all.last.subject == all.id &&
			all.last.fact >> 12 == address >> 12 && all.last.count <= 2,
		    "T51 the audit ring names device %lx and address %lx (%lx, %lx)",
		    (uint64_t)all.id, address, all.last.subject, all.last.fact);
}

static void region(void)
{
	unsigned count;
	const struct frames *f = monitor_frames(&count);
	bool read = device_reads(f[0].base, IMAGE_MAGIC);
	uint64_t step = f[0].pages / SAMPLES * PAGE, found = 0;
	uint64_t words[DEVICE_BYTES / 8], was[DEVICE_BYTES / 8];

	judge(read, "reading the monitor's image");
	first_refusal(f[0].base);
	/* Refused reads all read alike. */
	all.device->read(f[0].base, was);
	for (uint64_t i = 1; i < SAMPLES; i++) {
		all.device->read(f[0].base + i * step, words);
		all.met = true;
		read_ring();
		found += memcmp(words, was, sizeof(words)) != 0;
	}
	all.met = true;
	tap((found != 0) == !all.blocked, "T51 reading %u pages of the monitor's: %lu differ",
	    SAMPLES - 1, found);
	for (unsigned i = 1; i < count; i++)
		judge(device_writes(f[i].base, MARK), "writing another frame of the monitor's");
	if (all.blocked)
		judge(device_writes(f[0].base, MARK), "writing the monitor's image");
}

/* ---- What partitions have ---- */

static uint64_t *frame_list(uint64_t frame)
{
	static uint64_t *list;

	if (!list)
		list = pages_alloc(1);
	list[0] = frame;
	return list;
}

static uint64_t give(uint64_t frame, uint64_t what)
{
	struct redoubt_partition_create made = { 0 };
	uint64_t status;

	redoubt_partition_create(&made);
	status = redoubt_partition_give(made.partition | what << 32, (uint64_t)frame_list(frame), 1,
	    0);
	if (status != REDOUBT_OK)
		bail("partition_give: %lx", status);
	return made.partition;
}

static void take_back(uint64_t partition)
{
	while (redoubt_partition_end(partition) == REDOUBT_BUSY)
		;
}

/*
 * The device has just been there, so a translation that is remembered would show. An image keeps
 * its bytes, private memory is zero by now.
 */
static void given(uint64_t frame, uint64_t what, const char *kind)
{
	uint64_t partition;
	bool read, written;

	*(volatile uint64_t *)frame = SECRET;
	if (read_word(frame) != SECRET)
		bail("the device does not read memory of ours");
	partition = give(frame, what);
	read = device_reads(frame, what == REDOUBT_GIVE_IMAGE ? SECRET : 0);
	written = device_writes(frame, MARK);
	take_back(partition);
	if (what == REDOUBT_GIVE_IMAGE)
		judge(read, "reading what was lent");
	judge(written, kind);
	tap(*(volatile uint64_t *)frame == 0, "T15 the frame is zero when it returns");
	write_word(frame, MARK);
	tap(*(volatile uint64_t *)frame == MARK && read_word(frame) == MARK,
	    "dma: the device reaches it again");
}

static void partitions(void)
{
	uint64_t frame = (uint64_t)pages_alloc(1);

	for (unsigned i = 0; i < ROUNDS; i++) {
		given(frame, REDOUBT_GIVE_DATA, "writing what was donated");
		given(frame, REDOUBT_GIVE_IMAGE, "writing what was lent");
		all.device->again();
	}
}

/* What was programmed is gone, and it is programmed for the same again. */
static void resets(void)
{
	static const char *const names[] = { "a reset of the function", "a reset of its bus" };
	uint64_t frame = (uint64_t)pages_alloc(1), partition;

	for (unsigned how = PCI_RESET_FUNCTION; how <= PCI_RESET_BUS; how++) {
		partition = give(frame, REDOUBT_GIVE_DATA);
		write_word(frame, MARK);
		if (pci_reset(all.id, (enum pci_reset)how)) {
			all.device->again();
			judge(device_writes(frame, MARK), names[how]);
			judge(device_reads(monitor_frames(&(unsigned){ 0 })->base, IMAGE_MAGIC),
			    "reading the monitor's image after it");
		}
		take_back(partition);
		given(frame, REDOUBT_GIVE_IMAGE, "writing what was lent");
	}
}

/* Memory that both reach is the normal world's, and its devices'. */
static void shared(void)
{
	uint64_t frame = (uint64_t)pages_alloc(1);
	uint64_t partition = give(frame, REDOUBT_GIVE_SHARED);

	write_word(frame, MARK);
	tap(*(volatile uint64_t *)frame == MARK, "dma: the device reaches what is shared");
	take_back(partition);
}

static bool find_word(uint64_t base, uint64_t pages, uint64_t word)
{
	uint64_t words[DEVICE_BYTES / 8];

	for (uint64_t at = base; at < base + pages * PAGE; at += DEVICE_BYTES) {
		all.device->read(at, words);
		all.met = true;
		if (at % PAGE == 0)
			read_ring();
		for (unsigned i = 0; i < DEVICE_BYTES / 8; i++)
			if (words[i] == word)
				return true;
	}
	return false;
}

/* Those that the loader has placed. */
static void placed(void)
{
	struct partition_place place = partition_find(PROBE);
	uint64_t word;

	if (!place.image)
		return;
	judge(device_reads(place.image, 0x4547414d49544452ull) ||
		(read_word(place.image) != 0 && !all.blocked),
	    "reading a partition's image");
	partition_ask(PROBE, PROBE_secret_make, 0, 0, 0);
	word = partition_ask(PROBE, PROBE_secret_leak, 2, 0, 0).words[0];
	judge(find_word(place.data, PROBE_PAGES, word),
	    "finding a partition's secret in its memory");
}

/* ---- The unit itself ---- */

static void do_read(void *address)
{
	uint64_t *word = address;

	*word = *(volatile uint64_t *)*word;
}

static void do_write(void *address)
{
	*(volatile uint32_t *)address = 0;
}

static void registers(void)
{
	uint64_t unit = option_number("UNIT", 0);
	static const uint16_t offsets[] = { 8, 0x18, 0x20, 0x30, 0x80, 0x90, 0x220, 0xff8 };
	unsigned shown = 0, written = 0, count;

	if (!unit || !all.blocked)
		return;
	for (unsigned i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		uint64_t word = unit + offsets[i];

		shown += trap_try(do_read, &word, NULL) != TRAP_NONE || word != ~0ull;
		written += trap_try(do_write, (void *)(unit + offsets[i]), NULL) == TRAP_NONE;
	}
	tap(shown == 0, "T52 the unit's registers read as nothing is there");
	read_ring();
	tap(written == 0 && all.written == (unit & ~0x1fffffull),
	    "T52 and cannot be written, which is audited");
	/* Were the device to reach them, this would switch the unit off. */
	write_word(unit + 0x18, 0);
	all.met = true;
	judge(device_reads(monitor_frames(&count)->base, IMAGE_MAGIC),
	    "switching the unit off by a device");
}

/* ---- With the protection off ---- */

static void opened(void)
{
	struct redoubt_test_switch before;
	uint64_t frame = (uint64_t)pages_alloc(1), partition;

	if (!all.blocked || redoubt_test_switch(OPEN, 1, &before) != REDOUBT_OK)
		return;
	*(volatile uint64_t *)frame = SECRET;
	partition = give(frame, REDOUBT_GIVE_IMAGE);
	tap(read_word(frame) == SECRET, "T51 reading what was lent: succeeds with DMA_OPEN");
	write_word(frame, MARK);
	tap(read_word(frame) == MARK, "T51 writing what was lent: succeeds with DMA_OPEN");
	take_back(partition);
	redoubt_test_switch(OPEN, 0, &before);
	given(frame, REDOUBT_GIVE_IMAGE, "writing what was lent, the protection on again");
}

static void totals(void)
{
	read_ring();
	if (!all.blocked || !all.tells)
		tap(all.last.event == 0, "dma: no refusal is audited");
	else
		tap(all.last.subject == all.id && all.last.total * 2 > all.refused,
		    "T51 %lu refusals, the last record's of number %lu", all.refused,
		    all.last.total);
}

static const struct device *device_named(const char *name)
{
	static const struct device *const devices[] = { &device_edu, &device_ahci, &device_virtio };

	for (unsigned i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		if (text_equal(name, devices[i]->name))
			return devices[i];
	bail("no device %s", name);
}

static void set_up(void)
{
	all.blocked = text_equal(option("DMA"), "on");
	all.ring = pages_alloc(1);
	all.tells = !text_equal(option("TELLS"), "no");
	all.device = device_named(option("DEVICE"));
	all.id = all.device->start();
	read_ring();
}

/* The other devices are its drivers'. */
void suite_dma_in_firmware(void)
{
	if (!text_equal(option("DEVICE"), "edu"))
		return;
	set_up();
	all.early = device_reads(monitor_frames(&(unsigned){ 0 })->base, IMAGE_MAGIC)
	    ? EARLY_READ
	    : EARLY_REFUSED;
}

void suite_dma(void)
{
	if (all.early == EARLY_NOT)
		set_up();
	else
		judge(all.early == EARLY_READ, "reading the monitor's image in firmware's time");
	claims();
	own_memory();
	region();
	partitions();
	resets();
	shared();
	placed();
	registers();
	opened();
	totals();
}
