#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Power cuts where the machine has a TPM of its own: the disk and the anchor in that are two, and a cut falls between them.

usage: bound_cuts.py --name NAME [--vendor V] [--engine E] [--count N] [--seed N] [--time S] [--program VTPM] [--starts N]

As cuts.py, with swtpm as the platform's TPM (tpm-tis). One process serves the disk and passes on the TPM's commands, so
each write of the anchor has its place in the log of the disk: as it is asked for, and before it is answered. Each disk
that a cut may leave is started with each anchor that there may be then, by vtpm/storage.c and binding.c
(start.c), and by the rule of binding.h written a second time. Speaks TAP.
"""
import contextlib
import hashlib
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import typing
import unittest.mock

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [os.path.join(TESTS, "vtpm"), TESTS, os.path.join(TESTS, "emu")]

import cuts  # noqa: E402
import judge  # noqa: E402
import linux  # noqa: E402
import mkdisk  # noqa: E402
import replay  # noqa: E402
import statefile  # noqa: E402
import steps  # noqa: E402
from machine import Failure, Machine, Spec  # noqa: E402
from spec import BUILD  # noqa: E402
from tap import Tap  # noqa: E402

sys.path.insert(0, os.path.join(TESTS, "tpm"))  # in front of another swtpm

from between import FILE, Anchor, Between  # noqa: E402
from swtpm import Swtpm  # noqa: E402

ROOT = bytes(7 * i + 5 & 255 for i in range(32))
JOB = struct.Struct("<2I2B32s32s2x")
NO_FILE, UNREADABLE = 0xffffffff, 0xfffffffe
START = os.path.join(BUILD, "tests", "vtpm", "start")
READER = os.path.join(BUILD, "tests", "tpm", "anchor")
ZERO = bytes(32)
POINTS = 20
ENOUGH = 1500  # cuts of what is wrong on purpose


# ---- A start, by the partition's code ----

def anchor_key(keys):
    """The anchor's authorization: as a state's key, of another label (vtpm/binding.c)."""
    with unittest.mock.patch.object(statefile, "LABEL", b"vtpm anchor"):
        return statefile.Keys.key(keys, 1 | 1 << 32)


class Partition:
    """start.c with the keys of one root key."""

    def __init__(self, keys):
        self.keys, self.auth = keys, anchor_key(keys)
        told = {"STATE_KEY": keys.key(keys.svn).hex(), "ANCHOR_KEY": self.auth.hex()}
        self.child = subprocess.Popen([START], env={**os.environ, **told}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.child.stdout.readline()  # the seed
        self.known, self.different = {}, ""

    def start(self, slots, anchor):
        key = (*(slot and hashlib.sha256(slot).digest() for slot in slots), anchor)
        if key not in self.known:
            self.known[key] = self.ask(slots, anchor)
            if not self.agrees(self.known[key], slots, anchor):
                self.different = self.different or f"{self.known[key]} {anchor}"
        return self.known[key]

    def ask(self, slots, anchor):
        """(result, verdicts, generation, digest)"""
        sizes = [NO_FILE if slot is None else UNREADABLE if slot == judge.UNREADABLE else len(slot) for slot in slots]
        there, written = anchor.auth is not None, anchor.value is not None
        self.child.stdin.write(JOB.pack(*sizes, there, written, anchor.auth or ZERO, anchor.value or ZERO))
        for slot, size in zip(slots, sizes):
            if size < UNREADABLE:
                self.child.stdin.write(slot)
        self.child.stdin.flush()
        result, *verdicts, generation, digest = self.child.stdout.readline().decode().split()
        return result, tuple(verdicts), int(generation), bytes.fromhex(digest)

    def agrees(self, started, slots, anchor):
        """With nv.h and binding.h, read a second time."""
        choice = statefile.Choice([statefile.UNREADABLE if slot == judge.UNREADABLE else slot for slot in slots], self.keys)
        _, parts, digest = choice.found[choice.current] if choice.current is not None else (None, {}, ZERO)
        under = parts.get("anchor", bytes(40))[8:]
        if choice.outcome not in ("CURRENT", "NEVER"):
            good = False
        elif anchor.value is None:
            good = under == ZERO
        else:
            good = anchor.auth == self.auth and anchor.value in (digest, under)
        return good == (started[0] != "refused") and (not good or started[3] == digest)


class Started:
    """What a start comes to, as cuts.judge_cut() has it."""

    def __init__(self, started, anchor, outcome):
        _, self.verdicts, self.generation, self.digest = started
        self.outcome, self.anchored = outcome, anchor.value or b""


class Judge(judge.Judge):
    """`sealed` is the file root.tpm of which the TPM makes ROOT; with any other the machine has another root key."""

    FILES = ("root.tpm", "vtpm.0", "vtpm.1")
    partitions = {}  # they know what they have judged, also in other replays

    def __init__(self, base, image, sealed):
        super().__init__(base, image)
        self.sealed = sealed

    def root(self, file):
        return ROOT if file is not None and file == self.sealed else judge.NEW

    def starts(self, over, point):
        key, *slots = self.contents(over)
        partition = self.partition(self.root(key))
        for anchor in point.anchors:
            started = partition.start(slots, anchor)
            yield Started(started, anchor, self.outcome(partition, started, anchor, point.flushed))

    def partition(self, root):
        if root not in self.partitions:
            self.partitions[root] = Partition(self._keys(root))
        return self.partitions[root]

    @staticmethod
    def outcome(partition, started, anchor, flushed):
        result, _, generation, _ = started
        if result == "works":
            return "CURRENT" if generation else "NEVER"
        # What a person does then: the files are deleted.
        if result == "refused" and not flushed:
            return "UNUSABLE" if partition.start([None, None], anchor)[0] == "works" else "STUCK"
        return result.upper()


# ---- The machine ----

class Record(cuts.Record):
    """The test must know the root key: so it is in the file root.key once, for the TPM to seal."""

    def make(self):
        super().make()
        self.state = os.path.join(BUILD, "tests", "vtpm", self.args.name + ".tpm")
        shutil.rmtree(self.state, ignore_errors=True)
        with tempfile.NamedTemporaryFile() as key:
            key.write(ROOT)
            key.flush()
            mkdisk.tool("mcopy", "-i", self.path, key.name, "::EFI/redoubt/root.key")
        with open(self.path, "rb") as f:
            self.image = f.read()

    @contextlib.contextmanager
    def beside(self, disk):
        def tell(kind, anchor):
            """What QEMU was asked to write by now has come here, before."""
            disk.settle()
            disk.tell(kind, anchor)

        disk.tell("anchored", Anchor())
        with Swtpm(self.state, emulator=True) as tpm, Between(tpm, tell) as self.between:
            yield {"more": self.between.qemu("tpm-tis")}
        with open(self.path, "rb") as f:
            base = replay.Base(f.read())
        self.sealed = Judge(base, cuts.IMAGE, None).contents({})[0]

    def judge(self, base):
        return Judge(base, cuts.IMAGE, self.sealed)

    def anchors(self):
        """Of each that was answered."""
        return [event.data for event in self.events if event.kind == "anchored"]

    def in_memory(self):
        """How many values are in the TPM's file behind their answer, and not in front of the command; -1: not each."""
        anchors, files = self.anchors(), self.between.files
        news = [(files[i - 1], files[i], anchors[i].value) for i in range(1, len(anchors)) if anchors[i].value is not None]
        return len(news) if len(files) == len(anchors) and all(new in b and new not in a for a, b, new in news) else -1

    def shown(self, number):
        """What anchor.c reads in a TPM with the memory that it had behind the anchor of this number."""
        anchor = self.anchors()[number]
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, FILE), "wb") as f:
                f.write(self.between.files[number])
            with Swtpm(folder) as tpm:
                said = subprocess.run([READER, tpm.socket, (anchor.auth or ZERO).hex(), "read"], stdout=subprocess.PIPE, check=False)
        return said.stdout.decode().strip()


