#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Which monitor runs, and on which engine: the arguments --vendor and --engine of every driver.

usage: choose.py machines|setup [--vendor vmx|svm] [--engine NAME]

  machines  prints what tests run on, as VENDOR-ENGINE: every engine that this host has, or what the
            arguments leave of them
  setup     puts in place what these machines need

An engine is a machine of one vendor: Bochs emulates VT-x, QEMU's translator SVM, and with KVM it is
what the host's CPU has and KVM gives to guests. A pair that cannot be is refused.
"""

import argparse
import sys

import kvm
from spec import setup

# In the order of preference: the first that the host has runs what nobody chose.
ENGINES = ("qemu-kvm", "qemu-tcg", "bochs")
EMULATES = {"qemu-tcg": "svm", "bochs": "vmx"}
VENDORS = ("vmx", "svm")


class Refusal(Exception):
    """Why a vendor and an engine cannot be had together."""


def vendor_of(engine):
    """What CPU an engine is; None where this host does not have it."""
    return kvm.nested() if engine == "qemu-kvm" else EMULATES[engine]


def why_not(vendor, engine):
    """The sentence that refuses a pair."""
    if engine and engine not in ENGINES:
        return f"EMU={engine}: there is no such engine; {', '.join(ENGINES)} are known"
    if engine and not vendor_of(engine):
        return f"EMU={engine}: {kvm.why_not()}"
    if vendor and vendor not in VENDORS:
        return f"VENDOR={vendor}: there is no such monitor; {' and '.join(VENDORS)} are known"
    return (f"VENDOR={vendor} cannot run with EMU={engine}, which is a machine with "
            f"{vendor_of(engine)}: use VENDOR={vendor_of(engine)}, or EMU="
            + " or ".join(e for e in ENGINES if vendor_of(e) == vendor))


def machines(vendor="", engine=""):
    """[(vendor, engine)] that the arguments leave, the preferred first; Refusal where none is left."""
    found = [(vendor_of(e), e) for e in ENGINES
             if vendor_of(e) and engine in ("", e) and vendor in ("", vendor_of(e))]
    if not found:
        raise Refusal(why_not(vendor, engine))
    return found


def add_arguments(parser):
    parser.add_argument("--vendor", default="", help="vmx or svm; default: what the engine is")
    parser.add_argument("--engine", default="", help=f"default: the first of {', '.join(ENGINES)} "
                        "that this host has")


def settle(args):
    """Fills in args.vendor and args.engine; ends the program where they cannot be had together."""
    try:
        args.vendor, args.engine = machines(args.vendor, args.engine)[0]
    except Refusal as refusal:
        sys.exit(str(refusal))
    return args


def engine(args):
    """The name of the engine that the arguments ask for."""
    return settle(args).engine


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("what", choices=("machines", "setup"))
    add_arguments(parser)
    args = parser.parse_args()
    try:
        found = machines(args.vendor, args.engine)
    except Refusal as refusal:
        sys.exit(str(refusal))
    if args.what == "machines":
        # Emulators first: the machine that is the same everywhere is the one to begin with.
        print(" ".join(f"{v}-{e}" for v, e in reversed(found)))
        return 0
    from machine import load_engine
    setup(*sorted({group for _, name in found for group in load_engine(name).GROUPS}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
