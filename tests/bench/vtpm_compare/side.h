/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Whose arithmetic libtpms is linked with: ours.c or openssl.c.
 */
#ifndef TESTS_BENCH_VTPM_COMPARE_SIDE_H
#define TESTS_BENCH_VTPM_COMPARE_SIDE_H

const char *side_name(void);

/* Before anything else. */
void side_start(void);

#endif