# ---- The machine once more, as a cut left it ----

class Cut(typing.NamedTuple):
    """A disk, the memory of the platform's TPM, and the number of the command that the state there shows."""

    disk: bytes
    memory: bytes
    number: int
    what: str


# An event's kind, which of the anchors that there may be, and what that is.
KINDS = (("anchor", 0, "the anchor is asked for"), ("anchor", 1, "the anchor is written"), ("write", 0, "a slot is torn"))


def first_start(record):
    """Cut off when the anchor was made, of a root key that is lost."""
    anchors = record.anchors()
    made = next(i for i, anchor in enumerate(anchors) if anchor.auth is not None)
    return Cut(record.image, record.between.files[made], 0, "the first start has left an anchor")


def some_cuts(record, states, count, rng):
    """One of the first start; then behind commands of which each leaves a block."""
    yield first_start(record)
    places = {kind: [i for i in later(record) if record.events[i].kind == kind] for kind, _, _ in KINDS}
    chosen = {}
    for i in range(count - 1):
        kind, which, what = KINDS[i % len(KINDS)]
        chosen.setdefault(rng.choice(places[kind]), []).append((which, what))
    log = replay.Log(record.image, record.events)
    judged = record.judge(log.base)
    for point in log.points():
        for which, what in chosen.get(point.where, ()):
            yield one_cut(record, states, (log.base.image, judged, point), which, what, rng)


def later(record):
    """Places in the log within commands before and behind which the block is written."""
    tried, after = 0, record.script.after
    for i, event in enumerate(record.events):
        if event.kind == "note":
            tried = int(event.data[4:]) if event.data.startswith("try ") else 0
        if tried and all(isinstance(after[k].block, int) for k in (tried - 1, tried)):
            yield i


def one_cut(record, states, at, which, what, rng):
    base, judged, point = at
    over = rng.choice(list(replay.cuts(point, rng)))
    found = list(judged.starts(over, point))[which]
    image = bytearray(base)
    for number, data in over.items():
        image[number * replay.SECTOR:(number + 1) * replay.SECTOR] = data
    memory = sum(event.kind == "anchored" for event in record.events[:point.where]) - 1 + which
    return Cut(bytes(image), record.between.files[memory], states.number[found.generation], what)


