# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Power cuts made of a log of what a disk was asked (tests/emu/nbd.py).

What is on a disk after a cut: every write that was answered before a flush was asked for, if that flush was answered;
and of each other write that was asked for any sectors, none or all of them. A sector is whole, and is never older than
one of the same place that is there. Writes that were asked for later lie above those asked for earlier.

Where the machine has a TPM of its own, what is done to the anchor there is in the log, too (tests/tpm/between.py): it is
as it was, or as it was asked to be, until that is answered, and then as the answer says.
"""
import itertools
import typing

SECTOR = 512
ALL = 8  # so many sectors or writes: all subsets are tried
PREFIXES, SINGLES, RANDOMS = 24, 24, 16
WHOLE, TORN = 128, 128  # of a disk with many writes under way


class Point(typing.NamedTuple):
    """A time to cut at."""

    where: int  # in the log
    acked: int
    tried: int
    flushed: bool  # a flush was answered before
    pending: list  # Writes, the oldest first
    news: bool  # the last one of them has just come
    anchors: tuple  # what the platform's TPM may have


class Write:
    """Without the sectors that are on the disk already, as they are, and are not being written."""

    def __init__(self, event, base, pending):
        self.number, self.fua, self.done = event.number, event.fua, False
        first, data = event.offset // SECTOR, event.data
        under_way = {number for write in pending for number, _ in write.sectors}
        sectors = [(first + i, data[i * SECTOR:(i + 1) * SECTOR]) for i in range(len(data) // SECTOR)]
        self.sectors = [(n, d) for n, d in sectors if n in under_way or base.sector(n) != d]


class Base:
    """What is on the disk for good, by sectors; counts its changes."""

    def __init__(self, image):
        self.image, self.changed, self.version = bytearray(image), set(), 0

    def put(self, sectors):
        for number, data in sectors:
            if self.sector(number) != data:
                self.image[number * SECTOR:(number + 1) * SECTOR] = data
                self.changed.add(number)
                self.version += 1

    def sector(self, number):
        return bytes(self.image[number * SECTOR:(number + 1) * SECTOR])


class Log:
    """Goes through events; `base` and what points() gives belong together until the next point."""

    def __init__(self, image, events):
        self.base, self.events = Base(image), events
        self.pending, self.flushes = [], {}
        self.anchors = (None,)
        self.acked = self.tried = 0
        self.flushed = False

    def points(self):
        for where, event in enumerate(self.events):
            if event.kind == "note":
                yield from self._note(where, event.data)
            elif event.kind == "write":
                self.pending.append(Write(event, self.base, self.pending))
                yield self._point(where, True)
            elif event.kind == "flush":
                self.flushes[event.number] = [w for w in self.pending if w.done]
            elif event.kind in ("anchor", "anchored"):
                self.anchors = (self.anchors[0], event.data) if event.kind == "anchor" else (event.data,)
                yield self._point(where, False)
            else:
                yield from self._done(where, event.number)
        yield self._point(len(self.events), False)

    def _point(self, where, news):
        return Point(where, self.acked, self.tried, self.flushed, list(self.pending), news, self.anchors)

    def _note(self, where, text):
        what, _, number = text.partition(" ")
        if what == "try":
            self.tried = int(number)
        elif what == "ack":
            self.acked = int(number)
            yield self._point(where, False)

    def _done(self, where, number):
        if number in self.flushes:
            covered = self.flushes.pop(number)
            if self.pending:
                yield self._point(where, False)
            self._settle(covered)
            self.flushed = True
        for write in self.pending:
            if write.number == number:
                write.done = True
                if write.fua:
                    self._settle([write])
                break

    def _settle(self, writes):
        for write in writes:
            if write in self.pending:
                self.base.put(write.sectors)
                self.pending.remove(write)


# ---- What is there of the writes ----

def tears(count, rng):
    """Sets of a write's sectors, neither none nor all of them."""
    if count <= ALL:
        return [{i for i in range(count) if bits >> i & 1} for bits in range(1, (1 << count) - 1)]
    whole = range(count)
    found = [set(range(n)) for n in chosen(range(1, count), PREFIXES, rng)]
    found += [set(whole) - {n} for n in chosen(whole, SINGLES, rng)]
    return found + [{i for i in whole if rng.random() < 0.5} for _ in range(RANDOMS)]


def chosen(values, most, rng):
    return values if len(values) <= most else rng.sample(values, most)


def whole_writes(writes, rng):
    if len(writes) <= ALL:
        return [list(itertools.compress(writes, (bits >> i & 1 for i in range(len(writes))))) for bits in range(1 << len(writes))]
    some = [[w for w in writes if rng.random() < share] for share in (0.25, 0.5, 0.75) for _ in range(WHOLE // 3)]
    return [[], list(writes)] + [[w for w in writes if w is not out] for out in writes] + some


def part(write, which):
    return [write.sectors[i] for i in sorted(which)]


def overlay(parts):
    return {number: data for sectors in parts for number, data in sectors}


def random_part(write, rng):
    dice = rng.random()
    if dice < 0.25:
        return []
    if dice < 0.5:
        return write.sectors
    share = rng.random()
    return [s for s in write.sectors if rng.random() < share]


def cuts(point, rng):
    """What lies above the base: {sector: bytes}, for each cut that is tried here."""
    if point.news:
        *others, last = point.pending
        around = [others] if not others else [others, [], *([w for w in others if rng.random() < 0.5] for _ in range(2))]
        for some in around:
            yield from (overlay([w.sectors for w in some] + [part(last, which)]) for which in tears(len(last.sectors), rng))
        return
    for some in whole_writes(point.pending, rng):
        yield overlay([w.sectors for w in some])
    if len(point.pending) > 1:
        for _ in range(TORN):
            yield overlay([random_part(w, rng) for w in point.pending])


# ---- Logs of an agent, or of a partition, that is wrong ----

def early(events):
    """Each command is acknowledged as it is asked for: nobody waits for the disk."""
    out = []
    for event in events:
        if event.kind != "note" or not event.data.startswith("ack "):
            out.append(event)
        if event.kind == "note" and event.data.startswith("try "):
            out.append(event._replace(data="ack " + event.data[4:]))
    return out


def unflushed(events, every):
    """Once there is a keeper, flushes are lost but those of each `every`-th command; 0: all."""
    out, gone, keeper, tried = [], set(), False, 0
    for event in events:
        if event.kind == "note":
            keeper = keeper or event.data == "keeper"
            tried = int(event.data[4:]) if event.data.startswith("try ") else tried
        elif event.kind == "flush" and keeper and (not every or tried % every):
            gone.add(event.number)
        if event.kind == "note" or event.number not in gone:
            out.append(event)
    return out


def is_anchor(event):
    return event.kind in ("anchor", "anchored")


def anchored_first(events):
    """Of each command the anchor is written as soon as it is asked for, and then the disk."""
    out, place = [], None
    for event in events:
        if event.kind == "note":
            place = len(out) + 1 if event.data.startswith("try ") else None
        if place is not None and is_anchor(event):
            out.insert(place, event)
            place += 1
        else:
            out.append(event)
    return out


def unanchored(events):
    """Once there is a keeper, the anchor is never written again."""
    keeper = next(i for i, event in enumerate(events) if event.kind == "note" and event.data == "keeper")
    return events[:keeper] + [event for event in events[keeper:] if not is_anchor(event)]
