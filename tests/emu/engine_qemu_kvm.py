#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""QEMU with KVM, for an Intel host whose KVM gives VT-x to its guests.

`make run` takes it there by itself. It was never run that way by those who wrote it: they had no such
machine. What was tried is everything but VT-x, by option accel=tcg, without a monitor.

Options: accel (kvm), cpu model (host,+vmx). Machine memory cannot be dumped with this engine, nor
instructions counted: there is no probe.
"""

import os

GROUPS = ("image", "qemu")
HAS_ACPI = True


class Engine:
    """One run of QEMU."""

    def __init__(self, spec):
        self.spec = spec

    def argv(self, serial_device):
        """The command; `serial_device` is a terminal's path."""
        spec = self.spec
        return ["qemu-system-x86_64", "-nodefaults", "-display", "none", "-monitor", "none",
                "-machine", "q35", "-accel", spec.options.get("accel", "kvm"),
                "-cpu", spec.cpu or "host,+vmx", "-smp", str(spec.cpus), "-m", str(spec.mem),
                "-bios", spec.firmware,
                "-drive", f"format=raw,file={os.path.abspath(spec.disk)}",
                "-chardev", f"serial,id=com1,path={serial_device}", "-serial", "chardev:com1",
                "-chardev", "stdio,id=e9,signal=off",
                "-device", "isa-debugcon,iobase=0xe9,chardev=e9"]

    def environment(self):
        return {}, ()

    def ready(self):
        return True

    def clean_up(self):
        pass
