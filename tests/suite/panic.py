#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""A monitor that is broken on purpose tells where, at once and at the next start.

usage: panic.py --name NAME [--vendor vmx|svm] [--engine NAME] KIND

KIND is one of: check, rodata, unmapped, execute (faults in root mode), entry-control, entry-guest (VM
entries that the CPU refuses). The test build breaks itself when the guest asks; the report must appear on
port 0xE9 with what it decodes, the machine must start over, and the loader must show the record then. A VM
entry refused for the guest's state stops the guest's CPU alone: its report is all there is to see.
"""

import argparse
import sys

from guestrun import Failure, GuestRun, Report, choose, log_tail, switches

FAULT = r"exception 14 in root mode, error {}, image \+ [0-9a-f]+, rsp [0-9a-f]+, cr2 {}"

# What a VM entry that the CPU refuses is reported with, by vendor and kind.
VMCS = [r"vmcs 802 GUEST_CS [0-9a-f]+", r"vmcs 681e GUEST_RIP [0-9a-f]+"]
VMCB = [r"vmcb 410 cs\.selector [0-9a-f]+", r"vmcb 578 rip [0-9a-f]+"]
REFUSED = {
    "vmx": {"control": [*VMCS, r"VM entry failed: instruction error \d+; rule broken: VPID is not 0"],
            "guest": [*VMCS, r"VM entry failed: reason 80000021, .*rule broken: guest activity state"]},
    "svm": {"control": [*VMCB, r"VM entry failed; rule broken: ASID is not 0 and exists"],
            "guest": [*VMCB, r"VM entry failed: exit f+; rule broken: guest EFER\.SVME is set"]},
}

# kind: (guest's options, switch, patterns of the report in order or a key of REFUSED, whether the
# machine starts over)
KINDS = {
    "check": ("suite=panic KIND=check", None, [r"CHECK failed: wrong == 0 \(\S*hooks\.c:\d+\)"], True),
    "rodata": ("suite=panic FAULT=0", None, [FAULT.format(3, "[0-9a-f]+")], True),
    "unmapped": ("suite=panic FAULT=1", None, [FAULT.format(0, "123456789000")], True),
    "execute": ("suite=panic FAULT=2", None, [FAULT.format(11, "[0-9a-f]+")], True),
    "entry-control": ("suite=panic", "BAD_CONTROL", "control", True),
    "entry-guest": ("suite=panic", "BAD_GUEST", "guest", False),
}
LAUNCHED = r"^redoubt: starting \\suite\.efi$"
RECORD = r"^redoubt: the last run of the monitor ended with a panic:$"


def parse():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--time", type=float, default=120)
    choose.add_arguments(parser)
    parser.add_argument("kind", choices=sorted(KINDS))
    return parser.parse_args()


def seen(run, report, pattern, text):
    """One point: `pattern` appears behind what was matched before."""
    try:
        match = run.machine.wait_for(pattern + r".*\n", timeout=60, source="e9")
    except Failure as failure:
        report.point(False, text, str(failure))
        return None
    report.point(True, f"{text}: {match.group(0).strip()}")
    return match


def drive(run, report, kind, vendor):
    _, _, patterns, starts_over = KINDS[kind]
    if isinstance(patterns, str):
        patterns = REFUSED[vendor][patterns]
    if not seen(run, report, LAUNCHED, f"{kind}: the guest is started"):
        return
    for pattern in patterns:
        if not seen(run, report, pattern, f"{kind}: report"):
            return
    if not starts_over:
        return
    if not seen(run, report, RECORD, f"{kind}: the next start shows the record"):
        return
    seen(run, report, patterns[-1], f"{kind}: record")


def main():
    args = choose.settle(parse())
    options, switch, _, _ = KINDS[args.kind]
    if switch:
        options += f" SWITCH={switches()[switch]}"
    report = Report()
    with GuestRun(args.name, options, "test", conf=["panic = reset"], time=args.time,
                  engine=args.engine) as run:
        drive(run, report, args.kind, args.vendor)
        if report.failed:
            log_tail(run)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
