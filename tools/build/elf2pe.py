#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Converts an ELF64 linked by boot/efi.lds into a native PE32+ EFI application.

usage: elf2pe.py [--subsystem app|boot-driver|runtime-driver] [--base ADDRESS]
                 [--section NAME=FILE]... IN.elf OUT.efi

Sections keep their ELF addresses as RVAs. .text is read-execute, .rodata read-only, .data
read-write with its zeroed tail as virtual size; then come .reloc, with a base relocation for each
R_X86_64_RELATIVE of the ELF, and a read-only section for each --section. Same input, same output:
time stamps are zero. The words that base relocations name hold base + RVA, as in any PE.
"""
import argparse
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import elf  # noqa: E402

PAGE = 4096
FILE_ALIGN = 512
SUBSYSTEM = {"app": 10, "boot-driver": 11, "runtime-driver": 12}
# The usual base of a 64-bit image: above 4 GiB, as HIGH_ENTROPY_VA asks.
DEFAULT_BASE = 0x140000000

CODE, DATA, DISCARDABLE = 0x20, 0x40, 0x02000000
EXECUTE, READ, WRITE = 0x20000000, 0x40000000, 0x80000000
# EXECUTABLE_IMAGE, LINE_NUMS_STRIPPED, LOCAL_SYMS_STRIPPED, LARGE_ADDRESS_AWARE, DEBUG_STRIPPED
FILE_CHARACTERISTICS = 0x0002 | 0x0004 | 0x0008 | 0x0020 | 0x0200
# HIGH_ENTROPY_VA, DYNAMIC_BASE, NX_COMPAT
DLL_CHARACTERISTICS = 0x0020 | 0x0040 | 0x0100
REL_ABSOLUTE, REL_DIR64 = 0, 10
DIRECTORIES, DIR_BASERELOC = 16, 5
PE_OFFSET = 64
OPTIONAL_SIZE = 112 + 8 * DIRECTORIES
CHECKSUM_OFFSET = PE_OFFSET + 24 + 64

# The ELF sections that are carried, and the flags each must have.
CARRIED = {
    ".text": (elf.SHF_ALLOC | elf.SHF_EXECINSTR, CODE | EXECUTE | READ),
    ".rodata": (elf.SHF_ALLOC, DATA | READ),
    ".data": (elf.SHF_ALLOC | elf.SHF_WRITE, DATA | READ | WRITE),
}
# Allocated by the linker, of no use at run time: firmware relocates, nothing is bound dynamically.
DROPPED = {".dynamic", ".dynsym", ".dynstr", ".hash", ".gnu.hash", ".rela.dyn", ".bss"}


def align(value, to):
    return (value + to - 1) // to * to


class Part:
    """One PE section."""

    def __init__(self, name, rva, data, virtual_size, flags):
        if len(name) > 8:
            raise elf.BadInput(f"section name {name} is longer than eight characters")
        self.name, self.rva, self.data = name, rva, data
        self.virtual_size, self.flags = virtual_size, flags
        self.raw_at = 0

    def raw_size(self):
        return align(len(self.data), FILE_ALIGN)

    def end(self):
        return align(self.rva + self.virtual_size, PAGE)


def carried_parts(image):
    parts = []
    for name, (want, flags) in CARRIED.items():
        section = image.find(name)
        if section is None or section.size == 0:
            continue
        got = section.flags & (elf.SHF_ALLOC | elf.SHF_WRITE | elf.SHF_EXECINSTR)
        if name == ".rodata":
            got &= ~elf.SHF_WRITE  # pointers that only the base relocations write
        if got != want:
            raise elf.BadInput(f"{name} has ELF flags {got:#x}, not {want:#x}")
        if section.addr % PAGE:
            raise elf.BadInput(f"{name} does not start on a page")
        parts.append(Part(name, section.addr, image.section_bytes(section), section.size, flags))
    for section in image.sections:
        if section.flags & elf.SHF_ALLOC and section.size and \
                section.name not in CARRIED and section.name not in DROPPED:
            raise elf.BadInput(f"section {section.name} has no place in boot/efi.lds")
    return parts


def add_zeroed_tail(image, parts):
    """.bss follows .data and becomes the part of it that is not in the file."""
    bss = image.find(".bss")
    if bss is None or bss.size == 0:
        return
    if bss.type != elf.SHT_NOBITS:
        raise elf.BadInput(".bss has content")
    data = [p for p in parts if p.name == ".data"]
    if not data:
        parts.append(Part(".data", bss.addr // PAGE * PAGE, b"", bss.addr % PAGE + bss.size,
                          CARRIED[".data"][1]))
    elif bss.addr < data[0].rva + len(data[0].data):
        raise elf.BadInput(".bss does not follow .data")
    else:
        data[0].virtual_size = bss.addr + bss.size - data[0].rva


def apply_relocations(parts, relocations, base):
    """Writes base + value into each word; returns the RVAs."""
    limit = parts[-1].end()
    content = {part.name: bytearray(part.data) for part in parts}
    for where, value in relocations:
        home = [p for p in parts if p.rva <= where and where + 8 <= p.rva + len(p.data)]
        if not home or home[0].flags & EXECUTE:
            raise elf.BadInput(f"relocation at {where:#x}: outside .rodata and .data")
        if value > limit:
            raise elf.BadInput(f"relocation at {where:#x} points outside the image")
        struct.pack_into("<Q", content[home[0].name], where - home[0].rva, base + value)
    for part in parts:
        part.data = bytes(content[part.name])
    return [where for where, _ in relocations]


def reloc_block(page, entries):
    if len(entries) % 2:
        entries.append(REL_ABSOLUTE << 12)
    return struct.pack("<II", page, 8 + 2 * len(entries)) + struct.pack(
        f"<{len(entries)}H", *entries)


def base_relocations(rvas, first_rva):
    """The .reloc section. Without any, one empty block: no relocations is not "cannot be moved"."""
    pages = {}
    for rva in rvas:
        pages.setdefault(rva // PAGE * PAGE, []).append(REL_DIR64 << 12 | rva % PAGE)
    if not pages:
        pages[first_rva] = [REL_ABSOLUTE << 12]
    return b"".join(reloc_block(page, entries) for page, entries in sorted(pages.items()))


def extra_parts(options, at):
    parts = []
    for option in options:
        name, equals, path = option.partition("=")
        if not equals or not name.startswith("."):
            raise elf.BadInput(f"--section {option}: not NAME=FILE with a NAME like .sbat")
        with open(path, "rb") as file:
            data = file.read()
        if not data:
            raise elf.BadInput(f"--section {option}: the file is empty")
        parts.append(Part(name, at, data, len(data), DATA | READ))
        at = parts[-1].end()
    return parts


def place_in_file(parts):
    headers = align(PE_OFFSET + 24 + OPTIONAL_SIZE + 40 * len(parts), FILE_ALIGN)
    at = headers
    last = align(headers, PAGE)
    for part in parts:
        if part.rva < last:
            raise elf.BadInput(f"{part.name} overlaps what stands before it")
        last = part.end()
        part.raw_at = at if part.data else 0
        at += part.raw_size()
    return headers


def optional_header(parts, entry, base, subsystem, headers):
    def total(flag):
        return sum(p.raw_size() for p in parts if p.flags & flag)

    zeroed = sum(max(0, p.virtual_size - p.raw_size()) for p in parts)
    code = next(p.rva for p in parts if p.flags & CODE)
    fixed = struct.pack(
        "<HBBIIIIIQIIHHHHHHIIIIHHQQQQII", 0x20b, 0, 0, total(CODE), total(DATA),
        align(zeroed, FILE_ALIGN), entry, code, base, PAGE, FILE_ALIGN, 0, 0, 0, 0, 0, 0, 0,
        parts[-1].end(), headers, 0, SUBSYSTEM[subsystem], DLL_CHARACTERISTICS,
        0x100000, 0x1000, 0x100000, 0x1000, 0, DIRECTORIES)
    reloc = next(p for p in parts if p.name == ".reloc")
    directories = [(0, 0)] * DIRECTORIES
    directories[DIR_BASERELOC] = (reloc.rva, len(reloc.data))
    return fixed + b"".join(struct.pack("<II", *d) for d in directories)


def section_header(part):
    return struct.pack("<8sIIIIIIHHI", part.name.encode("ascii"), part.virtual_size, part.rva,
                       part.raw_size(), part.raw_at, 0, 0, 0, 0, part.flags)


def checksum(data):
    """The PE image checksum: a 16-bit one's-complement sum, plus the length."""
    padded = data + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"<{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total + len(data)


