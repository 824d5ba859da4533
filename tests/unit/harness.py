#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""What judges the other tests: tests/run and tests/trouble.py.

usage: harness.py SCRATCH_FOLDER
"""
import os
import re
import subprocess
import sys

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [TESTS, os.path.join(TESTS, "emu")]
from tap import Tap  # noqa: E402
from trouble import trouble  # noqa: E402

# What a program does: (its shell command, passed, failed, skipped as tests/run has to count them).
PROGRAMS = {
    "all is well": ("echo 1..2; echo ok 1 - a; echo ok 2 - b", 2, 0, 0),
    "a test fails": ("echo 1..1; echo not ok 1 - a; exit 1", 0, 1, 0),
    "it says nothing": ("true", 0, 1, 0),
    "it says there are no tests": ("echo 1..0", 0, 1, 0),
    "it skips all": ("echo '1..0 # SKIP no such device'", 0, 0, 1),
    "it skips all and fails": ("echo '1..0 # SKIP no such device'; exit 3", 0, 1, 1),
    "it skips one": ("echo 1..2; echo ok 1 - a; echo 'ok 2 - b # SKIP why'", 1, 0, 1),
    "it reports more than no tests": ("echo 1..0; echo ok 1 - a", 1, 1, 0),
    "it reports less than its plan": ("echo 1..2; echo ok 1 - a", 1, 1, 0),
    "it has no plan": ("echo ok 1 - a", 1, 1, 0),
    "all pass and it fails": ("echo 1..1; echo ok 1 - a; exit 1", 1, 1, 0),
    "it does not end": ("echo 1..1; echo ok 1 - a; sleep 60", 1, 1, 0),
}
START = "redoubt: monitor at 0x1e000000 size 0x2bd000\n"
# Text on port 0xE9, one start being right: whether it is trouble. The lines are monitor/panic.c's,
# arch/x86/trap.c's, monitor/log.c's and boot/record.c's.
LOGS = {
    "a start": (START, False),
    "the guest's own lines": (START + "ok 1 - an error code\n# panic = reset\n", False),
    "no start": ("", True),
    "two starts": (START * 2, True),
    "an error": (START + "[   1.2 0 error] no more frames\n", True),
    "a panic": (START + "\n*** monitor panic ***\nwhy\n", True),
    "a CHECK": (START + "CHECK failed: a == b (monitor/a.c:1)\n", True),
    "a fault": (START + "exception 14 in root mode, error 3, image + 5\n", True),
    "a record": (START + "redoubt: the last run of the monitor ended with a panic:\n", True),
}


def judged(command, scratch):
    """(exit status, counts) of tests/run on a command."""
    done = subprocess.run(
        [os.path.join(TESTS, "run"), "--time", "2", "harness", "--", "bash", "-c", command],
        env={**os.environ, "B": scratch}, capture_output=True, text=True, check=False)
    found = re.match(r"harness: (\d+) passed, (\d+) failed, (\d+) skipped", done.stdout)
    return done.returncode, tuple(map(int, found.groups())) if found else None


def main():
    tap = Tap(len(PROGRAMS) + len(LOGS))
    for name, (command, *wanted) in PROGRAMS.items():
        got = judged(command, sys.argv[1])
        tap.check(got == (1 if wanted[1] else 0, tuple(wanted)), f"tests/run: {name}", f"{got}")
    for name, (text, wanted) in LOGS.items():
        lines = trouble(text, 1)
        tap.check(bool(lines) == wanted, f"trouble: {name}", f"{lines}")
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
