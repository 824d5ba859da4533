#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""doctor.efi on emulated machines: what it says of each, and that it leaves nothing behind.

usage: doctor.py NAME       one of the scenarios below; speaks TAP

A scenario is a machine and, for each line that must be there, its answer and a pattern for its text.
"""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../../emu")]

import mkdisk  # noqa: E402
from machine import Failure, Machine, Spec  # noqa: E402
from spec import BUILD  # noqa: E402
from tap import Tap  # noqa: E402

DOCTOR = os.path.join(BUILD, "tools/doctor.efi")
STARTER = os.path.join(BUILD, "tests/acpi/starter.efi")
CPUS = 2
ROW = re.compile(r"^(yes|no|unknown|note) +([a-z][a-z0-9-]*) +(\S.*)$")
MORE = re.compile(r"^ {25}(\S.*)$")

COMMON = {
    "firmware": ("yes", "64-bit UEFI"),
    "firmware-state": ("yes", "four-level paging, without shadow stacks"),
    "same-cpus": ("yes", "all CPUs"),
    "processors": ("yes", f"firmware runs {CPUS} of {CPUS} CPUs"),
    "verdict": ("yes", "can cover this machine"),
}
SCENARIOS = {
    # VT-x with all of it; a firmware without ACPI tables.
    "bochs": dict(engine="bochs", lines={
        **COMMON,
        "machine": ("note", "GenuineIntel"),
        "virtualization": ("yes", "VT-x"),
        "lock": ("yes", "not locked VT-x"),
        "stage2": ("yes", "EPT, with pages of 1 GiB"),
        "real-mode": ("yes", "unrestricted guest"),
        "controls": ("yes", "every VT-x control"),
        "tags": ("yes", "VPID"),
        "mbec": ("yes", "^MBEC$"),
        "cpus": ("no", "no ACPI table of CPUs"),
        "iommu": ("no", "no DMAR, no IVRS"),
        "tpm": ("no", "none that ACPI lists"),
        "sleep": ("no", "not known"),
        "claims": ("note", "(?!.*mbec=absent).*sleep=unwatched"),
    }),
    # The same with the tests' ACPI tables, and the lines in a file.
    "bochs-acpi": dict(engine="bochs", acpi="", save=True, lines={
        **COMMON,
        "cpus": ("yes", f"lists {CPUS} enabled$"),
        "sleep": ("yes", "PM1 control at 0x[0-9a-f]+"),
        "claims": ("note", "suspend=off"),
        "file": ("yes", "doctor.txt is written"),
    }),
    # The same where the tables list a CPU that is not there, and that may come.
    "bochs-later": dict(engine="bochs", acpi="later", lines={
        "cpus": ("no", f"lists {CPUS} enabled, 1 that can be switched on later"),
        "verdict": ("no", "ACPI lists a CPU that firmware does not run"),
    }),
    # A CPU that cannot be covered.
    "bochs-no-ept": dict(engine="bochs", cpu="core2_penryn_t9600", lines={
        "virtualization": ("yes", "VT-x"),
        "stage2": ("no", "no second-stage translation"),
        "verdict": ("no", "cannot cover this machine: This CPU (has no second-stage|lacks)"),
    }),
    # SVM; a platform with IOMMU; Secure Boot there, and waiting for keys.
    "qemu": dict(engine="qemu-tcg", more="-device intel-iommu,intremap=on", machine="q35,kernel-irqchip=split",
                 lines={
        **COMMON,
        "machine": ("note", "AuthenticAMD"),
        "virtualization": ("yes", "^SVM$"),
        "lock": ("yes", "left SVM on"),
        "stage2": ("yes", "NPT"),
        "tags": ("yes", "ASIDs: 16"),
        "mbec": ("no", "GMET"),
        "init": ("note", "not redirected"),
        "secure-boot": ("no", "setup mode"),
        "cpus": ("yes", f"lists {CPUS} enabled"),
        "iommu": ("yes", r"VT-d \(DMAR\), units: 1, the first at 0xfed90000"),
        "remapping": ("yes", "can be remapped"),
        "tpm": ("no", "none"),
        "sleep": ("yes", "PM1 control at 0x604"),
        "claims": ("note", "mbec=absent.*suspend=off|suspend=off.*mbec=absent"),
    }),
}


def lines_of(text):
    """{id: (answer, text)} of what doctor.efi printed, its broken rows joined."""
    found, last = {}, None
    for row in text.replace("\r", "").split("\n"):
        if (match := ROW.match(row)):
            last = match[2]
            found[last] = (match[1], match[3])
        elif last and (match := MORE.match(row)):
            found[last] = (found[last][0], f"{found[last][1]} {match[1]}")
        else:
            last = None
    return found


def make_disk(name, scenario):
    folder = os.path.join(BUILD, "tests/boot/doctor")
    options = "nowait save" if scenario.get("save") else "nowait"
    acpi = f"acpi {scenario['acpi']}".strip() + "\n" if "acpi" in scenario else ""
    script = acpi + f"watch\nstart \\sub\\doctor.efi {options}\n"
    disk = os.path.join(folder, name + ".img")
    mkdisk.make_with_text(disk, [(STARTER, "EFI/BOOT/BOOTX64.EFI"), (DOCTOR, "sub/doctor.efi")],
                          [(script, "start.txt")])
    return disk


def content(path):
    with open(path, "rb") as file:
        return file.read()


def saved(disk):
    """doctor.txt on the disk."""
    return subprocess.run(["mtype", "-i", disk, "::/sub/doctor.txt"], check=False,
                          stdout=subprocess.PIPE).stdout.decode()


def run(name, scenario):
    """(console, how many variables were written, the disk, its content before)"""
    disk = make_disk(name, scenario)
    options = {key: scenario[key] for key in ("more", "machine") if key in scenario}
    spec = Spec(name="doctor-" + name, disk=disk, cpus=CPUS, cpu=scenario.get("cpu", ""),
                options=options)
    before = content(disk)
    with Machine(spec, scenario["engine"], time=80) as machine:
        machine.wait_for("^starter: ended -> 0x0000000000000000$", source="e9")
        written = machine.wait_for("^starter: variables written -> 0x([0-9a-f]{16})$", source="e9")
        text = machine.serial
    return text, int(written[1], 16), disk, before


def main():
    name = sys.argv[1]
    scenario = SCENARIOS[name]
    tap = Tap(len(scenario["lines"]) + 2)
    try:
        text, written, disk, before = run(name, scenario)
    except Failure as failure:
        tap.give_up(str(failure))
        return tap.status()
    found = lines_of(text)
    for line, (answer, pattern) in scenario["lines"].items():
        said = found.get(line, ("nothing", ""))
        tap.check(said[0] == answer and re.search(pattern, said[1]), f"{line}: {' '.join(said)}")
    tap.check(written == 0, f"variables written: {written}")
    if scenario.get("save"):
        wanted = {key: value for key, value in found.items() if key != "file"}
        tap.check(lines_of(saved(disk)) == wanted, "doctor.txt has the same lines")
    else:
        tap.check(content(disk) == before, "the disk is as before")
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
