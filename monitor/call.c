/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Call dispatch: one switch made from calls.def. Each row's rights and counts are constants in its
 * case, and each handler is called directly: an indirect call would need a retpoline, and a table
 * would have to be guarded against speculation with an id of the caller's choice.
 *
 * The calls that say what runs here (version, features) stand here too: they have no arguments and
 * nothing to decode, and the compiler sees that they cannot fail.
 */
#include "monitor/call.h"

#include "arch/cpu.h"
#include "arch/iommu.h"
#include "arch/upcall.h"
#include "monitor/abi/audit.h"
#include "monitor/abi/cpuid.h"
#include "monitor/partition.h"
#include "monitor/tpm.h"

/* The number of arguments or results: each ARG() or RET() of a row becomes one element. */
#define ARG(name, meaning) 0
#define ARGS(...)	   (sizeof((const char[]){ 0, __VA_ARGS__ }) - 1)
#define RET(name, meaning) 0
#define RETS(...)	   (sizeof((const char[]){ 0, __VA_ARGS__ }) - 1)

/* Ids run from 0 without a gap. */
#define CALL(id, name, rights, arguments, results, statuses, summary) +1
_Static_assert(REDOUBT_CALL_COUNT == 0
#include "monitor/abi/calls.def"
    ,
    "the call table has a gap");
#undef CALL

_Static_assert(REDOUBT_CALL_partition_call == CALLS_FAST,
    "what runs a partition goes the slow way");

uint64_t call_version(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	rets[0] = REDOUBT_ABI_VERSION;
	__builtin_memcpy(&rets[1], start_info()->monitor_digest, sizeof(rets[1]));
	return REDOUBT_OK;
}

/* Kernel code is not locked yet, whatever the machine. */
uint32_t monitor_degraded(void)
{
	return arch_degraded() | (dma_protected() ? 0 : REDOUBT_DEGRADED_DMA) |
	    (dma_listed() ? REDOUBT_DEGRADED_DMA_LISTED : 0) | REDOUBT_DEGRADED_UNLOCKED |
	    (test_build() ? REDOUBT_DEGRADED_TEST : 0) |
	    (start_info()->flags & BOOTINFO_ROOT_TPM ? 0 : REDOUBT_DEGRADED_UNROOTED) |
	    (start_info()->attempts != 0 ? REDOUBT_DEGRADED_RETRIES : 0) |
	    (tpm_partition() == 0 || start_info()->flags & BOOTINFO_PLATFORM_TPM
		    ? 0
		    : REDOUBT_DEGRADED_VTPM_UNBOUND);
}

uint32_t monitor_features(void)
{
	return arch_features() | (dma_protected() ? REDOUBT_FEATURE_DMA : 0) |
	    (tpm_partition() != 0 ? REDOUBT_FEATURE_VTPM : 0);
}

uint64_t call_features(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	rets[0] = monitor_features();
	rets[1] = monitor_degraded();
	rets[2] = cpu_covered();
	return REDOUBT_OK;
}

static __attribute__((noinline)) uint64_t refuse(uint64_t id, uint64_t result)
{
	/* Unknown ids are one subject: a guest that tries them all makes one record. */
	audit(REDOUBT_AUDIT_CALL_REFUSED, id < REDOUBT_CALL_COUNT ? id : ~0ull, id);
	return result;
}

/* Names the first argument from `args` on that is not zero. */
static __attribute__((noinline)) uint64_t refuse_argument(const uint64_t *regs, unsigned args)
{
	while (regs[args] == 0)
		args++;
	return call_error(REDOUBT_INVALID, args + 1);
}

/* `allowed`: whether the row's rights are the caller's. */
static inline __attribute__((always_inline)) uint64_t carry_out(struct call *call, bool allowed,
    unsigned args, unsigned rets, call_handler *handler)
{
	uint64_t unused = 0;
	uint64_t status;

	if (!allowed)
		return refuse(call->rax, REDOUBT_DENIED);
	for (unsigned i = args; i < CALL_REGS; i++)
		unused |= call->regs[i];
	if (unused != 0)
		return refuse_argument(call->regs, args);
	status = handler(call->regs, call->regs);
	/* The others are unused arguments, so they are zero already. */
	for (unsigned i = rets; i < args; i++)
		call->regs[i] = 0;
	return status;
}

/* A test build has more calls than the table. */
static __attribute__((noinline)) uint64_t unknown(struct call *call)
{
	if (partition_running() == 0 && test_call(call))
		return call->rax;
	return refuse(call->rax, REDOUBT_UNKNOWN_CALL);
}

static inline __attribute__((always_inline)) uint64_t dispatch(struct call *call, uint64_t id,
    uint32_t caller)
{
	switch (id) {
#define CALL(id, name, rights, arguments, results, statuses, summary)                              \
	case id:                                                                                   \
		return carry_out(call, (rights)&caller, arguments, results, call_##name);
#include "monitor/abi/calls.def"
#undef CALL
	default:
		return unknown(call);
	}
}

static __attribute__((noinline)) uint64_t dispatch_any(struct call *call, uint32_t caller)
{
	return dispatch(call, call->rax, caller);
}

/* `usual`: the id that is compared first; its switch comes down to one row. */
static inline __attribute__((always_inline)) void call_by(struct call *call, uint32_t caller,
    uint64_t usual)
{
	call->rax = __builtin_expect(call->rax == usual, 1) ? dispatch(call, usual, caller)
							    : dispatch_any(call, caller);
	if (call->rax != REDOUBT_OK)
		for (unsigned i = 0; i < CALL_REGS; i++)
			call->regs[i] = 0;
}

void monitor_call(struct call *call)
{
	call_by(call, RIGHT_NORMAL, REDOUBT_CALL_version);
}

void monitor_partition_call(struct call *call)
{
	call_by(call, partition_rights(partition_running()), REDOUBT_CALL_next_request);
}
