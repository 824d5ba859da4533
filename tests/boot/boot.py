#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Boots Debian on an emulated machine and checks, from inside and outside, what runs below it.

usage: boot.py --name NAME [--vendor V] [--engine E] [--kernel stock|cloud] [--cpus N] [--via stub|shim] [--bare]
               [--reboot] [--hotplug] [--driver] [--partitions]

  --bare     without the monitor: the same checks must then give the opposite answer
  --reboot   reboots first, so that everything is checked on the second start
  --hotplug  takes the last CPU down and up again before the checks (two CPUs or more)
  --driver   redoubt.ko and what redoubtctl asks it, too (driver.py); with --bare only that it is refused
  --partitions  with --driver: the loader that carries the test partitions, and requests to them

Speaks TAP.
"""

import argparse
import json
import os
import re
import sys

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [TESTS, os.path.join(TESTS, "emu")]

import choose  # noqa: E402
import linux  # noqa: E402
from driver import Driver  # noqa: E402
from machine import Failure, Machine, Spec, load_engine  # noqa: E402
from spec import BUILD  # noqa: E402
from tap import Tap  # noqa: E402
from trouble import trouble  # noqa: E402

PROMPT = re.escape(linux.PROMPT)
PARTITIONS_LOADER = os.path.join(BUILD, "boot", "redoubt-partitions.efi")
INITRAMFS = os.path.join(BUILD, "tests", "boot", "initramfs.cpio")
REGION = re.compile(r"^redoubt: monitor at (0x[0-9a-f]+) size (0x[0-9a-f]+)", re.M)
RAM = re.compile(r"^\s*([0-9a-f]+)-([0-9a-f]+) : System RAM", re.M)
COMPLAINT = re.compile(r"BUG:|Oops|\bWARNING: CPU|Call Trace|general protection|Kernel panic|soft lockup")
VARYING = re.compile(r"^\[ *\d+\.\d+\] |0x[0-9a-f]{9,}")


def complaints(dmesg):
    """What the kernel complains of, each with the line before it, without times and addresses."""
    lines = [VARYING.sub("", line.rstrip()) for line in dmesg.split("\n")]
    return [" / ".join(lines[max(i - 1, 0):i + 1]) for i, line in enumerate(lines) if COMPLAINT.search(line)]


class Boot:
    """One start of one machine; every check_ method makes exactly one check."""

    def __init__(self, args, machine, tap):
        self.args = args
        self.machine = machine
        self.tap = tap
        self.complaints = []
        self.driver = Driver(args, machine, self.ask)

    def ask(self, line, timeout=90):
        return linux.command(self.machine, line, timeout)

    def to_prompt(self):
        self.machine.wait_for(PROMPT, source="serial", fail=r"Kernel panic|end of script")
        self.tap.check(True, "Debian comes up to a prompt")
        self.ask("dmesg -n 1")

    def reboot(self):
        self.machine.send("reboot\n")
        self.machine.wait_for(r"Linux version", source="serial", fail=r"did not end the machine")
        self.machine.wait_for(PROMPT, source="serial", fail="Kernel panic")
        starts = len(re.findall(r"^starter: start$", self.machine.e9, re.M))
        self.tap.check(starts == 2, "the machine comes up again after reboot", f"{starts} starts")
        self.ask("dmesg -n 1")

    def hotplug(self):
        online = f"/sys/devices/system/cpu/cpu{self.args.cpus - 1}/online"
        self.ask(f"echo 0 > {online}")
        down = self.ask("cat /sys/devices/system/cpu/online").strip()
        self.ask(f"echo 1 > {online}")
        fewer = "0" if self.args.cpus == 2 else f"0-{self.args.cpus - 2}"
        self.tap.check(down == fewer, "a CPU goes offline and comes back", f"online were {down}")

    def check_online(self):
        wanted = "0" if self.args.cpus == 1 else f"0-{self.args.cpus - 1}"
        got = self.ask("cat /sys/devices/system/cpu/online").strip()
        self.tap.check(got == wanted, f"{self.args.cpus} CPUs are online", f"online are {got}")

    def check_status_exit(self):
        text = self.ask("redoubtctl status; echo exit status $?")
        wanted = "exit status 1" if self.args.bare else "exit status 0"
        self.tap.check(wanted in text.split("\n"), f"redoubtctl status ends with {wanted}", text)

    def check_status_json(self):
        text = self.ask("redoubtctl status --json")
        try:
            state = json.loads(text)
        except ValueError:
            self.tap.check(False, "redoubtctl's JSON is valid", text)
            return
        cpus, n = state["cpus"], self.args.cpus
        if self.args.bare:
            good = not state["redoubt"] and not any(c["covered"] for c in cpus)
            self.tap.check(good, "no CPU claims to be covered without the monitor", text)
            return
        good = (state["redoubt"] and state["uniform"] and len(cpus) == n
                and all(c["covered"] and c["cpus_covered"] == n for c in cpus)
                and sorted(c["index"] for c in cpus) == list(range(n)))
        self.tap.check(good, "every CPU answers as covered, each with its own index", text)

    def check_claims(self):
        text = self.ask("redoubtctl status --json")
        claims = json.loads(text).get("not_protected", [])
        wanted = [] if self.args.bare else ["dma=unprotected", "unlocked", "root=unrooted",
                                            "suspend=off", "smm=trusted"]
        missing = [c for c in wanted if c not in claims]
        self.tap.check(not missing and bool(claims) == bool(wanted),
                       "what is not protected is said", f"{missing} missing in {text}")

    def check_virtualization_hidden(self):
        flag = self.args.vendor
        count = self.ask(f"grep -c \"^flags.* {flag} \" /proc/cpuinfo").strip()
        wanted = str(self.args.cpus) if self.args.bare else "0"
        self.tap.check(count == wanted, f"{wanted} CPUs show {flag} to the guest", count)

    def check_iomem(self):
        ram = [(int(a, 16), int(b, 16)) for a, b in RAM.findall(self.ask("cat /proc/iomem"))]
        if self.args.bare:
            self.tap.check(bool(ram), "the kernel lists its memory", "no System RAM")
            return
        regions = [(int(b, 16), int(b, 16) + int(s, 16) - 1)
                   for b, s in REGION.findall(self.machine.e9)]
        shared = [r for r in regions for a, b in ram if r[0] <= b and a <= r[1]]
        good = bool(regions) and any(b > 0 for _, b in ram) and not shared
        self.tap.check(good, "the monitor's memory is no System RAM",
                       f"monitor {regions}, RAM {ram}")

    def check_kernel_log(self):
        """A kernel may complain of what the emulator lacks; it must do so without the monitor, too."""
        known = complaints_without_monitor(self.args) if self.complaints else []
        for complaint in self.complaints:
            print(f"# the kernel complains: {complaint}", flush=True)
        new = [x for x in self.complaints if x not in known]
        self.tap.check(not new, "the kernel has nothing to complain of that it has not without the monitor",
                       "\n".join(new))

    def check_monitor_log(self):
        lines = trouble(self.machine.e9, 0 if self.args.bare else 1 + self.args.reboot)
        self.tap.check(not lines, "the monitor logged no error", "\n".join(lines))

    def power_off(self):
        self.complaints = complaints(self.ask("dmesg"))
        self.machine.send("poweroff\n")
        self.machine.wait_end(60)
        self.tap.check(True, "power-off ends the machine")

    def steps(self):
        chosen = [self.to_prompt]
        if self.args.reboot:
            chosen.append(self.reboot)
        if self.args.hotplug:
            chosen.append(self.hotplug)
        chosen += [self.check_online, self.check_status_exit, self.check_status_json,
                   self.check_claims, self.check_virtualization_hidden, self.check_iomem,
                   *self.driver.steps(), self.check_monitor_log, self.power_off]
        return chosen if self.args.bare else chosen + [self.check_kernel_log]


def machine_of(args, name, bare):
    spec = Spec(name=name, disk=os.path.join(BUILD, "tests", "boot", name + ".img"), cpus=args.cpus)
    loader = PARTITIONS_LOADER if args.partitions else linux.LOADER
    linux.disk(spec.disk, args.kernel, None if bare else loader, args.via, initramfs=INITRAMFS,
               acpi=not load_engine(args.engine).HAS_ACPI)
    return Machine(spec, args.engine, args.time)


def complaints_without_monitor(args):
    with machine_of(args, args.name + "-without", True) as machine:
        machine.wait_for(PROMPT, source="serial", fail="Kernel panic")
        linux.command(machine, "dmesg -n 1")
        return complaints(linux.command(machine, "dmesg"))


def parse():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--name", required=True)
    choose.add_arguments(parser)
    parser.add_argument("--kernel", default="cloud", choices=["stock", "cloud"])
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--via", default="stub", choices=["stub", "shim"])
    parser.add_argument("--time", type=float, default=240)
    parser.add_argument("--bare", action="store_true")
    parser.add_argument("--reboot", action="store_true")
    parser.add_argument("--hotplug", action="store_true")
    parser.add_argument("--driver", action="store_true")
    parser.add_argument("--partitions", action="store_true")
    return parser.parse_args()


def main():
    args = choose.settle(parse())
    print(f"# {linux.kernel_version(args.kernel)}", flush=True)
    boot = Boot(args, machine_of(args, args.name, args.bare), None)
    steps = boot.steps()
    boot.tap = boot.driver.tap = Tap(len(steps))
    with boot.machine:
        try:
            for step in steps:
                step()
        except Failure as why:
            boot.tap.give_up(boot.machine.tail() + f"\n{args.name}: {why}")
    return boot.tap.status()


if __name__ == "__main__":
    sys.exit(main())
