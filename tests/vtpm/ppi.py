#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Physical presence: the vTPM is cleared when somebody at the machine says so, and only then.

usage: ppi.py --name NAME [--vendor V] [--engine E] [--time S]

Debian's kernel asks by /sys/class/tpm/tpm0/ppi, the loader asks at firmware's console, and the kernel of that start says what
became of it. Four starts: a request; refused by a key, and asked anew; nobody there, and asked anew; confirmed. The
answers stand in the specification (TCG PC Client Platform Physical Presence Interface 1.30). Speaks TAP.
"""

import os
import re
import sys
import time

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [os.path.join(TESTS, "vtpm"), TESTS, os.path.join(TESTS, "emu")]

import choose  # noqa: E402
import debian  # noqa: E402
import linux  # noqa: E402
from machine import Failure, Machine, Spec, load_engine  # noqa: E402
from spec import BUILD  # noqa: E402
from tap import Tap  # noqa: E402

INDEX, KEY = "0x1500001", "0x81000001"
QUESTION = r"press y to clear it"
LIMIT_S = 30  # the loader's
USER_REQUIRED, USER_NOT_REQUIRED = 3, 4  # function 8
CLEARS = (5, 14, 21, 22)
# What the owner has made, and what of it is there.
OWNS = (f"nvdefine -Q {INDEX} -C o -s 8 -a ownerwrite|ownerread", "=printf 12345678 > n", f"nvwrite -Q {INDEX} -C o -i n",
        "createprimary -Q -C o -G ecc -c ecc", f"evictcontrol -Q -C o -c ecc {KEY}", "flushcontext -t",
        "createek -Q -c ek -G ecc -f pem -u /esp/ek.pem", "flushcontext -t", f"readpublic -Q -c {KEY} -f pem -o /esp/key.pem",
        "dictionarylockout -Q -s -n 3 -t 1000 -l 86400", "clearcontrol -Q -C l s", "changeauth -Q -c o mine", "changeauth -Q -c l locked",
        "!dictionarylockout -Q -c -p wrong", "!dictionarylockout -Q -c -p locked", "=sync", f"nvread {INDEX} -C o -P mine")
STILL = (f"nvread {INDEX} -C o -P mine > n", "=grep -q 12345678 n", f"readpublic -Q -c {KEY} -f pem -o key.pem", "cmp key.pem /esp/key.pem",
         "!createprimary -Q -C o -G ecc -c ecc", "getcap properties-variable")
OWNED = r"ownerAuthSet:\s+1\s[\s\S]*lockoutAuthSet:\s+1\s[\s\S]*disableClear:\s+1\s[\s\S]*MAX_AUTH_FAIL: 0x3\s"
CLEARED = (f"!nvread -Q {INDEX} -C o -P mine", f"!readpublic -Q -c {KEY} -f pem -o key.pem", "createprimary -Q -C o -G ecc -c ecc",
           "readpublic -Q -c ecc -f pem -o key.pem", "!cmp -s key.pem /esp/key.pem", "flushcontext -t", "createek -Q -c ek -G ecc -f pem -u ek.pem",
           "cmp ek.pem /esp/ek.pem", "flushcontext -t", "nvread -Q 0x1c0000a -C o -o ecc.crt", "=test -s ecc.crt", "getcap properties-variable")
NEW = r"ownerAuthSet:\s+0\s[\s\S]*lockoutAuthSet:\s+0\s[\s\S]*disableClear:\s+0\s[\s\S]*MAX_AUTH_FAIL: 0x20\s"


class Start(debian.Debian):
    """One boot."""

    def ppi(self, name):
        return self.ask(f"cat /sys/class/tpm/tpm0/ppi/{name}").strip()

    def shows(self, name, wanted, why):
        said = self.ppi(name)
        self.tap.check(re.fullmatch(wanted, said) is not None, why, said)

    def request(self, operation, wanted="status=0"):
        said = self.ask(f"echo {operation} > /sys/class/tpm/tpm0/ppi/request; echo status=$?")
        self.tap.check(wanted in said, f"operation {operation} is requested: {wanted}", said)

    def asked(self, key):
        """At the loader's question; how long it stood."""
        self.machine.wait_for(QUESTION, source="e9", fail=linux.PROMPT)
        began = time.monotonic()
        if key:
            self.machine.send(key)
        self.machine.wait_for(r"^redoubt: the vTPM is", source="e9", fail="no TPM this time")
        return time.monotonic() - began

    def platform_closed(self):
        self.step("the platform's hierarchy is closed", ("!changeauth -c p mine",), r"hierarchy")

    def go_off(self):
        self.ask("umount /esp; sync")
        self.machine.send("poweroff\n")
        self.machine.wait_end(60)


