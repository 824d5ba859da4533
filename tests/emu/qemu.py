#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""QEMU as an engine, whatever executes the guest's instructions: what engine_qemu_*.py share.

The machine is a q35 with Debian's OVMF in flash and a disk on AHCI; the firmware brings ACPI tables of
QEMU's. It is asked from outside by QMP, over a socket that the child inherits.
"""

import json
import os
import re
import shutil
import socket
import tempfile
import typing

OVMF = "/usr/share/OVMF"
CODE = {"plain": "OVMF_CODE_4M.fd", "secboot": "OVMF_CODE_4M.secboot.fd"}
VARS = "OVMF_VARS_4M.fd"
HOLE = (0xa0000, 0x100000)  # no plain RAM there
REGISTERS = re.compile(r"CPU#(\d+)\n.*?[ER]IP=([0-9a-f]+).*?SMM=(\d) HLT=(\d).*?CR3=([0-9a-f]+)", re.S)


class Cpu(typing.NamedTuple):
    """Where a CPU is."""

    rip: int
    cr3: int
    halted: bool
    smm: bool

    def __str__(self):
        doing = "halted" if self.halted else "running"
        return f"{doing}{', in SMM' if self.smm else ''}, rip {self.rip:#x}, cr3 {self.cr3:#x}"


class Qmp:
    """The machine protocol of QEMU on a connected socket; only what is needed of it."""

    def __init__(self, sock):
        sock.settimeout(60)
        self.file = sock.makefile("rw", encoding="utf-8")
        if "QMP" not in self._next():
            raise EOFError("QEMU does not greet")
        self.do("qmp_capabilities")

    def _next(self):
        line = self.file.readline()
        if not line:
            raise EOFError("QEMU has ended")
        return json.loads(line)

    def do(self, command, **arguments):
        """The answer to a command; events are skipped."""
        json.dump({"execute": command, "arguments": arguments}, self.file)
        self.file.write("\n")
        self.file.flush()
        while True:
            said = self._next()
            if "error" in said:
                raise OSError(f"{command}: {said['error']['desc']}")
            if "return" in said:
                return said["return"]


class Engine:
    """One run of QEMU. `accel` and `cpu` are what an engine of its own name differs in.

    Options understood, beside the engine's own: those of Spec; `machine` (q35); `drive`, QEMU's words for the disk
    where it is not the file as it is.
    """

    accel = ()
    cpu = ""

    def __init__(self, spec):
        self.spec = spec
        self.ours = self.theirs = self.qmp = None

    # -- starting

    def environment(self):
        """Opens the QMP socket; returns (variables, descriptors the child must inherit)."""
        self.ours, theirs = socket.socketpair()
        self.theirs = theirs.detach()
        return {}, (self.theirs,)

    def flash(self):
        """The firmware's code, and its variables: a copy of this run's own, or the file in `vars`."""
        path = self.spec.vars
        if not path:
            path = os.path.join(self.spec.log_dir, "vars.fd")
            shutil.copyfile(os.path.join(OVMF, VARS), path)
        code = os.path.join(OVMF, CODE[self.spec.firmware])
        return ["-drive", f"if=pflash,format=raw,readonly=on,file={code}",
                "-drive", f"if=pflash,format=raw,file={os.path.abspath(path)}"]

    def machine(self):
        kind = self.spec.options.get("machine", "q35")
        if self.spec.firmware == "plain":
            return ["-machine", kind]
        return ["-machine", f"{kind},smm=on",
                "-global", "driver=cfi.pflash01,property=secure,value=on"]

    def argv(self, serial_device):
        """The command; `serial_device` is a terminal's path."""
        spec = self.spec
        return ["qemu-system-x86_64", "-nodefaults", "-display", "none", *self.machine(),
                *self.accel, "-cpu", spec.cpu or self.cpu, "-smp", str(spec.cpus), "-m", str(spec.mem),
                *self.flash(), "-drive", spec.options.get("drive") or f"format=raw,file={os.path.abspath(spec.disk)}",
                "-chardev", f"serial,id=com1,path={serial_device}", "-serial", "chardev:com1",
                "-chardev", "stdio,id=e9,signal=off",
                "-device", "isa-debugcon,iobase=0xe9,chardev=e9",
                "-chardev", f"socket,id=qmp,fd={self.theirs}", "-mon", "chardev=qmp,mode=control",
                *spec.options.get("more", "").split()]

    def ready(self):
        """Waits for QEMU's greeting; False if it has ended instead."""
        try:
            self.qmp = self.qmp or Qmp(self.ours)
        except (EOFError, OSError):
            return False
        return True

    def clean_up(self):
        if self.ours:
            self.ours.close()
        self.ours = self.qmp = None

    # -- seen from outside

    def _all_ram(self, addr, length):
        end = addr + length
        return end <= self.spec.mem << 20 and (end <= HOLE[0] or addr >= HOLE[1])

    def dump(self, _pid, addr, length):
        """`length` bytes of the machine's RAM at `addr`, taken while no CPU moves."""
        if not self._all_ram(addr, length):
            raise ValueError(f"{addr:#x}..{addr + length:#x} is not all RAM")
        with tempfile.NamedTemporaryFile(dir=self.spec.log_dir, prefix="dump-") as file:
            self.qmp.do("stop")
            try:
                self.qmp.do("pmemsave", val=addr, size=length, filename=file.name)
            finally:
                self.qmp.do("cont")
            with open(file.name, "rb") as found:
                return found.read()

    def cpus(self, _pid):
        """(wall time in ns as QEMU has it, [Cpu])"""
        text = self.qmp.do("human-monitor-command", **{"command-line": "info registers -a"})
        found = [Cpu(int(rip, 16), int(cr3, 16), halted == "1", smm == "1") for _, rip, smm, halted, cr3
                 in REGISTERS.findall(text.replace("\r", ""))]
        return 0, found
