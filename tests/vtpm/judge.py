# SPDX-License-Identifier: BSD-2-Clause-Patent
"""What the next start finds on a disk: the loader's files, and which of the slots is current."""
import os
import sys

import fat
import spec

sys.path[:0] = [os.path.join(spec.TOP, "tools", name) for name in ("state", "image")]
import form  # noqa: E402
import statefile  # noqa: E402

FOLDER = "EFI/redoubt/"
FILES = ("root.key", "vtpm.0", "vtpm.1")
UNREADABLE = b"\1"  # of no file's size


class Found:
    """`outcome` of statefile.Choice; `header`, `parts` and `digest` where it is CURRENT."""

    def __init__(self, choice, had_key):
        self.outcome, self.verdicts, self.had_key = choice.outcome, tuple(choice.verdicts), had_key
        self.header, self.parts, self.digest = choice.found[choice.current] if choice.current is not None else (None, {}, b"")

    @property
    def generation(self):
        return self.header["generation"] if self.header else 0


class Judge:
    """Opens disks that are `base` (replay.Base) with sectors laid above it."""

    def __init__(self, base, image):
        self.base, loaded = base, form.load(image)
        signer = loaded.signer()
        self.facts = {"svn": loaded.header["svn"], "flags": loaded.header["flags"], "id": loaded.header["id"],
                      "signer": bytes.fromhex(signer) if signer else bytes(32)}
        self.places = self.read = None

    def look(self, over):
        """Found on the disk with `over`, {sector: bytes}, above."""
        key, *slots = (self._bytes(place, over) for place in self._find(over))
        had_key = key is not None and len(key) == 32
        keys = statefile.Keys(key if had_key else os.urandom(32), self.facts)
        return Found(statefile.Choice(slots, keys), had_key)

    def _find(self, over):
        """Where the files are. What was read for that without `over` says whether it makes a difference."""
        if self.places is None or self.base.changed & self.read:
            self.read = set()
            self.places = self._walk({})
        self.base.changed.clear()
        return self._walk(over, False) if over.keys() & self.read else self.places

    def _walk(self, over, note=True):
        def sector(number):
            if note:
                self.read.add(number)
            return over.get(number) or self.base.sector(number)

        found = []
        for name in FILES:
            try:
                found.append(fat.Fat(sector).find(FOLDER + name))
            except fat.Broken:
                found.append(fat.Broken)
        return found

    def _bytes(self, place, over):
        if place is None or place is fat.Broken:
            return place and UNREADABLE
        sectors, size = place
        first, count = (sectors or [0])[0], len(sectors)
        if sectors and sectors[-1] - first + 1 == count:
            data = self.base.image[first * fat.SECTOR:(first + count) * fat.SECTOR]
            for number in over.keys() & set(sectors) if count < len(over) else [n for n in over if first <= n < first + count]:
                data[(number - first) * fat.SECTOR:(number - first + 1) * fat.SECTOR] = over[number]
        else:
            data = b"".join(over.get(number) or self.base.sector(number) for number in sectors)
        return bytes(data[:size])
