#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Puts a person's terminal on the machine's serial console."""

import os
import select
import sys
import termios
import time
import tty

LEAVE = b"\x1d"  # Ctrl-]
SPINNER = "|/-\\"


class Console:
    """Raw terminal while the machine runs; output goes straight through.

    Until the machine says something (firmware takes a few seconds of silence) a line shows that
    time passes.
    """

    def __init__(self):
        self.quiet_since = time.monotonic()
        self.spoken = False
        self.step = 0

    def on_output(self, source, data):
        if source != "serial":
            return
        if not self.spoken:
            self.spoken = True
            os.write(1, b"\r\x1b[K")
        os.write(1, data)

    def _tick(self):
        if self.spoken:
            return
        self.step += 1
        text = f"\r{SPINNER[self.step % 4]} firmware starts, " \
               f"{time.monotonic() - self.quiet_since:.0f} s"
        os.write(1, text.encode())

    def run(self, machine):
        """Returns when the machine has ended or the person pressed Ctrl-]."""
        saved = termios.tcgetattr(0)
        try:
            tty.setraw(0)
            while machine.running:
                if not select.select([0], [], [], 0.25)[0]:
                    self._tick()
                    continue
                data = os.read(0, 256)
                if not data or LEAVE in data:
                    return
                machine.send(data.decode("utf-8", "replace"))
        finally:
            termios.tcsetattr(0, termios.TCSADRAIN, saved)
            sys.stdout.write("\r\n")
            sys.stdout.flush()
