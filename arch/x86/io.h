/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Ports that the monitor watches: those that put the machine to sleep (where they are known),
 * reset it or switch it off, and the serial port if it was told to keep it. All other ports are the
 * guest's and do not exit.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Sets the bits of watched ports in an 8 KiB permission map. */
void io_fill_map(uint8_t *map);

/*
 * Carries out the guest's IN or OUT of `bytes` (1, 2, 4) at a watched port. `value` is EAX. false:
 * refused, #GP(0); nothing has happened.
 */
bool io_access(uint16_t port, unsigned bytes, bool write, uint32_t *value);
