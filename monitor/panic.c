/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The end of a broken monitor (I7). panic() and CHECK are declared in arch/upcall.h. Takes no lock,
 * asks for no memory, and gives up at once if it fails itself.
 *
 * The record (struct panic_record of abi/bootinfo.h) goes to the frame that the loader reserved for
 * it, where a warm reset leaves it alone, and the first eight bytes of its digest to
 * arch_keep_digest(), which outlives a wipe of memory. The next start shows the record if its
 * digest fits, and says that there was one if only the eight bytes are left. It holds the reason,
 * the totals of audited events and the newest log lines: no memory contents, so no secret.
 */

#include "arch/console.h"
#include "arch/cpu.h"
#include "arch/frame.h"
#include "arch/upcall.h"
#include "monitor/audit.h"
#include "monitor/lib/fmt.h"
#include "monitor/lib/sha256.h"
#include "monitor/lib/string.h"
#include "monitor/log.h"

static struct {
	_Atomic unsigned owner;	    /* CPU index + 1 of the CPU that panicked first */
	struct panic_record record; /* here first: the frame may be missing */
} state;

/* As the loader has said; before the monitor knows, the machine stops as it is. */
static _Noreturn void finish(void)
{
	if (start_info()->flags & BOOTINFO_PANIC_RESET)
		machine_reset();
	cpu_stop();
}

/* Appends to the record's text what fits. */
static void add(const char *format, ...)
{
	struct panic_record *record = &state.record;
	va_list args;

	va_start(args, format);
	record->length += (uint32_t)format_text(record->text + record->length,
	    PANIC_TEXT_BYTES - record->length, format, args);
	va_end(args);
}

static void add_audit_totals(void)
{
	add("audited events (id:total):");
	for (unsigned event = 0; event < REDOUBT_AUDIT_LAST; event++)
		if (audit_total(event) != 0)
			add(" %u:%lu", event, audit_total(event));
	add("\n");
}

static void seal_record(void)
{
	struct panic_record *record = &state.record;
	struct sha256 hash;

	record->magic = PANIC_RECORD_MAGIC;
	record->version = 1;
	sha256_start(&hash);
	sha256_add(&hash, &record->length, sizeof(record->length));
	sha256_add(&hash, record->text, record->length);
	sha256_end(&hash, record->digest);
}

/* To the consoles, the record's frame and the place that outlives memory. */
static void publish(void)
{
	static const char banner[] = "\n*** monitor panic ***\n";
	const spa_t frame = { start_info()->record_base };

	seal_record();
	if (frame.v != 0)
		memcpy(region_ptr(frame), &state.record, sizeof(state.record));
	arch_keep_digest(state.record.digest);
	console_write(banner, sizeof(banner) - 1);
	console_write(state.record.text, state.record.length);
}

void panic(const char *format, ...)
{
	unsigned self = cpu_index() + 1;
	unsigned owner = 0;
	va_list args;

	if (!atomic_compare_exchange_strong(&state.owner, &owner, self)) {
		if (owner == self)
			finish();
		cpu_stop();
	}
	cpu_stop_others();
	va_start(args, format);
	state.record.length = (uint32_t)format_text(state.record.text, PANIC_TEXT_BYTES / 4, format,
	    args);
	va_end(args);
	add("\nCPU %u of %u at cycle %lu\n", cpu_index(), cpu_count(), cpu_cycles());
	add_audit_totals();
	state.record.length += (uint32_t)log_tail(state.record.text + state.record.length,
	    PANIC_TEXT_BYTES - state.record.length);
	publish();
	monitor_leaving();
	finish();
}
