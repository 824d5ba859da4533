#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""What a test says about the machine it wants; every engine understands the same description."""

import dataclasses
import os
import subprocess

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("B", os.path.join(TOP, "build"))
BUILD = BUILD if os.path.isabs(BUILD) else os.path.join(TOP, BUILD)
CACHE = os.environ.get("CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "redoubt")


@dataclasses.dataclass
class Spec:
    """A machine: UEFI firmware, one disk, COM1, a debug port at 0xE9.

    `name` names the folder of logs (build/logs/NAME). `cpu` is the engine's word for a model,
    empty for the engine's default. `firmware` is "plain" or, with QEMU alone, "secboot", the build that
    keeps its variables behind SMM. `vars` is the file of the firmware's variables, which the machine
    writes to (QEMU alone); empty for fresh ones that are forgotten. `options` are the engine's own (see
    its file).
    """

    name: str
    disk: str
    cpus: int = 1
    mem: int = 512
    cpu: str = ""
    firmware: str = "plain"
    vars: str = ""
    options: dict = dataclasses.field(default_factory=dict)

    @property
    def log_dir(self):
        return os.path.join(BUILD, "logs", self.name)


SETUP = os.path.join(TOP, "tools", "setup", "setup.sh")


def setup(*groups):
    """Puts in place what an engine or a test needs; returns at once when it is there."""
    subprocess.run([SETUP, *groups], check=True, env={**os.environ, "CACHE": CACHE})


def bochs(variant):
    """The program that group bochs or bochs-debug has built."""
    done = subprocess.run([SETUP, "--bochs", variant], check=True, stdout=subprocess.PIPE,
                          env={**os.environ, "CACHE": CACHE})
    return os.path.join(done.stdout.decode(), "bochs")
