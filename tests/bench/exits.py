#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""What an exit costs, in instructions from guest to guest less an empty loop.

usage: exits.py OUTPUT.json

The suite `bench` of the test guest reads the TSC, which Bochs advances by one for each instruction, in
the guest and in the monitor. Each run checks that against the emulator's own count of retired
instructions, between two lines that carry the TSC, and fails where they differ. Two runs: the release
build with the mitigations that this CPU needs, and the test build with them switched off, which is what
a CPU pays that reports itself unaffected.
"""

import json
import os
import re
import sys

EMU = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "emu")
sys.path.insert(0, EMU)

import mkdisk  # noqa: E402
from machine import Machine, Spec  # noqa: E402
from spec import BUILD, TOP  # noqa: E402

GOALS = {"exit_cpuid": 100, "call_null": 100}
SUITE = os.path.join(BUILD, "guest", "suite.efi")
CLOCK = re.compile(r"^# bench clock (\d+)$")
CLOCK_SLACK = 500  # instructions: a line is counted at its end, its TSC is read before it
RESULT = re.compile(r"# bench (\w+) min (\d+) max (\d+)")


def switch_number(name):
    """The number of a test switch, from the header that names them."""
    with open(os.path.join(TOP, "arch/include/arch/test_switch.h"), encoding="ascii") as f:
        return int(re.search(rf"SWITCH\({name}, (\d+)", f.read()).group(1))


def disk(path, loader, options):
    """A disk whose firmware starts `loader`, which starts the suites."""
    conf = path + ".conf"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(conf, "w", encoding="ascii") as f:
        f.write(f"next = \\suite.efi\noptions = {options}\nconsole = debugcon\nlog_level = error\n")
    mkdisk.make(path, [(os.path.join(BUILD, "boot", loader), "EFI/BOOT/BOOTX64.EFI"),
                       (conf, "EFI/BOOT/redoubt.conf"), (SUITE, "suite.efi")])


def check_clock(marks):
    """The TSC and the instructions retired advance alike."""
    seen = [(int(m.group(1)), counts[0]) for _, _, counts, text in marks
            if (m := CLOCK.match(text))]
    (tsc, count), (tsc_end, count_end) = seen
    if abs((tsc_end - tsc) - (count_end - count)) > CLOCK_SLACK:
        sys.exit(f"bench: the TSC advanced by {tsc_end - tsc}, {count_end - count} instructions retired")


def run(name, loader, options):
    spec = Spec(name=name, disk=os.path.join(BUILD, "tests", "bench", name + ".img"))
    disk(spec.disk, loader, "suite=bench" + options)
    with Machine(spec, "bochs", 120) as machine:
        machine.wait_for(r"\n1\.\.\d+\n", source="e9")
        text = machine.channels["e9"].text
        check_clock(machine.marks())
    return {m.group(1): (int(m.group(2)), int(m.group(3))) for m in RESULT.finditer(text)}


def rows(results):
    for name, (least, most) in sorted(results.items()):
        yield {"name": name, "vendor": "vmx", "emulator": "bochs", "value": least,
               "unit": "instructions", "goal": GOALS.get(name),
               "note": f"minimum of 50 batches; maximum {most}"}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    results = run("bench-mitigated", "redoubt.efi", "")
    results |= run("bench-plain", "redoubt-test.efi", f" SWITCH={switch_number('NO_MITIGATION')}")
    if set(GOALS) - set(results):
        sys.exit(f"bench: nothing measured for {', '.join(sorted(set(GOALS) - set(results)))}")
    with open(sys.argv[1], "w", encoding="ascii") as f:
        json.dump(list(rows(results)), f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
