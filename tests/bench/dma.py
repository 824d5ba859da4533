#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""What an IOMMU costs, in instructions and exits, on QEMU with SVM: VT-d and AMD-Vi, each less the same left alone.

usage: dma.py OUTPUT.json

The suite `bench-dma` of the test guest above the release build, twice on each machine: once the configuration leaves
the unit alone (iommu = off). What the unit does in QEMU is no instruction.

  dma_map_2m  2 MiB given to a partition as 512 frames, and taken back; with the unit left alone it is donate_2m and
              reclaim_2m of the other rows
  dma_sync    one frame given, less the same with the unit left alone: its entry changed, the unit flushed and waited for.
              With AMD-Vi most of it is something else: the normal world's large page is split, and bits of the unit's
              own cost a few instructions in each entry, of which a table has 512
  dma_exits   exits to the monitor while a disk on AHCI copies a page of the guest's back and forth 512 times, 1,024
              commands of 512 bytes. Counted are VMRUNs, by the emulator, so that the monitor need not be asked.
              The guest looks for the end of a command itself: interrupts are the same with a unit or without, and
              acknowledging them exits where the local APIC is trapped.
"""

import json
import sys

import exits
from machine import Machine, Spec
from spec import BUILD

# The unit, and the build that drives it.
UNITS = {"vtd": ("-device intel-iommu", "redoubt-vtd.efi"), "amdvi": ("-device amd-iommu", "redoubt-partitions.efi")}
TIME = 120


def entered(marks, word):
    """VMRUNs before the line that says so."""
    return next(counts[1] for _, _, counts, text in marks if text == "# bench " + word)


def run(name, more, loader, conf):
    """The least of each measure, and the exits."""
    spec = Spec(name=f"bench-dma-{name}", options={"count": True, "more": more},
                disk=f"{BUILD}/tests/bench/dma-{name}.img")
    exits.disk(spec.disk, loader, "suite=bench-dma", conf)
    with Machine(spec, "qemu-tcg", TIME) as machine:
        machine.wait_for(r"\n1\.\.\d+\n", source="e9")
        text = machine.channels["e9"].text
        marks = machine.marks()
    if "not ok" in text:
        sys.exit(f"bench: {name}: a point of the guest's failed")
    found = {m.group(1): int(m.group(2)) for m in exits.RESULT.finditer(text)}
    idle, copy, over = (entered(marks, word) for word in ("idle", "copy", "over"))
    return found | {"line_exits": copy - idle, "exits": over - copy}


def row(name, unit, value, what, goal, note):
    return {"name": f"{name}_{unit}", "vendor": "svm", "emulator": "qemu-tcg", "value": value, "unit": what,
            "goal": goal, "note": note}


def rows(unit, found, off):
    def less(name):
        return found[name] - off[name]
    whole, alone = (of["donate_2m"] + of["reclaim_2m"] for of in (found, off))
    yield row("dma_map_2m", unit, whole, "instructions", None, f"2 MiB given and taken back; {alone} with the unit left alone")
    yield row("dma_sync", unit, less("donate_4k"), "instructions", None,
              f"a frame given, {found['donate_4k']}, less {off['donate_4k']}; "
              f"taken back {less('reclaim_4k')} more")
    yield row("dma_exits", unit, found["exits"] - found["line_exits"], "exits", 0,
              f"1024 commands of a disk; {off['exits'] - off['line_exits']} with the unit left alone")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    table = [x for unit, how in UNITS.items()
             for x in rows(unit, run(unit, *how, ""), run(f"{unit}-off", *how, "iommu = off\n"))]
    with open(sys.argv[1], "w", encoding="ascii") as f:
        json.dump(table, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
