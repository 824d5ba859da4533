/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The kernel's names of integers. */
#ifndef REDOUBT_FAKE_LINUX_TYPES_H
#define REDOUBT_FAKE_LINUX_TYPES_H

#include <asm/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define __aligned_u64 __u64 __attribute__((aligned(8)))

#define BIT(bit) (1ul << (bit))
#define __user

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

#endif
