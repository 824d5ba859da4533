#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""What stops attacks that no emulator can carry out, asserted on the code of the linked release.

usage: code.py

Bochs has no caches that INVD could drop, raises no machine check, and has no SGX, PCONFIG or SMX.
So the linked monitor is looked at: which function the table of exits (`handlers` of
arch/x86/vmx/exit.c) gives each of these exits, and what the one for INVD executes. Exit numbers are
the manual's: SDM 3D appendix C.
"""

import os
import re
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "emu"))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tools", "build"))

import elf  # noqa: E402
from spec import BUILD  # noqa: E402
from tap import Tap  # noqa: E402

RELEASE = os.path.join(BUILD, "monitor", "redoubt-vmx.elf")
UNDEFINED = {"GETSEC": 11, "VMCLEAR": 19, "VMLAUNCH": 20, "VMPTRLD": 21, "VMPTRST": 22,
             "VMREAD": 23, "VMRESUME": 24, "VMWRITE": 25, "VMXOFF": 26, "VMXON": 27, "INVEPT": 50,
             "INVVPID": 53, "ENCLS": 60, "PCONFIG": 65, "ENCLV": 70}
MACHINE_CHECK_ENTRY = 41
INVD = 13


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
        text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", f"--disassemble={name}",
                               self.path], check=True, stdout=subprocess.PIPE, text=True).stdout
        return [(int(a, 16), m, o.strip()) for a, m, o in
                re.findall(r"^\s*([0-9a-f]+):\s+(\S+)[ ]*(.*)$", text, re.M)]


def always_false(code, name):
    """Whether a function does nothing but return 0."""
    return [m for _, m, _ in code.instructions(name)][:2] == ["xor", "ret"]


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


def main():
    tap = Tap(5)
    code = Code(RELEASE)
    tap.check(always_false(code, "test_switch"), "code: a release's test switches are constants")
    tap.check(code.handler(INVD) == "handle_invd", "T14 code: INVD has its handler",
              code.handler(INVD))
    tap.check(invd_writes_back(code), "T14 code: INVD is carried out as WBINVD")
    wrong = {name: code.handler(n) for name, n in UNDEFINED.items()
             if code.handler(n) != "handle_undefined"}
    tap.check(not wrong, "T26 code: all exits of VMX, SMX, SGX and PCONFIG lead to #UD", wrong)
    tap.check("machine_check" in (code.handler(MACHINE_CHECK_ENTRY) or ""),
              "T27 code: a machine check at VM entry has its handler",
              code.handler(MACHINE_CHECK_ENTRY))
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
