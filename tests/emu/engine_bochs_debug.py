#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Bochs with its own debugger, four times slower than engine_bochs: for `make debug` only.

Its debugger's terminal is the person's; the probe (memory dumps, instruction counts) is not in this
build. Option `rc`: a file of debugger commands to begin with.
"""

import engine_bochs

GROUPS = ("image", "bochs-debug")
HAS_ACPI = engine_bochs.HAS_ACPI


class Engine(engine_bochs.Engine):
    """The same configuration, another build."""

    variant = "debug"

    def argv(self, serial_device):
        return super().argv(serial_device) + ["-dbg", "-rc", self.spec.options["rc"]]

    def environment(self):
        return {}, ()
