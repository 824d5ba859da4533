#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""What an exit costs, in instructions from guest to guest less an empty loop.

usage: exits.py [--vendor vmx|svm] OUTPUT.json

The suite `bench` of the test guest reads the TSC, which advances by one for each instruction, in the guest
and in the monitor: on Bochs always, on QEMU's translator with -icount. Each run checks that against the emulator's own count of retired
instructions, between two lines that carry the TSC, and fails where they differ. Two runs: the release
build with the mitigations that this CPU needs, and the test build with them switched off, which is what
a CPU pays that reports itself unaffected.

SVM has one row more: a write to the local APIC, which exits there, and the share of it that fetching and
decoding the instruction takes (the test build can do it twice). Neither of the others decodes anything:
CPUID and VMMCALL have one length.
"""

import argparse
import json
import os
import re
import sys

EMU = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "emu")
sys.path.insert(0, EMU)

import mkdisk  # noqa: E402
from machine import Machine, Spec  # noqa: E402
from spec import BUILD, TOP  # noqa: E402

ENGINES = {"vmx": ("bochs", {}), "svm": ("qemu-tcg", {"count": True})}
GOALS = {"vmx": {"exit_cpuid": 100, "call_null": 100, "secure_call_null": 400,
                 "irq_latency_max": 2000},
         "svm": {"exit_cpuid": 300, "call_null": 300, "secure_call_null": 400,
                 "irq_latency_max": 2000}}
SUITE = os.path.join(BUILD, "guest", "suite.efi")
CLOCK = re.compile(r"^# bench clock (\d+)$")
CLOCK_SLACK = 500  # instructions: a line is counted at its end, its TSC is read before it
EXITS = 50 * 200  # of one measure (guest/suite/bench.c)
# Measured behind the second line that carries the TSC: what partitions cost.
BEHIND = ("secure_", "partition_", "donate_", "reclaim_", "irq_")
RESULT = re.compile(r"# bench (\w+) min (\d+) max (\d+)")


def switch_number(name):
    """The number of a test switch, from the header that names them."""
    with open(os.path.join(TOP, "arch/include/arch/test_switch.h"), encoding="ascii") as f:
        return int(re.search(rf"TEST_{name} = (\d+),", f.read()).group(1))


def disk(path, loader, options, more=""):
    """A disk whose firmware starts `loader`, which starts the suites; `more` lines of redoubt.conf."""
    conf = path + ".conf"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(conf, "w", encoding="ascii") as f:
        f.write(f"next = \\suite.efi\noptions = {options}\nconsole = debugcon\nlog_level = error\n{more}")
    mkdisk.make(path, [(os.path.join(BUILD, "boot", loader), "EFI/BOOT/BOOTX64.EFI"),
                       (conf, "EFI/BOOT/redoubt.conf"), (SUITE, "suite.efi")])


def check_clock(marks, begun):
    """The TSC and the instructions retired advance alike, but that QEMU's probe counts what was begun: the
    instruction of each of the `begun` exits once more."""
    seen = [(int(m.group(1)), counts[0]) for _, _, counts, text in marks
            if (m := CLOCK.match(text))]
    (tsc, count), (tsc_end, count_end) = seen
    if abs((tsc_end - tsc) - (count_end - count - begun)) > CLOCK_SLACK:
        sys.exit(f"bench: the TSC advanced by {tsc_end - tsc}, {count_end - count} instructions retired")


def run(vendor, name, loader, options, cpus=1):
    """Each measure (least, most). The emulator's count, which is compared, is one CPU's."""
    engine, own = ENGINES[vendor]
    spec = Spec(name=f"{name}-{vendor}", options=own, cpus=cpus,
                disk=os.path.join(BUILD, "tests", "bench", f"{name}-{vendor}.img"))
    disk(spec.disk, loader, f"suite={'bench-smp' if cpus > 1 else 'bench'}" + options)
    with Machine(spec, engine, 120) as machine:
        machine.wait_for(r"\n1\.\.\d+\n", source="e9")
        text = machine.channels["e9"].text
        found = {m.group(1): (int(m.group(2)), int(m.group(3))) for m in RESULT.finditer(text)}
        if cpus == 1:
            check_clock(machine.marks(), EXITS * sum(not name.startswith(BEHIND) for name in found) if vendor == "svm" else 0)
    return found


def decoding(results):
    """The share of decoding in an exit that decodes, in place of the measure that tells it."""
    least, _ = results.pop("exit_apic_twice")
    share = least - results["exit_apic"][0]
    if share <= 0:
        sys.exit("bench: decoding twice costs no more than once")
    return {"exit_apic_decode": (share, share)}


def rows(vendor, results):
    for name, (least, most) in sorted(results.items()):
        row = {"name": name, "vendor": vendor, "emulator": ENGINES[vendor][0], "value": least,
               "unit": "instructions", "note": f"minimum of 50 batches; maximum {most}"}
        if name.startswith("irq_latency"):
            row |= {"name": name.replace("latency", "latency_max"), "value": most,
                    "note": f"400 interrupts; minimum {least}"}
        elif name.startswith("shootdown"):
            row |= {"note": f"minimum of 200; maximum {most}; of one CPU, the others run meanwhile"}
        yield row | {"goal": GOALS[vendor].get(row["name"])}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--vendor", default="vmx", choices=sorted(ENGINES))
    parser.add_argument("output")
    args = parser.parse_args()
    plain = f" SWITCH={switch_number('NO_MITIGATION')}"
    if args.vendor == "svm":
        plain += f" DECODE_TWICE={switch_number('DECODE_TWICE')}"
    results = run(args.vendor, "bench-mitigated", "redoubt-partitions.efi", "")
    results |= run(args.vendor, "bench-plain", "redoubt-test-partitions.efi", plain)
    if args.vendor == "svm":
        results |= decoding(results)
    if args.vendor == "vmx":  # QEMU counts the instructions of one CPU
        results |= run(args.vendor, "bench-smp", "redoubt-test.efi", "", cpus=4)
    table = list(rows(args.vendor, results))
    missing = set(GOALS[args.vendor]) - {row["name"] for row in table}
    if missing:
        sys.exit(f"bench: nothing measured for {', '.join(sorted(missing))}")
    with open(args.output, "w", encoding="ascii") as f:
        json.dump(table, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
