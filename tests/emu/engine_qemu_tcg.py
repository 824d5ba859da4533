#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""QEMU's own translator (TCG) as an engine: a machine with SVM and nested paging, without KVM."""

import qemu

GROUPS = ("image", "qemu")
HAS_ACPI = True


class Engine(qemu.Engine):
    """One run of QEMU with TCG."""

    accel = ("-accel", "tcg")
    cpu = "EPYC"
