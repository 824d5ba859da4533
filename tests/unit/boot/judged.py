#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""What others say of boot/authenticode.c and boot/tcg_log.c.

usage: judged.py PROGRAM SCRATCH_FOLDER SIGNED_FILE...

Who signed a PE file has put its digest into the signature: SpcIndirectDataContent (Windows Authenticode Portable
Executable Signature Format 1.0), which OpenSSL takes apart. tpm2_eventlog reads a log and replays it. Speaks TAP.
"""
import hashlib
import os
import re
import struct
import subprocess
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")
sys.path.insert(0, os.path.join(TOP, "tests/emu"))
from tap import Tap  # noqa: E402

INDIRECT_DATA, PE_IMAGE = "1.3.6.1.4.1.311.2.1.4", "1.3.6.1.4.1.311.2.1.15"
PKCS7 = 2
# As judged.c has them.
EVENTS = ((0, b"R"), (4, b"Calling EFI Application from Boot Option"), (4, bytes(4)), (4, b"again"), (5, b""))


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def certificates(data):
    """Where the table begins, and what is in it: WIN_CERTIFICATE of the kind that Authenticode has."""
    optional = struct.unpack_from("<I", data, 0x3c)[0] + 24
    magic, = struct.unpack_from("<H", data, optional)
    start, size = struct.unpack_from("<II", data, optional + {0x10b: 96, 0x20b: 112}[magic] + 4 * 8)
    found, at = [], start
    while at < start + size:
        length, _, kind = struct.unpack_from("<IHH", data, at)
        if kind == PKCS7:
            found.append(data[at + 8:at + length])
        at += (length + 7) & ~7
    return start, found


def signed_digest(signature, scratch):
    """The digest of SHA-256 that the signature is about."""
    path = os.path.join(scratch, "signature")
    with open(path, "wb") as file:
        file.write(signature)
    lines = run("openssl", "asn1parse", "-inform", "DER", "-in", path).decode()
    about = lines[lines.index(":" + INDIRECT_DATA + "\n"):]
    about = about[about.index(":" + PE_IMAGE + "\n"):]
    algorithm, digest = re.search(r"OBJECT +:(\w+)\n.*NULL.*\n.*\[HEX DUMP\]:([0-9A-F]+)\n", about).groups()
    return digest.lower() if algorithm == "sha256" else ""


def check_file(tap, program, scratch, path):
    with open(path, "rb") as file:
        data = file.read()
    start, signatures = certificates(data)
    wanted = {signed_digest(signature, scratch) for signature in signatures}
    found = run(program, "digest", path).decode().strip()
    name = os.path.basename(path)
    tap.check(wanted == {found}, f"{name}: as in its {len(signatures)} signature(s)", f"{wanted} {found}")
    # Nothing that was signed can change.
    changed = os.path.join(scratch, "changed")
    for what, at in (("first byte behind MZ", 2), ("middle", start // 2), ("last byte that is signed", start - 1)):
        other = bytearray(data)
        other[at] ^= 1
        with open(changed, "wb") as file:
            file.write(other)
        again = run(program, "digest", changed).decode().strip()
        tap.check(again not in wanted, f"{name}: another once its {what} has changed", again)


def replayed():
    pcrs = {}
    for pcr, data in EVENTS:
        pcrs[pcr] = hashlib.sha256(pcrs.get(pcr, bytes(32)) + hashlib.sha256(data).digest()).digest()
    return {pcr: value.hex() for pcr, value in pcrs.items()}


def check_log(tap, program, scratch):
    path = os.path.join(scratch, "log")
    log, final = run(program, "log"), run(program, "final")
    with open(path, "wb") as file:
        file.write(log)
    said = run("tpm2_eventlog", path).decode()
    found = {int(pcr): value.lower() for pcr, value in
             re.findall(r"^ +(\d+) *: 0x([0-9A-Fa-f]{64})$", said[said.index("\npcrs:"):], re.M)}
    tap.check(found == replayed(), "tpm2_eventlog replays the log to what its events are", said)
    tap.check(said.count("- EventNum:") == 1 + len(EVENTS) and "Spec ID Event03" in said, "it finds every event, and what the log is",
              said)
    tap.check(struct.unpack_from("<QQ", final) == (1, len(EVENTS)) and log.endswith(final[16:]),
              "the table of final events counts the same events")


def main():
    program, scratch, *files = sys.argv[1:]
    os.makedirs(scratch, exist_ok=True)
    tap = Tap(4 * len(files) + 3)
    for path in files:
        check_file(tap, program, scratch, path)
    check_log(tap, program, scratch)
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
