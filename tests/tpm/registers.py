#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""vtpm/ptpm above the registers of QEMU's TPMs, with swtpm behind: registers.py PROGRAM. Speaks TAP."""

import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../emu")]

from swtpm import Swtpm  # noqa: E402
from tap import Tap  # noqa: E402

PROGRAM = os.path.abspath(sys.argv[1])
RANDOM = "get_random: 44 bytes, code 0000"
WRITTEN = "the anchor is as it should be, 20 the same"
# What self test says depends on the TPM's implementation: swtpm has done it all.
WANTED = ["startup: 10 bytes, code 0000", "self_test: 10 bytes, code 0000", "the anchor is as it should be",
          "the anchor was defined, and never written, 0", WRITTEN, *4 * [RANDOM], "the anchor is there already",
          "the anchor is as it should be, 20", WRITTEN]
CHECKS = ("an interface", "started up", "tested", "an anchor is defined", "and not written", "and written",
          "left behind: locality", "half a command", "a command", "a response", "the anchor is still there",
          "with what was written last", "and written again")


def ask(folder, options):
    """The program's lines, above a machine with these options, whose CPU stands still."""
    path = os.path.join(folder, "qtest")
    argv = ["qemu-system-x86_64", "-machine", "q35", "-S", "-nodefaults", "-display", "none",
            "-qtest", f"unix:{path},server=on,wait=off", "-qtest-log", "none", *options.split()]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL) as machine:
        try:
            deadline = time.monotonic() + 20
            while not os.path.exists(path) and machine.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            done = subprocess.run([PROGRAM, path], stdout=subprocess.PIPE, check=False, timeout=100)
        finally:
            machine.terminate()
    return done.stdout.decode().splitlines() if done.returncode == 0 else [f"status {done.returncode}"]


def check_device(device, interface, check):
    with tempfile.TemporaryDirectory(prefix="qtest-") as folder:
        with Swtpm(os.path.join(folder, "state"), emulator=True) as tpm:
            said = ask(folder, tpm.qemu(device))
    wanted = [f"open: {interface}", *WANTED]
    for i, (line, text) in enumerate(zip(wanted, CHECKS)):
        check(said[i:i + 1] == [line], f"{device}: {text}", said)
    print(f"# {device}: {said[-1]}", flush=True)


def main():
    tap = Tap(2 * len(CHECKS) + 1)
    check_device("tpm-tis", "FIFO", tap.check)
    check_device("tpm-crb", "CRB", tap.check)
    with tempfile.TemporaryDirectory(prefix="qtest-") as folder:
        said = ask(folder, "")
    tap.check(said == ["not open: nothing is there"], "a machine without a TPM: said", said)
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
