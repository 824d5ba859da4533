#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""The Linux program of the doctor in a Debian of known properties: QEMU's SVM machine, no monitor below.

usage: guest.py DOCTOR       speaks TAP

As root, but without the kernel's msr module: what needs MSRs must be `unknown`, and the verdict with it.
"""
import json
import os
import subprocess
import sys

EMU = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../emu")
sys.path[:0] = [EMU]

import linux  # noqa: E402
from machine import Failure, Machine, Spec  # noqa: E402
from spec import BUILD, setup  # noqa: E402
from tap import Tap  # noqa: E402

PACK = os.path.join(EMU, "../../guest/linux/mkinitramfs.py")
FOLDER = os.path.join(BUILD, "tests/boot/doctor")
CPUS = 2
# name: (answer, words that must be in its text)
LINES = {
    "machine": ("note", "AuthenticAMD"),
    "firmware": ("yes", "64-bit UEFI"),
    "virtualization": ("yes", "SVM"),
    "lock": ("unknown", "modprobe msr"),
    "stage2": ("yes", "NPT"),
    "tags": ("yes", "ASIDs: 16"),
    "cpus": ("yes", f"lists {CPUS} enabled"),
    "iommu": ("no", "no DMAR, no IVRS"),
    "tpm": ("no", "none"),
    "sleep": ("yes", "PM1 control at 0x604"),
    "kvm": ("no", "no /dev/kvm"),
    "nested": ("no", "kvm_amd is not loaded"),
    "verdict": ("unknown", "Firmware has the last word"),
}


def initramfs(doctor):
    """The tests' initramfs and, as a second archive, the doctor."""
    added, path = os.path.join(FOLDER, "doctor.cpio"), os.path.join(FOLDER, "guest.cpio")
    subprocess.run([sys.executable, PACK, added, f"{doctor}=bin/doctor"], check=True)
    with open(path, "wb") as out:
        for part in (linux.INITRAMFS, added):
            with open(part, "rb") as file:
                out.write(file.read())
    return path


def ask(doctor):
    """(what doctor --json says, the lines of the plain text)"""
    os.makedirs(FOLDER, exist_ok=True)
    spec = Spec(name="doctor-guest", disk=os.path.join(FOLDER, "guest.img"), cpus=CPUS)
    linux.disk(spec.disk, loader=None, initramfs=initramfs(doctor), acpi=False)
    with Machine(spec, "qemu-tcg", time=110) as machine:
        machine.wait_for(linux.PROMPT, source="serial", fail="Kernel panic|end of script")
        linux.command(machine, "dmesg -n 1")
        text = linux.command(machine, "doctor --json; echo status $?")
        plain = linux.command(machine, "doctor")
    return text, plain


def main():
    tap = Tap(len(LINES) + 3)
    setup("image", "qemu", "initramfs", "kernel-cloud")
    try:
        text, plain = ask(sys.argv[1])
    except Failure as failure:
        tap.give_up(str(failure))
        return tap.status()
    found = json.loads(text[text.index("{"):text.rindex("}") + 1])
    lines = {line["id"]: line for line in found["lines"]}
    for name, (answer, words) in LINES.items():
        line = lines.get(name, {"answer": "nothing", "text": ""})
        tap.check(line["answer"] == answer and words in line["text"],
                  f"{name}: {line['answer']} {line['text']}")
    tap.check("status 2" in text, "exit status 2")
    tap.check(found["engine"] != "qemu-kvm", f"engine {found['engine']}")
    rows = [row.split()[1] for row in plain.splitlines() if row.strip() and row[0] != " "]
    tap.check(rows == list(lines), "the text has the same lines")
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
