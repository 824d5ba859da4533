#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Which monitor, and which engine it runs on: the arguments --vendor and --engine of every driver."""

ENGINES = {"vmx": "bochs", "svm": "qemu-tcg"}  # one that every host can run


def add_arguments(parser):
    parser.add_argument("--vendor", default="vmx", choices=sorted(ENGINES))
    parser.add_argument("--engine", default="", help="default: bochs for vmx, qemu-tcg for svm")


def engine(args):
    """The name of the engine that the arguments ask for."""
    return args.engine or ENGINES[args.vendor]
