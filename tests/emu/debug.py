#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""`make debug`: the machine of `make run`, stopped in Bochs's debugger at the monitor's entry.

Where the loader puts the monitor is read from port 0xE9 in a quick first run; the second one, with
the same disk and memory, puts it there again. Without a terminal it shows where it stopped and ends:
exit status 0 if that was the monitor's entry.
"""

import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import threading

import engine_bochs_debug
import linux
from machine import Machine
from spec import BUILD, setup

IMAGE = os.path.join(BUILD, "monitor", "redoubt-vmx.img")
ELF = os.path.join(BUILD, "monitor", "redoubt-vmx.elf")
ENTRY_OFFSET = 24  # struct monitor_image.entry, monitor/abi/bootinfo.h
WHERE = r"^redoubt: monitor at 0x([0-9a-f]+) "

HELP = """
Stopped at the monitor's entry (MONITOR_CHECK, before anything is covered). Some commands:
  s 5  n  c  Ctrl-C      step, step over calls, go on, stop
  lb "vmx_exit"          break at a symbol;  blist, del 1
  u /10   r   creg       disassemble; registers; control registers
  print-stack   x /8gx rsp   page ADDRESS
  set $cpu = 1           look at another CPU;   help   q
The guest's serial console is copied to {serial}.
"""


def find_base(spec):
    linux.tell("first run: where does the loader put the monitor?")
    with Machine(spec, "bochs", 120) as machine:
        return int(machine.wait_for(WHERE, source="e9").group(1), 16)


def write_symbols(path, base):
    names = subprocess.run(["nm", "-n", ELF], check=True, stdout=subprocess.PIPE, text=True).stdout
    with open(path, "w", encoding="ascii") as f:
        for value, name in re.findall(r"^([0-9a-f]{16}) [tTdDbBrR] (\S+)$", names, re.M):
            f.write(f"{int(value, 16) + base:x} {name}\n")


def entry_of(base):
    with open(IMAGE, "rb") as f:
        header = f.read(64)
    return base + struct.unpack_from("<I", header, ENTRY_OFFSET)[0]


def write_commands(path, symbols, entry, interactive):
    lines = [f'ldsym global "{symbols}"', f"lb 0x{entry:x}", "c"]
    if not interactive:
        lines += ["u /4", "r", "q"]
    with open(path, "w", encoding="ascii") as f:
        f.write("\n".join(lines) + "\n")


def copy_serial(master, path):
    with open(path, "wb", buffering=0) as log:
        while True:
            select.select([master], [], [])
            try:
                log.write(os.read(master, 65536))
            except OSError:
                return


def run_debugger(spec, interactive):
    master, slave = pty.openpty()
    serial = os.path.join(spec.log_dir, "serial")
    threading.Thread(target=copy_serial, args=(master, serial), daemon=True).start()
    engine = engine_bochs_debug.Engine(spec)
    argv = engine.argv(os.ttyname(slave))
    if interactive:
        linux.tell(HELP.format(serial=os.path.relpath(serial)))
    linux.tell("second run, slower, with the debugger: half a minute to the monitor's entry")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the debugger's
    done = subprocess.run(argv, check=False, timeout=None if interactive else 300,
                          stdin=None if interactive else subprocess.DEVNULL,
                          stdout=None if interactive else subprocess.PIPE,
                          preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    engine.clean_up()
    return (done.stdout or b"").decode("utf-8", "replace")


def main(args):
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    args.vendor, args.engine = args.vendor or "vmx", args.engine or "bochs"
    if args.engine != "bochs":
        sys.exit("make debug uses Bochs's debugger: EMU=bochs VENDOR=vmx")
    spec, _ = linux.prepare(args)
    spec.name = f"debug-{args.kernel}"
    setup(*engine_bochs_debug.GROUPS)
    base = find_base(spec)
    shutil.rmtree(spec.log_dir)
    os.makedirs(spec.log_dir)
    symbols = os.path.join(spec.log_dir, "symbols")
    spec.options["rc"] = os.path.join(spec.log_dir, "commands")
    entry = entry_of(base)
    write_symbols(symbols, base)
    write_commands(spec.options["rc"], symbols, entry, interactive)
    text = run_debugger(spec, interactive)
    print(text[-4000:])
    return 0 if interactive or f"0x{entry:016x}" in text or f"{entry:016x}" in text else 1
