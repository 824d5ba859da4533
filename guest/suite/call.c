/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Calls: each row of the call table from a guest's side, what no row is, and who may not call (T34,
 * T36, T38).
 */
#include "guest/suite/suite.h"

#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/mode.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "monitor/abi/audit.h"
#include "monitor/abi/cpuid.h"
#include "monitor/abi/result.h"

#define MARK	    0x5a
#define NO_SUCH_RAM 0x7f00000000ull
#define MMIO	    0xfee00000ull

void suite_call_version(void);
void suite_call_features(void);
void suite_call_log_read(void);
void suite_call_boot_done(void);
void suite_call_audit_read(void);
void suite_call_audit_head(void);

/* A call that must end with a status that argument `arg` (0: none) caused, with zero results. */
static bool refused(const char *what, struct call_regs r, unsigned status, unsigned arg)
{
	uint64_t wanted = status | (uint64_t)arg << 16;

	call_monitor(&r);
	if (tap(r.rax == wanted && !(r.rcx | r.rdx | r.r8 | r.r9), "%s: status %u, argument %u",
		what, status, arg))
		return true;
	tap_note("got %lx, results %lx %lx %lx %lx", r.rax, r.rcx, r.rdx, r.r8, r.r9);
	return false;
}

/* Arguments that a row does not have must be zero. */
static void reserved_arguments(const char *what, uint64_t id, unsigned used)
{
	for (unsigned i = used; i < CALL_REGS; i++) {
		struct call_regs r = { id, 0, 0, 0, 0 };
		uint64_t *regs[] = { &r.rcx, &r.rdx, &r.r8, &r.r9 };

		*regs[i] = 1ull << (i * 16);
		call_monitor(&r);
		tap(redoubt_status_of(r.rax) == REDOUBT_INVALID &&
			redoubt_status_arg(r.rax) == i + 1,
		    "call: %s refuses argument %u, which it does not have", what, i + 1);
	}
}

void suite_call_version(void)
{
	struct call_regs r = { REDOUBT_CALL_version, 0, 0, 0, 0 };
	struct cpuid build = cpuid(REDOUBT_CPUID_BUILD, 0);

	call_monitor(&r);
	tap(r.rax == REDOUBT_OK && r.rcx == REDOUBT_ABI_VERSION, "call: version gives the ABI %lx",
	    r.rcx);
	tap(r.rdx == ((uint64_t)build.ebx << 32 | build.eax) && r.rdx,
	    "call: version gives the build that CPUID gives");
	tap(!(r.r8 | r.r9), "call: version leaves its other results zero");
	reserved_arguments("version", REDOUBT_CALL_version, 0);
}

void suite_call_features(void)
{
	struct call_regs r = { REDOUBT_CALL_features, 0, 0, 0, 0 };
	struct cpuid state = cpuid(REDOUBT_CPUID_STATE, 0);

	call_monitor(&r);
	tap(r.rax == REDOUBT_OK && r.rcx == state.eax && r.rdx == state.ebx && r.r8 == state.ecx &&
		!r.r9,
	    "call: features gives what CPUID gives");
	reserved_arguments("features", REDOUBT_CALL_features, 0);
}

static struct call_regs log_read(uint64_t position, uint64_t frame, uint64_t length)
{
	struct call_regs r = { REDOUBT_CALL_log_read, position, frame, length, 0 };

	call_monitor(&r);
	return r;
}

/* Exactly the bytes asked for are written, the rest of the frame is not. */
static void log_lengths(uint8_t *page)
{
	static const uint64_t lengths[] = { 1, 2, 255, 256, 257, 4095, 4096 };
	unsigned wrong = 0;

	for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct call_regs r;

		memset(page, MARK, PAGE);
		r = log_read(0, (uint64_t)page, lengths[i]);
		wrong += r.rax != REDOUBT_OK || r.rdx > lengths[i] || r.rcx != r.rdx + r.r8 || r.r9;
		for (uint64_t at = r.rdx; at < PAGE; at++)
			wrong += page[at] != MARK;
	}
	tap(!wrong, "call: log_read writes as many bytes as it says and no more");
}

