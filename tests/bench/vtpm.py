#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""What commands of the vTPM take, in instructions from guest to guest, exits and memory.

usage: vtpm.py OUTPUT.json

The suite `bench-vtpm` of the test guest above the release build with the vTPM: on Bochs with the CPU's SHA extensions
(VT-x), on QEMU's translator without (SVM). Each row is the least of 16 rounds; a command is five stores by a driver that
takes and gives up locality 0 for each, as Linux's does.

  vtpm_exits_per_command  of the guest: each of its stores is a request of the partition, which the monitor counts
  vtpm_entries_per_command  VMRUNs for 64 commands, less those for a line of output, by 64; the emulator counts them
  vtpm_overhead           a command of which libtpms reads the header alone: what is not libtpms's, and that
  vtpm_heap_peak          of the partition that did all of it, its manufacture included
"""

import json
import os
import sys

import exits
from machine import Machine, Spec
from spec import BUILD

COMMANDS = 64
PAGE = 4096
ENGINES = {"vmx": ("bochs", {}), "svm": ("qemu-tcg", {"count": True})}
ROWS = (("vtpm_random", "GetRandom of 8 bytes"), ("vtpm_extend", "PCR_Extend"), ("vtpm_hash", "Hash of 16 bytes"),
        ("vtpm_create_ecc", "CreatePrimary, P-256"), ("vtpm_quote_ecc", "Quote, P-256"))


def run(vendor):
    engine, options = ENGINES[vendor]
    spec = Spec(name=f"bench-vtpm-{vendor}", options=options, disk=f"{BUILD}/tests/bench/vtpm-{vendor}.img")
    exits.disk(spec.disk, "redoubt-vtpm.efi", "suite=bench-vtpm")
    with Machine(spec, engine, 300) as machine:
        machine.wait_for(r"\n1\.\.\d+\n", source="e9")
        text = machine.channels["e9"].text
        marks = machine.marks() if vendor == "svm" else []
    if "not ok" in text:
        sys.exit(f"bench: vtpm on {vendor}: a point of the guest's failed")
    return {m.group(1): (int(m.group(2)), int(m.group(3))) for m in exits.RESULT.finditer(text)}, marks


def rows(vendor):
    found, marks = run(vendor)

    def row(name, value, unit, goal, note):
        return {"name": name, "vendor": vendor, "emulator": ENGINES[vendor][0], "value": value, "unit": unit, "goal": goal, "note": note}

    for name, note in ROWS:
        yield row(name, found[name][0], "instructions", None, note)
    yield row("vtpm_overhead", found["vtpm_refused"][0], "instructions", 5000,
              "a command of which libtpms reads the header alone; the goal is for PCR_Extend beyond libtpms")
    yield row("vtpm_store", found["vtpm_store"][0], "instructions", None, "a store to a register that changes nothing")
    yield row("vtpm_exits_per_command", round(found["vtpm_requests"][0] / COMMANDS, 2), "exits", 6,
              f"{COMMANDS} times GetRandom; one more each time that it is suspended")
    yield row("vtpm_heap_peak", found["vtpm_heap"][0] * PAGE, "bytes", None, f"of {found['vtpm_heap'][1] * PAGE}")
    yield row("vtpm_stack_peak", found["vtpm_stack"][0], "bytes", None, "")
    if marks:
        at = {text.split()[-1]: counts[1] for _, _, counts, text in marks
              if text in ("# bench idle", "# bench run", "# bench over")}
        each = ((at["over"] - at["run"]) - (at["run"] - at["idle"])) / COMMANDS
        yield row("vtpm_entries_per_command", round(each, 2), "entries", None, "VMRUNs, of the guest and of the partition")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    table = [row for vendor in ENGINES for row in rows(vendor)]
    image = os.path.getsize(f"{BUILD}/vtpm/vtpm.img")
    table.append({"name": "vtpm_image_bytes", "vendor": "both", "emulator": "none", "value": image, "unit": "bytes",
                  "goal": None, "note": "with Mbed TLS and libtpms"})
    with open(sys.argv[1], "w", encoding="ascii") as f:
        json.dump(table, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
