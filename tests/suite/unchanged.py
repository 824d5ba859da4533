#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""What the attacks leave of the monitor's memory, judged from outside.

usage: unchanged.py --name NAME [--build release|test] [--cpus N] [--time S]
                    [--vendor vmx|svm] [--engine NAME] [KEY=VALUE...]

The guest carries out the attacks once, so that the monitor's tables stand as any later round finds
them, and waits; the emulator dumps the monitor's memory; the guest carries them out again, and waits;
another dump. Compared:

  text             with the file that was linked, and before with behind
  read-only data   with the file that was linked, relocated, and before with behind
  ownership table  before with behind; each word is what it is to be: the region and the record's frame
                   are the monitor's for ever, the canaries are taken, all else is the guest's, unlocked
  behind it        all that was handed out after the table, second-stage tables first
  second stage     walked by this program: no entry leads to a frame of the monitor's but the frame of
                   ones, and that one is never writable or executable; before with behind
  canaries         test build: frames that the monitor took from the guest hold the pattern that it filled
                   them with
"""

import argparse
import itertools
import os
import struct
import sys

from guestrun import (BUILD, CANARY_FRAME, TOP, Failure, GuestRun, Report, choose,  # noqa: E402
                      differences, log_tail)

sys.path.insert(0, os.path.join(TOP, "tools", "build"))

import elf  # noqa: E402
import re  # noqa: E402

PAGE = 4096
# Not call-random, which makes partitions: their tables are the monitor's, and change.
ATTACKS = "vmx,cr,xsetbv,msr,memory,call,call-modes,task,events,invd"
REGION = re.compile(r"^redoubt: monitor at 0x([0-9a-f]+) size 0x([0-9a-f]+)", re.M)
CANARY = re.compile(r"^# canary ([0-9a-f]+) (\d+)", re.M)
ELF_FILE = {"release": "redoubt-{}.elf", "test": "redoubt-{}-test.elf"}
RAM_TOP = 512 << 20
LARGE = 1 << 7
# Rights in an entry: whether it leads anywhere, may be written, executed. EPT: SDM 3C 28.3.2; NPT: APM 2 5.3.
RIGHTS = {
    "vmx": (lambda e: e & (7 | 1 << 10), lambda e: e & 2, lambda e: e & (4 | 1 << 10)),
    "svm": (lambda e: e & 1, lambda e: e & 2, lambda e: not e & 1 << 63),
}
ADDRESS = 0x000ffffffffff000
CANARY_PAGES = 8
# Words of monitor/page_owner.h: state in bits 3:1, whose it is from bit 8 on. What tests take is a partition's
# that there is none of (monitor/test/take.h).
NORMAL, TAKEN, FIXED = 0, 0xff << 8 | 2 << 1, 1 << 1


def parse():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--build", default="release", choices=sorted(ELF_FILE))
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--time", type=float, default=400)
    choose.add_arguments(parser)
    parser.add_argument("options", nargs="*")
    return parser.parse_args()


class Image:
    """The linked monitor: where its segments and a few of its variables are."""

    def __init__(self, build, vendor):
        self.elf = elf.load(os.path.join(BUILD, "monitor", ELF_FILE[build].format(vendor)))
        self.present, self.writable, self.executable = RIGHTS[vendor]
        loads = sorted((s for s in self.elf.loads() if s.memsz), key=lambda s: s.vaddr)
        _, self.text, self.rodata, self.data = loads

    def text_bytes(self):
        return self.elf.bytes_at(self.text.offset, self.text.filesz)

    def rodata_bytes(self, base):
        """Read-only data as it stands where the image was loaded."""
        data = bytearray(self.elf.bytes_at(self.rodata.offset, self.rodata.filesz))
        for where, value in self.elf.relative_relocations():
            at = where - self.rodata.vaddr
            if 0 <= at < len(data):
                struct.pack_into("<Q", data, at, base + value)
        return bytes(data)

    def at(self, name):
        return self.elf.symbol(name)


class Dump:
    """The monitor's region as the emulator sees it."""

    def __init__(self, run, image):
        found = REGION.search(run.text)
        self.base, self.size = (int(x, 16) for x in found.groups())
        self.bytes = run.machine.dump(self.base, self.size)
        self.image = image
        self.canaries = [(int(a, 16), run.machine.dump(int(a, 16), int(n) * PAGE))
                         for a, n in CANARY.findall(run.text)]

    def part(self, start, size):
        """Bytes at an address of the machine's."""
        if not self.base <= start <= start + size <= self.base + self.size:
            raise ValueError(f"{start:#x} is outside the region")
        return self.bytes[start - self.base:start - self.base + size]

    def word(self, address):
        return struct.unpack("<Q", self.part(address, 8))[0]

    def segment(self, segment):
        return self.part(self.base + segment.vaddr, segment.memsz)

    def owners(self):
        """(address, number of frames) of the ownership table: monitor/page_owner.c, `table`."""
        table = self.base + self.image.at("table")
        return self.word(table), self.word(table + 8)

    def handed_out_behind_owners(self):
        start, frames = self.owners()
        end = (start + 4 * frames + PAGE - 1) // PAGE * PAGE
        return self.part(end, self.base + self.size - end)

    def root(self):
        """Root of the normal world's tables: monitor/protect.c, `normal`, behind the lock and the pointer to it."""
        return self.word(self.base + self.image.at("normal") + 24)

    def leaves(self):
        """{GPA: (entry, size)} of everything that the second stage maps."""
        found = {}
        self._walk(self.root(), 39, 0, found)
        return found

    def _walk(self, table, shift, gpa, found):
        for i, entry in enumerate(struct.unpack("<512Q", self.part(table, PAGE))):
            here = gpa + (i << shift)
            if not self.image.present(entry):
                continue
            if shift == 12 or entry & LARGE:
                found[here] = (entry, 1 << shift)
            else:
                self._walk(entry & ADDRESS, shift - 9, here, found)


