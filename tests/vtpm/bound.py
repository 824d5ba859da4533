#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""T63: an older state of the vTPM, put back, where the machine has a TPM of its own.

usage: bound.py --name NAME [--vendor V] [--engine E] [--time S]

Debian above the monitor, swtpm as the platform's TPM. A counter of the vTPM's NV memory counts, and the files of
its state are put back to what they were: refused, by the anchor in the platform's TPM, and so are no files at all. On the same
machine without a TPM of its own the same is accepted, and the counter has gone back: there the claims say so. The
platform's TPM is not to be reached from above the monitor. Speaks TAP.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [os.path.join(TESTS, "vtpm"), TESTS, os.path.join(TESTS, "emu")]

import choose  # noqa: E402
import debian  # noqa: E402
import linux  # noqa: E402
from machine import Failure, Machine, Spec, load_engine  # noqa: E402
from spec import BUILD  # noqa: E402
from tap import Tap  # noqa: E402

SLOTS = ("vtpm.0", "vtpm.1")
FOLDER = "EFI/redoubt"
COUNTER = "0x1500002"
ANCHOR = "0x01805244"  # vtpm/ptpm/anchor.h
OLDER = r"is older than the last that the platform's TPM knows, or was never acknowledged"
UNBOUND = r"is not bound to the platform's TPM, though there were states that are"
GONE = r"cannot be judged: the platform's TPM does not tell which state was the last"
POINTS = 26


class Start(debian.Debian):
    """One boot."""

    def counts(self, want, defines=False):
        if defines:
            self.step("a counter is made", (f"nvdefine -Q {COUNTER} -C o -a nt=counter|ownerwrite|ownerread",), None)
        self.step(f"it counts to {want}", (f"nvincrement -Q -C o {COUNTER}", f"nvread -C o {COUNTER} > counter", "=od -An -tx1 counter"),
                  f"00 00 00 {want:02x}")

    def is_at(self, want, why):
        self.step(why, (f"nvread -C o {COUNTER} > counter", "=od -An -tx1 counter"), f"00 00 00 {want:02x}")

    def not_the_platforms(self):
        """Neither by the TPM that there is nor by the device's own name is another to be found."""
        said = self.ask("ls /sys/class/tpm; for d in /sys/bus/acpi/devices/*; do cat $d/hid 2>/dev/null; done | grep -c MSFT0101; tpm2 getcap handles-nv-index")
        self.tap.check(re.search(r"^tpm0\s+1$", said, re.M) is not None and ANCHOR[4:] not in said,
                       "one TPM, of one device MSFT0101, and the anchor is not in it", said)

    def no_tpm(self, verdict, why):
        said = self.ask("ls -d /dev/tpm* /sys/class/tpm/* 2>&1; dmesg | grep -ci tpm_crb")
        told = re.search(rf"^redoubt: note: the vTPM's state: vtpm\.\d {verdict}$", self.machine.e9, re.M)
        self.tap.check(told is not None, f"{why}: refused, and the loader says why", self.machine.e9)
        self.tap.check("/dev/tpm0" not in said and "/sys/class/tpm/tpm0" not in said, f"{why}: there is no TPM", said)

    def switched_off(self):
        """Its registers would begin at zero, for this kernel to fill: locality 0 is granted to nobody."""
        said = self.ask("ls -d /dev/tpm* 2>&1; devmem 0xfed40008 32 1; echo wrote=$?; echo state=`devmem 0xfed4000c 32`")
        told = "vtpm.0 cannot be written" in self.machine.e9
        granted = re.search(r"state=0x([0-9A-Fa-f]{8})", said)
        self.tap.check(told and "/dev/tpm0" not in said, "slots that cannot be written: the loader says so, and there is no TPM", said)
        self.tap.check("wrote=0" in said and granted is not None and not int(granted[1], 16) & 1,
                       "nor is it left on for the kernel to extend its registers", said)

    def go_off(self):
        self.ask("umount /esp; sync")
        self.machine.send("poweroff\n")
        self.machine.wait_end(60)


