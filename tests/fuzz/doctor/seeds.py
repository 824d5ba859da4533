#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Writes the seeds of the doctor's fuzzer: seeds.py FOLDER. Each is memory with one table in it."""
import os
import struct
import sys

BASE, ROOT, BODY = 0x100000, 64, 128
X2APIC = struct.pack("<BBHIII", 9, 16, 0, 1, 2, 1)
TABLES = {
    b"APIC": bytes(8) + bytes([0, 8, 0, 0, 1, 0, 0, 0, 0, 8, 1, 1, 0, 0, 0, 0, 1, 12]) + bytes(10) + X2APIC,
    b"DMAR": bytes([47, 1]) + bytes(10) + struct.pack("<HHIQ", 0, 16, 0, 0xfed90000),
    b"IVRS": bytes(12) + struct.pack("<BBHIQQ", 0x10, 0, 24, 0, 0xfed80000, 0)
             + struct.pack("<BBHIQ24x", 0x40, 0, 40, 0, 0xfed80000),
    b"TPM2": bytes(12) + struct.pack("<I", 7) + bytes(12),
    b"FACP": bytes(28) + struct.pack("<I", 0x604) + bytes(104) + struct.pack("<BBBBQ", 1, 16, 0, 2, 0x1804)
             + bytes(92),
}


def memory(signature, body, wide):
    """RSDP, the root table, the table."""
    root = struct.pack("<Q" if wide else "<I", BASE + BODY)
    data = bytearray(BODY + 36 + len(body))
    struct.pack_into("<8sB6sBIIQ", data, 0, b"RSD PTR ", 0, b"", 2 if wide else 0, BASE + ROOT, 36,
                     BASE + ROOT if wide else 0)
    struct.pack_into("<4sI", data, ROOT, b"XSDT" if wide else b"RSDT", 36 + len(root))
    data[ROOT + 36:ROOT + 36 + len(root)] = root
    struct.pack_into("<4sI", data, BODY, signature, 36 + len(body))
    data[BODY + 36:] = body
    return b"\x01" + data


def main():
    os.makedirs(sys.argv[1], exist_ok=True)
    for name, body in TABLES.items():
        for wide in (True, False):
            with open(os.path.join(sys.argv[1], f"{name.decode()}{wide:d}"), "wb") as file:
                file.write(memory(name, body, wide))
            # As the readers see it when they are given a table alone.
            with open(os.path.join(sys.argv[1], f"{name.decode()}-alone"), "wb") as file:
                file.write(b"\x00" + struct.pack("<4sI28x", name, 36 + len(body)) + body)


if __name__ == "__main__":
    main()