def reaches_monitor(dump, entry, size):
    spa = entry & ADDRESS & ~(size - 1)
    own = [(dump.base, dump.size)] + [(a, len(b)) for a, b in dump.canaries]
    return any(spa < a + n and a < spa + size for a, n in own)


def check_leaves(report, dump, leaves):
    ones = dump.base + dump.image.at("ones")
    bad = [f"{gpa:#x}: {entry:#x}" for gpa, (entry, size) in leaves.items()
           if reaches_monitor(dump, entry, size) and (entry & ADDRESS != ones or size != PAGE
           or dump.image.writable(entry) or dump.image.executable(entry))]
    report.point(not bad, f"T11 none of {len(leaves)} second-stage entries leads to the monitor",
                 " ".join(bad[:8]))
    hidden = sum(size for _, (entry, size) in leaves.items() if entry & ADDRESS == ones)
    report.point(hidden >= dump.size, "T11 the frame of ones stands in for the whole region",
                 f"{hidden} of {dump.size} bytes")


def check_owners(report, dump):
    start, frames = dump.owners()
    words = struct.unpack(f"<{frames}I", dump.part(start, 4 * frames))
    runs = sorted((word, len(list(run))) for word, run in itertools.groupby(words) if word != NORMAL)
    pages = dump.size // PAGE
    taken = [(TAKEN, len(b) // PAGE) for _, b in dump.canaries]
    wanted = [sorted([*taken, *fixed])  # the record may stand beside the region
              for fixed in ([(FIXED, pages), (FIXED, 1)], [(FIXED, pages + 1)])]
    report.point(runs in wanted, "the ownership table says of each frame whose it is",
                 f"(word, frames) of what is not the guest's: {runs}, {wanted[0]} is expected")


def differing(one, two):
    return [i for i in range(0, len(one), PAGE) if one[i:i + PAGE] != two[i:i + PAGE]]


def compare(report, before, behind, image):
    text = before.segment(image.text)
    report.point(text == image.text_bytes(), "the monitor's text is what was linked")
    report.point(text == behind.segment(image.text), "text is unchanged")
    report.point(before.segment(image.rodata) == image.rodata_bytes(before.base),
                 "the monitor's read-only data is what was linked")
    report.point(before.segment(image.rodata) == behind.segment(image.rodata),
                 "read-only data is unchanged")
    start, frames = before.owners()
    report.point((start, frames) == behind.owners()
                 and before.part(start, 4 * frames) == behind.part(start, 4 * frames),
                 f"the ownership table of {frames} frames is unchanged")
    tail = differing(before.handed_out_behind_owners(), behind.handed_out_behind_owners())
    report.point(not tail, "second-stage tables and maps are unchanged",
                 " ".join(f"+{i:#x}" for i in tail[:8]))
    report.point(before.leaves() == behind.leaves(), "the second stage maps the same")


def check_canaries(report, dumps):
    frame = struct.pack("<512Q", *CANARY_FRAME)
    for dump in dumps:
        report.point([b for _, b in dump.canaries] == [frame * CANARY_PAGES],
                     f"{CANARY_PAGES} canary frames hold their pattern",
                     " ".join(f"{a:#x}: {len(b)} bytes" for a, b in dump.canaries))


def drive(run, report, args):
    image = Image(args.build, args.vendor)
    run.machine.wait_for("^# held: before$", source="e9")
    before = Dump(run, image)
    run.machine.send("g")
    run.machine.wait_for("^# held: behind$", source="e9")
    behind = Dump(run, image)
    run.machine.send("g")
    run.wait_end()
    points = run.points()
    rows = differences.rows_for(f"{args.vendor}-{args.engine}", ATTACKS.split(","))
    judged = differences.judge(differences.said(run.text), rows, rounds=2)
    failed = [f"{text}: {why}" for good, text, why in judged if not good]
    report.point(points and not failed and run.plan() == len(points),
                 f"the guest carried out all attacks twice ({len(points)} points)",
                 "\n".join(failed))
    check_leaves(report, behind, behind.leaves())
    check_owners(report, behind)
    compare(report, before, behind, image)
    if args.build == "test":
        check_canaries(report, (before, behind))
    report.point(not run.trouble(), "the monitor logged no error", "\n".join(run.trouble()))


def main():
    args = choose.settle(parse())
    options = [f"suite={ATTACKS}", "HOLD=1", *args.options]
    if args.build == "test":
        options.append(f"CANARY={CANARY_PAGES}")
    report = Report()
    with GuestRun(args.name, " ".join(options), args.build, args.cpus, time=args.time,
                  engine=args.engine) as run:
        try:
            drive(run, report, args)
        except Failure as failure:
            report.point(False, "the run reaches its end", str(failure))
        if report.failed:
            log_tail(run)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
