#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""A partition's secret, looked for in all memory of the normal world's (T57).

usage: secret.py --name NAME [--points N] [--time S] [--vendor vmx|svm] [--engine NAME]

The guest (guest/suite/secret.c) has the probe make a secret of 32 bytes and says the first 8 bytes of its SHA-256. This
program finds the secret by that in the emulator's dump of the partition's own memory, which shows that it is there to
be found. When the guest has used the partition in every way, all RAM but the monitor's and the partitions' is dumped and
searched: for each of the secret's words, and for the address that the probe makes of it. So is all that the guest was
answered, and all that was logged. At last the probe gives the secret away, and the same search must find it.
"""

import argparse
import hashlib
import re
import struct
import sys

from guestrun import Failure, GuestRun, Report, choose, log_tail

BLOCK = re.compile(r"^redoubt: (monitor|partition \S+) at 0x([0-9a-f]+) size 0x([0-9a-f]+)", re.M)
SECRET = re.compile(r"^# secret ([0-9a-f]+)$", re.M)
LOW_END, HIGH, RAM_TOP = 0xa0000, 1 << 20, 512 << 20
ADDRESS_SHIFT = 17  # what the probe's secret_fault makes of the first word


def parse():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--points", type=int, default=5)
    parser.add_argument("--time", type=float, default=240)
    choose.add_arguments(parser)
    return parser.parse_args()


class Search:
    """Where what may not be elsewhere is kept, and the search outside of it."""

    def __init__(self, run):
        self.run = run
        self.blocks = {name: (int(base, 16), int(size, 16)) for name, base, size in BLOCK.findall(run.text)}

    def own(self, check):
        """The secret whose hash begins so, from the probe's memory; None: it is not there."""
        base, size = self.blocks["partition probe"]
        memory = self.run.machine.dump(base, size)
        for at in range(0, size - 31, 8):
            secret = memory[at:at + 32]
            if hashlib.sha256(secret).digest()[:8] == check:
                return secret
        return None

    def outside(self):
        """[(address, bytes)]: all RAM but the monitor's and the partitions'."""
        pieces, start = [(0, LOW_END)], HIGH
        for base, size in sorted(self.blocks.values()):
            pieces.append((start, base - start))
            start = base + size
        pieces.append((start, RAM_TOP - start))
        return [(base, self.run.machine.dump(base, size)) for base, size in pieces if size]

    def find(self, secret):
        """Addresses outside at which a word of it stands, and how many bytes were looked through."""
        words = struct.unpack("<4Q", secret)
        wanted = [struct.pack("<Q", word) for word in words]
        wanted.append(struct.pack("<Q", words[0] >> ADDRESS_SHIFT))
        pieces = self.outside()
        found = [base + at for base, memory in pieces for text in wanted if (at := memory.find(text)) >= 0]
        return found, sum(len(memory) for _, memory in pieces)

    def told(self, secret):
        """Whether an answer or a line of the log holds a word of it."""
        words = struct.unpack("<4Q", secret)
        wanted = {f"{word:x}" for word in (*words, words[0] >> ADDRESS_SHIFT)}
        return wanted & set(re.findall(r"[0-9a-f]+", self.run.text))


def next_secret(run):
    """(the search, the secret that the guest says the probe has made; None: it is not there)"""
    run.machine.wait_for(r"^# secret [0-9a-f]+\n", source="e9")
    search = Search(run)
    secret = search.own(struct.pack("<Q", int(SECRET.findall(run.text)[-1], 16)))
    run.machine.send("g")
    return search, secret


def drive(run, report, points):
    for point in range(points):
        search, secret = next_secret(run)
        report.point(secret, f"secret {point}: is in the partition's memory")
        run.machine.wait_for(rf"^# point {point}\n", source="e9")
        found, size = search.find(secret) if secret else ([0], 0)
        report.point(not found, f"T57 point {point}: not in {size >> 20} MiB outside",
                     " ".join(f"{at:#x}" for at in found))
        report.point(secret and not search.told(secret), f"T57 point {point}: in no answer and no line")
        run.machine.send("g")
    search, secret = next_secret(run)
    run.machine.wait_for(r"^# leaked\n", source="e9")
    found, _ = search.find(secret) if secret else ([], 0)
    report.point(found, "T57 the search finds it where the probe gave it away")
    run.machine.send("g")
    run.wait_end()
    run.machine.wait_end(60)


def main():
    args = choose.settle(parse())
    report = Report()
    with GuestRun(args.name, f"suite=secret POINTS={args.points}", "partitions", time=args.time, engine=args.engine) as run:
        try:
            drive(run, report, args.points)
        except (Failure, KeyError) as failure:
            report.point(False, "the run comes to its end", str(failure))
        report.point(not run.trouble(), "the monitor logged no error", "\n".join(run.trouble()))
        if report.failed:
            log_tail(run)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
