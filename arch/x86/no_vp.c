/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * In place of the vendor's vp.c until there is one: no VP can be made, so none is run.
 */
#include "arch/vp.h"

size_t vp_pages(void)
{
	return 1;
}

uint32_t vp_start_bits(void)
{
	return 0;
}

void vp_reset(struct vp *vp, const struct vp_start *start)
{
	panic("no VPs");
}

struct vp_exit vp_run(struct vp *vp, uint64_t cycles)
{
	panic("no VPs");
}

struct call *vp_call(struct vp *vp)
{
	panic("no VPs");
}
