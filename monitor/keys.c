/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Keys (keys.h), and the calls of partitions for them.
 */
#include "monitor/keys.h"

#include "arch/cpu.h"
#include "arch/lock.h"
#include "arch/upcall.h"
#include "monitor/abi/trustlet.h"
#include "monitor/call.h"
#include "monitor/lib/string.h"

_Static_assert(CALL_REGS * sizeof(uint64_t) == SHA256_BYTES, "a digest is the results of a call");

static struct spinlock lock = { .rank = LOCK_KEYS };

static struct {
	uint8_t pool[SHA256_BYTES]; /* the lock guards it */
	uint8_t report[SHA256_BYTES];
	uint8_t root[SHA256_BYTES];
	bool rooted;
} keys;

/* 32 bytes that nothing else follows from: the pool is wound on at each time. */
static void draw(uint8_t out[SHA256_BYTES])
{
	spin_lock(&lock);
	hmac_sha256(keys.pool, "out", 3, out);
	hmac_sha256(keys.pool, "next", 4, keys.pool);
	spin_unlock(&lock);
}

void keys_init(struct bootinfo *info)
{
	memcpy(keys.pool, info->entropy, sizeof(keys.pool));
	memcpy(keys.root, info->root_key, sizeof(keys.root));
	keys.rooted = info->flags & BOOTINFO_ROOT_KEY;
	scrub(info->entropy, sizeof(info->entropy));
	scrub(info->root_key, sizeof(info->root_key));
	draw(keys.report);
}

void keys_leave(void)
{
	scrub(&keys, sizeof(keys));
}

uint64_t call_entropy(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	draw((uint8_t *)rets);
	return REDOUBT_OK;
}

uint64_t call_time(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	rets[0] = cpu_cycles();
	rets[1] = start_info()->tsc_khz;
	return REDOUBT_OK;
}

/* The root key of an SVN of the monitor's, this one or an older. */
static void root_of(uint64_t svn, uint8_t root[SHA256_BYTES])
{
	struct sha256 hash;

	memcpy(root, keys.root, SHA256_BYTES);
	for (; svn < REDOUBT_SVN; svn++) {
		sha256_start(&hash);
		sha256_add(&hash, root, SHA256_BYTES);
		sha256_end(&hash, root);
	}
}

uint64_t call_key_derive(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	const struct bootinfo_partition *is = partition_is(partition_running());
	struct {
		char purpose[8];
		uint64_t label[2];
		uint64_t svn, flags;
		char id[32];
		uint8_t signer[SHA256_BYTES];
	} who = { "seal", { args[0], args[1] }, (uint32_t)args[2], is->flags, { 0 }, { 0 } };
	uint8_t root[SHA256_BYTES];

	if (who.svn > is->svn || args[2] >> 32 > REDOUBT_SVN)
		return call_error(REDOUBT_RANGE, 3);
	if (!keys.rooted)
		return REDOUBT_STATE;
	memcpy(who.id, is->id, sizeof(who.id));
	memcpy(who.signer, is->signer, sizeof(who.signer));
	root_of(args[2] >> 32, root);
	hmac_sha256(root, &who, sizeof(who), (uint8_t *)rets);
	scrub(root, sizeof(root));
	return REDOUBT_OK;
}

static void report_mac(const struct redoubt_report *report, uint8_t mac[SHA256_BYTES])
{
	hmac_sha256(keys.report, report, offsetof(struct redoubt_report, mac), mac);
}

uint64_t call_report_make(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	const struct bootinfo_partition *is = partition_is(partition_running());
	struct redoubt_report report = { .svn = is->svn, .flags = is->flags };

	memcpy(report.items, is->items, sizeof(report.items));
	memcpy(report.nonce, args, sizeof(report.nonce));
	report_mac(&report, (uint8_t *)rets);
	return REDOUBT_OK;
}

uint64_t call_report_check(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	struct guest_place place = call_place(args[0]);
	struct redoubt_report report;
	uint8_t mac[SHA256_BYTES];

	if (!guest_read_in(&place, &report, sizeof(report)))
		return call_error(REDOUBT_RANGE, 1);
	report_mac(&report, mac);
	rets[0] = 0;
	for (unsigned i = 0; i < sizeof(mac); i++)
		rets[0] |= mac[i] ^ report.mac[i];
	rets[0] = rets[0] == 0;
	return REDOUBT_OK;
}
