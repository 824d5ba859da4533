/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * How the RAX that a call returns carries a status: for those who call.
 */
#pragma once

#include <stdint.h>

static inline unsigned redoubt_status_of(uint64_t rax)
{
	return (unsigned)(rax & 0xffff);
}

/* Number (from 1) of the argument that caused the error; 0 if none did. */
static inline unsigned redoubt_status_arg(uint64_t rax)
{
	return (unsigned)(rax >> 16 & 0xff);
}
