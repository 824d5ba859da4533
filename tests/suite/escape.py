#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Boots in a row in which the guest sends INIT and SIPI at random times; no CPU may escape or hang.

usage: escape.py --name NAME [--boots N] [--seed S] [--cpus N] [--time S] [--broken]
                 [--vendor vmx|svm] [--engine NAME]

Each boot has a seed of its own, S and on, which its point names: `--boots 1 --seed THAT` repeats it. It
passes if every point of the guest's does (guest/suite/escape.c), it switches the machine off, and
the monitor logged no error. `--time` is one boot's. With `--broken` the test build lets INIT and SIPI through to
the CPU, and the test is that an escaped or hung CPU is seen.
"""

import argparse
import os
import re
import sys
import time

from guestrun import Failure, GuestRun, Report, choose, log_tail, switches

MEMORY = 128  # MiB: what firmware and the monitor need
ESCAPED = re.compile(r"T2[89] escape: round \d+: CPU [1-9]")
# A CPU that calls a monitor that it no longer has.
NO_CALL = re.compile(r"^Bail out! unexpected #UD \(6\) on CPU [1-9]", re.M)


def parse():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--boots", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cpus", type=int, default=4)
    parser.add_argument("--time", type=float, default=60)
    parser.add_argument("--broken", action="store_true")
    choose.add_arguments(parser)
    return parser.parse_args()


class Boot:
    """One boot: what the guest said, and what went wrong."""

    def __init__(self, args, engine, seed):
        options = f"suite=escape SEED={seed}"
        if args.broken:
            options += f" SWITCH={switches()['NO_INIT_GUARD']}"
        self.run = GuestRun(args.name, options, "test" if args.broken else "release", args.cpus,
                            time=args.time, engine=engine)
        self.run.spec.mem = MEMORY
        self.why = []

    def drive(self):
        try:
            self.run.wait_end()
            self.run.machine.wait_end(20)
        except Failure as failure:
            self.why.append(str(failure))
        points = self.run.points()
        self.why += [text for good, text in points if not good]
        if not points or self.run.plan() != len(points):
            self.why.append(f"plan {self.run.plan()}, {len(points)} points")
        self.why += self.run.trouble()


def boot(args, engine, report, seed):
    start = time.monotonic()
    this = Boot(args, engine, seed)
    with this.run:
        this.drive()
        took = time.monotonic() - start
        if args.broken:
            report.point(any(map(ESCAPED.search, this.why)) or NO_CALL.search(this.run.text),
                         f"T29 a CPU escapes by INIT (seed {seed}): succeeds with NO_INIT_GUARD",
                         f"the guest noticed nothing: {this.why}")
        elif not report.point(not this.why, f"T29 escape: seed {seed}: every CPU stays under the "
                              f"monitor ({took:.1f} s)", "\n".join(this.why)):
            log_tail(this.run)
            os.rename(this.run.spec.log_dir, f"{this.run.spec.log_dir}-{seed}")


def main():
    args = parse()
    engine = choose.engine(args)
    report = Report()
    for seed in range(args.seed, args.seed + args.boots):
        boot(args, engine, report, seed)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
