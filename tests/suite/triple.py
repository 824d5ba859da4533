#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""A guest that faults three times resets the machine, which starts over under the monitor (T27).

usage: triple.py --name NAME [--cpus N] [--vendor vmx|svm] [--engine NAME]
"""

import argparse
import sys

from guestrun import Failure, GuestRun, Report, choose, log_tail

ABOUT = r"^ok \d+ - triple: about to fault three times$"
LAUNCHED = r"^redoubt: starting \\suite\.efi$"


def parse():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--time", type=float, default=120)
    choose.add_arguments(parser)
    return parser.parse_args()


def drive(run, report):
    for pattern, text in ((LAUNCHED, "the guest is started"), (ABOUT, "T27 it faults three times"),
                          (LAUNCHED, "T27 the machine starts over, under the monitor"),
                          (ABOUT, "T27 the guest comes so far again")):
        run.machine.wait_for(pattern, source="e9", fail="still here after a triple fault")
        report.point(True, text)
    report.point(not run.trouble(), "the monitor logged no error", "\n".join(run.trouble()))


def main():
    args = parse()
    report = Report()
    with GuestRun(args.name, "suite=triple", cpus=args.cpus, time=args.time,
                  engine=choose.engine(args)) as run:
        run.starts = 2
        try:
            drive(run, report)
        except Failure as failure:
            report.point(False, "T27 a triple fault resets the machine", str(failure))
        if report.failed:
            log_tail(run)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
