#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""The doctor on this host: whatever that is, its answers must fit each other and what Linux says.

usage: host.py DOCTOR       speaks TAP
"""
import json
import os
import re
import subprocess
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../emu")]

from tap import Tap  # noqa: E402

STATUS = {"yes": 0, "no": 1, "unknown": 2}
KVM = re.compile(r"^(absent|no-access|broken|plain|nested) (vmx|svm|-)\n$")


def ask(*argv):
    done = subprocess.run(argv, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.returncode, done.stdout.decode()


def flags():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        return next((line.split() for line in file if line.startswith("flags")), [])


def tables():
    try:
        return set(os.listdir("/sys/firmware/acpi/tables"))
    except OSError:
        return set()


def iommu_fits(line):
    if line["answer"] == "unknown":
        return os.geteuid() != 0
    return (line["answer"] == "yes") == bool(tables() & {"DMAR", "IVRS"})


def main():
    doctor = sys.argv[1]
    tap = Tap(8)
    status, text = ask(doctor, "--json")
    found = json.loads(text)
    lines = {line["id"]: line for line in found["lines"]}
    tap.check(status == STATUS[found["verdict"]], f"verdict {found['verdict']}, exit status {status}")
    tap.check(len(lines) == len(found["lines"]) > 15, f"{len(lines)} lines, each once")
    plain_status, plain = ask(doctor)
    tap.check(plain_status == status and
              [row.split()[1] for row in plain.splitlines() if row[0] != " "] == list(lines),
              "the text has the same lines")
    # Linux hides the flag where firmware has locked it off.
    if lines["virtualization"]["answer"] == "no":
        tap.check(not {"vmx", "svm"} & set(flags()), "no virtualization, and Linux agrees")
    else:
        off = lines.get("lock", {}).get("answer") == "no"
        tap.check(off or {"vmx", "svm"} & set(flags()), "virtualization, and Linux agrees")
    bits = os.path.exists("/sys/firmware/efi")
    tap.check((lines["firmware"]["answer"] == "yes") <= bits, f"UEFI: {bits}")
    tap.check(iommu_fits(lines["iommu"]), f"IOMMU: {lines['iommu']['answer']}")
    kvm_status, kvm = ask(doctor, "--kvm")
    match = KVM.match(kvm)
    tap.check(match and (kvm_status == 0) == (match[1] == "nested"), f"--kvm: {kvm.strip()}")
    tap.check(match and (found["engine"] == "qemu-kvm") == (match[1] == "nested"),
              f"engine {found['engine']}")
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
