/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A next loader that uses every function of EFI_TCG2_PROTOCOL, rightly and wrongly (TCG EFI
 * Protocol Specification, family 2.0, level 00 revision 00.13, 6 and 7), and gives registers and
 * log out for tcg2.py to replay. Its load options are one word:
 *
 *   use    all of it
 *   tell   registers and log alone
 *   gone   the loader has ended: nobody offers the protocol
 *
 * or, before the loader, to what firmware offers:
 *
 *   extended  a register is extended, and its log does not know of that; and the partition table
 *             of its disk is damaged, which firmware has read before
 *   flooded   events until its log is full
 *   looked    an event, a look at its log, and another: that is in the table of final events, too
 */
#include "tests/tcg2/probe.h"

#include "boot/bytes.h"
#include "boot/file.h"
#include "boot/image.h"
#include "boot/text.h"
#include "tests/acpi/debugcon.h"

#define EXTEND_ONLY 0x1ull
#define PE_COFF	    0x10ull

#define EV_NO_ACTION_TYPE 3u
#define EVENT_TYPE	  0x0du	       /* EV_IPL */
#define EVENT_HEADER	  50u	       /* of an event in the log, with one digest of SHA-256 */
#define LARGE		  (20u << 10)  /* fits into the log alone */
#define HUGE		  (128u << 10) /* nowhere */
#define PCR_LOGGED	  8u
#define PCR_IMAGE	  9u
#define BLOCK		  512u
#define TABLE_BLOCK	  2u
#define NAME_AT		  56u
#define PCR_HOLES	  16u /* not replayed: what is there is not all in the log */

EFI_STATUS EFIAPI efi_main(EFI_HANDLE self, EFI_SYSTEM_TABLE *system);

static unsigned checks;

void tell(const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	text_vformat(line, sizeof(line), format, args);
	va_end(args);
	debug_text("tcg2: ");
	debug_text(line);
	debug_text("\n");
}

void check(BOOLEAN good, const char *what)
{
	checks++;
	tell("%s %u - %s", good ? "ok" : "not ok", checks, what);
}

void gives(EFI_STATUS found, EFI_STATUS wanted, const char *what)
{
	check(found == wanted, what);
	if (found != wanted)
		tell("# gives 0x%lx, not 0x%lx", found, wanted);
}

static void *final_table(EFI_SYSTEM_TABLE *system)
{
	EFI_GUID guid = TCG2_FINAL_GUID;

	for (UINTN i = 0; i < system->NumberOfTableEntries; i++)
		if (CompareGuid(&system->ConfigurationTable[i].VendorGuid, &guid) == 0)
			return system->ConfigurationTable[i].VendorTable;
	return NULL;
}

static UINT64 final_count(const struct probe *p)
{
	return get64(p->final + 8);
}

/* ---- GetCapability() ---- */

/* What it says where the caller has room for so many bytes. */
static EFI_STATUS ask_capability(const struct probe *p, UINT8 room, UINT8 all[64])
{
	SetMem(all, 64, 0xee);
	all[0] = room;
	return p->tcg2->get_capability(p->tcg2, (struct tcg2_capability *)all);
}

static BOOLEAN untouched(const UINT8 *at, UINTN bytes)
{
	for (UINTN i = 0; i < bytes; i++)
		if (at[i] != 0xee)
			return FALSE;
	return TRUE;
}

static void check_capability(const struct probe *p)
{
	UINT8 all[64] = { 0 }, part[64];
	struct tcg2_capability *c = (struct tcg2_capability *)all;

	gives(ask_capability(p, 36, all), EFI_SUCCESS, "capability: with room for all");
	check(c->size == 36 && get32(all + 1) == 0x01010101, "capability: size, versions 1.1");
	check(get32(all + 8) == 2 && get32(all + 12) == 2 && c->present == 1,
	    "capability: SHA-256, the log of TCG 2, a TPM");
	check(get16(all + 18) == 4096 && get16(all + 20) == 4096, "capability: sizes of commands");
	check(get32(all + 28) == 1 && get32(all + 32) == 2, "capability: one bank, active");
	check(untouched(all + 36, 28), "capability: nothing is written behind it");
	gives(ask_capability(p, 0, part), EFI_BUFFER_TOO_SMALL, "capability: without room");
	check(part[0] == 36 && untouched(part + 1, 63), "capability: it says the size, no more");
	gives(ask_capability(p, 28, part), EFI_BUFFER_TOO_SMALL, "capability: room of version 1.0");
	check(part[0] == 36 && CompareMem(part + 8, all + 8, 13) == 0 && untouched(part + 28, 36),
	    "capability: what fits, and no byte more");
	gives(ask_capability(p, 35, part), EFI_BUFFER_TOO_SMALL, "capability: a byte too little");
	check(untouched(part + 35, 29), "capability: that byte is left");
	gives(ask_capability(p, 64, part), EFI_SUCCESS, "capability: with more room");
	check(part[0] == 36 && untouched(part + 36, 28), "capability: it says the size it has");
	gives(p->tcg2->get_capability(p->tcg2, NULL), EFI_INVALID_PARAMETER, "capability: NULL");
	gives(p->tcg2->get_capability(NULL, c), EFI_INVALID_PARAMETER, "capability: no this");
}