static void log_end(uint8_t *page)
{
	struct call_regs r = { 0 };
	uint64_t total = 0;

	memset(page, MARK, PAGE);
	do {
		r = log_read(r.rcx, (uint64_t)page, PAGE);
		total += r.rdx;
	} while (r.rax == REDOUBT_OK && r.rdx);
	tap(r.rax == REDOUBT_OK && total > 0, "call: log_read comes to the end after %lu bytes",
	    total);
	refused("call: log_read behind the end",
	    (struct call_regs){ REDOUBT_CALL_log_read, r.rcx + 1000000, (uint64_t)page, 1, 0 },
	    REDOUBT_INVALID, 1);
	refused("call: log_read at the last position",
	    (struct call_regs){ REDOUBT_CALL_log_read, ~0ull, (uint64_t)page, 1, 0 },
	    REDOUBT_INVALID, 1);
}

/* Frames that are not the caller's: the monitor must write to none of them (T38). */
static void log_frames(void)
{
	unsigned count;
	const struct frames *monitor = monitor_frames(&count);
	const uint64_t last = 1ull << (cpuid(0x80000008, 0).eax & 0xff);

	for (unsigned i = 0; i < count; i++) {
		refused("T38 log_read into the monitor's first frame",
		    (struct call_regs){ REDOUBT_CALL_log_read, 0, monitor[i].base, PAGE, 0 },
		    REDOUBT_RANGE, 2);
		refused("T38 log_read into the monitor's last frame",
		    (struct call_regs){ REDOUBT_CALL_log_read, 0,
			monitor[i].base + (monitor[i].pages - 1) * PAGE, PAGE, 0 },
		    REDOUBT_RANGE, 2);
	}
	refused("T38 log_read into MMIO",
	    (struct call_regs){ REDOUBT_CALL_log_read, 0, MMIO, PAGE, 0 }, REDOUBT_RANGE, 2);
	refused("T38 log_read into video memory",
	    (struct call_regs){ REDOUBT_CALL_log_read, 0, 0xa0000, PAGE, 0 }, REDOUBT_RANGE, 2);
	refused("T36 log_read where no memory is",
	    (struct call_regs){ REDOUBT_CALL_log_read, 0, NO_SUCH_RAM, PAGE, 0 }, REDOUBT_RANGE, 2);
	refused("T36 log_read at the last frame of the address space",
	    (struct call_regs){ REDOUBT_CALL_log_read, 0, last - PAGE, PAGE, 0 }, REDOUBT_RANGE, 2);
	refused("T36 log_read above MAXPHYADDR",
	    (struct call_regs){ REDOUBT_CALL_log_read, 0, last, PAGE, 0 }, REDOUBT_RANGE, 2);
	refused("T36 log_read at the last frame of 64 bits",
	    (struct call_regs){ REDOUBT_CALL_log_read, 0, ~0xfffull, PAGE, 0 }, REDOUBT_RANGE, 2);
}

void suite_call_log_read(void)
{
	uint8_t *page = pages_alloc(1);
	uint64_t frame = (uint64_t)page;

	log_lengths(page);
	log_end(page);
	log_frames();
	refused("T36 log_read to an unaligned frame",
	    (struct call_regs){ REDOUBT_CALL_log_read, 0, frame + 1, 1, 0 }, REDOUBT_ALIGNMENT, 2);
	refused("T36 log_read to a frame aligned to 8",
	    (struct call_regs){ REDOUBT_CALL_log_read, 0, frame + 8, 1, 0 }, REDOUBT_ALIGNMENT, 2);
	refused("T36 log_read of 0 bytes",
	    (struct call_regs){ REDOUBT_CALL_log_read, 0, frame, 0, 0 }, REDOUBT_INVALID, 3);
	refused("T36 log_read of 4097 bytes",
	    (struct call_regs){ REDOUBT_CALL_log_read, 0, frame, 4097, 0 }, REDOUBT_INVALID, 3);
	refused("T36 log_read of 2^64 - 1 bytes",
	    (struct call_regs){ REDOUBT_CALL_log_read, 0, frame, ~0ull, 0 }, REDOUBT_INVALID, 3);
	reserved_arguments("log_read", REDOUBT_CALL_log_read, 3);
}

