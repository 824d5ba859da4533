#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""One run of the test guest above the monitor: disk, machine, and what the guest said."""

import hashlib
import os
import re
import sys

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path[:0] = [os.path.join(TOP, "tests"), os.path.join(TOP, "tests", "emu")]

import choose  # noqa: E402
import differences  # noqa: E402
import mkdisk  # noqa: E402
from machine import Failure, Machine, Spec  # noqa: E402
from spec import BUILD  # noqa: E402
from trouble import trouble  # noqa: E402

LOADERS = {"release": "redoubt.efi", "test": "redoubt-test.efi", "partitions": "redoubt-partitions.efi",
           "test-partitions": "redoubt-test-partitions.efi", "vtd": "redoubt-vtd.efi",
           "test-vtd": "redoubt-test-vtd.efi", "vtpm": "redoubt-vtpm.efi", "test-vtpm": "redoubt-test-vtpm.efi"}
# What those with partitions carry, but for the vTPM's.
TRUSTLETS = ("probe", "sample")
# What runs before the loader where a run asks for it, and who starts both.
FIRMWARE = os.path.join(BUILD, "tests", "dma", "firmware.efi")
STARTER = os.path.join(BUILD, "tests", "acpi", "starter.efi")
SWITCHES = os.path.join(TOP, "arch", "include", "arch", "test_switch.h")

POINT = re.compile(r"^(not ok|ok) \d+ - (.*)$")
PLAN = re.compile(r"^1\.\.(\d+)$", re.M)
# 64-bit words of a frame that the test build took and filled: guest/suite/frames.c.
CANARY_FRAME = tuple(0xca4a21e5ca4a21e5 ^ i for i in range(512))
END = re.compile(r"^(1\.\.\d+|Bail out!.*)$", re.M)


def switches():
    """{name: number} of the switches of the test build."""
    with open(SWITCHES, encoding="ascii") as f:
        found = re.findall(r"\bTEST_([A-Z_]+) = (\d+),", f.read())
    if not found:
        raise ValueError(f"no switches in {SWITCHES}")
    return {name: int(number) for name, number in found}


def measurements():
    """{option: value}: the first eight bytes of each trustlet's measurement, as a call returns them."""
    found = {}
    for name in TRUSTLETS:
        with open(os.path.join(BUILD, "guest/trustlets", name, name + ".img"), "rb") as f:
            pages = int.from_bytes(f.read(4096)[16:20], "little")
            f.seek(0)
            digest = hashlib.sha256(f.read(4096 * pages)).digest()
        found[name.upper()] = f"{int.from_bytes(digest[:8], 'little'):#x}"
    return found


class GuestRun:
    """The test guest, started by redoubt.efi as its next loader.

    `options` go to the guest. `conf` holds more lines of redoubt.conf. `before` is what firmware has done
    before the loader runs: options of tests/dma/firmware.c. The monitor logs errors only: its other lines
    would fall into the guest's.
    """

    guest = "suite"  # guest/NAME.efi
    starts = 1  # of the monitor, in a run in which all is well

    def __init__(self, name, options, build="release", cpus=1, conf=(), time=300,
                 engine="bochs", more="", before=""):
        self.spec = Spec(name=name, disk=os.path.join(BUILD, "tests", "suite", name + ".img"),
                         cpus=cpus, options={"more": more} if more else {})
        lines = [f"next = \\{self.guest}.efi", f"options = {options}", "console = debugcon",
                 "log_level = error", *conf]
        folder, name = ("redoubt", "redoubt.efi") if before else ("EFI/BOOT", "BOOTX64.EFI")
        files = [(os.path.join(BUILD, "boot", LOADERS[build]), f"{folder}/{name}"),
                 (os.path.join(BUILD, "guest", self.guest + ".efi"), self.guest + ".efi")]
        texts = [("\n".join(lines) + "\n", f"{folder}/redoubt.conf")]
        if before:
            files += [(STARTER, "EFI/BOOT/BOOTX64.EFI"), (FIRMWARE, "firmware.efi")]
            texts.append((f"start \\firmware.efi {before}\nstart \\redoubt\\redoubt.efi\n", "start.txt"))
        mkdisk.make_with_text(self.spec.disk, files, texts)
        self.machine = Machine(self.spec, engine, time)

    def __enter__(self):
        self.machine.start()
        return self

    def __exit__(self, *_):
        self.machine.stop()

    @property
    def text(self):
        return self.machine.e9

    def wait_end(self):
        """Until the guest has printed its plan or given up."""
        self.machine.wait_for(END.pattern, source="e9")

    def points(self):
        """[(passed, text)] of the guest's TAP so far."""
        return [(m.group(1) == "ok", m.group(2))
                for m in map(POINT.match, self.text.split("\n")) if m]

    def plan(self):
        """What the guest says it has done; None if it did not come so far."""
        found = PLAN.findall(self.text)
        return int(found[-1]) if found else None

    def trouble(self):
        """Lines in which the monitor complains."""
        return trouble(self.text, self.starts)


class Report:
    """TAP on stdout whose plan is known at the end, when all points are."""

    def __init__(self):
        self.done = self.failed = 0

    def point(self, good, text, why=""):
        self.done += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.done} - {text}", flush=True)
        if not good and why:
            print(f"{text}: {why}", file=sys.stderr, flush=True)
        return good

    def end(self):
        print(f"1..{self.done}", flush=True)
        return 1 if self.failed or not self.done else 0


def log_tail(run):
    """The run's logs, for whoever looks for the cause of a failure."""
    print(run.machine.tail(40), file=sys.stderr, flush=True)


__all__ = ["BUILD", "CANARY_FRAME", "Failure", "GuestRun", "Report", "TOP", "choose", "differences",
           "log_tail", "measurements", "switches"]
