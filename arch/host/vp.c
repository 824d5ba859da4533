/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The fake machine runs no code, so it has no VPs.
 */
#include "arch/vp.h"

#include "arch/host/internal.h"

size_t vp_pages(void)
{
	return 0;
}

void vp_reset(struct vp *vp, const struct vp_start *start)
{
	host_fail("no VPs here");
}

struct vp_exit vp_run(struct vp *vp, uint64_t cycles)
{
	host_fail("no VPs here");
}

struct call *vp_call(struct vp *vp)
{
	host_fail("no VPs here");
}
