#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Debian on a test disk, with or without Redoubt below it; `make run` and `make debug`.

usage: linux.py run|debug [--kernel stock|cloud] [--cpus N] [--engine NAME] [--vendor vmx|svm] [--bare]
                          [--via stub|shim] [--options "KERNEL OPTIONS"]

With a terminal `run` puts the person on the guest's console. Without one it waits for the prompt,
asks redoubtctl, powers off; exit status 0 if all of that went well.
"""

import argparse
import os
import re
import sys
import time

import choose
import console
import mkdisk
from machine import Failure, Machine, Spec, load_engine
from spec import BUILD, CACHE, setup

PROMPT = "redoubt# "
LOADER = os.path.join(BUILD, "boot", "redoubt.efi")
STARTER = os.path.join(BUILD, "tests", "acpi", "starter.efi")
INITRAMFS = os.path.join(BUILD, "guest", "linux", "initramfs.cpio")
SHIM = "debs/shim-signed/usr/lib/shim/shimx64.efi.signed"
GRUB = "debs/grub-efi-amd64-signed/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"

# The kernel's default of 9600 baud would cost more instructions than all the rest of the boot.
OPTIONS = "console=ttyS0,115200"

GRUB_CONFIG = """\
set timeout=0
menuentry Debian {{
	linux /EFI/debian/vmlinuz {options}
	initrd /EFI/debian/initrd
}}
"""


def kernel_dir(kernel):
    return os.path.join(CACHE, "debs", "kernel-" + kernel)


def kernel_version(kernel):
    """Debian's package and version, as it was unpacked."""
    with open(os.path.join(kernel_dir(kernel), ".complete"), encoding="ascii") as f:
        return f.read().strip()


def redoubt_config(next_path, initrd, options, more=""):
    lines = [f"next = {next_path}"]
    if initrd:
        lines.append(f"initrd = {initrd}")
    if options:
        lines.append(f"options = {options}")
    return "\n".join(lines) + "\nconsole = debugcon\nlog_level = info\n" + more


def start_line(target, options):
    return f"start {target} {options}".strip() + "\n"


def disk(path, kernel="cloud", loader=LOADER, via="stub", options=OPTIONS, more_config="",
         initramfs=INITRAMFS, acpi=True):
    """Writes a disk that boots Debian.

    loader       redoubt.efi to start, None to boot without a monitor
    via          "stub": the kernel's EFI stub is started, the initrd given by Redoubt's loader (or,
                 without it, by the command line)
                 "shim": Debian's shim is started, and so GRUB
                 "starter": the test starter starts the kernel, as the same code does without a
                 monitor, and says so on port 0xE9; for comparisons
    more_config  further lines of redoubt.conf
    acpi         False where the firmware has tables of its own
    """
    files = [(STARTER, "EFI/BOOT/BOOTX64.EFI"), (initramfs, "EFI/debian/initrd"),
             (os.path.join(kernel_dir(kernel), "vmlinuz"), "EFI/debian/vmlinuz")]
    texts = []
    target, initrd = "\\EFI\\debian\\vmlinuz", "\\EFI\\debian\\initrd"
    if via == "shim":
        files += [(os.path.join(CACHE, SHIM), "EFI/debian/shimx64.efi"),
                  (os.path.join(CACHE, GRUB), "EFI/debian/grubx64.efi")]
        texts.append((GRUB_CONFIG.format(options=options), "EFI/debian/grub.cfg"))
        target, initrd, options = "\\EFI\\debian\\shimx64.efi", "", ""
    elif via == "starter":
        texts.append((start_line(target, f"{options} initrd={initrd}"), "kernel.txt"))
        target, initrd, options = "\\EFI\\BOOT\\BOOTX64.EFI", "", "\\kernel.txt"
    if loader:
        files.append((loader, "EFI/redoubt/redoubt.efi"))
        texts.append((redoubt_config(target, initrd, options, more_config),
                      "EFI/redoubt/redoubt.conf"))
        script = start_line("\\EFI\\redoubt\\redoubt.efi", "")
    else:
        script = start_line(target, options + (f" initrd={initrd}" if initrd else ""))
    texts.append((("acpi\n" if acpi else "") + script, "start.txt"))
    mkdisk.make_with_text(path, files, texts)


def command(machine, line, timeout=60):
    """Types a shell command at the prompt; returns what it printed, the prompt awaited."""
    mark = f"done-{len(machine.serial)}"
    machine.send(f"{line}; echo {mark[:2]}''{mark[2:]}\n")
    start = machine.positions.get("serial", 0)
    end = machine.wait_for(re.escape(mark), timeout, "serial").start()
    text = machine.serial[start:end]
    machine.wait_for(re.escape(PROMPT), timeout, "serial")
    return text.split("\n", 1)[1] if "\n" in text else text


def tell(text):
    print(text, file=sys.stderr, flush=True)


def prepare(args):
    engine = choose.engine(args)
    setup(*load_engine(engine).GROUPS)
    spec = Spec(name=f"run-{args.kernel}", disk=os.path.join(BUILD, "run", f"{args.kernel}.img"),
                cpus=args.cpus, mem=args.mem)
    options = f"{OPTIONS} {args.options}".strip()
    disk(spec.disk, args.kernel, None if args.bare else LOADER, args.via, options,
         acpi=not load_engine(engine).HAS_ACPI)
    tell(f"kernel under test: {kernel_version(args.kernel)}; {args.cpus} CPU(s) with {args.vendor}, {engine}")
    return spec, engine


def run_for_person(machine, term):
    tell("Ctrl-] leaves; the guest's poweroff ends it too. Logs: "
         + os.path.relpath(machine.spec.log_dir))
    with machine:
        term.run(machine)
    return 0


def show_progress(machine, bare):
    """Says how far the boot is, until the prompt."""
    start = time.monotonic()
    steps = [] if bare else [("e9", "^redoubt: loader at", "loader"),
                             ("e9", r"^redoubt: starting .*\n", "monitor in place, next loader")]
    for source, pattern, what in [*steps, ("serial", "Linux version", "kernel"),
                                  ("serial", re.escape(PROMPT), "prompt")]:
        machine.wait_for(pattern, source=source, fail="Kernel panic")
        tell(f"{what} after {time.monotonic() - start:.0f} s")


def run_alone(machine, bare):
    with machine:
        try:
            show_progress(machine, bare)
            print(command(machine, "redoubtctl status; echo exit status $?"), end="")
            good = bare or re.search(r"^exit status 0$", machine.serial, re.M)
            machine.send("poweroff\n")
            machine.wait_end(60)
        except Failure as why:
            tell(machine.tail())
            tell(f"failed: {why}")
            return 1
    tell("powered off" if good else "failed: redoubtctl says that not every CPU is covered")
    return 0 if good else 1


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("what", choices=["run", "debug"])
    parser.add_argument("--kernel", default="stock", choices=["stock", "cloud"])
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--mem", type=int, default=512)
    choose.add_arguments(parser)
    parser.add_argument("--via", default="stub", choices=["stub", "shim"])
    parser.add_argument("--options", default="")
    parser.add_argument("--bare", action="store_true")
    args = parser.parse_args()
    if args.what == "debug":
        import debug
        return debug.main(args)
    spec, engine = prepare(args)
    if sys.stdin.isatty() and sys.stdout.isatty():
        term = console.Console()
        return run_for_person(Machine(spec, engine, time=1 << 30, on_output=term.on_output), term)
    return run_alone(Machine(spec, engine, time=600), args.bare)


if __name__ == "__main__":
    sys.exit(main())