/* ---- HashLogExtendEvent() ---- */

struct log {
	UINT8 *base, *last;
	BOOLEAN truncated;
};

static struct log look(const struct probe *p)
{
	EFI_PHYSICAL_ADDRESS where = 0, last = 0;
	struct log log = { 0 };

	p->tcg2->get_event_log(p->tcg2, TCG2_LOG_2, &where, &last, &log.truncated);
	log.base = (UINT8 *)(UINTN)where;
	log.last = (UINT8 *)(UINTN)last;
	return log;
}

/* Where an event of the log ends. */
static UINT8 *end_of(UINT8 *event)
{
	return event + EVENT_HEADER + get32(event + EVENT_HEADER - 4);
}

static struct tcg2_event *new_event(UINT32 pcr, UINTN bytes)
{
	struct tcg2_event *event = AllocateZeroPool(sizeof(*event) + bytes);

	*event = (struct tcg2_event){ .size = (UINT32)(sizeof(*event) + bytes),
		.header_size = TCG2_EVENT_HEADER,
		.header_version = 1,
		.pcr = pcr,
		.type = EVENT_TYPE };
	for (UINTN i = 0; i < bytes; i++)
		event->data[i] = (UINT8)(i + 1);
	return event;
}

static EFI_STATUS extend(const struct probe *p, UINT64 flags, const struct blob of,
    struct tcg2_event *event)
{
	return p->tcg2->hash_log_extend(p->tcg2, flags, (UINTN)of.data, of.size, event);
}

static const struct blob abc = { (const UINT8 *)"abc", 3 };

/* FIPS 180-4's example. */
static const UINT8 abc_digest[SHA256_BYTES] = { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
	0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a,
	0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad };

/* "abc" is measured, and the event has its data's bytes. */
static EFI_STATUS measure(const struct probe *p, UINT64 flags, UINT32 pcr, UINTN bytes)
{
	struct tcg2_event *event = new_event(pcr, bytes);
	EFI_STATUS status = extend(p, flags, abc, event);

	FreePool(event);
	return status;
}

/* A register becomes what it is with the digest of "abc" added, and nothing else. */
static EFI_STATUS extends(const struct probe *p, UINT64 flags, UINT32 pcr, UINTN bytes)
{
	UINT8 value[SHA256_BYTES], after[SHA256_BYTES];
	BOOLEAN read = pcr_read(p, pcr, value);
	EFI_STATUS status = measure(p, flags, pcr, bytes);

	extended(value, abc_digest);
	check(read && pcr_read(p, pcr, after) && CompareMem(value, after, SHA256_BYTES) == 0,
	    "event: its register is extended");
	return status;
}

/* Only a look that succeeds is one: what comes behind it is in the table of final events. */
static void check_log(const struct probe *p)
{
	EFI_PHYSICAL_ADDRESS where;
	struct log before, after;

	check(get64(p->final) == 1 && final_count(p) == 0, "final events: version 1, none yet");
	gives(extends(p, 0, PCR_LOGGED, 5), EFI_SUCCESS, "event: logged");
	gives(p->tcg2->get_event_log(p->tcg2, 1, &where, NULL, NULL), EFI_INVALID_PARAMETER,
	    "log: of TPM 1.2");
	gives(p->tcg2->get_event_log(p->tcg2, 3, &where, NULL, NULL), EFI_INVALID_PARAMETER,
	    "log: both formats");
	gives(p->tcg2->get_event_log(p->tcg2, 0, &where, NULL, NULL), EFI_INVALID_PARAMETER,
	    "log: no format");
	gives(p->tcg2->get_event_log(NULL, TCG2_LOG_2, &where, NULL, NULL), EFI_INVALID_PARAMETER,
	    "log: no this");
	gives(extends(p, 0, PCR_LOGGED, 0), EFI_SUCCESS, "event: without data");
	check(final_count(p) == 0, "final events: none, since nobody has looked at the log");
	gives(p->tcg2->get_event_log(p->tcg2, TCG2_LOG_2, NULL, NULL, NULL), EFI_SUCCESS,
	    "log: no wish");
	before = look(p);
	check(get32(before.base + 4) == EV_NO_ACTION_TYPE && !before.truncated,
	    "log: begins, whole");
	check(get32(before.last) == PCR_LOGGED && end_of(before.last) == before.last + EVENT_HEADER,
	    "log: its last event is the last");
	gives(extends(p, 0, PCR_LOGGED, 9), EFI_SUCCESS, "event: behind the look");
	after = look(p);
	check(after.last == end_of(before.last) && after.base == before.base, "log: goes on there");
	check(final_count(p) == 1 && CompareMem(p->final + 16, after.last, EVENT_HEADER + 9) == 0,
	    "final events: the one behind the look");
	gives(extends(p, EXTEND_ONLY, PCR_HOLES, 5), EFI_SUCCESS, "event: extended only");
	check(look(p).last == after.last && final_count(p) == 1, "log: nothing of that");
}

