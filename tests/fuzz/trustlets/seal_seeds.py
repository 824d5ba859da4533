#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Writes the seeds of seal_fuzz.c, which tells what the bytes mean: seal_seeds.py FOLDER."""

import os
import struct
import sys

HEADER = struct.pack("<QIIQ", int.from_bytes(b"RDTSEAL1", "little"), 1, 8, 7 | 2 << 32) + bytes(32)


def changed(where):
    return b"\1\x20\0\0" + struct.pack("<H", where) + b"\1"


SEEDS = [b"\1\x20\0\0", b"\1\0\0\0", b"\3\x20\1\0", b"\7\x20\1\0", b"\t\x20\0\x10",
         b"\0\x20\0\0" + HEADER + bytes(24), b"\x80\x20\0\0" + HEADER + bytes(24), b"\0\4\0\0" + HEADER + bytes(24),
         *(changed(where) for where in (0, 8, 12, 16, 20, 24, 56, 88))]


def main():
    os.makedirs(sys.argv[1], exist_ok=True)
    for number, seed in enumerate(SEEDS):
        with open(os.path.join(sys.argv[1], str(number)), "wb") as file:
            file.write(seed)


if __name__ == "__main__":
    main()
