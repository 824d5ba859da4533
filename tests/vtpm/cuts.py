#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Power cuts: what a machine wrote to its disk, and when it flushed that, is replayed with all that a cut may leave.

usage: cuts.py --name NAME [--vendor V] [--engine E] [--count N] [--seed N] [--time S] [--program VTPM]

Debian's kernel, redoubt-agent and tpm2-tools; N commands that change the TPM's persistent state, over two starts; at the
first one's end the machine is reset with nothing flushed. The disk is served by this program (tests/emu/nbd.py), which
so knows what was asked for and answered when a command was acknowledged. Killing the emulator would show nothing: what
it has written its host has. Speaks TAP.
"""
import argparse
import collections
import contextlib
import os
import random
import re
import struct
import sys
import tempfile

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [TESTS, os.path.join(TESTS, "emu")]

import choose  # noqa: E402
import host  # noqa: E402
import judge  # noqa: E402
import linux  # noqa: E402
import mkdisk  # noqa: E402
import nbd  # noqa: E402
import replay  # noqa: E402
import steps  # noqa: E402
from machine import Failure, Machine, Spec, load_engine  # noqa: E402
from spec import BUILD  # noqa: E402
from tap import Tap  # noqa: E402

PROMPT = re.escape(linux.PROMPT)
LOADER = os.path.join(BUILD, "boot", "redoubt-vtpm.efi")
IMAGE = os.path.join(BUILD, "vtpm", "vtpm.img")
INITRAMFS = os.path.join(BUILD, "tests", "vtpm", "initramfs.cpio")
# Mounted as the initramfs's script does it.
READY = ("stty cols 1000; dmesg -n 1; mkdir -p /tmp /esp; cd /tmp; "
         "export PATH=$PATH:/usr/bin TPM2TOOLS_TCTI=device:/dev/tpmrm0 LD_LIBRARY_PATH=/lib; "
         "for m in /lib/storage/*.ko; do insmod $m; done; dmesg | grep 'sda.*cache'; "
         "mount -t vfat /dev/sda /esp && redoubt-agent /esp/EFI/redoubt; echo status=$?")
POINTS = 12
ENOUGH = 4000  # cuts of a log that is wrong on purpose


# ---- The machine ----

class Record:
    """What came of the machine: the image before, events after, the log of QEMU's own."""

    def __init__(self, args):
        self.args, self.script = args, steps.Script(args.count)
        self.path = os.path.join(BUILD, "tests", "vtpm", args.name + ".img")
        self.second = args.count * 2 // 3 + 1
        self.cached = False
        self.make()

    def make(self):
        linux.disk(self.path, "stock", LOADER, initramfs=INITRAMFS, acpi=not load_engine(self.args.engine).HAS_ACPI)
        with tempfile.TemporaryDirectory() as folder:
            for start, last in ((1, self.second - 1), (self.second, self.args.count)):
                with open(f"{folder}/{start}.sh", "w", encoding="ascii") as f:
                    f.write(self.script.text(start, last))
                mkdisk.tool("mcopy", "-i", self.path, f"{folder}/{start}.sh", "::")
        with open(self.path, "rb") as f:
            self.image = f.read()

    def run(self):
        """Why it did not get to the end; None: it did."""
        with tempfile.NamedTemporaryFile() as log, nbd.Disk(self.path) as disk, self.beside(disk) as more:
            self.events = disk.events
            served = ",".join("file." + word for word in disk.options().split(","))
            drive = f"driver=blklogwrites,{served},log.driver=file,log.filename={log.name}"
            spec = Spec(name=self.args.name, disk=self.path, mem=512, options={"drive": drive, **more})
            with Machine(spec, self.args.engine, self.args.time) as machine:
                try:
                    self.start(machine, disk, range(1, self.second), "prompt")
                    disk.note("reset")
                    machine.send("echo b > /proc/sysrq-trigger\n")
                    self.start(machine, disk, range(self.second, self.args.count + 1), "again")
                except Failure as why:
                    return machine.tail() + f"\n{self.args.name}: {why}"
            self.own = log.read()
        return None

    def beside(self, disk):
        """What else the machine has, as options of the engine's; as long as it runs."""
        return contextlib.nullcontext({})

    def judge(self, base):
        """What sees what a start would."""
        return judge.Judge(base, IMAGE)

    def start(self, machine, disk, numbers, note):
        machine.wait_for(PROMPT, source="serial", fail="Kernel panic")
        disk.note(note)
        said = linux.command(machine, READY)
        self.cached = "Write cache: enabled" in said
        if "status=0" not in said:
            raise Failure(said)
        disk.note("keeper")
        machine.send(f"sh /esp/{numbers[0]}.sh\n")
        for k in numbers:
            disk.note(f"try {k}")
            machine.send("\n")
            machine.wait_for(rf"^acked {k}$", 60, "serial", fail=rf"^failed {k}$")
            disk.note(f"ack {k}")
        machine.wait_for(PROMPT, source="serial")

    def requests(self):
        """Writes, and None for a flush, as they were asked for."""
        return [(e.offset // nbd.SECTOR, e.data) if e.kind == "write" else None for e in self.events if e.kind in ("write", "flush")]

    def agrees(self):
        """Whether QEMU's log is the same. Below its filter a flush comes twice, and what is behind the last is not counted."""
        asked, logged = ([a for a, b in zip(log, [0, *log]) if a or b] for log in (self.requests(), self.logged()))
        return len(logged) > 0 and asked[:len(logged)] == logged and None not in asked[len(logged):]

    def logged(self):
        """The same out of QEMU's log, which is dm-log-writes's (Linux, admin-guide/device-mapper/log-writes.rst)."""
        magic, _, count, size = struct.unpack_from("<QQQI", self.own)
        found, at = [], size
        for _ in range(count if magic == 0x6a736677736872 else 0):
            sector, sectors, flags, length = struct.unpack_from("<QQQQ", self.own, at)
            at += size
            found.append(None if flags & 1 and not sectors else (sector, self.own[at:at + sectors * size]))
            at += sectors * size + length
        return found

    def by_firmware(self):
        """Flushes before the guest's system is there, in either start."""
        times = [e.kind if e.kind != "note" else e.data for e in self.events]
        return times[:times.index("prompt")].count("flush") + times[times.index("reset"):times.index("again")].count("flush")


# ---- States ----

class States:
    """Each generation that was written: its digest, and the number of the command that it shows."""

    def __init__(self, record, program):
        self.record, self.program = record, program
        self.digest, self.parts, self.number, self.seen = {}, {}, {}, {}
        self.why = ""
        self.collect()
        self.count()

    def collect(self):
        """Of what was written the latest, whether it was flushed or not."""
        log = replay.Log(self.record.image, self.record.events)
        judged = self.record.judge(log.base)
        for point in log.points():
            if not point.news:
                found = judged.look(replay.overlay(w.sectors for w in point.pending))
                if found.generation:
                    self.digest[found.generation] = found.digest
                    self.parts[found.generation] = found.parts["permanent"]

    def numbered(self, digest):
        """The number of the command that the state of this digest shows; -1: there is none."""
        return next((self.number.get(g, -1) for g, one in self.digest.items() if one == digest), -1)

    def tpm(self, generation, folder):
        tpm = host.Host(self.program, folder)
        tpm.state.mkdir()
        (tpm.state / "permanent").write_bytes(self.parts[generation])
        return tpm

    def count(self):
        """States are of commands in their order."""
        after, last = self.record.script.after, 0
        for generation in sorted(self.digest):
            with tempfile.TemporaryDirectory() as folder:
                seen = steps.look(self.tpm(generation, folder))
            fits = [k for k in range(last, len(after)) if after[k] == seen]
            if not fits:
                self.why += f"generation {generation}: {seen} is what no command left, from {last} on\n"
                continue
            last = self.number[generation] = fits[0]
            self.seen[generation] = seen

    def by_tools(self, most, rng):
        """How many counters tpm2_nvread finds as they were seen; -1: not all."""
        there = [g for g, seen in self.seen.items() if isinstance(seen.counter, int)]
        for generation in rng.sample(there, min(most, len(there))):
            with tempfile.TemporaryDirectory() as folder:
                tpm = self.tpm(generation, folder)
                good = tpm.tool(f"nvread {steps.COUNTER:#x} -C o -s 8 -o counter")
                data = (tpm.folder / "counter").read_bytes() if good else b""
            if int.from_bytes(data, "big") != self.seen[generation].counter:
                self.why += f"generation {generation}: tpm2_nvread: {tpm.error} {data.hex()}\n"
                return -1
        return min(most, len(there))


# ---- Cuts ----

class Verdict:
    """What a replay came to. `bad`: (what, point) with one example each."""

    def __init__(self):
        self.cuts, self.first, self.bad, self.example = 0, collections.Counter(), collections.Counter(), {}
        self.disks, self.generations, self.around = set(), set(), collections.defaultdict(set)

    def add(self, what, point, found):
        self.bad[what] += 1
        self.example.setdefault(what, f"{what}: event {point.where}, {point.acked} acknowledged, {point.tried} asked for: "
                                f"{found.outcome} {found.verdicts}, generation {found.generation}")

    def why(self, *kinds):
        return "\n".join(self.example.get(kind, "") for kind in kinds)


def judge_cut(verdict, states, point, found):
    number = states.number.get(found.generation, -1)
    if found.anchored is not None and point.acked and states.numbered(found.anchored) < point.acked:
        verdict.add("unanchored", point, found)
    if not point.flushed:
        verdict.first[found.outcome] += 1
        if found.outcome not in ("NEVER", "UNUSABLE") and states.digest.get(found.generation) != found.digest:
            verdict.add("unknown", point, found)
    elif found.outcome != "CURRENT":
        verdict.add("unloadable", point, found)
    elif states.digest.get(found.generation) != found.digest:
        verdict.add("unknown", point, found)
    elif number < point.acked:
        verdict.add("lost", point, found)
    elif number > point.tried:
        verdict.add("ahead", point, found)
    else:
        verdict.generations.add(found.generation)
        if point.acked < point.tried:
            verdict.around[point.tried].add(number)


def replayed(record, events, states, seed, most=None):
    """The Verdict of all cuts; with `most`, of so many that are after something was flushed."""
    log, rng, verdict = replay.Log(record.image, events), random.Random(seed), Verdict()
    judged = record.judge(log.base)
    for point in log.points():
        if most and not point.flushed:
            continue
        for over in replay.cuts(point, rng):
            verdict.disks.add((log.base.version, frozenset(over.items())))
            for found in judged.starts(over, point):
                verdict.cuts += 1
                judge_cut(verdict, states, point, found)
        if most and verdict.cuts > most:
            break
    return verdict


def report_record(tap, record):
    requests = record.requests()
    flushes = requests.count(None)
    tap.check(record.cached and flushes >= record.args.count,
              f"{record.args.count} commands are acknowledged, over two starts; {len(requests) - flushes} writes, {flushes} flushes, "
              f"{record.by_firmware()} of them by firmware; the guest's disk has a write cache", f"{record.cached} {flushes}")
    tap.check(record.agrees(), "QEMU's own log of them (blklogwrites) has the same writes and flushes in the same order",
              f"{len(requests)} {len(record.logged())}")


def report_states(tap, states, args):
    numbers = set(states.number.values())
    tap.check(not states.why and numbers >= set(range(1, args.count + 1)),
              f"each of {len(states.digest)} generations starts a TPM and shows what a command left; all {args.count} are there, in order",
              states.why + str(sorted(set(range(1, args.count + 1)) - numbers)))
    found = states.by_tools(args.tools, random.Random(args.seed))
    tap.check(found > 0, f"tpm2_nvread finds the counter in {found} of them", states.why)


def report_cuts(tap, verdict, args):
    bad, later = verdict.bad, verdict.cuts - sum(verdict.first.values())
    tap.check(later > 0 and not bad["unloadable"],
              f"{verdict.cuts} cuts, {len(verdict.disks)} different disks: behind the first flush ({later}) none is unloadable",
              verdict.why("unloadable"))
    tap.check(later > 0 and not bad["lost"], "no command that was acknowledged is lost", verdict.why("lost"))
    tap.check(later > 0 and not bad["ahead"] + bad["unknown"], "nothing is there that was not asked for, or not written",
              verdict.why("ahead", "unknown"))
    both = sum(numbers == {k - 1, k} for k, numbers in verdict.around.items())
    tap.check(both == args.count, f"cuts within each command ({both} of {args.count}) find it done, and not done; "
              f"{len(verdict.generations)} generations are found", str({k: n for k, n in verdict.around.items() if n != {k - 1, k}}))
    first = verdict.first
    tap.check(first["NEVER"] and first["CURRENT"] and set(first) <= {"NEVER", "CURRENT", "UNUSABLE"},
              f"in the first start, before anything is flushed: {first['NEVER']} cuts leave nothing, {first['CURRENT']} the first state, "
              f"{first['UNUSABLE']} files that are refused, for a person to remove", str(first))


def report_wrong(tap, record, states, seed):
    """The same eyes on a disk whose agent is wrong."""
    for what, events, wanted in (
            ("acknowledged before it is written: commands are lost", replay.early(record.events), "lost"),
            ("never flushed: commands are lost", replay.unflushed(record.events, 0), "lost"),
            ("both slots written at once: states are unloadable", replay.unflushed(record.events, 2), "unloadable")):
        verdict = replayed(record, events, states, seed, ENOUGH)
        tap.check(verdict.bad[wanted] > 0, f"{what}: {verdict.bad[wanted]} of {verdict.cuts} cuts", str(verdict.bad))


def parse(usage):
    parser = argparse.ArgumentParser(usage=usage)
    parser.add_argument("--name", required=True)
    parser.add_argument("--count", type=int, default=25)
    parser.add_argument("--tools", type=int, default=5, help="states that tpm2_nvread looks at")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--starts", type=int, default=2, help="disks after a cut that the machine starts from (bound_cuts.py)")
    parser.add_argument("--time", type=float, default=200)
    parser.add_argument("--program", default=os.path.join(BUILD, "vtpm", "host", "vtpm"))
    choose.add_arguments(parser)
    return choose.settle(parser.parse_args())


def main():
    args = parse(__doc__)
    tap = Tap(POINTS)
    print(f"# seed {args.seed}", flush=True)
    record = Record(args)
    why = record.run()
    if why:
        tap.give_up(why)
        return tap.status()
    report_record(tap, record)
    states = States(record, args.program)
    report_states(tap, states, args)
    report_cuts(tap, replayed(record, record.events, states, args.seed), args)
    report_wrong(tap, record, states, args.seed)
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
