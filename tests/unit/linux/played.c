/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A monitor with a partition `vtpm` (played.h). */
#include "tests/unit/linux/played.h"

#include "guest/linux/driver/driver.h"
#include "monitor/abi/tpm_state.h"
#include "tests/unit/linux/fake.h"
#include "tests/unit/unit.h"

#define TOKEN 0x700000001ull

struct played played;

void played_start(void)
{
	memset(&played, 0, sizeof(played));
	played.there = PLAYED_NUMBER;
}

static u64 progress(u64 regs[CALL_REGS])
{
	assert_int_equal(fake_kernel.held, 1);
	if (played.left) {
		memset(regs, 0, CALL_REGS * sizeof(*regs));
		regs[0] = REDOUBT_SUSPENDED;
		regs[1] = TOKEN + played.left--;
	} else {
		memcpy(regs, played.answer, sizeof(played.answer));
	}
	return 0;
}

static u64 on_call(u64 regs[CALL_REGS])
{
	assert_int_equal((u32)regs[0], PLAYED_NUMBER);
	assert_int_equal(fake_kernel.held, 1);
	played.calls++;
	if (played.busy) {
		played.busy--;
		return REDOUBT_BUSY;
	}
	memset(played.answer, 0, sizeof(played.answer));
	played.answer[0] = played_serve(regs[0] >> 32, regs[1]);
	played.left = played.suspend;
	return progress(regs);
}

static u64 on_info(u64 regs[CALL_REGS])
{
	const char *id = regs[0] == played.there ? TPM_ID : "vtpm2";

	if (played.info_result || regs[0] % 2 == 0)
		return played.info_result ? played.info_result : REDOUBT_STATE;
	memset(regs, 0, CALL_REGS * sizeof(*regs));
	memcpy(regs, id, strlen(id));
	return 0;
}

uint64_t redoubt_raw_call(uint64_t id, uint64_t regs[CALL_REGS])
{
	switch (id) {
	case REDOUBT_ID_partition_call:
		return on_call(regs);
	case REDOUBT_ID_partition_resume:
		assert_int_equal(regs[0], TOKEN + played.left + 1);
		played.resumes++;
		return progress(regs);
	case REDOUBT_ID_partition_info:
		return on_info(regs);
	default:
		fail_msg("call %lu", (unsigned long)id);
		return REDOUBT_UNKNOWN_CALL;
	}
}

int redoubt_error(u64 rax)
{
	return -redoubt_errno(redoubt_status(rax));
}