class Box:
    """The machine, its disk, and its TPM or none."""

    loader = debian.LOADER
    kind = Start
    share = 6  # of the time, for one boot

    def __init__(self, args, tap, folder):
        self.args, self.tap, self.folder = args, tap, folder
        self.state = os.path.join(folder, "tpm")
        self.disk = ""
        self.starts = 0

    def make_disk(self):
        self.disk = os.path.join(self.folder, "disk.img")
        linux.disk(self.disk, "stock", self.loader, initramfs=debian.INITRAMFS, acpi=not load_engine(self.args.engine).HAS_ACPI)

    def mtools(self, program, *args):
        subprocess.run([program, "-i", self.disk, *args], check=True, env={**os.environ, "MTOOLS_SKIP_CHECK": "1"})

    def take(self, name):
        """A copy of both files."""
        kept = os.path.join(self.folder, name)
        shutil.rmtree(kept, ignore_errors=True)
        os.makedirs(kept)
        for slot in SLOTS:
            self.mtools("mcopy", f"::{FOLDER}/{slot}", os.path.join(kept, slot))
        return kept

    def put(self, kept):
        for slot in SLOTS:
            self.mtools("mcopy", "-o", os.path.join(kept, slot), f"::{FOLDER}/{slot}")

    def delete(self):
        for slot in SLOTS:
            self.mtools("mdel", f"::{FOLDER}/{slot}")

    def start(self, steps, tpm=True):
        self.starts += 1
        if not tpm:
            self.run(steps, "")
            return
        with debian.Swtpm(self.state, emulator=True) as chip:
            self.run(steps, chip.qemu())

    def run(self, steps, more):
        spec = Spec(name=f"{self.args.name}-{self.starts}", disk=self.disk, mem=512, options={"more": more})
        with Machine(spec, self.args.engine, self.args.time / self.share) as machine:
            this = self.kind(self.args, machine, self.tap)
            try:
                this.to_prompt()
                steps(this)
                this.go_off()
            except Failure as why:
                raise Failure(f"{why}\n{machine.tail()}") from why

    def owner(self, *command):
        """A command of the owner of the platform's TPM, with another system on the machine."""
        with debian.Swtpm(self.state) as chip:
            return subprocess.run([f"tpm2_{command[0]}", *command[1:], "-T", f"swtpm:path={chip.socket}"], check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def begins(start):
    start.keeper()
    start.counts(1, defines=True)
    start.not_the_platforms()


def goes_on(start):
    start.keeper()
    start.counts(2)


def attack(box):
    """With the platform's TPM."""
    box.start(begins)
    older = box.take("older")
    box.start(goes_on)
    newest = box.take("newest")
    box.put(older)
    box.start(lambda start: start.no_tpm(OLDER, "T63 the files of the day before"))
    box.delete()
    box.start(lambda start: start.no_tpm(UNBOUND, "T63 no files"))
    box.put(newest)
    box.start(lambda start: start.is_at(2, "the newest ones, put back, are used"))
    shown = box.owner("nvreadpublic", ANCHOR).stdout
    box.tap.check("friendly: authwrite|ownerread|authread|no_da|written\n" in shown and "size: 32\n" in shown,
                  "the platform's TPM has the anchor", shown)
    box.tap.check(box.owner("nvundefine", ANCHOR).returncode == 0, "who owns it can delete that")
    box.start(lambda start: start.no_tpm(GONE, "the newest files without the anchor"))
    box.delete()
    box.start(lambda start: (start.keeper(), start.counts(1, defines=True)))


def control(box):
    """Without: the same is accepted."""
    box.make_disk()
    box.start(lambda start: (start.keeper(), start.counts(1, defines=True)), tpm=False)
    older = box.take("older")
    box.start(goes_on, tpm=False)
    box.put(older)
    box.start(lambda start: start.is_at(1, "T63 the files of the day before: succeeds with no TPM of the machine's own"), tpm=False)
    for slot in SLOTS:
        box.mtools("mattrib", "+r", f"::{FOLDER}/{slot}")
    box.start(Start.switched_off, tpm=False)


def parse():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--time", type=float, default=700)
    choose.add_arguments(parser)
    args = choose.settle(parser.parse_args())
    args.tpm = "tpm-crb"
    return args


def main():
    args = parse()
    tap = Tap(POINTS)
    work = os.path.join(BUILD, "tests/vtpm")
    with tempfile.TemporaryDirectory(prefix="bound-", dir=work) as folder:
        box = Box(args, tap, folder)
        try:
            box.make_disk()
            attack(box)
            control(box)
        except Failure as why:
            tap.give_up(f"{args.name}: {why}")
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
