# SPDX-License-Identifier: BSD-2-Clause-Patent
"""What the checks of a linked monitor read off its ELF file, through the GNU tools."""
import functools
import re
import tempfile
from collections import namedtuple

import lintlib

Instruction = namedtuple("Instruction", "address function mnemonic operands")
_PREFIXES = ("lock", "rep", "repz", "repnz", "notrack", "bnd", "cs", "ds", "es", "ss", "fs", "gs",
             "data16", "addr32", "rex.W")


def _output(*command):
    done = lintlib.run(command)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


def _parse_instruction(address, function, text):
    words = text.split("#")[0].split()
    while len(words) > 1 and (words[0] in _PREFIXES or words[0].startswith("rex")):
        words = words[1:]
    return Instruction(address, function, words[0], " ".join(words[1:]))


class Elf:
    """One file. Everything is read when first asked for."""

    def __init__(self, path):
        self.path = path

    @functools.cached_property
    def instructions(self):
        found, function = [], "?"
        for line in _output("objdump", "-d", "-w", "--no-show-raw-insn", self.path).splitlines():
            head = re.match(r"[0-9a-f]+ <(.+)>:$", line)
            body = re.match(r"\s+([0-9a-f]+):\s+(\S.*)", line)
            if head:
                function = head[1]
            elif body:
                found.append(_parse_instruction(body[1], function, body[2]))
        return found

    @functools.cached_property
    def segments(self):
        """(type, flags) of the program headers."""
        pattern = re.compile(r"^  (\w+) +(?:0x\w+ +){5}([R ][W ][E ]) ", re.M)
        return pattern.findall(_output("readelf", "-lW", self.path))

    @functools.cached_property
    def sections(self):
        """(name, flags) of the sections that are loaded."""
        pattern = re.compile(r"^ +\[ *\d+\] (\S+) +\S+ +\w+ \w+ \w+ \w+ +([A-Zlopx]*A[A-Zlopx]*) ",
                             re.M)
        found = pattern.findall(_output("readelf", "-SW", self.path))
        return [(name, "".join(sorted(flags))) for name, flags in found]

    @functools.cached_property
    def symbols(self):
        """(name, section index or UND) of all named symbols."""
        found = []
        for line in _output("readelf", "-sW", self.path).splitlines():
            words = line.split()
            if len(words) >= 8 and words[0].endswith(":") and words[0][:-1].isdigit():
                found.append((words[7].split("@")[0], words[6]))
        return found

    @functools.cached_property
    def relocations(self):
        return re.findall(r"^[0-9a-f]{8,} +[0-9a-f]+ +(R_\w+)",
                          _output("readelf", "-rW", self.path), re.M)

    @functools.cached_property
    def units(self):
        """Source files whose debug information says that they were compiled into the file."""
        info = _output("readelf", "--debug-dump=info", "--dwarf-depth=1", self.path)
        names = re.findall(r"DW_AT_name +: (?:\(indirect[^)]*\): )?(\S+)", info)
        # What optimizing at link time makes of all of them has no file of its own.
        return sorted(name for name in set(names) if name != "<artificial>")

    def line_of(self, addresses):
        """{address: FILE:LINE of that instruction, in the innermost function}."""
        if not addresses:
            return {}
        lines = _output("addr2line", "-a", "-i", "-e", self.path, *addresses).splitlines()
        found, address = {}, None
        for line in lines:
            if line.startswith("0x"):
                address = line[2:].lstrip("0") or "0"
            else:
                found.setdefault(address, line.split(" (discriminator")[0])
        return found

    def source_of(self, addresses):
        """{address: file that the innermost function of that instruction stands in}."""
        return {address: line.rsplit(":", 1)[0] for address, line in self.line_of(addresses).items()}

    @functools.cached_property
    def loaded_bytes(self):
        """What of the file reaches memory, as a flat image."""
        with tempfile.NamedTemporaryFile() as flat:
            _output("objcopy", "-O", "binary", self.path, flat.name)
            with open(flat.name, "rb") as file:
                return file.read()
