/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The state in words for people and in JSON for programs. */
#ifndef REDOUBT_GUEST_LINUX_REDOUBTCTL_PRINT_H
#define REDOUBT_GUEST_LINUX_REDOUBTCTL_PRINT_H

#include "guest/linux/redoubtctl/state.h"

/* Both print to standard output, whatever the state is. */
void print_text(const struct monitor_state *state);
void print_json(const struct monitor_state *state);

#endif
