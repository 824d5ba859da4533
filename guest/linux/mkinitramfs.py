#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Packs an initramfs: a cpio archive in the kernel's `newc` format, compressed.

usage: mkinitramfs.py OUTPUT ENTRY...

ENTRY is SOURCE=DEST (a file, its mode kept as 755 or 644), DEST@TARGET (a symbolic link) or
DEST:char:MAJOR:MINOR (a device). Folders are made as needed. Nothing of the machine that packs it
gets in: owner, times and inode numbers are fixed, so the same input gives the same archive.
"""

import gzip
import os
import stat
import sys


class Archive:
    """Collects entries in order."""

    def __init__(self):
        self.parts = []
        self.names = set()

    def add(self, name, mode, data=b"", device=(0, 0)):
        name = name.strip("/")
        if name in self.names:
            sys.exit(f"mkinitramfs: {name} is given twice")
        self.names.add(name)
        raw = name.encode() + b"\0"
        fields = (len(self.names), mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(raw), 0)
        self._put(b"070701" + b"".join(b"%08X" % f for f in fields) + raw)
        self._put(data)

    def _put(self, data):
        self.parts.append(data + b"\0" * (-len(data) % 4))

    def folders(self, name):
        parts = name.strip("/").split("/")[:-1]
        for i in range(len(parts)):
            folder = "/".join(parts[:i + 1])
            if folder not in self.names:
                self.add(folder, stat.S_IFDIR | 0o755)

    def pack(self):
        self.add("TRAILER!!!", 0)
        return b"".join(self.parts)


def add_entry(archive, entry):
    if "=" in entry:
        source, name = entry.rsplit("=", 1)
        archive.folders(name)
        mode = 0o755 if os.access(source, os.X_OK) else 0o644
        with open(source, "rb") as f:
            archive.add(name, stat.S_IFREG | mode, f.read())
    elif "@" in entry:
        name, target = entry.split("@", 1)
        archive.folders(name)
        archive.add(name, stat.S_IFLNK | 0o777, target.encode())
    else:
        name, kind, major, minor = entry.split(":")
        if kind != "char":
            sys.exit(f"mkinitramfs: what is {entry}?")
        archive.folders(name)
        archive.add(name, stat.S_IFCHR | 0o600, b"", (int(major), int(minor)))


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    archive = Archive()
    for entry in sys.argv[2:]:
        add_entry(archive, entry)
    # Stored, not compressed: unpacking costs the emulated machine more than reading.
    data = archive.pack()
    if sys.argv[1].endswith(".gz"):
        data = gzip.compress(data, 9, mtime=0)
    with open(sys.argv[1] + ".new", "wb") as f:
        f.write(data)
    os.replace(sys.argv[1] + ".new", sys.argv[1])


if __name__ == "__main__":
    main()
