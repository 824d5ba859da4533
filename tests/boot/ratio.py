#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""boot_ratio: what the monitor adds to a boot, in retired instructions.

usage: ratio.py [--vendor vmx|svm] OUTPUT.json

The cloud kernel is booted on one CPU, without and with the monitor, by the same program of
ours, with the same command line and the same initramfs. Counted are the instructions that the CPU
retired, in the guest and in the monitor, from the line that the starter writes to port 0xE9 right
before it calls the kernel's entry to the kernel's line that process 1 has ended. Process 1 is
redoubtctl itself, which only says how it is used. The emulator counts (tests/emu/bochs-probe,
tests/emu/qemu-probe); time that a halted CPU spends waiting is no instruction. The kernel is quiet: polling
the serial port for every character would be a large part of both counts and flatter the ratio; so would the
self-tests of its crypto code, which are off. Counts differ by some tenths of a percent between runs, since the
kernel places itself at random: each is the median of three.

On SVM without interception of INIT the local APIC's page is trapped. What the rest costs is a second row,
boot_ratio_no_apic: the same with a kernel that is told not to use the local APIC (nolapic), with and without the
monitor.
"""

import argparse
import json
import os
import re
import sys

EMU = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "emu")
sys.path.insert(0, EMU)

import linux  # noqa: E402
from machine import Machine, Spec, load_engine  # noqa: E402
from spec import BUILD  # noqa: E402

ENGINES = {"vmx": ("bochs", {}), "svm": ("qemu-tcg", {"count": True})}
# By vendor: row, goal, more kernel options.
ROWS = {"vmx": [("boot_ratio", 1.03, "")],
        "svm": [("boot_ratio", 1.08, ""), ("boot_ratio_no_apic", 1.03, " nolapic")]}
RUNS = 3
BEGIN = "starter: loaded -> 0x0000000000000000"
END = "Attempted to kill init!"
OPTIONS = linux.OPTIONS + " quiet cryptomgr.notests rdinit=/bin/redoubtctl"


def instructions(vendor, name, loader, more):
    engine, own = ENGINES[vendor]
    spec = Spec(name=f"{name}-{vendor}", options=own,
                disk=os.path.join(BUILD, "tests", "boot", f"{name}-{vendor}.img"))
    linux.disk(spec.disk, "cloud", loader, "starter", OPTIONS + more,
               acpi=not load_engine(engine).HAS_ACPI)
    with Machine(spec, engine, 200) as machine:
        # One line more: QEMU's probe notes a line after it has been passed on.
        machine.wait_for(re.escape(END) + ".*\n.*\n", source="serial")
        marks = machine.marks()
    # The last such line before the kernel speaks: earlier ones are other programs being started.
    begin = [counts[0] for _, _, counts, text in marks if text == BEGIN][-1]
    end = [counts[0] for _, _, counts, text in marks if END in text][0]
    return end - begin


def median(vendor, name, loader, more):
    return sorted(instructions(vendor, f"{name}-{i}", loader, more)
                  for i in range(RUNS))[RUNS // 2]


def measure(vendor, name, goal, more):
    bare = median(vendor, name + "-bare", None, more)
    above = median(vendor, name + "-monitor", linux.LOADER, more)
    row = {"name": name, "vendor": vendor, "emulator": ENGINES[vendor][0],
           "value": round(above / bare, 4), "unit": "ratio", "goal": goal,
           "note": f"{above} instructions above the monitor, {bare} without"}
    print(f"{name} {row['value']} (goal {goal}): {row['note']}", flush=True)
    return row


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--vendor", default="vmx", choices=sorted(ENGINES))
    parser.add_argument("output")
    args = parser.parse_args()
    rows = [measure(args.vendor, *row) for row in ROWS[args.vendor]]
    os.makedirs(os.path.dirname(args.output) or ".", exist_ok=True)
    with open(args.output, "w", encoding="ascii") as f:
        json.dump(rows, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
