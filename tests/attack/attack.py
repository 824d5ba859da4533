#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Carries out the attacks of guest/suite/attack*.c.

usage: attack.py --name NAME [--build release|test] [--time S] [--vendor vmx|svm] [--engine NAME]

On the test build each attack is made with its protection on, with it switched off, and on again; on
a release once. The guest says how each went; this program passes that on, and judges the write to
the monitor's memory from outside: the emulator dumps the frame. Nothing counts as seen that the
guest did not report, and a plan that is short of points fails.
"""

import argparse
import os
import re
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "suite"))

from guestrun import (CANARY_FRAME, Failure, GuestRun, Report, choose, differences,  # noqa: E402
                      log_tail, switches)

CANARY = re.compile(r"^# canary ([0-9a-f]+) 1$", re.M)
WRITE_DONE = r"^# attack: write done$"
MARK = 0x600d600d600d600d
FRAME = 4096


def parse():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--build", default="test", choices=("release", "test"))
    parser.add_argument("--time", type=float, default=240)
    choose.add_arguments(parser)
    return parser.parse_args()


def frame_words(run):
    address = int(CANARY.search(run.text).group(1), 16)
    return list(struct.unpack("<512Q", run.machine.dump(address, FRAME)))


def look_from_outside(run, report):
    """The frame behind the write that is kept out, and behind the one that is not.

    It holds the pattern that the test build filled it with when it was taken."""
    filled = list(CANARY_FRAME)

    def judge(wanted, text):
        words = frame_words(run)
        wrong = [f"word {i}: {words[i]:x}" for i in range(512) if words[i] != wanted[i]]
        report.point(not wrong, text, f"{len(wrong)} words differ: {' '.join(wrong[:4])}")

    run.machine.wait_for(WRITE_DONE, source="e9")
    judge(filled, "T11 from outside: the frame is unchanged where the write is kept out")
    run.machine.send("g")
    run.machine.wait_for(WRITE_DONE, source="e9")
    judge([MARK] + filled[1:], "T11 from outside: the frame is changed with OPEN_REGION")
    run.machine.send("g")


def drive(run, report, build, rows):
    why = ""
    try:
        if build == "test":
            look_from_outside(run, report)
        run.wait_end()
        run.machine.wait_end(60)
    except Failure as failure:
        why = str(failure)
    points = run.points()
    for point in differences.judge(differences.said(run.text), rows):
        report.point(*point)
    report.point(not why, "the guest ends and switches the machine off", why)
    report.point(run.plan() == len(points), "every point of the guest's was seen",
                 f"plan {run.plan()}, {len(points)} points")
    report.point(not run.trouble(), "the monitor logged no error", "\n".join(run.trouble()))


def main():
    args = choose.settle(parse())
    options = ["suite=attack"]
    if args.build == "test":
        options += [f"{name}={number}" for name, number in switches().items()]
    # Only the test build has something to differ in: what a CPU refuses by itself.
    rows = differences.rows_for(f"{args.vendor}-{args.engine}", ["attack"] if args.build == "test" else [])
    report = Report()
    # With the partitions that are attacked.
    loader = {"release": "partitions", "test": "test-partitions"}[args.build]
    with GuestRun(args.name, " ".join(options), loader, 2, time=args.time,
                  engine=args.engine) as run:
        drive(run, report, args.build, rows)
        if report.failed:
            log_tail(run)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
