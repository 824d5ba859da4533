#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Images of secure partitions for the loader's tests: whole by their form, and never to be run.

usage: partition.py NAME OUT.img     one of IMAGES below

The layout is struct redoubt_image of monitor/abi/image.h; text and data are a stream of bytes that
hangs on the name, so that no page is like another.
"""
import hashlib
import struct
import sys

PAGE = 4096
HEADER = struct.Struct("<Q10I32s")
TEXT_PAGES_AT, DATA_PAGES_AT, ID_AT = 20, 28, 48
BLOCKS = {1: (91, 64), 2: (422, 384)}  # algorithm: bytes of key and signature


class Image:
    """What a partition's file says of itself."""

    def __init__(self, id, text, rodata, data, svn, debug=False, algorithm=0):
        self.id, self.text, self.rodata, self.data = id, text, rodata, data
        self.svn, self.debug, self.algorithm = svn, debug, algorithm

    def pages(self):
        count = 1 + self.text + self.rodata
        header = HEADER.pack(int.from_bytes(b"RDTRUST1", "little"), 1, PAGE, count, self.text,
                             self.rodata, self.data, 1, self.svn, int(self.debug), 0,
                             self.id.encode())
        body = hashlib.shake_256(self.id.encode()).digest((count - 1) * PAGE)
        return header.ljust(PAGE, b"\0") + body

    def file(self):
        if not self.algorithm:
            return self.pages()
        key, signature = BLOCKS[self.algorithm]
        head = struct.pack("<QIII12x", int.from_bytes(b"RDTSIGN1", "little"), self.algorithm, key,
                           signature)
        return self.pages() + head + b"\x5a" * (key + signature)

    def measurement(self):
        return hashlib.sha256(self.pages()).hexdigest()


IMAGES = {
    "plain": Image("plain", 2, 1, 5, 3),
    "signed": Image("signed", 1, 3, 700, 65535, debug=True, algorithm=1),
    "small": Image("0", 1, 1, 1, 1, algorithm=2),
    "long": Image("a-name-of-thirty-one-characters", 30, 9, 64, 12),
}


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in IMAGES:
        sys.exit(__doc__)
    with open(sys.argv[2], "wb") as file:
        file.write(IMAGES[sys.argv[1]].file())


if __name__ == "__main__":
    main()
