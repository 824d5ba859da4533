#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Writes the seeds of nv_fuzz.c, which tells what the bytes mean: nv_seeds.py FOLDER."""

import os
import struct
import sys

MAGIC = b"RDTVTPM1"


def changed(where, flags=1):
    return bytes((1, flags, 0, 0)) + struct.pack("<H", where) + b"\1"


def payload(*sections):
    return b"\2\0\0\0" + b"".join(struct.pack("<II", kind, size) + b"x" * size + bytes(-size % 8)
                                  for kind, size in sections)


def slots(demand, first, second):
    return b"\3\0\0\0" + bytes((demand, *first, *second))


SEEDS = [b"\1\0\0\0", b"\1\2\0\0", b"\1\4\1\0", b"\1\x08\0\1", b"\0\0\0\0" + MAGIC + bytes(300), b"\0\0\0\0" + bytes(300),
         *(changed(where) for where in (0, 8, 12, 16, 20, 24, 31, 32, 40, 48, 52, 56, 120, 152, 184, 220, 250)),
         changed(60, 0), changed(290, 0), payload((1, 20)), payload((1, 16), (2, 3)), payload((1, 1), (5, 8)), payload((1, 1), (6, 16)), payload((1, 1), (7, 16)), payload((2, 4)),
         payload((1, 4), (1, 4)), payload((1, 4), (9, 4)), payload(), payload((1, 200), (2, 0)),
         slots(0, (5, 1, 0), (5, 2, 0)), slots(0, (5, 1, 0), (5, 0x82, 0)), slots(0, (5, 1, 0), (5, 1, 0)),
         slots(0, (5, 1, 0), (5, 3, 0)), slots(0, (0, 0, 0), (0, 0, 0)), slots(0, (0, 0, 0), (0, 9, 0)),
         slots(0, (0, 0, 0), (1, 0, 0)), slots(13, (5, 1, 0), (5, 1, 0)), slots(2, (5, 1, 0), (5, 0x82, 0)),
         slots(1, (0, 0, 0), (0, 0, 0)), slots(5, (0, 0, 0), (0, 0, 0)), slots(0, (5, 1, 0), (4, 1, 9)),
         slots(0, (5, 1, 0), (3, 1, 8)), slots(0, (5, 1, 0), (2, 1, 80))]


def main():
    os.makedirs(sys.argv[1], exist_ok=True)
    for number, seed in enumerate(SEEDS):
        with open(os.path.join(sys.argv[1], str(number)), "wb") as file:
            file.write(seed)


if __name__ == "__main__":
    main()
