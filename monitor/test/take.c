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

	if (pages == 0 || pages > PASS_MAX)
		return false;
	spin_lock(monitor_normal_stage2()->lock);
	status = protect_part(&(struct frame_set){ NULL, spa.v, pages }, FRAMES_TAKEN);
	spin_unlock(monitor_normal_stage2()->lock);
	return status == REDOUBT_OK;
}

bool protect_give(spa_t spa, uint64_t pages)
{
	enum redoubt_status status;

	if (pages == 0 || pages > PASS_MAX)
		return false;
	spin_lock(monitor_normal_stage2()->lock);
	status = protect_return(&(struct frame_set){ NULL, spa.v, pages }, FRAMES_TAKEN, NULL,
	    (gpa_t){ 0 });
	spin_unlock(monitor_normal_stage2()->lock);
	return status == REDOUBT_OK;
}