/* A call that is wrong in one place. */
static const struct {
	const char *what;
	UINT64 flags;
	UINT32 size, header_size;
	UINT16 version;
	UINT32 pcr;
} wrong[] = {
	{ "event: an unknown flag", 0x2, 23, 14, 1, PCR_LOGGED },
	{ "event: another", 0x20, 23, 14, 1, PCR_LOGGED },
	{ "event: the highest", 1ull << 63, 23, 14, 1, PCR_LOGGED },
	{ "event: shorter than its header", 0, 17, 14, 1, PCR_LOGGED },
	{ "event: of no size", 0, 0, 14, 1, PCR_LOGGED },
	{ "event: a header too short", 0, 23, 13, 1, PCR_LOGGED },
	{ "event: a header too long", 0, 23, 15, 1, PCR_LOGGED },
	{ "event: no header", 0, 23, 0, 1, PCR_LOGGED },
	{ "event: version 0", 0, 23, 14, 0, PCR_LOGGED },
	{ "event: version 2", 0, 23, 14, 2, PCR_LOGGED },
	{ "event: register 24", 0, 23, 14, 1, 24 },
	{ "event: register 256 + 8", 0, 23, 14, 1, 256 + PCR_LOGGED },
	{ "event: the last register there could be", 0, 23, 14, 1, ~0u },
	{ "event: register 24, extended only", EXTEND_ONLY, 23, 14, 1, 24 },
};

static void call_wrongly(const struct probe *p)
{
	struct tcg2_event *event = new_event(PCR_LOGGED, 5);

	for (UINTN i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		event->size = wrong[i].size;
		event->header_size = wrong[i].header_size;
		event->header_version = wrong[i].version;
		event->pcr = wrong[i].pcr;
		gives(extend(p, wrong[i].flags, abc, event), EFI_INVALID_PARAMETER, wrong[i].what);
	}
	FreePool(event);
	event = new_event(PCR_LOGGED, 5);
	gives(extend(p, 0, (struct blob){ NULL, 3 }, event), EFI_INVALID_PARAMETER,
	    "event: no data");
	gives(extend(p, 0, abc, NULL), EFI_INVALID_PARAMETER, "event: NULL");
	gives(p->tcg2->hash_log_extend(NULL, 0, (UINTN)abc.data, abc.size, event),
	    EFI_INVALID_PARAMETER, "event: no this");
	gives(extend(p, PE_COFF, abc, event), EFI_UNSUPPORTED, "image: three bytes");
	gives(extend(p, PE_COFF, (struct blob){ NULL, 0 }, event), EFI_UNSUPPORTED, "image: none");
	FreePool(event);
}

static void check_wrong_calls(const struct probe *p)
{
	UINT8 before[SHA256_BYTES], after[SHA256_BYTES];
	BOOLEAN read = pcr_read(p, PCR_LOGGED, before);
	UINT8 *last = look(p).last;

	call_wrongly(p);
	check(read && pcr_read(p, PCR_LOGGED, after) &&
		CompareMem(before, after, SHA256_BYTES) == 0,
	    "none of these has extended the register");
	check(look(p).last == last && final_count(p) == 1, "none of these is in the log");
}

