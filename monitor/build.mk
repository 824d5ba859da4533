# SPDX-License-Identifier: BSD-2-Clause-Patent
# The neutral sources. Built for root mode by arch/*/build.mk and for the host by tests/unit/build.mk.
MON_SRCS := $(addprefix monitor/,audit.c bootinfo.c call.c call_log.c call_partition.c guest_mem.c keys.c \
	leave.c log.c main.c page_owner.c panic.c partition.c protect.c share.c tpm.c lib/fmt.c lib/sha256.c lib/string.c)
TEST_HOOKS := $(addprefix monitor/test/,hooks.c invariant.c lock_order.c take.c vp.c)
NO_HOOKS := monitor/test/none.c
