#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Bochs 3.0 as an engine: a machine with VT-x, EPT, MBEC, without KVM.

CPU model corei7_icelake_u is the richest that the firmware survives. Time is counted in
instructions, so a run repeats exactly; halted time passes at once. Options understood:

  ignore_bad_msrs  1: an MSR the model does not have reads 0, writes vanish. 0 (default): #GP, as
                   on hardware, but for the few in bochs-msrs.txt; firmware and Debian's kernels
                   boot so, and a monitor that touches a wrong MSR is found out.
  ips              instructions a machine second (default 100 million)
  errors           "report": what Bochs calls errors (unknown MSRs, ...) goes to its log
"""

import os
import signal
import struct
import typing

import spec as spec_module

MODEL = "corei7_icelake_u"
FIRMWARE = "/usr/share/ovmf/OVMF.fd"
VGA_BIOS = "/usr/share/vgabios/vgabios.bin"
MSRS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bochs-msrs.txt")
GROUPS = ("image", "bochs")
HAS_ACPI = False  # the firmware finds no tables to install: the test starter brings them

CONFIG = """\
config_interface: textconfig
display_library: nogui
memory: guest={mem}, host={mem}
romimage: file={firmware}, address=0x0, options=none
vgaromimage: file={vga}
cpu: model={cpu}, count={cpus}, ips={ips}, reset_on_triple_fault=0, ignore_bad_msrs={bad_msrs}, msrs="{msrs}"
pci: enabled=1, chipset=i440fx, slot1=pcivga
port_e9_hack: enabled=1
com1: enabled=1, mode=term, dev={serial}
log: {log}
panic: action=fatal
error: action={errors}
info: action=ignore
debug: action=ignore
clock: sync=none, time0=1700000000
ata0: enabled=1
ata0-master: type=disk, mode=flat, path="{disk}"
"""


class Cpu(typing.NamedTuple):
    """Where a CPU is: instructions retired, RIP, CR3, the probe's state bits."""

    instructions: int
    rip: int
    cr3: int
    state: int

    def __str__(self):
        where = "VMX guest" if self.state & 0x200 else "VMX root" if self.state & 0x100 else "no VMX"
        doing = "running" if self.state & 0xff == 0 else f"halted ({self.state & 0xff})"
        return (f"{self.instructions} instructions, {doing}, {where}, rip {self.rip:#x}, "
                f"cr3 {self.cr3:#x}")


class Engine:
    """One run of Bochs: its configuration, and the pipe to the probe compiled into it."""

    variant = "fast"

    def __init__(self, spec):
        self.spec = spec
        self.request = self.answer = None

    def argv(self, serial_device):
        """Writes the configuration, returns the command; `serial_device` is a terminal's path."""
        spec = self.spec
        config = os.path.join(spec.log_dir, "bochs.cfg")
        with open(config, "w", encoding="ascii") as f:
            f.write(CONFIG.format(
                mem=spec.mem, firmware=FIRMWARE, vga=VGA_BIOS, cpu=spec.cpu or MODEL,
                cpus=spec.cpus, ips=spec.options.get("ips", 100000000),
                bad_msrs=spec.options.get("ignore_bad_msrs", 0), msrs=MSRS, serial=serial_device,
                errors=spec.options.get("errors", "ignore"),
                log=os.path.join(spec.log_dir, "bochs.log"), disk=os.path.abspath(spec.disk)))
        lock = spec.disk + ".lock"
        if os.path.exists(lock):
            os.unlink(lock)
        return [spec_module.bochs(self.variant), "-q", "-f", config]

    def environment(self):
        """Opens the probe's pipes; returns (variables, descriptors the child must inherit)."""
        child_in, self.request = os.pipe()
        self.answer, child_out = os.pipe()
        return {
            "REDOUBT_PROBE_MARKS": os.path.join(self.spec.log_dir, "marks"),
            "REDOUBT_PROBE_PIPE": f"{child_in},{child_out}",
        }, (child_in, child_out)

    def ready(self):
        """Can the probe be asked?"""
        return os.path.exists(os.path.join(self.spec.log_dir, "marks"))

    def clean_up(self):
        for fd in (self.request, self.answer):
            if fd is not None:
                os.close(fd)
        self.request = self.answer = None
        lock = self.spec.disk + ".lock"
        if os.path.exists(lock):
            os.unlink(lock)

    def _ask(self, pid, addr, length):
        os.write(self.request, struct.pack("<QQ", addr, length))
        os.kill(pid, signal.SIGUSR1)

    def _read(self, length):
        data = bytearray()
        while len(data) < length:
            part = os.read(self.answer, min(length - len(data), 1 << 20))
            if not part:
                raise EOFError("the emulator ended while it was asked for memory")
            data += part
        return bytes(data)

    def dump(self, pid, addr, length):
        """`length` bytes of the machine's RAM at `addr`, taken while no CPU moves."""
        self._ask(pid, addr, length)
        given, = struct.unpack("<Q", self._read(8))
        if given != length:
            raise ValueError(f"{addr:#x}..{addr + length:#x} is not all RAM")
        return self._read(given)

    def cpus(self, pid):
        """(machine time, [Cpu])"""
        self._ask(pid, 0, 0)
        count, ticks = struct.unpack("<QQ", self._read(16))
        return ticks, [Cpu(*struct.unpack("<4Q", self._read(32))) for _ in range(count)]
