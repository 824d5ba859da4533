#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Debian above the monitor with partitions, and in it a kernel module that attacks (tests/attack/linux).

usage: hostile.py --name NAME [--build release|test] [--vendor V] [--engine E] [--cpus N] [--time S] [KEY=VALUE...]

On the test build the module at last switches the protection off and sees the attacks on memory succeed.
KEY=VALUE are parameters of the module's. Its points are passed on; the kernel must not complain, nor the
monitor. Speaks TAP.
"""

import argparse
import os
import re
import sys

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [os.path.join(TESTS, part) for part in ("", "emu", "suite", "boot")]

import choose  # noqa: E402
import linux  # noqa: E402
from boot import complaints  # noqa: E402
from guestrun import LOADERS, Failure, Machine, Report, Spec  # noqa: E402
from machine import load_engine  # noqa: E402
from spec import BUILD  # noqa: E402
from trouble import trouble  # noqa: E402

INITRAMFS = os.path.join(BUILD, "tests", "attack", "initramfs.cpio")
PROBE = os.path.join(BUILD, "guest/trustlets/probe/probe.img")
PLACED = re.compile(r"^redoubt: (monitor|partition probe) at (0x[0-9a-f]+) size (0x[0-9a-f]+)", re.M)
POINT = re.compile(r"hostile: (not ok|ok) - (.*)")
COUNT = re.compile(r"hostile: (\d+) points")
PAGE = 4096


def parse():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--build", default="test", choices=("release", "test"))
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--time", type=float, default=150)
    choose.add_arguments(parser)
    parser.add_argument("parameters", nargs="*")
    return choose.settle(parser.parse_args())


def where(text):
    """The module's parameters that say where what it attacks is."""
    placed = {name: (int(at, 16), int(size, 16) // PAGE) for name, at, size in PLACED.findall(text)}
    with open(PROBE, "rb") as f:
        image_pages = int.from_bytes(f.read(PAGE)[16:20], "little")
    probe, pages = placed["partition probe"]
    monitor, monitor_pages = placed["monitor"]
    return {"image": probe, "image_pages": image_pages, "memory": probe + image_pages * PAGE,
            "memory_pages": pages - image_pages, "monitor": monitor, "monitor_pages": monitor_pages}


def machine_of(args):
    spec = Spec(name=args.name, disk=os.path.join(BUILD, "tests", "attack", args.name + ".img"), cpus=args.cpus)
    loader = {"release": "partitions", "test": "test-partitions"}[args.build]
    linux.disk(spec.disk, "cloud", os.path.join(BUILD, "boot", LOADERS[loader]), initramfs=INITRAMFS,
               acpi=not load_engine(args.engine).HAS_ACPI)
    return Machine(spec, args.engine, args.time)


def attack(args, machine, report):
    machine.wait_for(re.escape(linux.PROMPT), source="serial", fail=r"Kernel panic|end of script")
    linux.command(machine, "dmesg -n 1")
    parameters = [f"{name}={value:#x}" for name, value in where(machine.e9).items()]
    parameters += ["open=1"] * (args.build == "test") + args.parameters
    said = linux.command(machine, f"insmod /lib/hostile.ko {' '.join(parameters)}; echo insmod status $?", 120)
    log = linux.command(machine, "dmesg")
    points = POINT.findall(log)
    for good, text in points:
        report.point(good == "ok", text.strip())
    count = COUNT.findall(log)
    report.point("insmod status 0" in said and count == [str(len(points))] and points,
                 "every point of the module's was seen", f"{said} {count}, {len(points)} points")
    report.point(not complaints(log), "the kernel does not complain", "\n".join(complaints(log)))
    machine.send("poweroff\n")
    machine.wait_end(60)


def main():
    args = parse()
    report, why = Report(), ""
    with machine_of(args) as machine:
        try:
            attack(args, machine, report)
        except Failure as failure:
            why = str(failure)
        report.point(not why, "the machine comes up, is attacked, and powers off", why)
        lines = trouble(machine.e9, 1)
        report.point(not lines, "the monitor logged no error", "\n".join(lines))
        if report.failed:
            print(machine.tail(40), file=sys.stderr, flush=True)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
