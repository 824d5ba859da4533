#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""boot_ratio: what the monitor adds to a boot, in retired instructions.

usage: ratio.py OUTPUT.json

The cloud kernel is booted twice on one CPU, without and with the monitor, by the same program of
ours, with the same command line and the same initramfs. Counted are the instructions that the CPU
retired, in the guest and in the monitor, from the line that the starter writes to port 0xE9 right
before it calls the kernel's entry to the kernel's line that process 1 has ended. Process 1 is
redoubtctl itself, which only says how it is used. The emulator counts (tests/emu/bochs-probe); time
that a halted CPU spends waiting is no instruction. The kernel is quiet: polling the serial port for
every character would be a large part of both counts and flatter the ratio; so would the self-tests of
its crypto code, which are off. Counts differ by some tenths of a percent between runs, since the
kernel places itself at random: each is the median of three.
"""

import json
import os
import re
import sys

EMU = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "emu")
sys.path.insert(0, EMU)

import linux  # noqa: E402
from machine import Machine, Spec  # noqa: E402
from spec import BUILD  # noqa: E402

GOAL = 1.03
RUNS = 3
BEGIN = "starter: loaded -> 0x0000000000000000"
END = "Attempted to kill init!"
OPTIONS = linux.OPTIONS + " quiet cryptomgr.notests rdinit=/bin/redoubtctl"


def instructions(name, loader):
    spec = Spec(name=name, disk=os.path.join(BUILD, "tests", "boot", name + ".img"))
    linux.disk(spec.disk, "cloud", loader, "starter", OPTIONS)
    with Machine(spec, "bochs", 200) as machine:
        machine.wait_for(re.escape(END) + ".*\n", source="serial")
        marks = machine.marks()
    # The last such line before the kernel speaks: earlier ones are other programs being started.
    begin = [counts[0] for _, _, counts, text in marks if text == BEGIN][-1]
    end = [counts[0] for _, _, counts, text in marks if END in text][0]
    return end - begin


def median(name, loader):
    return sorted(instructions(f"{name}-{i}", loader) for i in range(RUNS))[RUNS // 2]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    bare = median("ratio-bare", None)
    above = median("ratio-monitor", linux.LOADER)
    row = {"name": "boot_ratio", "vendor": "vmx", "emulator": "bochs",
           "value": round(above / bare, 4), "unit": "ratio", "goal": GOAL,
           "note": f"{above} instructions above the monitor, {bare} without"}
    os.makedirs(os.path.dirname(sys.argv[1]) or ".", exist_ok=True)
    with open(sys.argv[1], "w", encoding="ascii") as f:
        json.dump([row], f, indent=1)
        f.write("\n")
    print(f"boot_ratio {row['value']} (goal {GOAL}): {row['note']}")


if __name__ == "__main__":
    main()
