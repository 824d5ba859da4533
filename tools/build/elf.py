#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Reads what this project's converters need of a linked ELF64: segments, sections, relocations.

Used by elf2pe.py and mkimage.py. Everything that is not exactly what our linker scripts give is an
error, because a converter that guesses makes images that fail far away from the cause.
"""
import struct
import sys

PT_LOAD = 1
PF_X, PF_W, PF_R = 1, 2, 4
SHT_SYMTAB, SHT_RELA, SHT_NOBITS, SHT_REL, SHT_RELR = 2, 4, 8, 9, 19
SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR = 1, 2, 4
SHN_UNDEF = 0
ET_EXEC, ET_DYN, EM_X86_64 = 2, 3, 62
R_X86_64_RELATIVE = 8


class BadInput(Exception):
    """The input is not what the converter accepts; the text says why."""


class Segment:
    def __init__(self, kind, flags, offset, vaddr, paddr, filesz, memsz):
        self.kind, self.flags, self.offset = kind, flags, offset
        self.vaddr, self.paddr, self.filesz, self.memsz = vaddr, paddr, filesz, memsz


class Section:
    def __init__(self, name, fields):
        self.name = name
        (_, self.type, self.flags, self.addr, self.offset, self.size, self.link, _,
         self.align, self.entsize) = fields


class Elf:
    """A linked x86-64 file: position-independent, or (`fixed`) linked at its addresses."""

    def __init__(self, data, fixed=False):
        self.data = data
        if len(data) < 64 or data[:7] != b"\x7fELF\x02\x01\x01":
            raise BadInput("not an ELF64 little-endian file")
        (kind, machine, _, self.entry, phoff, shoff, _, _, phsize, phnum, shsize, shnum,
         shstr) = struct.unpack_from("<HHIQQQIHHHHHH", data, 16)
        if machine != EM_X86_64:
            raise BadInput("not an x86-64 file")
        if not fixed and kind != ET_DYN:
            raise BadInput("not a position-independent x86-64 file: link it with -pie")
        if fixed and kind != ET_EXEC:
            raise BadInput("not an executable linked at a fixed address: link it with -no-pie")
        if phsize != 56 or shsize != 64:
            raise BadInput("header sizes are not those of ELF64")
        self.segments = [self._segment(phoff + i * phsize) for i in range(phnum)]
        self.sections = self._sections(shoff, shnum, shstr)

    def bytes_at(self, offset, size):
        if offset + size > len(self.data):
            raise BadInput("the file is cut short")
        return self.data[offset:offset + size]

    def _segment(self, at):
        kind, flags, offset, vaddr, paddr, filesz, memsz, _ = struct.unpack(
            "<IIQQQQQQ", self.bytes_at(at, 56))
        return Segment(kind, flags, offset, vaddr, paddr, filesz, memsz)

    def _sections(self, shoff, shnum, shstr):
        raw = [struct.unpack("<IIQQQQIIQQ", self.bytes_at(shoff + i * 64, 64))
               for i in range(shnum)]
        names = self.bytes_at(raw[shstr][4], raw[shstr][5])
        return [Section(names[r[0]:names.index(b"\0", r[0])].decode("ascii"), r) for r in raw]

    def find(self, name):
        """The section, or None."""
        found = [s for s in self.sections if s.name == name]
        if len(found) > 1:
            raise BadInput(f"{len(found)} sections are called {name}")
        return found[0] if found else None

    def section(self, name):
        found = self.find(name)
        if found is None:
            raise BadInput(f"no section {name}")
        return found

    def section_bytes(self, section):
        if section.type == SHT_NOBITS:
            return b""
        return self.bytes_at(section.offset, section.size)

    def loads(self):
        return [s for s in self.segments if s.kind == PT_LOAD]

    def relative_relocations(self):
        """[(address of the word, value to add the load address to)], sorted; anything else is an error."""
        words = []
        for section in self.sections:
            if not section.flags & SHF_ALLOC:
                continue
            if section.type in (SHT_REL, SHT_RELR):
                raise BadInput(f"{section.name}: relocations of a kind that is not read")
            if section.type == SHT_RELA:
                words += self._rela(section)
        words.sort()
        for one, two in zip(words, words[1:]):
            if one[0] + 8 > two[0]:
                raise BadInput(f"relocations overlap at {two[0]:#x}")
        return words

    def _rela(self, section):
        raw = self.section_bytes(section)
        if section.entsize != 24 or len(raw) % 24:
            raise BadInput(f"{section.name}: bad entry size")
        out = []
        for where, info, addend in struct.iter_unpack("<QQq", raw):
            if info != R_X86_64_RELATIVE:
                raise BadInput(f"relocation of type {info & 0xffffffff} at {where:#x}: only "
                               "R_X86_64_RELATIVE can be carried (an undefined symbol, or code "
                               "that is not position independent)")
            if addend < 0:
                raise BadInput(f"relocation at {where:#x} points below the image")
            out.append((where, addend))
        return out

    def symbols(self):
        """(name, section index, value) of each line of the symbol table."""
        table = [s for s in self.sections if s.type == SHT_SYMTAB]
        if len(table) != 1:
            raise BadInput("no symbol table")
        strings = self.section_bytes(self.sections[table[0].link])
        for at, _, _, shndx, value, _ in struct.iter_unpack("<IBBHQQ",
                                                            self.section_bytes(table[0])):
            yield strings[at:strings.index(b"\0", at)].decode(), shndx, value

    def symbol(self, name):
        """Address of a defined symbol of the symbol table."""
        for found, shndx, value in self.symbols():
            if shndx != SHN_UNDEF and found == name:
                return value
        raise BadInput(f"no symbol {name}")

    def undefined(self):
        """Names that nothing defines, weak ones too."""
        return sorted(name for name, shndx, _ in self.symbols() if shndx == SHN_UNDEF and name)


def load(path, fixed=False):
    with open(path, "rb") as file:
        return Elf(file.read(), fixed)


def run(main):
    """Runs a converter's main(); its complaints go to stderr, with exit status 1."""
    try:
        main()
    except (BadInput, OSError) as error:
        sys.exit(f"{sys.argv[0]}: {error}")
