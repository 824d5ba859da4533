#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""boot_ratio: what the monitor adds to a boot, in retired instructions.

usage: ratio.py OUTPUT.json

The cloud kernel is booted twice on one CPU, without and with the monitor, by the same program of
ours, with the same command line and the same initramfs. Counted are the instructions that the CPU
retired, in the guest and in the monitor, from the line that the starter writes to port 0xE9 right
before it calls the kernel's entry to the kernel's own line "Run /init as init process". The
emulator counts (tests/emu/bochs-probe); time a halted CPU spends waiting is not instructions.
"""

import json
import os
import sys

EMU = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "emu")
sys.path.insert(0, EMU)

import linux  # noqa: E402
from machine import Machine, Spec  # noqa: E402
from spec import BUILD  # noqa: E402

GOAL = 1.03
BEGIN = "starter: loaded -> 0x0000000000000000"
END = "Run /init as init process"


def instructions(name, loader):
    spec = Spec(name=name, disk=os.path.join(BUILD, "tests", "boot", name + ".img"))
    linux.disk(spec.disk, "cloud", loader, "starter")
    with Machine(spec, "bochs", 200) as machine:
        machine.wait_for(END, source="serial", fail="Kernel panic")
        marks = machine.marks()
    # The last such line before the kernel speaks: earlier ones are other programs being started.
    begin = [counts[0] for _, _, counts, text in marks if text == BEGIN][-1]
    end = [counts[0] for _, _, counts, text in marks if text.endswith(END)][0]
    return end - begin


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    bare = instructions("ratio-bare", None)
    above = instructions("ratio-monitor", linux.LOADER)
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
