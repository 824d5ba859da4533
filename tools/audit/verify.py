#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Checks the chain of audit records that `redoubtctl audit --json` printed (monitor/abi/audit.h).

usage: verify.py [--head HEX] [FILE]

Each record's SHA-256 must be what the next one has as its chain. FILE is standard input if it is not
given. Prints how many records there are and the head behind the last one; --head compares that with
one that was had another way. Exit status: 0 whole; 1 not; 2 the input is not what redoubtctl prints.

To be run where the machine that is looked at has no say. What a kernel that lies has left out at the
end shows in the head alone, so a head that came through the monitor's own channels is what counts.
"""
import argparse
import hashlib
import json
import struct
import sys

RECORD = struct.Struct("<32sQQIIQQQQQ")  # struct redoubt_audit_record
FIELDS = ("number", "cycles", "id", "cpu", "subject", "fact", "count", "total", "unrecorded")


class Broken(Exception):
    """The chain is."""


class Malformed(Exception):
    """Not what redoubtctl prints."""


def pack(record):
    """The record as it stands in the ring."""
    try:
        chain = bytes.fromhex(record["chain"])
        numbers = [record[field] for field in FIELDS]
        if len(chain) != 32 or not all(isinstance(n, int) for n in numbers):
            raise ValueError("a field has the wrong size or type")
        return RECORD.pack(chain, *numbers)
    except (KeyError, TypeError, ValueError, struct.error) as why:
        raise Malformed(f"no record: {why}") from why


class Chain:
    """The head so far, and the number that comes next."""

    def __init__(self):
        self.count, self.next, self.head = 0, 0, bytes(32)

    def lose(self, count):
        """Records that were overwritten: what comes behind them begins anew."""
        if not isinstance(count, int) or count <= 0:
            raise Malformed("the number of lost records is none")
        self.next += count
        self.head = None

    def add(self, record):
        raw = pack(record)
        number = record["number"]
        if number != self.next:
            raise Broken(f"record {number} where {self.next} was due")
        if self.head is not None and raw[:32] != self.head:
            raise Broken(f"record {number}: the record before it has another digest than it says"
                         if number else "record 0 does not begin the chain")
        self.count += 1
        self.next += 1
        self.head = hashlib.sha256(raw).digest()


def verify(lines):
    """The chain of all lines; Broken or Malformed with the number of the line."""
    chain = Chain()
    for at, line in enumerate(lines, 1):
        try:
            told = json.loads(line)
            if not isinstance(told, dict):
                raise Malformed("no object")
            if "lost" in told:
                chain.lose(told["lost"])
            else:
                chain.add(told)
        except ValueError as why:
            raise Malformed(f"line {at}: {why}") from why
        except (Broken, Malformed) as why:
            raise type(why)(f"line {at}: {why}") from why
    return chain


def main():
    parser = argparse.ArgumentParser(description="Checks the chain of audit records.")
    parser.add_argument("--head", type=bytes.fromhex, help="the head that must come out, 64 hexadecimal digits")
    parser.add_argument("file", nargs="?", help="what redoubtctl audit --json printed; standard input if not given")
    args = parser.parse_args()
    try:
        with open(args.file, encoding="ascii") if args.file else sys.stdin as lines:
            chain = verify(lines)
        if args.head is not None and chain.head != args.head:
            raise Broken("the head is another")
    except Broken as why:
        print(f"not whole: {why}")
        return 1
    except (Malformed, OSError, ValueError) as why:
        print(f"verify.py: {why}", file=sys.stderr)
        return 2
    head = chain.head.hex() if chain.head else "unknown, nothing is behind what was lost"
    print(f"{chain.count} records, whole; head {head}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
