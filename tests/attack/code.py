#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""What stops attacks that no emulator can carry out, asserted on the code of the linked release.

usage: code.py vmx|svm

The emulators have no caches that INVD could drop and raise no machine check; Bochs has no SGX, PCONFIG or
SMX, QEMU does not exit for task switches. So the linked monitor is looked at: which function the table of
exits (`handlers` of exit.c) gives each of these exits, and what the one for INVD executes; on SVM also
which intercepts the launch writes. Exit numbers are the manuals': SDM 3D appendix C, APM 2 appendix C.
"""

import os
import re
import struct
import subprocess
import sys
import typing

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "emu"))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tools", "build"))

import elf  # noqa: E402
from spec import BUILD  # noqa: E402
from tap import Tap  # noqa: E402

UNDEFINED_VMX = {"GETSEC": 11, "VMCLEAR": 19, "VMLAUNCH": 20, "VMPTRLD": 21, "VMPTRST": 22,
             "VMREAD": 23, "VMRESUME": 24, "VMWRITE": 25, "VMXOFF": 26, "VMXON": 27, "INVEPT": 50,
             "INVVPID": 53, "ENCLS": 60, "PCONFIG": 65, "ENCLV": 70}
UNDEFINED_SVM = {"INVLPGA": 0x7a, "VMRUN": 0x80, "VMLOAD": 0x82, "VMSAVE": 0x83, "STGI": 0x84, "CLGI": 0x85,
                 "SKINIT": 0x86, "RDPRU": 0x8e}
TASK_SWITCH_SVM = 0x7d
# Intercepts that SVM's launch has to write, of those at VMCB offset 0Ch (APM 2 appendix B): INVD, task
# switch, shutdown.
EXCEPTIONS = 1 << 1 | 1 << 17 | 1 << 18
INTERCEPTS = 1 << 22 | 1 << 29 | 1 << 31


class Exits(typing.NamedTuple):
    """What is looked for, by vendor: exits that lead to #UD, and two numbers."""

    undefined: dict
    what: str
    invd: int
    machine_check: int
    check_name: str


EXITS = {"vmx": Exits(UNDEFINED_VMX, "VMX, SMX, SGX and PCONFIG", 13, 41, "machine check at VM entry"),
         "svm": Exits(UNDEFINED_SVM, "SVM and RDPRU", 0x76, 0x52, "machine check")}


class Code:
    """Functions of the linked monitor by address, and its table of exits."""

    def __init__(self, path):
        self.path = path
        names = subprocess.run(["nm", path], check=True, stdout=subprocess.PIPE, text=True).stdout
        self.symbols = {}
        for address, kind, name in re.findall(r"^([0-9a-f]+) (\w) (\S+)$", names, re.M):
            self.symbols.setdefault(name, (int(address, 16), kind))
        self.names = {a: n for n, (a, kind) in self.symbols.items() if kind in "tT"}
        relocs = subprocess.run(["readelf", "-rW", path], check=True, stdout=subprocess.PIPE,
                                text=True).stdout
        self.relative = {int(at, 16): int(to, 16) for at, to in re.findall(
            r"^([0-9a-f]{16})\s+\S+\s+R_X86_64_RELATIVE\s+([0-9a-f]+)", relocs, re.M)}

    def handler(self, number):
        """Name of the function for an exit; None: the exit is not known."""
        table = self.symbols["handlers"][0]
        address = self.relative.get(table + 8 * number) or self._word(table + 8 * number)
        return self.names.get(address)

    def _word(self, address):
        loaded = elf.load(self.path)
        for s in loaded.loads():
            if s.vaddr <= address < s.vaddr + s.filesz:
                return struct.unpack(
                    "<Q", loaded.bytes_at(s.offset + address - s.vaddr, 8))[0]
        return 0

    def instructions(self, name):
        """[(address, mnemonic, operands)] of a function."""
        return self._disassembled(f"--disassemble={name}")

    def all_instructions(self):
        return self._disassembled("-d")

    def _disassembled(self, what):
        text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", what, self.path],
                              check=True, stdout=subprocess.PIPE, text=True).stdout
        return [(int(a, 16), m, o.strip()) for a, m, o in
                re.findall(r"^\s*([0-9a-f]+):\s+(\S+)[ ]*(.*)$", text, re.M)]


def has_switches(code):
    """Whether the array of hooks.c that test switches are read from is there."""
    return any(name.split(".")[0] == "switches" for name in code.symbols)


def invd_writes_back(code):
    """Whether INVD's handler executes WBINVD where the test switch is off, as in a release."""
    insns = code.instructions("handle_invd")
    at = {a: i for i, (a, _, _) in enumerate(insns)}
    seen, i, tested = [], 0, False
    while i < len(insns) and len(seen) < 64:
        _, mnemonic, operands = insns[i]
        seen.append(mnemonic)
        tested = tested or (mnemonic == "test" and operands == "%al,%al")
        target = int(operands.split()[0], 16) if mnemonic in ("je", "jne", "jmp") else 0
        if mnemonic == "je" and tested or mnemonic == "jmp" and target in at:
            i = at[target]
            continue
        if mnemonic in ("ret", "jmp"):
            break
        i += 1
    return "wbinvd" in seen and "invd" not in seen


def written_intercepts(code):
    """The word that SVM's launch writes at VMCB offset 0Ch; 0 where it is not seen. The compiler stores it
    together with the one before it, the intercepts of #DB, #AC and #MC."""
    found = [int(m.group(1), 16) for _, _, operands in code.all_instructions()
             if (m := re.match(r"\$0x([0-9a-f]+),", operands))]
    return max((word >> 32 for word in found if word & 0xffffffff == EXCEPTIONS), default=0)


def check_task_switch(tap, code):
    handler, written = code.handler(TASK_SWITCH_SVM), written_intercepts(code)
    tap.check(handler == "handle_task_switch" and written & INTERCEPTS == INTERCEPTS,
              "T27 code: task switches exit and have their handler", f"{handler}, {written:#x}")


def main():
    vendor = sys.argv[1]
    exits = EXITS[vendor]
    tap = Tap(5 + (vendor == "svm"))
    code = Code(os.path.join(BUILD, "monitor", f"redoubt-{vendor}.elf"))
    test = Code(os.path.join(BUILD, "monitor", f"redoubt-{vendor}-test.elf"))
    tap.check(has_switches(test) and not has_switches(code), "code: a release's test switches are constants")
    tap.check(code.handler(exits.invd) == "handle_invd", "T14 code: INVD has its handler",
              code.handler(exits.invd))
    tap.check(invd_writes_back(code), "T14 code: INVD is carried out as WBINVD")
    wrong = {name: code.handler(n) for name, n in exits.undefined.items()
             if code.handler(n) != "handle_undefined"}
    tap.check(not wrong, f"T26 code: all exits of {exits.what} lead to #UD", wrong)
    handler = code.handler(exits.machine_check) or ""
    tap.check("machine_check" in handler or handler == "svm_exception",
              f"T27 code: a {exits.check_name} has its handler", handler)
    if vendor == "svm":
        check_task_switch(tap, code)
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
