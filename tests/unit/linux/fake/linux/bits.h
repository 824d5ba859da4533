/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A bit by its number. */
#ifndef REDOUBT_FAKE_LINUX_BITS_H
#define REDOUBT_FAKE_LINUX_BITS_H

#define BIT_ULL(number) (1ull << (number))

#endif
