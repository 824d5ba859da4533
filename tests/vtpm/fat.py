# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Where files are on a FAT32 disk without partitions, read by sectors; short names only."""
import struct

SECTOR, ENTRY = 512, 32
FOLDER, VOLUME, LONG = 0x10, 0x08, 0x0f
END = 0x0ffffff8


class Broken(Exception):
    """There is a name, and what it leads to cannot be read."""


class Fat:
    """`sector` gives the bytes of one."""

    def __init__(self, sector):
        self.sector = sector
        boot = sector(0)
        self.per_cluster, reserved, fats = struct.unpack_from("<BHB", boot, 13)
        size, = struct.unpack_from("<I", boot, 36)
        self.root, = struct.unpack_from("<I", boot, 44)
        self.table, self.data = reserved, reserved + fats * size
        self.clusters = size * SECTOR // 4

    def chain(self, cluster):
        """The sectors of a chain of clusters."""
        found, seen = [], set()
        while cluster < END:
            if not 2 <= cluster < self.clusters or cluster in seen:
                raise Broken("a chain that leads nowhere")
            seen.add(cluster)
            first = self.data + (cluster - 2) * self.per_cluster
            found += range(first, first + self.per_cluster)
            cluster = struct.unpack_from("<I", self.sector(self.table + cluster * 4 // SECTOR), cluster * 4 % SECTOR)[0] & 0x0fffffff
        return found

    def entries(self, sectors):
        for number in sectors:
            data = self.sector(number)
            for at in range(0, SECTOR, ENTRY):
                if data[at] == 0:
                    return
                if data[at] != 0xe5 and data[at + 11] != LONG and not data[at + 11] & VOLUME:
                    yield data[at:at + ENTRY]

    def find(self, path):
        """(sectors, bytes) of a file; None: there is none."""
        sectors, size = self.chain(self.root), 0
        for part in path.split("/"):
            name, _, kind = part.upper().partition(".")
            wanted = name.ljust(8).encode() + kind.ljust(3).encode()
            entry = next((e for e in self.entries(sectors) if e[:11] == wanted), None)
            if entry is None:
                return None
            high, low, size = struct.unpack_from("<H4xHI", entry, 20)
            cluster = high << 16 | low
            sectors = self.chain(cluster) if cluster else []
        if size > len(sectors) * SECTOR:
            raise Broken("a chain that is too short")
        return sectors, size