def begins(start):
    """Nothing was ever asked."""
    start.to_prompt()
    start.shows("version", r"1\.3", "the kernel finds the interface's version 1.3")
    start.shows("request", "0", "nothing is requested")
    start.shows("response", r"0: No Recent.*", "nothing was")
    start.shows("transition_action", r"2: Reboot", "a restart makes it be asked")
    operations = {int(n): int(kind) for n, kind in re.findall(r"^(\d+) (\d):", start.ppi("tcg_operations"), re.M)}
    start.tap.check(operations == {0: USER_NOT_REQUIRED, **dict.fromkeys(CLEARS, USER_REQUIRED)},
                    "operations: none, and four that clear, with somebody at the machine", str(operations))
    start.tap.check(QUESTION not in start.machine.e9, "nobody was asked")
    start.request(5, "Bad address")
    start.shows("request", "0", "without a keeper nothing is accepted")
    start.keeper()
    start.step("the owner has passwords, a key, an index of NV memory, forbids to clear, and has the lockout's password locked", OWNS, "12345678")
    start.request(6, "not permitted")
    start.request("23 1", "not permitted")
    start.request(5)
    start.shows("request", "5", "it is pending")
    start.request(0)
    start.shows("request", "0", "it is withdrawn")
    start.request(5)


def refused(start):
    """By a key."""
    took = start.asked("xn")
    start.to_prompt()
    start.tap.check("left as it is: refused" in start.machine.e9 and took < LIMIT_S, "n refuses, and another key is no answer", start.machine.e9)
    start.keeper()
    start.shows("response", r"5 0xFFFFFFF0: User Abort", "the kernel is told: user abort")
    start.shows("request", "0", "nothing is pending any more")
    start.step("all that the owner has is there", STILL, OWNED)
    start.platform_closed()
    start.request(22)


def nobody(start):
    """By time."""
    took = start.asked("")
    start.to_prompt()
    start.tap.check("left as it is: nobody answered" in start.machine.e9 and took > LIMIT_S / 2, f"nobody answers: refused after {LIMIT_S} s", f"{took}")
    start.keeper()
    start.shows("response", r"22 0xFFFFFFF0: User Abort", "the kernel is told: user abort")
    start.step("all that the owner has is there", STILL, OWNED)
    start.request(14)


def confirmed(start):
    """And once more there is nothing to ask."""
    start.asked("y")
    start.to_prompt()
    start.tap.check("redoubt: the vTPM is cleared" in start.machine.e9, "y clears, and the loader says so", start.machine.e9)
    start.keeper()
    start.shows("response", r"14 0: Success", "the kernel is told: success")
    start.shows("request", "0", "nothing is pending any more")
    start.step("what the owner had is gone, seeds of the endorsement hierarchy and its certificates are not", CLEARED, NEW)
    start.platform_closed()
    start.complaints()


def parse():
    parser = debian.argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--time", type=float, default=400)
    choose.add_arguments(parser)
    return choose.settle(parser.parse_args())


STARTS = (begins, refused, nobody, confirmed)
POINTS = 36


def main():
    args = parse()
    tap = Tap(POINTS)
    disk = os.path.join(BUILD, "tests", "vtpm", args.name + ".img")
    linux.disk(disk, "stock", debian.LOADER, initramfs=debian.INITRAMFS, acpi=not load_engine(args.engine).HAS_ACPI)
    for number, steps in enumerate(STARTS):
        spec = Spec(name=f"{args.name}-{number}", disk=disk, cpus=args.cpus, mem=512)
        with Machine(spec, args.engine, args.time / len(STARTS)) as machine:
            try:
                start = Start(args, machine, tap)
                steps(start)
                start.go_off()
            except Failure as why:
                tap.give_up(f"{machine.tail()}\n{args.name}, start {number}: {why}")
                break
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
