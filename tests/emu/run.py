#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Runs one machine from the command line; see machine.py for the same from a program.

usage: run.py --name NAME --disk IMAGE [options]

  --engine NAME       bochs (default), bochs-debug, ...: a file engine_NAME.py
  --cpus N  --mem MIB  --cpu MODEL  --time SECONDS  --option NAME=VALUE
  --until REGEX       must be seen, in the order given (repeat it); then the run has passed
  --fail REGEX        the run fails at once where this is seen
  --send REGEX=TEXT   when REGEX has been seen, types TEXT (backslash escapes); kept in order with
                      --until
  --power-off         passes only if the machine has switched itself off at the end
  --interactive       the terminal becomes the serial console, Ctrl-] leaves
  --show              copies the serial console to stderr while it runs
  --ticks             prints machine time and instructions of each CPU at the end

Exit status 0 if it passed, 1 if not (the last lines of each log are shown then). Logs are kept in
build/logs/NAME.
"""

import argparse
import os
import sys
import time

import console
from machine import Failure, Machine, Spec


class Step(argparse.Action):
    """--until and --send keep their common order."""

    def __call__(self, parser, namespace, value, option=None):
        namespace.steps.append((option, value))


def parse():
    p = argparse.ArgumentParser(usage=__doc__, add_help=False)
    p.add_argument("-h", "--help", action="help", help=argparse.SUPPRESS)
    p.add_argument("--name", required=True)
    p.add_argument("--disk", required=True)
    p.add_argument("--engine", default="bochs")
    p.add_argument("--cpus", type=int, default=1)
    p.add_argument("--mem", type=int, default=512)
    p.add_argument("--cpu", default="")
    p.add_argument("--time", type=float, default=300)
    p.add_argument("--option", action="append", default=[])
    p.add_argument("--fail")
    p.add_argument("--until", action=Step)
    p.add_argument("--send", action=Step)
    for flag in ("--power-off", "--interactive", "--show", "--ticks"):
        p.add_argument(flag, action="store_true")
    p.set_defaults(steps=[])
    return p.parse_args()


def on_output(source, data):
    if source == "serial":
        os.write(2, data)


def follow(machine, args):
    for option, value in args.steps:
        pattern, text = value, None
        if option == "--send":
            pattern, text = value.rsplit("=", 1)
        machine.wait_for(pattern, fail=args.fail)
        if text is not None:
            machine.send(text.encode().decode("unicode_escape"))
    if args.power_off or not args.steps:
        machine.wait_end()


def print_ticks(machine):
    if machine.running:
        ticks, cpus = machine.cpus()
        counts = [cpu.instructions for cpu in cpus]
    else:
        _, ticks, counts, _ = machine.marks()[-1]
    print(f"ticks {ticks} instructions {' '.join(map(str, counts))}")


def main():
    args = parse()
    spec = Spec(name=args.name, disk=args.disk, cpus=args.cpus, mem=args.mem, cpu=args.cpu,
                options=dict(o.split("=", 1) for o in args.option))
    term = console.Console() if args.interactive else None
    output = term.on_output if term else on_output if args.show else None
    start = time.monotonic()
    with Machine(spec, args.engine, args.time, output) as machine:
        try:
            if term:
                term.run(machine)
            else:
                follow(machine, args)
            if args.ticks:
                print_ticks(machine)
        except Failure as why:
            print(machine.tail(), file=sys.stderr)
            print(f"{args.name}: failed: {why}", file=sys.stderr)
            return 1
    print(f"{args.name}: passed in {time.monotonic() - start:.1f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
