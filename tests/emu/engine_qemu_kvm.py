#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""QEMU with KVM as an engine, for a host whose KVM gives VT-x or SVM to its guests (kvm.py finds out).

It was never run this way by those who wrote it: they had no such machine. All but the accelerator and
the CPU model is what engine_qemu_tcg has. Instructions are not counted here.
"""

import kvm
import qemu

GROUPS = ("image", "qemu")
HAS_ACPI = True


class Engine(qemu.Engine):
    """One run of QEMU with KVM."""

    accel = ("-accel", "kvm")

    def __init__(self, spec):
        super().__init__(spec)
        self.cpu = f"host,+{kvm.FLAG[kvm.vendor()]}"
