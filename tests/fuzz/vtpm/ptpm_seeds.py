#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Writes the seeds of ptpm_fuzz.c, which tells what the bytes mean: ptpm_seeds.py FOLDER."""

import os
import sys

READ, WRITE, DEFINE, SENTENCE = range(4)
THERE, WRITTEN, TWICE = 4, 12, 16
UNDEFINE, SHUTDOWN, LOOK = DEFINE | 32, DEFINE | 96, DEFINE | 224
WARNING = bytes((3, 9, 0x22))
CODES = (0x922, 0x908, 0x90a, 0x920, 0x921, 0x18b, 0x98e, 0x9a2, 0x14a, 0x14b, 0x14c, 0x101)


def at(number, *what):
    """The answers before it come."""
    return bytes(number) + bytes(what)


SEEDS = [bytes((what | there,)) for what in (READ, WRITE, DEFINE, UNDEFINE, SHUTDOWN, LOOK, SENTENCE) for there in (0, THERE, WRITTEN)]
SEEDS += [bytes((what | there,)) + at(number, *change)
          for what, there in ((READ, WRITTEN), (WRITE, WRITTEN), (WRITE, THERE), (DEFINE, 0), (UNDEFINE, WRITTEN), (SHUTDOWN, 0), (LOOK, WRITTEN)) for number in range(5)
          for change in ((1, 1, 9, 1), (1, 1, 13, 1), (1, 1, 40, 1), (2, 9), (4, 12), (4, 20), (5, 1, 15, 1), (5, 1, 20, 1),
                         (6, 0), (6, 1), (6, 9), (6, 11), (6, 200), (7,), (9, 1), (9, 200), (1, 1, 0, 1), (1, 1, 10, 1), (1, 1, 34, 1), (1, 1, 58, 1))]
SEEDS += [bytes((READ | WRITTEN, 0, 0, 3, code >> 8, code & 0xff)) for code in CODES]
SEEDS += [bytes((what | THERE, 3, code >> 8, code & 0xff)) for what in (READ, UNDEFINE, LOOK) for code in CODES]
SEEDS += [bytes((READ | THERE, 0, 0, 3, code >> 8, code & 0xff)) for code in CODES]
SEEDS += [bytes((READ | WRITTEN,)) + 3 * WARNING, bytes((READ | WRITTEN,)) + 110 * WARNING, bytes((SENTENCE | 0xfc,))]
# Honest the first time; then old answers, from one command on.
SEEDS += [bytes((what | WRITTEN | TWICE,)) + bytes(3 + number) + (3 - number) * bytes((8,))
          for what in (READ, WRITE) for number in range(4)]


def main():
    os.makedirs(sys.argv[1], exist_ok=True)
    for number, seed in enumerate(SEEDS):
        with open(os.path.join(sys.argv[1], str(number)), "wb") as file:
            file.write(seed)


if __name__ == "__main__":
    main()
