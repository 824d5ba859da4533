# SPDX-License-Identifier: BSD-2-Clause-Patent
"""A GUID partition table around a file system (UEFI 2.10, 5.3), and what of it is measured."""

import os
import struct
import uuid
import zlib

BLOCK, ENTRIES, ENTRY, HEADER = 512, 128, 128, 92
FIRST = 2048  # the block where the file system begins
SYSTEM = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
DATA = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")
TABLE = ENTRIES * ENTRY // BLOCK  # blocks
CYLINDER = 16 * 63


def entry(kind, unique, first, last, name):
    return struct.pack("<16s16sQQQ72s", kind.bytes_le, unique.bytes_le, first, last, 0, name.encode("utf-16-le"))


def header(table, here, there, entries_at, last_usable):
    def fields(crc):
        return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, HEADER, crc, 0, here, there, 2 + TABLE, last_usable,
                           uuid.UUID(int=0x5265646f756274).bytes_le, entries_at, ENTRIES, ENTRY, zlib.crc32(table))
    return fields(zlib.crc32(fields(0)))


def protective(blocks):
    return bytes(446) + struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xee, b"\xff\xff\xff", 1, blocks - 1) + bytes(48) + b"\x55\xaa"


def wrap(image):
    """Puts the file system in `image` into a partition of a disk, another partition in the table's fifth place."""
    with open(image, "rb") as file:
        inside = file.read()
    used = -(-len(inside) // BLOCK)
    blocks = -(-(FIRST + used + FIRST) // CYLINDER) * CYLINDER
    last = blocks - 2 - TABLE
    table = (entry(SYSTEM, uuid.UUID(int=1), FIRST, FIRST + used - 1, "system") + bytes(3 * ENTRY) +
             entry(DATA, uuid.UUID(int=2), FIRST + used, last, "data")).ljust(ENTRIES * ENTRY, b"\0")
    with open(image + ".new", "wb") as file:
        file.truncate(blocks * BLOCK)
        file.write(protective(blocks) + header(table, 1, blocks - 1, 2, last).ljust(BLOCK, b"\0") + table)
        file.seek(FIRST * BLOCK)
        file.write(inside)
        file.seek((blocks - 1 - TABLE) * BLOCK)
        file.write(table + header(table, blocks - 1, 1, blocks - 1 - TABLE, last).ljust(BLOCK, b"\0"))
    os.replace(image + ".new", image)


def measured(image):
    """UEFI_GPT_DATA of a disk (TCG PC Client Platform Firmware Profile 1.05, 10.2.5): its header, and the entries in use."""
    with open(image, "rb") as file:
        blocks = file.read((2 + TABLE) * BLOCK)
    entries = [blocks[at:at + ENTRY] for at in range(2 * BLOCK, len(blocks), ENTRY)]
    used = [one for one in entries if any(one[:16])]
    return blocks[BLOCK:BLOCK + HEADER] + struct.pack("<Q", len(used)) + b"".join(used)
