/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The vTPM's registers (tpm.h).
 */
#include "monitor/tpm.h"

#include <stdatomic.h>

#include "arch/cpu.h"
#include "arch/upcall.h"
#include "monitor/abi/tpm.h"
#include "monitor/abi/trustlet.h"
#include "monitor/call.h"
#include "monitor/guest_mem.h"
#include "monitor/lib/string.h"
#include "monitor/partition.h"
#include "monitor/protect.h"

/* Whoever has moved `taken` to true has all of it. */
static struct {
	unsigned partition;
	gpa_t window; /* in the partition */
	_Atomic bool taken;
	uint64_t token; /* 0: no store's request is suspended */
	struct guest_store now;
	/* Another store has carried its request to the end: its instruction is to come back. */
	struct guest_store ended;
} tpm;

bool tpm_show(unsigned partition, const struct bootinfo_partition *is)
{
	uint64_t first = is->data_pages - TPM_PAGES;
	const bool bound = start_info()->flags & BOOTINFO_PLATFORM_TPM;
	spa_t window = { is->data_base + first * FRAME_SIZE };
	spa_t buffer = { window.v + (uint64_t)TPM_LOCALITIES * FRAME_SIZE };
	struct stage2 *normal = monitor_normal_stage2();

	if (is->data_pages < TPM_PAGES)
		return false;
	tpm.partition = partition;
	tpm.window.v = TRUSTLET_DATA_BASE + first * FRAME_SIZE;
	return (!bound ||
		   protect_show(partition_map(partition), (gpa_t){ TRUSTLET_DEVICE_BASE },
		       (spa_t){ TPM_BASE }, TPM_LOCALITIES, S2_R | S2_W)) &&
	    protect_show(normal, (gpa_t){ TPM_BASE }, window, TPM_LOCALITIES, S2_R) &&
	    protect_show(normal, (gpa_t){ TPM_BUFFER }, buffer, TPM_OPEN_PAGES, S2_R | S2_W);
}

bool tpm_watches(gpa_t gpa)
{
	return tpm.partition != 0 && gpa.v >= TPM_BASE && gpa.v < TPM_BUFFER;
}

unsigned tpm_partition(void)
{
	return tpm.partition;
}

static void note(uint64_t status, const uint64_t answer[CALL_REGS])
{
	tpm.token = status == REDOUBT_OK && answer[0] == REDOUBT_SUSPENDED ? answer[1] : 0;
}

/* false: the partition serves another request. */
static bool begin(const struct guest_store *store)
{
	uint64_t answer[CALL_REGS] = { 0 };
	const uint64_t args[CALL_REGS] = { tpm.partition | (uint64_t)TPM_REQUEST_STORE << 32,
		store->gpa.v - TPM_BASE, store->value, store->bytes };
	uint64_t status = call_partition_call(args, answer);

	if (status == REDOUBT_BUSY)
		return false;
	tpm.now = *store;
	note(status, answer);
	return true;
}

/* Whoever stores gives it time. A token that is none any more: it was carried to its end. */
static void go_on(void)
{
	const uint64_t args[CALL_REGS] = { tpm.token };
	uint64_t answer[CALL_REGS] = { 0 };

	note(call_partition_resume(args, answer), answer);
}

static bool is(const struct guest_store *a, const struct guest_store *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static bool carry_out(const struct guest_store *store)
{
	bool same = is(&tpm.now, store);
	/* Only a Start takes its time, and looks for others behind it. */
	bool posts = !same && TPM_START_AT - tpm.now.gpa.v % FRAME_SIZE < tpm.now.bytes;

	if (is(&tpm.ended, store)) {
		tpm.ended = (struct guest_store){ 0 };
		return true;
	}
	if (tpm.token == 0)
		return begin(store) && tpm.token == 0;
	/* What comes while a command is carried out is put into the page. */
	if (posts)
		(void)guest_write_in(&(struct guest_place){ { FRAME_PARTITION, tpm.partition },
					 { tpm.window.v + store->gpa.v - TPM_BASE } },
		    &store->value, store->bytes);
	go_on();
	if (!same && tpm.token == 0)
		tpm.ended = tpm.now;
	return posts || (same && tpm.token == 0);
}

bool monitor_store(const struct guest_store *store)
{
	bool done;

	if (atomic_exchange(&tpm.taken, true))
		return false;
	done = carry_out(store);
	atomic_store(&tpm.taken, false);
	return done;
}