/* This program's own file; tcg2.py knows its digest, and that the loader has measured the same. */
static void check_image(const struct probe *p)
{
	struct tcg2_event *event = new_event(PCR_IMAGE, 4);
	struct blob file = { 0 };
	CHAR16 path[FILE_PATH_CHARS];
	UINT32 headers;
	UINT8 *bytes;
	void *read = NULL;

	if (file_own(p->image, path))
		file_whole(p->image->DeviceHandle, path, &read, &file.size);
	check(read != NULL, "image: its own file");
	if (!read)
		return;
	file.data = bytes = read;
	gives(extend(p, PE_COFF, file, event), EFI_SUCCESS, "image: measured");
	check(get32(look(p).last) == PCR_IMAGE, "image: logged");
	event->pcr = PCR_HOLES;
	gives(extend(p, PE_COFF | EXTEND_ONLY, file, event), EFI_SUCCESS, "image: extended only");
	headers = get32(bytes + 60);
	bytes[headers] ^= 1;
	gives(extend(p, PE_COFF, file, event), EFI_UNSUPPORTED, "image: damaged");
	bytes[headers] ^= 1;
	file.size /= 2;
	gives(extend(p, PE_COFF | EXTEND_ONLY, file, event), EFI_UNSUPPORTED, "image: half of it");
	FreePool(read);
	FreePool(event);
}

/* ---- Banks ---- */

static void check_banks(const struct probe *p)
{
	UINT32 banks = 0, present = 7, response = 7;
	tcg2_t *t = p->tcg2;

	gives(t->get_active_banks(t, &banks), EFI_SUCCESS, "banks: asked for");
	check(banks == TCG2_SHA256, "banks: SHA-256");
	gives(t->get_active_banks(t, NULL), EFI_INVALID_PARAMETER, "banks: NULL");
	gives(t->get_active_banks(NULL, &banks), EFI_INVALID_PARAMETER, "banks: no this");
	gives(t->set_active_banks(t, TCG2_SHA256), EFI_SUCCESS, "banks: as they are");
	gives(t->set_active_banks(t, 0), EFI_INVALID_PARAMETER, "banks: none");
	gives(t->set_active_banks(NULL, TCG2_SHA256), EFI_INVALID_PARAMETER, "banks: set, no this");
	gives(t->set_active_banks(t, 1), EFI_UNSUPPORTED, "banks: SHA-1");
	gives(t->set_active_banks(t, 3), EFI_UNSUPPORTED, "banks: SHA-1 too");
	gives(t->set_active_banks(t, 4), EFI_UNSUPPORTED, "banks: SHA-384");
	gives(t->get_result(t, &present, &response), EFI_SUCCESS, "banks: the last change");
	check(present == 0 && response == 0, "banks: there was none");
	gives(t->get_result(t, NULL, &response), EFI_INVALID_PARAMETER, "banks: its answer, NULL");
	gives(t->get_result(t, &present, NULL), EFI_INVALID_PARAMETER, "banks: its status, NULL");
	gives(t->get_result(NULL, &present, &response), EFI_INVALID_PARAMETER,
	    "banks: result, no this");
}

/* ---- What is given out ---- */

static void tell_bytes(const char *name, const UINT8 *bytes, UINTN size)
{
	static const char digits[] = "0123456789abcdef";

	debug_text("tcg2: ");
	debug_text(name);
	debug_text(" ");
	for (UINTN i = 0; i < size; i++) {
		port_out8(0xe9, (UINT8)digits[bytes[i] >> 4]);
		port_out8(0xe9, (UINT8)digits[bytes[i] & 15]);
	}
	debug_text("\n");
}

static void give_out(const struct probe *p)
{
	struct log log = look(p);
	UINT8 *at = p->final + 16, value[SHA256_BYTES];
	char name[16];

	for (UINT32 pcr = 0; pcr < 24; pcr++) {
		text_format(name, sizeof(name), "pcr %u", pcr);
		if (pcr_read(p, pcr, value))
			tell_bytes(name, value, sizeof(value));
	}
	tell_bytes("log", log.base, (UINTN)(end_of(log.last) - log.base));
	for (UINT64 i = 0; i < final_count(p); i++)
		at = end_of(at);
	tell_bytes("final", p->final, (UINTN)(at - p->final));
}

/* ---- No room ---- */

static void check_room(const struct probe *p)
{
	UINT64 final = final_count(p);
	struct log before = look(p), log;
	UINT8 *end;

	gives(extends(p, 0, PCR_HOLES, LARGE), EFI_VOLUME_FULL,
	    "room: too large for the final events");
	log = look(p);
	check(!log.truncated && log.last == end_of(before.last), "room: in the log it is");
	check(final_count(p) == final, "room: and not in the table");
	end = end_of(log.last);
	SetMem(end, EVENT_HEADER, 0xee);
	gives(extends(p, 0, PCR_HOLES, HUGE), EFI_VOLUME_FULL, "room: too large for the log");
	before = log;
	log = look(p);
	check(log.truncated && log.last == before.last, "room: the log says that it is truncated");
	gives(extends(p, 0, PCR_HOLES, 0), EFI_VOLUME_FULL, "room: nothing is logged behind");
	check(look(p).last == before.last && untouched(end, EVENT_HEADER),
	    "room: nothing is there");
	check(final_count(p) == final, "room: nor in the final events");
	gives(extends(p, EXTEND_ONLY, PCR_HOLES, 0), EFI_SUCCESS, "room: extended only, as before");
}

