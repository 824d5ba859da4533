#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""What the vTPM's commands take beside the same libtpms on OpenSSL: ratios of instructions.

usage: vtpm_openssl.py OUTPUT.json

tests/bench/vtpm_compare/ is built twice, with the vTPM's shim on Mbed TLS and with Debian's OpenSSL; all else is the
same: libtpms, compiler, C library. Both run as process 1 of one boot of Debian's cloud kernel on Bochs, one after the
other, and start from one TPM's state, so both see the same CPU and make the same primary keys. Time there is
instructions, which is checked against the emulator's own count. What must be the same on both sides (digests, PCRs,
names of primary keys) is compared; a command that fails, or a signature that is not right, ends it.

A row is the least of its rounds on either side; for RSA keys, whose primes are searched for, the sum: of primary keys,
where both sides try the same candidates, and of TPM2_Create, where each draws its own.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys

EMU = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "emu")
sys.path.insert(0, EMU)

import linux  # noqa: E402
from machine import Machine, Spec  # noqa: E402
from spec import BUILD, TOP  # noqa: E402

SIDES = ("ours", "openssl")
FOLDER = os.path.join(BUILD, "tests", "bench", "vtpm_compare")
INITRAMFS = os.path.join(FOLDER, "initramfs.cpio")
OPTIONS = linux.OPTIONS + " quiet loglevel=0 cryptomgr.notests rdinit=/ours -- /openssl"
IPS = 2000000000  # so many instructions a second: few ticks of the timer fall into a command
CLOCK_SLACK = 1e-3  # of what passed: the kernel may halt for a tick of its timer
# Name, goal, whether all rounds count, what it is.
ROWS = (("random", 1.0, False, "GetRandom of 32 bytes"), ("extend", 1.5, False, "PCR_Extend, SHA-256"),
        ("hash", 1.5, False, "Hash of 1 KiB, SHA-256"), ("primary_ecc", 1.0, False, "CreatePrimary, P-256"),
        ("create_ecc", 1.0, False, "Create, P-256"), ("quote_ecc", 1.0, False, "Quote, P-256"),
        ("quote_rsa", 1.2, False, "Quote, RSA-2048"),
        ("primary_rsa", 2.5, True, "CreatePrimary, RSA-2048: the same keys from the same seeds"),
        ("create_rsa", 2.5, True, "Create, RSA-2048: each side draws its own primes"))
TOOK = re.compile(r"^compare (\w+) took (\w+) (\d+) (\d+) (\d+) (\d+) (\d+)$", re.M)
GAVE = re.compile(r"^compare (\w+) gave (\w+) ([0-9a-f]+)$", re.M)
CLOCK = re.compile(r"^compare \w+ clock (\d+)$")


def end(why):
    sys.exit(f"bench: vtpm and OpenSSL: {why}")


def run():
    """What the programs said, and the lines with the emulator's counts."""
    programs = [f"{os.path.join(FOLDER, side)}={side}" for side in SIDES]
    subprocess.run([sys.executable, os.path.join(TOP, "guest/linux/mkinitramfs.py"), INITRAMFS, "dev/console:char:5:1",
                    os.devnull + "=state/none", *programs], check=True)
    spec = Spec(name="bench-vtpm-openssl", options={"ips": IPS}, disk=os.path.join(FOLDER, "disk.img"))
    linux.disk(spec.disk, "cloud", None, options=OPTIONS, initramfs=INITRAMFS)
    with Machine(spec, "bochs", 600) as machine:
        machine.wait_for("^compare openssl done\n", source="e9", fail="^compare failed: .*\\n")
        return machine.channels["e9"].text, machine.marks()


def check_clock(marks):
    """From one line with the TSC to the next it advances as the instructions retired do."""
    seen = [(int(m.group(1)), counts[0]) for _, _, counts, text in marks if (m := CLOCK.match(text))]
    if len(seen) != 2 * len(SIDES):
        end(f"{len(seen)} lines tell the time")
    for (tsc, count), (tsc_end, count_end) in zip(seen, seen[1:]):
        if abs((tsc_end - tsc) - (count_end - count)) > CLOCK_SLACK * (tsc_end - tsc) + IPS / 1000:
            end(f"the TSC advanced by {tsc_end - tsc}, {count_end - count} instructions retired")


def check_given(text):
    """Both sides did the same, and the hash is right."""
    given = {side: {m.group(2): m.group(3) for m in GAVE.finditer(text) if m.group(1) == side} for side in SIDES}
    ours, openssl = (given[side] for side in SIDES)
    if not ours or ours != openssl:
        end(f"one gave {ours}, the other {openssl}")
    if ours["hash"] != hashlib.sha256(bytes(range(256)) * 4).hexdigest():
        end("the digest is wrong")


def rows(text):
    took = {(m.group(1), m.group(2)): [int(m.group(i)) for i in range(3, 8)] for m in TOOK.finditer(text)}
    for name, goal, whole, what in ROWS:
        (first, least, _, total, rounds), theirs = took["ours", name], took["openssl", name]
        value, other = (total // rounds, theirs[3] // theirs[4]) if whole else (least, theirs[1])
        how = f"mean of {rounds}" if whole else f"least of {rounds}, the first {first} and {theirs[0]}"
        yield {"name": f"vtpm_ratio_{name}", "vendor": "vmx", "emulator": "bochs", "value": round(value / other, 3),
               "unit": "ratio", "goal": goal, "note": f"{what}; {value} instructions, {other} with OpenSSL ({how})"}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("output")
    args = parser.parse_args()
    text, marks = run()
    check_clock(marks)
    check_given(text)
    table = list(rows(text))
    for row in table:
        print(f"{row['name']:24} {row['value']} (goal {row['goal']}): {row['note']}")
    with open(args.output, "w", encoding="ascii") as f:
        json.dump(table, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
