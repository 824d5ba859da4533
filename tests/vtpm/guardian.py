#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""A vTPM whose image names a guardian: a backup leaves the machine, and comes back where the root key was lost.

usage: guardian.py --name NAME --key PRIVATE.pem [--tpm DEVICE] [--vendor V] [--engine E] [--time S]

Debian above the monitor. redoubtctl takes a backup, and afterwards the vTPM goes on. Then the machine's root key is gone, as it is
behind another redoubt.efi: there is no TPM, and the loader writes what it asks the guardian for. redoubt-state, which
alone has the guardian's private key, makes the package, and the next start takes it. With --tpm (swtpm as the platform's
TPM) the root key was sealed by that, and the package is for what its anchor is: later the same one is refused (T63). Without
there are three boots, not six. Speaks TAP.
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [os.path.join(TESTS, "vtpm"), TESTS, os.path.join(TESTS, "emu")]

import bound  # noqa: E402
import choose  # noqa: E402
from machine import Failure  # noqa: E402
from spec import BUILD  # noqa: E402
from tap import Tap  # noqa: E402

TOOL = os.path.join(TESTS, "..", "tools", "redoubt-state")
NOT_OURS = r"was not written on this machine by this image, or was changed"
CERTIFICATE = "nvread -Q 0x1c0000a -C o -o ecc.crt"
FINGERPRINT = r"^redoubt: vtpm\.ask is what the guardian needs to make vtpm\.in; its fingerprint:\nredoubt: ([0-9a-f]{64})$"
KEY = r"^redoubt: the fingerprint of this machine's key, for the guardian:\nredoubt: ([0-9a-f]{64})$"
POINTS, POINTS_BOUND = 18, 24


class Start(bound.Start):
    def backs_up(self):
        said = self.ask("redoubtctl backup /esp/backup; echo status=$?; redoubtctl backup /esp/backup; echo again=$?; sync")
        self.tap.check("status=0" in said and re.search(r"again=[^0]", said) is not None,
                       "redoubtctl takes a backup, and writes over none", said)

    def has_certificate(self, why):
        self.step(why, (CERTIFICATE, "cmp ecc.crt /esp/ecc.crt"), None)

    def loader_said(self, line, why):
        self.tap.check(re.search(rf"^redoubt: {line}$", self.machine.e9, re.M) is not None, why, self.machine.e9)


class Box(bound.Box):
    loader = os.path.join(BUILD, "boot", "redoubt-guarded.efi")
    kind = Start

    def fetch(self, name):
        path = os.path.join(self.folder, os.path.basename(name))
        self.mtools("mcopy", "-o", f"::{name}", path)
        return path

    def give(self, path):
        self.mtools("mcopy", "-o", path, f"::{bound.FOLDER}/vtpm.in")

    def lose_key(self):
        self.mtools("mdel", f"::{bound.FOLDER}/{'root.tpm' if self.args.tpm else 'root.key'}")

    def on(self, steps):
        self.start(steps, tpm=bool(self.args.tpm))

    def address(self, fingerprint, machine, why=None):
        """By the guardian, who knows the machine by its key; `why`: it refuses, and says so."""
        backup, ask, out = self.fetch("backup"), self.fetch(f"{bound.FOLDER}/vtpm.ask"), os.path.join(self.folder, "vtpm.in")
        told = subprocess.run([TOOL, "address", backup, out, "--private-key", self.args.key, "--ask", ask, "--fingerprint", fingerprint,
                               "--machine", machine], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if why:
            self.tap.check(told.returncode == 1 and not os.path.exists(out), why, told.stdout)
        else:
            self.tap.check(told.returncode == 0 and os.path.exists(out), "the guardian makes the package", told.stdout)
        return out


def begins(start):
    start.keeper()
    start.counts(1, defines=True)
    start.step("its certificate is put by", (CERTIFICATE, "=cp ecc.crt /esp"), None)
    start.backs_up()
    start.counts(2)


def comes_back(start):
    start.loader_said(r"the vTPM is the one in vtpm\.in", "the package is taken")
    start.keeper()
    start.is_at(1, "it is the TPM of the backup: its counter")
    start.has_certificate("and its endorsement key's certificate")
    start.counts(2)


def goes_on(start):
    start.loader_said(r"note: vtpm\.in is not looked at: there is a TPM", "where there is a TPM no package is looked at")
    start.is_at(2, "and it goes on")


def asks(box, why):
    told = []

    def steps(start):
        start.no_tpm(NOT_OURS, why)
        told.append(re.search(FINGERPRINT, start.machine.e9, re.M))

    box.on(steps)
    with open(box.fetch(f"{bound.FOLDER}/vtpm.ask"), "rb") as file:
        is_it = hashlib.sha256(file.read()).hexdigest()
    box.tap.check(told[0] is not None and told[0][1] == is_it, "what the guardian is to know is in a file, its fingerprint on the console", str(told))
    return is_it


def moves(box):
    """To the machine as it is with another root key."""
    told = []

    def first(start):
        begins(start)
        told.append(re.search(KEY, start.machine.e9, re.M))

    box.make_disk()
    box.on(first)
    if not box.tap.check(told[0] is not None, "the console shows by what the guardian knows the machine", str(told)):
        raise Failure("no fingerprint of the machine's key")
    machine = told[0][1]
    box.lose_key()
    fingerprint = asks(box, "the root key is gone")
    box.address("0" * 64, machine, "T62 an ask that is not the one on the console is refused")
    box.address(fingerprint, "0" * 64, "T62 a backup that is not this machine's is refused")
    package = box.address(fingerprint, machine)
    box.give(package)
    box.on(comes_back)


def stays(box):
    """The package is still there."""
    box.on(goes_on)
    box.delete()
    box.on(lambda start: (start.loader_said(r"note: vtpm\.in was made for what the platform's TPM knew then: it has gone on",
                                            "T63 the same package later: the loader says why not"),
                          start.no_tpm(bound.UNBOUND, "T63 and with no files")))
    box.lose_key()
    box.on(lambda start: start.loader_said(r"note: vtpm\.in is for another machine, or for this one with another root key",
                                           "the package is of no use with another root key"))


def parse():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--tpm", choices=("tpm-crb",))
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--time", type=float, default=600)
    choose.add_arguments(parser)
    return choose.settle(parser.parse_args())


def main():
    args = parse()
    tap = Tap(POINTS_BOUND if args.tpm else POINTS)
    with tempfile.TemporaryDirectory(prefix="guardian-", dir=os.path.join(BUILD, "tests", "vtpm")) as folder:
        box = Box(args, tap, folder)
        box.share = 6 if args.tpm else 3
        try:
            moves(box)
            if args.tpm:
                stays(box)
        except (Failure, subprocess.CalledProcessError) as why:
            tap.give_up(f"{args.name}: {why}")
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