/* The loader has made this call when boot services ended: it cannot be made again (I9). */
void suite_call_boot_done(void)
{
	reserved_arguments("boot_done", REDOUBT_CALL_boot_done, 0);
	call_simple(REDOUBT_CALL_boot_done, 0, 0, 0, 0);
	refused("call: boot_done a second time",
	    (struct call_regs){ REDOUBT_CALL_boot_done, 0, 0, 0, 0 }, REDOUBT_CLOSED, 0);
}

/* All that is kept, numbered in a row; *end: the number behind the last. */
static bool audit_rows(uint8_t *page, uint64_t *end)
{
	const struct redoubt_audit_record *records = (const void *)page;
	struct redoubt_audit_read r = { 0 };
	bool in_row = true;

	do {
		if (redoubt_audit_read(r.next, (uint64_t)page, REDOUBT_AUDIT_PAGE, &r) !=
		    REDOUBT_OK)
			return false;
		for (uint64_t i = 0; i < r.copied; i++)
			in_row &= records[i].number == r.next - r.copied + i &&
			    records[i].event < REDOUBT_AUDIT_LAST &&
			    records[i].count <= records[i].total;
	} while (r.copied == REDOUBT_AUDIT_PAGE);
	*end = r.next;
	return in_row;
}

void suite_call_audit_read(void)
{
	uint8_t *page = pages_alloc(1);
	uint64_t frame = (uint64_t)page;
	const struct redoubt_audit_record *record = (const void *)page;
	unsigned count, wrong = 0;
	const struct frames *monitor = monitor_frames(&count);
	struct redoubt_audit_read r;
	uint64_t end = 0;

	call_simple(~0ull, 0, 0, 0, 0); /* one record at least */
	tap(audit_rows(page, &end) && end > 0, "call: audit_read tells %lu records in a row", end);
	memset(page, MARK, PAGE);
	tap(redoubt_audit_read(end - 1, frame, 2, &r) == REDOUBT_OK && r.copied == 1 &&
		r.next == end && !r.lost && record->number == end - 1,
	    "call: audit_read tells the last one");
	for (uint64_t at = sizeof(*record); at < PAGE; at++)
		wrong += page[at] != MARK;
	tap(!wrong, "call: audit_read writes as many records as it says and no more");
	refused("call: audit_read behind the end",
	    (struct call_regs){ REDOUBT_CALL_audit_read, end + 1000000, frame, 1, 0 },
	    REDOUBT_INVALID, 1);
	refused("T36 audit_read to an unaligned frame",
	    (struct call_regs){ REDOUBT_CALL_audit_read, 0, frame + 8, 1, 0 }, REDOUBT_ALIGNMENT,
	    2);
	refused("T36 audit_read of no record",
	    (struct call_regs){ REDOUBT_CALL_audit_read, 0, frame, 0, 0 }, REDOUBT_INVALID, 3);
	refused("T36 audit_read of more than fit",
	    (struct call_regs){ REDOUBT_CALL_audit_read, 0, frame, REDOUBT_AUDIT_PAGE + 1, 0 },
	    REDOUBT_INVALID, 3);
	for (unsigned i = 0; i < count; i++)
		refused("T38 audit_read into the monitor's memory",
		    (struct call_regs){ REDOUBT_CALL_audit_read, 0, monitor[i].base, 1, 0 },
		    REDOUBT_RANGE, 2);
	reserved_arguments("audit_read", REDOUBT_CALL_audit_read, 3);
}

