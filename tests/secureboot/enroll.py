#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Makes a file of firmware variables with Secure Boot on: enroll.py VARIANT OUT

Firmware starts the enroller in setup mode, the build of OVMF without SMM; the file then serves the
build that enforces. Variants:

  firmware        firmware trusts our keys `db` and `second`, Debian's certificate and who signed Debian's shim
  shim            firmware trusts who signed Debian's shim, alone; shim trusts our keys `mok` and `second`
  off             Secure Boot off: as Debian's OVMF comes
  revoked         as shim, and SbatLevel revokes the first generation of Redoubt

With -aside the loader of Redoubt finds three failed starts, and so starts the next image without a
monitor.
"""

import os
import shutil
import sys

import keys

import mkdisk
from machine import Failure, Machine, Spec

ENROLLER = os.path.join(keys.WORK, "enroll.efi")
FRESH = "/usr/share/OVMF/OVMF_VARS_4M.fd"
SUCCESS = "0x0000000000000000"
# Newer than any that shim brings, or shim would put its own in place.
SBAT_LEVEL = "sbat,1,2099010100\nredoubt,2\n"


def mok_list(folder):
    path = os.path.join(folder, "MokList.esl")
    with open(path, "wb") as both:
        for key in ("mok", "second"):
            one = os.path.join(folder, key + ".esl")
            keys.run("sbsiglist", "--type", "x509", "--owner", "605dab50-e046-4300-abb6-3dd810dd8b23",
                     "--output", one, keys.certificate(key))
            with open(one, "rb") as file:
                both.write(file.read())
    return path


def disk(variant, folder):
    """The enroller's disk; returns its path and the variables it will set, in order."""
    base, _, aside = variant.partition("-")
    files = [(ENROLLER, "EFI/BOOT/BOOTX64.EFI")]
    texts = []
    names = []
    if base in ("shim", "revoked"):
        files.append((mok_list(folder), "MokList.esl"))
        names.append("MokList")
    if base == "revoked":
        texts.append((SBAT_LEVEL, "SbatLevel.csv"))
        names.append("SbatLevel")
    if aside:
        texts.append(("\3\0\0\0", "RedoubtAttempts.bin"))
        names.append("RedoubtAttempts")
    trusted = [keys.certificate("db"), keys.certificate("second"), keys.DEBIAN_CA] if base == "firmware" else []
    keys.variables(folder, trusted + keys.issuers(keys.SHIM, folder))
    files += [(os.path.join(folder, f"{v}.auth"), f"{v}.auth") for v in ("db", "KEK", "PK")]
    names += ["db", "KEK", "PK"]
    path = os.path.join(folder, "enroll.img")
    mkdisk.make_with_text(path, files, texts)
    return path, names


def enroll(machine, names):
    for name in ["volume"] + names:
        status = machine.wait_for(rf"^enroll: {name} -> (0x[0-9a-f]{{16}})$", source="e9").group(1)
        if status != SUCCESS:
            raise Failure(f"firmware does not take {name}: {status}")
    machine.wait_for("^enroll: user mode$", source="e9")
    machine.wait_end(30)


def main():
    variant, out = sys.argv[1:]
    if variant == "off":
        shutil.copyfile(FRESH, out)
        return
    folder = os.path.join(keys.WORK, "enroll-" + variant)
    os.makedirs(folder, exist_ok=True)
    image, names = disk(variant, folder)
    work = os.path.join(folder, "vars.fd")
    shutil.copyfile(FRESH, work)
    spec = Spec(name="enroll-" + variant, disk=image, mem=256, vars=work)
    with Machine(spec, "qemu-tcg", 120) as machine:
        try:
            enroll(machine, names)
        except Failure as why:
            sys.exit(machine.tail() + f"\n{variant}: {why}")
    os.replace(work, out)


if __name__ == "__main__":
    main()
