/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause-Patent */
/*
 * What callers may pass in redoubt.h's structures. Pure, so that tests on the
 * host compile it too.
 */
#ifndef REDOUBT_DRIVER_ARGS_H
#define REDOUBT_DRIVER_ARGS_H

#include <linux/errno.h>

#include "guest/linux/redoubt.h"

static inline int redoubt_check_read(const struct redoubt_ioc_read *arg)
{
	if (!arg->length || arg->length > REDOUBT_LENGTH_MAX)
		return -EINVAL;
	return arg->reserved || arg->wait_ms > REDOUBT_WAIT_MAX ? -EINVAL : 0;
}

static inline int redoubt_check_partition(const struct redoubt_ioc_partition *arg)
{
	return arg->number ? 0 : -ENOENT;
}

static inline int redoubt_check_request(const struct redoubt_ioc_request *arg)
{
	return arg->wait_ms > REDOUBT_WAIT_MAX ? -EINVAL : 0;
}

static inline int redoubt_check_restart(const struct redoubt_ioc_restart *arg)
{
	return arg->reserved ? -EINVAL : 0;
}

static inline int redoubt_check_state_keep(const struct redoubt_ioc_state_keep *arg)
{
	return arg->reserved || arg->on > 1 ? -EINVAL : 0;
}

static inline int redoubt_check_state_wait(const struct redoubt_ioc_state_wait *arg)
{
	return arg->reserved || arg->wait_ms > REDOUBT_WAIT_MAX ? -EINVAL : 0;
}

static inline int redoubt_check_state_read(const struct redoubt_ioc_state_read *arg)
{
	if (!arg->length || arg->length > REDOUBT_STATE_BYTES)
		return -EINVAL;
	return arg->reserved ? -EINVAL : 0;
}

static inline int redoubt_check_package(const struct redoubt_ioc_package *arg)
{
	return arg->length && arg->length <= REDOUBT_PACKAGE_BYTES ? 0 : -EINVAL;
}

#endif