void suite_call_audit_head(void)
{
	uint8_t *page = pages_alloc(1);
	struct redoubt_audit_head head = { 0 }, later = { 0 };
	struct redoubt_audit_read r;
	uint64_t end = 0;

	tap(audit_rows(page, &end) && redoubt_audit_head(&head) == REDOUBT_OK &&
		(head.word0 | head.word1 | head.word2 | head.word3),
	    "call: audit_head tells a head");
	/* Refused again and again, until that has made a record. */
	for (unsigned i = 0; i < 1u << 20; i++) {
		call_simple(~0ull, 0, 0, 0, 0);
		redoubt_audit_head(&later);
		if (later.word0 != head.word0)
			break;
	}
	/* A later round of the same run may find the id's budget used up. */
	if (later.word0 == head.word0)
		tap_note("no further record in this round");
	tap(later.word0 == head.word0 ||
		(redoubt_audit_read(end, (uint64_t)page, 1, &r) == REDOUBT_OK && r.copied == 1 &&
		    __builtin_memcmp(page, &head, sizeof(head)) == 0),
	    "call: the next record has the head before it");
	reserved_arguments("audit_head", REDOUBT_CALL_audit_head, 0);
}

static void unknown_ids(void)
{
	static const uint64_t ids[] = { REDOUBT_CALL_COUNT, 0xff, 0xfff, 0x2000, 0x7fffffff,
		0x80000000, 0xffffffff, 1ull << 32, 1ull << 63, ~0ull, 0x4856304b };

	for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct call_regs r = { ids[i], 1, 2, 3, 4 };

		call_monitor(&r);
		tap(redoubt_status_of(r.rax) == REDOUBT_UNKNOWN_CALL &&
			!(r.rcx | r.rdx | r.r8 | r.r9),
		    "T35 call %lx is unknown", ids[i]);
	}
}

/* What a call must not touch: the other registers and the flags (calls.def). */
static void preserved(void)
{
	char code[16] = "\xf9"; /* STC */
	struct snippet s = { .code = code,
		.bytes = 4,
		.rax = REDOUBT_CALL_version,
		.rbx = 0x1111,
		.rsi = 0x2222222222222222,
		.rdi = 0x3333333333333333 };
	struct trap t;

	memcpy(code + 1, call_instruction(), 3);
	mode_run(MODE_KERNEL64, &s, &t);
	tap(t.frame.vector == TRAP_NONE && t.frame.rbx == s.rbx && t.frame.rsi == s.rsi &&
		t.frame.rdi == s.rdi && t.frame.rflags & 1,
	    "call: other registers and the flags are preserved");
}

void suite_call(void)
{
	suite_call_version();
	suite_call_features();
	suite_call_log_read();
	suite_call_boot_done();
	suite_call_audit_read();
	suite_call_audit_head();
	unknown_ids();
	preserved();
}

/* Calls come from 64-bit CPL 0 only; anything else is #UD, and the call is not made. */
void suite_call_modes(void)
{
	struct snippet s = { .code = call_instruction(), .bytes = 3, .rax = REDOUBT_CALL_version };
	struct trap t;

	for (enum mode mode = 0; mode < MODE_COUNT; mode++) {
		bool may = mode_is_kernel64(mode);
		const char *id = may ? "call-modes: a call" : "T34 a call";

		mode_expect(id, mode, &s, may ? TRAP_NONE : VECTOR_UD, TRAP_ANY_ERROR);
		mode_run(mode, &s, &t);
		tap((uint32_t)t.frame.rcx == (may ? REDOUBT_ABI_VERSION : 0), "%s in %s %s", id,
		    mode_name(mode), may ? "has results" : "has no results");
	}
}
