/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * assert(): stays in every build, and ends the trustlet.
 */
#ifndef TRUSTLET_RT_ASSERT_H
#define TRUSTLET_RT_ASSERT_H

_Noreturn void rt_assert_failed(const char *condition, const char *file, int line);

#define assert(condition) ((condition) ? (void)0 : rt_assert_failed(#condition, __FILE__, __LINE__))
#define static_assert _Static_assert

#endif
