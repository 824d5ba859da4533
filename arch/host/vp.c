/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The fake machine's VPs: a function of the test's plays the program.
 */
#include "arch/vp.h"

#include <string.h>

#include "arch/cpu.h"
#include "arch/host/internal.h"

struct vp {
	struct vp_start start;
	struct call call;
	struct vp_exit exit;
	bool ready;
};

static host_program *program;

size_t vp_pages(void)
{
	return 1;
}

void host_set_program(host_program *function)
{
	program = function;
}

void vp_reset(struct vp *vp, const struct vp_start *start)
{
	*vp = (struct vp){ .start = *start, .ready = true };
}

struct call *vp_call(struct vp *vp)
{
	return &vp->call;
}

enum vp_stop vp_run(struct vp *vp, uint64_t until)
{
	uint64_t now = cpu_cycles();
	struct host_exit exit;

	if (!vp->ready || !program)
		host_fail("a VP that cannot run");
	exit = program(&vp->start, &vp->call, until > now ? until - now : 0);
	vp->ready = exit.stop != VP_FAULTED;
	vp->exit = (struct vp_exit){ exit.reason, exit.rip, exit.fact };
	return exit.stop;
}

struct vp_exit vp_last_exit(const struct vp *vp)
{
	return vp->exit;
}
