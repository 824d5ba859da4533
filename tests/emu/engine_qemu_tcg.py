#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""QEMU's own translator (TCG) as an engine: a machine with SVM and nested paging, without KVM."""

import os

import qemu
from spec import BUILD

GROUPS = ("image", "qemu")
HAS_ACPI = True
PROBE = os.path.join(BUILD, "emu", "qemu-probe.so")


class Engine(qemu.Engine):
    """One run of QEMU with TCG.

    Option `count`: the TSC counts instructions, and Machine.marks() tells how many had been executed, and of them
    the VMRUNs (qemu-probe/). One CPU only.
    """

    accel = ("-accel", "tcg")
    cpu = "EPYC"

    def counts(self):
        return self.spec.options.get("count", False)

    def environment(self):
        variables, fds = super().environment()
        return variables | ({"LD_PRELOAD": PROBE} if self.counts() else {}), fds

    def argv(self, serial_device):
        argv = super().argv(serial_device)
        if not self.counts():
            return argv
        if self.spec.cpus != 1:
            raise ValueError("the probe counts one CPU's instructions")
        marks = os.path.join(self.spec.log_dir, "marks")
        return argv + ["-icount", "shift=0,sleep=off", "-plugin",
                       f"file={PROBE},marks={marks},serial={serial_device}"]
