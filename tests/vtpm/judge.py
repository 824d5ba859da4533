# SPDX-License-Identifier: BSD-2-Clause-Patent
"""What the next start finds on a disk: the loader's files, and which of the slots is current."""
import functools
import os
import sys

import fat
import spec

sys.path[:0] = [os.path.join(spec.TOP, "tools", name) for name in ("state", "image")]
import form  # noqa: E402
import statefile  # noqa: E402

FOLDER = "EFI/redoubt/"
UNREADABLE = b"\1"  # of no file's size
NEW = os.urandom(32)  # the root key that the loader makes where there is none


class Found:
    """`outcome` of statefile.Choice; generation, parts and digest where it is CURRENT."""

    anchored = None  # where there is an anchor: the digest that it is, or b""

    def __init__(self, choice):
        self.outcome, self.verdicts = choice.outcome, tuple(choice.verdicts)
        header, self.parts, self.digest = choice.found[choice.current] if choice.current is not None else ({}, {}, b"")
        self.generation = header.get("generation", 0)


class Judge:
    """Opens disks that are `base` (replay.Base) with sectors laid above it."""

    FILES = ("root.key", "vtpm.0", "vtpm.1")

    def __init__(self, base, image):
        self.base, loaded = base, form.load(image)
        signer = loaded.signer()
        self.facts = {"svn": loaded.header["svn"], "flags": loaded.header["flags"], "id": loaded.header["id"],
                      "signer": bytes.fromhex(signer) if signer else bytes(32)}
        self.places, self.read, self.keys = {}, set(), {}

    def look(self, over):
        """Found on the disk with `over`, {sector: bytes}, above."""
        key, *slots = self.contents(over)
        return Found(statefile.Choice(slots, self._keys(self.root(key))))

    def starts(self, over, point):
        """Found, for each start that there may be with this disk after a cut at this point."""
        yield self.look(over)

    def contents(self, over):
        """What the files hold."""
        return [self._bytes(place, over) for place in self._find(over)]

    def root(self, file):
        """The machine's root key, of what is in the file that has it."""
        return file if file is not None and len(file) == 32 else NEW

    def _keys(self, root):
        if root not in self.keys:
            self.keys[root] = statefile.Keys(root, self.facts)
            self.keys[root].key = functools.cache(self.keys[root].key)
        return self.keys[root]

    def _find(self, over):
        """Where the files are: the same for all disks that agree in each sector that was read to find them."""
        if self.base.changed & self.read or len(self.places) > 1000:
            self.places.clear()
        self.base.changed.clear()
        if self._read_of(over) not in self.places:
            before = len(self.read)
            places = self._walk(over)
            if len(self.read) > before:
                self.places.clear()
            self.places[self._read_of(over)] = places
        return self.places[self._read_of(over)]

    def _read_of(self, over):
        return frozenset((number, over[number]) for number in over.keys() & self.read)

    def _walk(self, over):
        def sector(number):
            self.read.add(number)
            return over.get(number) or self.base.sector(number)

        found = []
        for name in self.FILES:
            try:
                found.append(fat.Fat(sector).find(FOLDER + name))
            except fat.Broken:
                found.append(fat.Broken)
        return found

    def _bytes(self, place, over):
        """What the file holds; of a slot that says how long its state is no more than that, which is judged the same."""
        if place is None or place is fat.Broken:
            return place and UNREADABLE
        sectors, size = place
        if sectors and size == statefile.FILE_MAX:
            head = over.get(sectors[0]) or self.base.sector(sectors[0])
            total = int.from_bytes(head[12:16], "little")
            if head[:8] == statefile.MAGIC and statefile.OVERHEAD <= total <= size:
                size = total
        return b"".join(over.get(number) or self.base.sector(number) for number in sectors[:-(-size // fat.SECTOR)])[:size]