def build(parts, entry, base, subsystem):
    headers = place_in_file(parts)
    out = bytearray(b"MZ" + bytes(58) + struct.pack("<I", PE_OFFSET))
    out += b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, len(parts), 0, 0, 0, OPTIONAL_SIZE,
                                   FILE_CHARACTERISTICS)
    out += optional_header(parts, entry, base, subsystem, headers)
    out += b"".join(section_header(part) for part in parts)
    out += bytes(headers - len(out))
    for part in parts:
        out += part.data + bytes(part.raw_size() - len(part.data))
    struct.pack_into("<I", out, CHECKSUM_OFFSET, checksum(bytes(out)))
    return bytes(out)


def convert(image, subsystem="app", base=DEFAULT_BASE, sections=()):
    """The PE file, as bytes."""
    parts = carried_parts(image)
    add_zeroed_tail(image, parts)
    parts.sort(key=lambda part: part.rva)
    text = [p for p in parts if p.flags & EXECUTE]
    if not text or not text[0].rva <= image.entry < text[0].rva + len(text[0].data):
        raise elf.BadInput("the entry point is not in .text")
    rvas = apply_relocations(parts, image.relative_relocations(), base)
    table = base_relocations(rvas, parts[0].rva)
    parts.append(Part(".reloc", parts[-1].end(), table, len(table), DATA | DISCARDABLE | READ))
    parts += extra_parts(sections, parts[-1].end())
    return build(parts, image.entry, base, subsystem)


def main():
    parser = argparse.ArgumentParser(description="ELF64 to PE32+ EFI application")
    parser.add_argument("--subsystem", choices=sorted(SUBSYSTEM), default="app")
    parser.add_argument("--base", type=lambda text: int(text, 0), default=DEFAULT_BASE)
    parser.add_argument("--section", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("input")
    parser.add_argument("output")
    args = parser.parse_args()
    if args.base % 65536:
        raise elf.BadInput("--base is not a multiple of 64 KiB")
    pe = convert(elf.load(args.input), args.subsystem, args.base, args.section)
    with open(args.output, "wb") as file:
        file.write(pe)


if __name__ == "__main__":
    elf.run(main)