ASK = (f"tpm2 nvread {steps.BLOCK:#x} -C o -s 8 2>&1 || echo absent; echo; printf 12345678 > n; tpm2 nvdefine -Q 0x1500077 -C o -s 8 "
       "-a 'ownerwrite|ownerread' && tpm2 nvwrite 0x1500077 -C o -i n && tpm2 nvread 0x1500077 -C o -s 8; echo")


def boots(record, cut, place):
    """Why the machine does not go on from there; empty: it does."""
    disk = os.path.join(place, "disk.img")
    with open(disk, "wb") as f:
        f.write(cut.disk)
    mkdisk.tool("mdel", "-i", disk, "::EFI/redoubt/root.key")
    with open(os.path.join(place, FILE), "wb") as f:
        f.write(cut.memory)
    with Swtpm(place, emulator=True) as tpm:
        spec = Spec(name=record.args.name + "-cut", disk=disk, mem=512, options={"more": tpm.qemu("tpm-tis")})
        with Machine(spec, record.args.engine, record.args.time / 3) as machine:
            try:
                machine.wait_for(cuts.PROMPT, source="serial", fail="Kernel panic")
                said = linux.command(machine, cuts.READY) + linux.command(machine, ASK)
            except Failure as why:
                return f"{machine.tail()}\n{why}"
    block = record.script.after[cut.number].block
    block = "absent" if block == steps.ABSENT else f"{block:08d}"
    return "" if re.search(rf"^{block}\s+12345678\s", said, re.M) else f"{cut.what}: not {block}: {said}"


# ---- Reports ----

def wanted(anchor):
    return "ABSENT" if anchor.auth is None else "UNWRITTEN" if anchor.value is None else "OK " + anchor.value.hex()


def report_anchor(tap, record, args):
    anchors, between = record.anchors(), record.between
    writes = record.in_memory()
    tap.check(not between.error and writes > args.count,
              f"the anchor is written {writes} times, among {between.commands} commands; each time the TPM has it in its file before it "
              "answers, and had not before", f"{between.error} {writes} {len(anchors)} {len(between.files)}")
    some = [0, 1, *random.Random(args.seed).sample(range(2, len(anchors)), min(args.tools, len(anchors) - 2))]
    said = {i: record.shown(i) for i in some}
    tap.check(all(said[i] == wanted(anchors[i]) for i in some), f"{len(some)} of them, read by anchor.c in a TPM with that file: the same",
              str(said))


def report_bound(tap, record, verdict):
    asked = sum(event.kind == "anchor" and event.data.value is not None for event in record.events)
    partitions = Judge.partitions.values()
    tap.check(asked == record.in_memory() and not verdict.bad["unanchored"],
              "what was acknowledged is the anchor's, or one behind it: nothing older can be used", verdict.why("unanchored"))
    tap.check(len(partitions) == 2 and not any(p.different for p in partitions),
              f"the rule of binding.h, written a second time, says the same of all {sum(len(p.known) for p in partitions)} pairs of slots, "
              "with their anchor", str([p.different for p in partitions]))


WRONG = (
    ("acknowledged before it is written: commands are lost", replay.early, "lost"),
    ("and are not the anchor's", replay.early, "unanchored"),
    ("never flushed: states are refused", lambda events: replay.unflushed(events, 0), "unloadable"),
    ("both slots written at once: states are refused", lambda events: replay.unflushed(events, 2), "unloadable"),
    ("the anchor written first: states are refused", replay.anchored_first, "unloadable"),
    ("the anchor not written: states are refused", replay.unanchored, "unloadable"),
)


def report_wrong(tap, record, states, seed):
    """The same eyes on machines where something is wrong."""
    for what, make, bad in WRONG:
        verdict = cuts.replayed(record, make(record.events), states, seed, ENOUGH)
        tap.check(verdict.bad[bad] > 0, f"{what}: {verdict.bad[bad]} of {verdict.cuts} cuts", str(verdict.bad))


def report_starts(tap, record, states, args):
    why, done = [], []
    for cut in some_cuts(record, states, args.starts, random.Random(args.seed)):
        with tempfile.TemporaryDirectory(dir=os.path.dirname(record.path)) as place:
            why.append(boots(record, cut, place))
        done.append(cut.what)
    tap.check(done and not any(why), f"the machine itself goes on from {len(done)} of them, and keeps what comes next: {', '.join(done)}",
              "\n".join(why))


def main():
    args = cuts.parse(__doc__)
    tap = Tap(POINTS)
    print(f"# seed {args.seed}", flush=True)
    record = Record(args)
    why = record.run()
    if why:
        tap.give_up(why)
        return tap.status()
    cuts.report_record(tap, record)
    report_anchor(tap, record, args)
    states = cuts.States(record, args.program)
    cuts.report_states(tap, states, args)
    verdict = cuts.replayed(record, record.events, states, args.seed)
    cuts.report_cuts(tap, verdict, args)
    report_bound(tap, record, verdict)
    report_wrong(tap, record, states, args.seed)
    report_starts(tap, record, states, args)
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
