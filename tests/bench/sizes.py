#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""How large the monitor is: lines, memory, second-stage tables, and what it adds to the boot.

usage: sizes.py OUTPUT.json

Memory is what the running monitor reports in its log on Bochs with 512 MiB and one CPU; lines are
counted as design.md says (tools/lint/sloc.py). The time added to the boot is from the loader's first
line to its handing over, over all that firmware did before. Firmware would load the next loader in any case, so
that is the smallest guest here. Checking the digest of the monitor's image is
measuring, which the goal leaves aside: the loader marks where it begins and ends.
"""

import json
import os
import re
import subprocess
import sys

import exits
from machine import Machine, Spec
from spec import BUILD, TOP

ELF = os.path.join(BUILD, "monitor", "redoubt-vmx.elf")
TINY = os.path.join(BUILD, "guest", "tiny.efi")
OWN = r"own memory (\d+) bytes, CPUs (\d+), second-stage tables (\d+) used of (\d+)"
MEMORY = r"(\d+) MiB of memory"


def sloc():
    done = subprocess.run([sys.executable, os.path.join(TOP, "tools/lint/sloc.py"), "--total", ELF],
                          check=True, stdout=subprocess.PIPE, text=True, cwd=TOP)
    return int(done.stdout)


def run():
    spec = Spec(name="bench-sizes", disk=os.path.join(BUILD, "tests", "bench", "sizes.img"))
    exits.disk(spec.disk, "redoubt.efi", "suite=cpuid")
    with open(spec.disk + ".conf", encoding="ascii") as f:
        quiet = f.read()
    with open(spec.disk + ".conf", "w", encoding="ascii") as f:
        f.write(quiet.replace("log_level = error", "log_level = info"))
    exits.mkdisk.make(spec.disk, [
        (os.path.join(BUILD, "boot", "redoubt.efi"), "EFI/BOOT/BOOTX64.EFI"),
        (spec.disk + ".conf", "EFI/BOOT/redoubt.conf"), (TINY, "suite.efi")])
    with Machine(spec, "bochs", 120) as machine:
        machine.wait_for(r"redoubt: starting .*\n", source="e9")
        marks = machine.marks()
        text = machine.channels["e9"].text
    first, digest, done, last = (
        next(counts[0] for source, _, counts, line in marks
             if source == "e9" and line.startswith("redoubt: " + start))
        for start in ("loader at", "digest of", "digest done", "starting"))
    return re.search(OWN, text), re.search(MEMORY, text), (first, done - digest, last - first)


def row(name, value, unit, goal, note):
    return {"name": name, "vendor": "vmx", "emulator": "bochs", "value": value, "unit": unit,
            "goal": goal, "note": note}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found, memory, (firmware, digest, added) = run()
    if not found or not memory:
        sys.exit("bench: the monitor's log does not tell its memory")
    own, cpus, used, reserved = (int(x) for x in found.groups())
    owners = int(memory.group(1)) * 256 * 4
    result = [
        row("monitor_bytes", own, "bytes", 4 << 20, "text, data, heap, log; ownership table included"),
        row("cpu_bytes", cpus, "bytes", None, "private areas, VMCS and root page tables of one CPU"),
        row("ept_bytes", used, "bytes", None, f"in use at hand-over; {reserved} reserved at launch"),
        row("owner_share", round(owners / (int(memory.group(1)) << 20), 6), "of RAM", 0.001, f"{owners} bytes, 4 a frame"),
        row("root_mode_sloc", sloc(), "lines", 8000, "everything linked for one vendor, by cloc"),
        row("boot_added", round((added - digest) / firmware, 4), "of firmware", 0.01,
            f"{added} instructions in loader and launch, {digest} of them for the digest, "
            f"{firmware} of firmware before"),
    ]
    with open(sys.argv[1], "w", encoding="ascii") as f:
        json.dump(result, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