static void use(const struct probe *p)
{
	check_capability(p);
	check_log(p);
	check_wrong_calls(p);
	check_image(p);
	check_submit(p);
	check_state(p);
	gives(measure(p, 0, PCR_LOGGED, 5), EFI_SUCCESS, "event: behind a shutdown");
	check(define_by_registers() == RC_NV_UNAVAILABLE, "state: nobody keeps it behind that");
	check_banks(p);
	give_out(p);
	check_room(p);
}

static void gone(const struct probe *p)
{
	check(p->tcg2 == NULL, "gone: nobody offers the protocol");
	check(p->final && get64(p->final) == 1, "gone: the final events are still there");
	check(define_by_registers() == RC_NV_UNAVAILABLE, "gone: nobody keeps the state");
}

/* ---- Before the loader ---- */

static void flood(const struct probe *p)
{
	EFI_STATUS status = EFI_SUCCESS;

	for (unsigned i = 0; i < 200 && !EFI_ERROR(status); i++)
		status = measure(p, 0, PCR_LOGGED, LARGE);
	gives(status, EFI_VOLUME_FULL, "flooded: the log is full");
}

static void look_between(const struct probe *p)
{
	gives(measure(p, 0, PCR_LOGGED, 1), EFI_SUCCESS, "looked: an event before");
	(void)look(p);
	gives(measure(p, 0, PCR_LOGGED, 2), EFI_SUCCESS, "looked: an event behind");
	check(final_count(p) == 1, "looked: a final event");
}

/* A bit of the first entry's name: whole disks are the handles whose media are no partitions. */
static EFI_STATUS damage_table(void)
{
	EFI_STATUS status = EFI_NOT_FOUND;
	EFI_BLOCK_IO *disk;
	EFI_HANDLE *handles;
	UINTN count = 0;
	UINT8 *block = AllocatePool(BLOCK);

	LibLocateHandle(ByProtocol, &BlockIoProtocol, NULL, &count, &handles);
	for (UINTN i = 0; i < count; i++) {
		if (EFI_ERROR(BS->HandleProtocol(handles[i], &BlockIoProtocol, (void **)&disk)) ||
		    disk->Media->LogicalPartition || disk->Media->BlockSize != BLOCK)
			continue;
		status = disk->ReadBlocks(disk, disk->Media->MediaId, TABLE_BLOCK, BLOCK, block);
		block[NAME_AT] ^= 1;
		if (!EFI_ERROR(status))
			status = disk->WriteBlocks(disk, disk->Media->MediaId, TABLE_BLOCK, BLOCK,
			    block);
	}
	FreePool(block);
	return status;
}

static void extend_and_damage(const struct probe *p)
{
	gives(measure(p, EXTEND_ONLY, PCR_LOGGED, 3), EFI_SUCCESS, "extended: not logged");
	gives(damage_table(), EFI_SUCCESS, "extended: the partition table is damaged");
}

static void prepare(const struct probe *p, CHAR16 how)
{
	if (how == 'e')
		extend_and_damage(p);
	else if (how == 'f')
		flood(p);
	else if (how == 'l')
		look_between(p);
	else if (how == 't')
		give_out(p);
	else
		use(p);
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE self, EFI_SYSTEM_TABLE *system)
{
	EFI_GUID guid = TCG2_GUID;
	struct probe p = { 0 };
	EFI_LOADED_IMAGE *image;
	EFI_STATUS status;
	CHAR16 how;

	InitializeLib(self, system);
	status = BS->HandleProtocol(self, &LoadedImageProtocol, (void **)&image);
	if (EFI_ERROR(status))
		return status;
	p.image = image;
	p.final = final_table(system);
	if (EFI_ERROR(BS->LocateProtocol(&guid, NULL, (void **)&p.tcg2)))
		p.tcg2 = NULL;
	how = image->LoadOptionsSize ? *(const CHAR16 *)image->LoadOptions : 0;
	if (how == 'g')
		gone(&p);
	else if (p.tcg2 && p.final)
		prepare(&p, how);
	tell("end, %u checks", checks);
	return EFI_SUCCESS;
}
