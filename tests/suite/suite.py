#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Runs suites of the test guest above the monitor and passes its TAP on.

usage: suite.py --name NAME (--suite LIST | --tiny) [--build BUILD] [--cpus N] [--time S]
                [--vendor vmx|svm] [--engine NAME] [--switches] [--more=OPTIONS] [--conf LINE]
                [--before WHAT] [KEY=VALUE...]

LIST are names of suites (guest/suite/main.c) separated by commas; --tiny runs guest/tiny instead.
KEY=VALUE are more options of the guest's; --switches adds the numbers of the test build's switches. Points
of the driver's own follow: the guest reached its end, counted as many points as were seen, switched the
machine off, and the monitor logged no error; with --before, firmware had done that (tests/dma/firmware.c). What comes out otherwise on this machine stands in
differences.txt.
"""

import argparse
import sys

from guestrun import LOADERS, Failure, GuestRun, Report, choose, differences, log_tail, measurements, switches


def parse():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--name", required=True)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--suite")
    what.add_argument("--tiny", action="store_true")
    parser.add_argument("--build", default="release", choices=sorted(LOADERS))
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--time", type=float, default=300)
    choose.add_arguments(parser)
    parser.add_argument("--switches", action="store_true")
    parser.add_argument("--more", default="", help="of the machine's options")
    parser.add_argument("--conf", action="append", default=[], help="a line of redoubt.conf")
    parser.add_argument("--before", default="", help="what firmware has done")
    parser.add_argument("options", nargs="*")
    return parser.parse_args()


def drive(run, report, rows):
    why = ""
    try:
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
    trouble = run.trouble()
    report.point(not trouble, "the monitor logged no error", "\n".join(trouble))


class TinyRun(GuestRun):
    """The smallest guest, which knows no options."""

    guest = "tiny"


def main():
    args = choose.settle(parse())
    report = Report()
    machine, suites = f"{args.vendor}-{args.engine}", (args.suite or "").split(",")
    rows = differences.rows_for(machine, suites)
    for row in differences.left_out(machine, suites):
        report.point(True, f"{row.suite}: not on this machine # SKIP {row.why}")
        suites.remove(row.suite)
    kind = TinyRun if args.tiny else GuestRun
    if args.switches and args.build == "test":
        args.options += [f"{name}={number}" for name, number in switches().items()]
    if {"partition", "offer"} & set(suites):
        args.options += [f"{name}={value}" for name, value in measurements().items()]
    options = " ".join(([] if args.tiny else [f"suite={','.join(suites)}"]) + args.options)
    with kind(args.name, options, args.build, args.cpus, time=args.time,
              engine=args.engine, more=args.more, conf=args.conf, before=args.before) as run:
        drive(run, report, rows)
        if args.before:
            report.point("firmware: the unit is on\n" in run.text, f"firmware left a unit on: {args.before}")
        if report.failed:
            log_tail(run)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
