#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""EFI_TCG2_PROTOCOL as the next loader finds it above the vTPM.

usage: tcg2.py --name NAME [--vendor V] [--engine E] [--before WORD]

The probe (probe.c) is the next loader: it calls every function and checks what comes back, and gives out registers and
log. Here the log is read by a reader of its own and replayed, also by tpm2_eventlog; what was measured is compared with the files
on the disk. When the loader has ended the probe is started once more.

With --before the machine has a TPM of its own (swtpm, QEMU's tpm-crb), and the probe does something to firmware's log before
the loader is started: the log is taken over, or, where it cannot be, all is as without such a TPM. Speaks TAP.
"""

import argparse
import collections
import contextlib
import hashlib
import os
import re
import struct
import shutil
import subprocess
import sys

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [os.path.join(TESTS, "emu"), os.path.join(TESTS, "tpm"), os.path.join(TESTS, "../tools/lint")]

import check_pe  # noqa: E402
import choose  # noqa: E402
import gpt  # noqa: E402
import mkdisk  # noqa: E402
from machine import Failure, Machine, Spec, load_engine  # noqa: E402
from spec import BUILD  # noqa: E402
from swtpm import Swtpm  # noqa: E402
from tap import Tap  # noqa: E402

LOADER = os.path.join(BUILD, "boot/redoubt-vtpm.efi")
PROBE = os.path.join(BUILD, "tests/tcg2/probe.efi")
STARTER = os.path.join(BUILD, "tests/acpi/starter.efi")
FOLDER = os.path.join(BUILD, "tests/tcg2")
CONF = "console = debugcon\nlog_level = debug\nnext = \\probe.efi\noptions = use\n"
SCRIPT = "start \\redoubt\\redoubt.efi\nstart \\probe.efi gone\n"
CHECKS = {"use": 136, "bound": 119, "gone": 3, "extended": 2, "flooded": 1, "looked": 3}
REFUSED = {"extended": "PCR 8 is not what it replays to", "flooded": "it is truncated"}
SPOILED = {"extended": ["its entries' CRC is wrong"]}  # on the disk, where firmware had read it before
REPLAYED = range(16)  # 16 is where the probe leaves events out of the log
NO_ACTION, SEPARATOR, TAG, VERSION = 3, 4, 6, 8
DRIVER_CONFIG, APPLICATION, TABLE, ACTION, BLOB = (0x80000000 | kind for kind in (1, 3, 6, 7, 8))

Event = collections.namedtuple("Event", "pcr type digest data raw")


def sha256(data):
    return hashlib.sha256(data).digest()


def event_at(log, at):
    pcr, kind, count, algorithm = struct.unpack_from("<IIIH", log, at)
    if (count, algorithm) != (1, 0x0b):
        raise ValueError(f"an event at {at} of {count} digests, algorithm {algorithm}")
    size, = struct.unpack_from("<I", log, at + 46)
    raw = log[at:at + 50 + size]
    if len(raw) != 50 + size:
        raise ValueError(f"the event at {at} is cut off")
    return Event(pcr, kind, log[at + 14:at + 46], raw[50:], raw)


def events_in(log, at):
    found = []
    while at < len(log):
        found.append(event_at(log, at))
        at += len(found[-1].raw)
    return found


def replay(events):
    pcrs = dict.fromkeys(REPLAYED, bytes(32))
    for event in events:
        pcrs[event.pcr] = sha256(pcrs[event.pcr] + event.digest)
    return pcrs


def image_digest(path):
    """Of one of our own files: unsigned, sections one behind the other."""
    with open(path, "rb") as file:
        data = file.read()
    pe = check_pe.Pe(data)
    checksum, security = pe.optional + 64, pe.optional + 112 + 4 * 8
    return sha256(data[:checksum] + data[checksum + 4:security] + data[security + 8:])


def payloads(vendor):
    """What the loader carries and has started: the monitor, the partition."""
    with open(LOADER, "rb") as file:
        pe = check_pe.Pe(file.read())
    return [sha256(pe.named(name).content) for name in (f".mon{vendor}", ".part0")]


class Given:
    """What the probe has given out."""

    def __init__(self, text):
        def values(pattern):
            return re.findall(rf"^tcg2: {pattern} ([0-9a-f]+)$", text, re.M)
        self.pcrs = {int(number): bytes.fromhex(value) for number, value in
                     re.findall(r"^tcg2: pcr (\d+) ([0-9a-f]{64})$", text, re.M)}
        self.log, self.final = (bytes.fromhex(values(name)[0]) for name in ("log", "final"))
        self.first = 32 + struct.unpack_from("<I", self.log, 28)[0]
        self.events = events_in(self.log, self.first)

    def of(self, pcr, kind):
        return [event for event in self.events if (event.pcr, event.type) == (pcr, kind)]


def check_replay(tap, given, name=""):
    tap.check(all(given.pcrs[pcr] == value for pcr, value in replay(given.events).items()),
              name + "registers are what the log replays to", str(given.pcrs))
    tap.check(all(given.pcrs[pcr] == b"\xff" * 32 for pcr in range(17, 23)) and given.pcrs[23] == bytes(32),
              name + "registers that nobody measured into are as at the start", str(given.pcrs))
    path = os.path.join(FOLDER, "log")
    with open(path, "wb") as file:
        file.write(given.log)
    said = subprocess.run(["tpm2_eventlog", path], check=False, capture_output=True).stdout.decode()
    found = {int(pcr): bytes.fromhex(value) for pcr, value in
             re.findall(r"^ +(\d+) *: 0x([0-9A-Fa-f]{64})", said.rpartition("\npcrs:")[2], re.M)}
    wanted = {event.pcr: given.pcrs[event.pcr] for event in given.events if event.type != NO_ACTION}
    tap.check(found == wanted and len(found) >= 8, name + "tpm2_eventlog replays it to the same", said)


def check_final(tap, given):
    version, count = struct.unpack_from("<QQ", given.final)
    tail = [event.raw for event in events_in(given.final, 16)]
    tap.check(version == 1 and count == len(tail) > 1 and tail == [event.raw for event in given.events[-count:]],
              "the final events are the log's last, as many as counted", f"{version} {count} {len(tail)}")


def check_code(tap, given, vendor):
    images = [event.digest for event in given.of(4, APPLICATION)]
    tap.check(images == [image_digest(LOADER), image_digest(PROBE)], "PCR 4: the loader, then what it starts",
              str([digest.hex() for digest in images]))
    tap.check([event.digest for event in given.of(9, 0x0d)] == [image_digest(PROBE)],
              "PCR 9: the probe, measured by itself")
    tap.check([event.digest for event in given.of(0, BLOB)] == payloads(vendor), "PCR 0: the monitor and the vTPM")


def check_rest(tap, given):
    separators = [event.pcr for event in given.events if event.type == SEPARATOR and event.data == bytes(4)]
    tap.check(separators == list(range(8)), "a separator in each of PCRs 0 to 7, in order", str(separators))
    settings = given.of(5, TAG)
    tap.check([event.digest for event in settings] == [sha256(CONF.encode())] and settings[0].data[8:] == settings[0].digest,
              "PCR 5: redoubt.conf")
    names = [event.data[32:32 + 2 * struct.unpack_from("<Q", event.data, 16)[0]].decode("utf-16-le")
             for event in given.of(7, DRIVER_CONFIG)]
    tap.check(names == ["SecureBoot", "PK", "KEK", "db", "dbx"], "PCR 7: the variables of Secure Boot", str(names))
    plain = [event for event in given.events if event.type in (SEPARATOR, VERSION, DRIVER_CONFIG, ACTION)]
    tap.check(all(event.digest == sha256(event.data) for event in plain), "what is measured as it is logged has that digest")
    order = [(event.pcr, event.type) for event in given.events]
    tap.check(order.index((4, ACTION)) < order.index((4, SEPARATOR)) < order.index((4, APPLICATION)),
              "PCR 4: the action, the separator, then images", str(order))


def check_taken(tap, given, vendor):
    """Firmware's events, then the loader's, and those of the probe from before it once each."""
    ours = [event.digest for event in given.of(4, BLOB)]
    tap.check(ours == payloads(vendor), "PCR 4: the monitor and the vTPM, in firmware's log", str(ours))
    images = [event.digest for event in given.of(4, APPLICATION)]
    wanted = [image_digest(path) for path in (STARTER, PROBE, LOADER, PROBE)]
    tap.check(images == wanted, "PCR 4: what firmware has started, then what the loader starts", str(images))
    lengths = [len(event.data) for event in given.events if event.pcr == 8 and event.digest == sha256(b"abc")]
    tap.check(lengths[:2] == [1, 2] and lengths.count(2) == 1, "PCR 8: the events before and behind the look, once each", str(lengths))
    tap.check(given.of(0, BLOB) and sha256(b"R\0e\0d\0o\0u\0b\0t\0\0\0") not in [event.digest for event in given.of(0, VERSION)],
              "PCR 0: firmware's, none of the loader's")


def take(machine, tap, what, checks=None):
    """The probe's checks, and all that it has said."""
    start = machine.positions.get("e9", 0)
    end = machine.wait_for(r"^tcg2: end, (\d+) checks$", source="e9").end()
    text = machine.e9[start:end]
    for line in re.finditer(r"^tcg2: (ok|not ok) \d+ - (.*)\n(?:tcg2: # (.*))?", text, re.M):
        tap.check(line[1] == "ok", line[2], line[3] or "")
    tap.check(f"end, {CHECKS[checks or what]} checks" in text, f"{what}: that were all its checks", text[-200:])
    return text


def check_table(tap, given, wanted, complaints, text):
    """The disk's partition table, once: by firmware, in its log or in the vTPM's, or else by the loader, or by nobody."""
    events = given.of(5, TABLE)
    tap.check([event.data for event in events] == wanted and all(event.digest == sha256(event.data) for event in events),
              f"PCR 5: the disk's partition table: {len(wanted)}", f"{events} {wanted}")
    said = re.findall(r"^redoubt: note: the disk's partition table is not measured: (.*)$", text, re.M)
    tap.check(said == complaints, "the loader says what is in the way", text)


def judge(tap, given, args):
    check_replay(tap, given)
    check_final(tap, given)
    if args.before == "looked":
        check_taken(tap, given, args.vendor)
        return
    check_code(tap, given, args.vendor)
    check_rest(tap, given)


def check_said(tap, before, text):
    """Of firmware's log, by the loader."""
    refused = re.findall(r"^redoubt: note: firmware's log of measurements is not taken over \((.*)\): the vTPM tells of the loader and what "
                         r"follows alone$", text, re.M)
    taken = re.findall(r"^redoubt: vtpm: begins as the platform's TPM", text, re.M)
    wanted = [REFUSED[before]] if before in REFUSED else []
    tap.check(refused == wanted and bool(taken) == (before == "looked"), "the loader says what becomes of firmware's log", text)


def parse():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--time", type=float, default=190)
    parser.add_argument("--before", choices=("extended", "flooded", "looked"))
    choose.add_arguments(parser)
    return choose.settle(parser.parse_args())


def go(args, tap, machine, table):
    if args.before:
        take(machine, tap, args.before)
    text = take(machine, tap, "use", "bound" if args.before else None)
    given = Given(text)
    judge(tap, given, args)
    check_table(tap, given, [table] if args.before in (None, "looked") else [], SPOILED.get(args.before, []), machine.e9)
    check_said(tap, args.before, machine.e9)
    machine.wait_for("^redoubt: going back to firmware, still under the monitor$", source="e9")
    tap.check(True, "the loader ends")
    take(machine, tap, "gone")


def points(before):
    parts = [before, "bound", "gone"] if before else ["use", "gone"]
    return sum(CHECKS[part] + 1 for part in parts) + (12 if before == "looked" else 16)


def main():
    args = parse()
    tap = Tap(points(args.before))
    disk = os.path.join(FOLDER, args.name + ".img")
    script = SCRIPT if load_engine(args.engine).HAS_ACPI else "acpi\n" + SCRIPT
    script = (f"start \\probe.efi {args.before}\n" if args.before else "") + script
    mkdisk.make_with_text(disk, [(STARTER, "EFI/BOOT/BOOTX64.EFI"), (PROBE, "probe.efi"), (LOADER, "redoubt/redoubt.efi")],
                          [(script, "start.txt"), (CONF, "redoubt/redoubt.conf")])
    table = None
    if args.before != "flooded":  # there it is a disk without partitions
        gpt.wrap(disk)
        table = gpt.measured(disk)
    with contextlib.ExitStack() as stack:
        more = {}
        if args.before:
            state = os.path.join(FOLDER, args.name + ".tpm")
            shutil.rmtree(state, ignore_errors=True)
            more = {"options": {"more": stack.enter_context(Swtpm(state, emulator=True)).qemu()}}
        machine = stack.enter_context(Machine(Spec(name=args.name, disk=disk, cpus=args.cpus, **more), args.engine, args.time))
        try:
            go(args, tap, machine, table)
        except (Failure, ValueError, IndexError, KeyError) as failure:
            tap.give_up(machine.tail() + f"\n{failure!r}")
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
