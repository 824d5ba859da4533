/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * See take.h.
 */
#include "monitor/test/take.h"

#include "arch/upcall.h"
#include "monitor/protect.h"

bool protect_take(spa_t spa, uint64_t pages)
{
	enum redoubt_status status;

	spin_lock(monitor_normal_stage2()->lock);
	status = protect_part(&(struct frame_set){ NULL, spa.v, pages },
	    (struct holding){ FRAME_MONITOR, 0 });
	spin_unlock(monitor_normal_stage2()->lock);
	return status == REDOUBT_OK;
}

bool protect_give(spa_t spa, uint64_t pages)
{
	enum redoubt_status status;

	spin_lock(monitor_normal_stage2()->lock);
	status = protect_return(&(struct frame_set){ NULL, spa.v, pages },
	    (struct holding){ FRAME_MONITOR, 0 }, NULL, (gpa_t){ 0 });
	spin_unlock(monitor_normal_stage2()->lock);
	return status == REDOUBT_OK;
}

bool frame_get(struct frame *frame)
{
	if (frame_refs(frame) == FRAME_REFS_MAX)
		return false;
	atomic_fetch_add_explicit(&frame->word, 1u << FRAME_REF_SHIFT, memory_order_relaxed);
	return true;
}

void frame_put(struct frame *frame)
{
	CHECK(frame_refs(frame) > 0);
	atomic_fetch_sub_explicit(&frame->word, 1u << FRAME_REF_SHIFT, memory_order_relaxed);
}
