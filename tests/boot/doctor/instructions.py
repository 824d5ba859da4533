#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""No instruction of doctor.efi can change the machine below an EFI application.

usage: instructions.py ELF...     speaks TAP

All code of an application is in its ELF file, before it is made a PE: no library of others runs
privileged instructions there. What is forbidden is tried first on a text of its own.
"""
import os
import re
import subprocess
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../emu")]

from tap import Tap  # noqa: E402

FORBIDDEN = re.compile(
    r"\t((?:wrmsr|wrmsrns|xsetbv|vmxon|vmxoff|vmptrld|vmclear|vmlaunch|vmrun|vmsave|vmload|stgi|clgi|"
    r"skinit|l[gil]dt|ltr|lmsw|clts|invd|wbinvd|invlpga?|invpcid|out[bswl]?|outs[bwl]|cli|sti|hlt)"
    r"[bwlqd]?\b.*|mov[lq]? +%r?[a-z0-9]+,%(?:cr|dr|db)\d+.*|mov[wlq]? +.*,%[c-gs]s$)")
BAD = ["wrmsr", "mov    %rax,%cr4", "mov    %rax,%db7", "out    %al,(%dx)", "lgdt   (%rax)", "vmxon  (%rax)",
       "xsetbv", "vmrun  %rax", "cli", "outsb  %ds:(%rsi),(%dx)"]
GOOD = ["rdmsr", "mov    %cr4,%rax", "mov    %cr3,%rax", "in     (%dx),%al", "mov    %rax,%rcx", "cpuid",
        "call   1234 <out>"]


def forbidden(text):
    return [line for line in text.split("\n") if FORBIDDEN.search(line)]


def code(path):
    done = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], check=True, stdout=subprocess.PIPE)
    return done.stdout.decode()


def main():
    tap = Tap(2 * len(sys.argv[1:]) + 1)
    wrong = [line for line in BAD if not forbidden("  1:\t" + line)]
    wrong += [line for line in GOOD if forbidden("  1:\t" + line)]
    tap.check(not wrong, "self: " + (f"wrong about {wrong}" if wrong else "all examples judged right"))
    for path in sys.argv[1:]:
        text = code(path)
        tap.check(len(re.findall(r"\trdmsr|\tcpuid", text)) >= 2, f"{path}: code is looked at")
        found = forbidden(text)
        tap.check(not found, f"{path}: writes no register of the machine " + "; ".join(found[:4]))
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
