#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Makes a monitor image (struct monitor_image of monitor/abi/bootinfo.h) of a monitor linked at 0.

usage: mkimage.py [--print] IN.elf OUT.img

The ELF program headers are the truth about segments: the first page holds the symbol
monitor_header; then one PT_LOAD R-X, one R-- and one RW-, in this order, page-aligned, without
gaps. e_entry is the entry. Each R_X86_64_RELATIVE becomes an offset behind the image; any other
relocation is an error, and so is one in the text. The header's vendor, fixed_pages and
pages_per_cpu come from the compiler; the rest of it must be zero (or right already) and is filled
in here. --print shows the digest and the sizes.
"""
import hashlib
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import elf  # noqa: E402

PAGE = 4096
MAGIC = int.from_bytes(b"RDTMONIT", "little")
VERSION = 1
HEADER = struct.Struct("<Q8I6I32s")  # struct monitor_image
DIGEST_AT = HEADER.size - 32
FIELDS = ("magic", "version", "vendor", "file_size", "load_size", "entry", "reloc_count",
          "fixed_pages", "pages_per_cpu", "text_offset", "text_size", "rodata_offset",
          "rodata_size", "data_offset", "data_size", "digest")
BY_COMPILER = ("vendor", "fixed_pages", "pages_per_cpu")
SEGMENTS = (("text", elf.PF_R | elf.PF_X), ("rodata", elf.PF_R), ("data", elf.PF_R | elf.PF_W))


def align(value):
    return (value + PAGE - 1) // PAGE * PAGE


def segments_of(image):
    """{name: program header}; the header's page is checked and left out."""
    loads = sorted((s for s in image.loads() if s.memsz), key=lambda s: s.vaddr)
    if not loads or loads[0].vaddr != 0 or loads[0].flags != elf.PF_R or loads[0].memsz > PAGE:
        raise elf.BadInput("the first page is not a read-only header of its own")
    flags = [s.flags for s in loads[1:]]
    if flags != [want for _, want in SEGMENTS]:
        raise elf.BadInput("the segments behind the header are not R-X, R--, RW-: "
                           + " ".join(f"{f:#x}" for f in flags))
    at = PAGE
    for segment in loads[1:]:
        if segment.vaddr != at:
            raise elf.BadInput(f"a segment starts at {segment.vaddr:#x}, not {at:#x}")
        if segment.filesz != segment.memsz and segment is not loads[-1]:
            raise elf.BadInput(f"the segment at {at:#x} has zeroed memory; only the last may")
        at = align(segment.vaddr + segment.memsz)
    return loads[0], {name: s for (name, _), s in zip(SEGMENTS, loads[1:])}


def flat(image, header, segments):
    """The bytes to copy: all segments at their addresses, without the zeroed tail."""
    data = segments["data"]
    out = bytearray(align(data.vaddr + data.filesz))
    for segment in [header, *segments.values()]:
        out[segment.vaddr:segment.vaddr + segment.filesz] = image.bytes_at(
            segment.offset, segment.filesz)
    return out


def apply_relocations(image, content, segments):
    """Writes each addend into its word; returns the offsets of the words."""
    writable = (segments["rodata"], segments["data"])
    load_size = align(segments["data"].vaddr + segments["data"].memsz)
    offsets = []
    for where, value in image.relative_relocations():
        if not any(s.vaddr <= where and where + 8 <= s.vaddr + s.filesz for s in writable):
            raise elf.BadInput(f"relocation at {where:#x}: outside rodata and data")
        if value > load_size:
            raise elf.BadInput(f"relocation at {where:#x} points outside the image")
        struct.pack_into("<Q", content, where, value)
        offsets.append(where)
    return offsets


def fill_header(image, content, segments, count):
    header = dict(zip(FIELDS, HEADER.unpack_from(content, image.symbol("monitor_header"))))
    if not header["vendor"]:
        raise elf.BadInput("monitor_header names no vendor")
    wanted = {"magic": MAGIC, "version": VERSION, "file_size": len(content),
              "load_size": align(segments["data"].vaddr + segments["data"].memsz),
              "entry": image.entry, "reloc_count": count, "digest": bytes(32)}
    for name, segment in segments.items():
        wanted[name + "_offset"] = segment.vaddr
        wanted[name + "_size"] = align(segment.memsz)
    for name, value in wanted.items():
        if header[name] not in (value, 0, bytes(32)):
            raise elf.BadInput(f"monitor_header.{name} is {header[name]:#x}, not {value:#x}")
        header[name] = value
    return header


def convert(image):
    """(image file, header fields)."""
    first, segments = segments_of(image)
    if image.symbol("monitor_header") != 0:
        raise elf.BadInput("monitor_header is not at address 0")
    text = segments["text"]
    if not text.vaddr <= image.entry < text.vaddr + text.filesz:
        raise elf.BadInput("the entry point is not in the text segment")
    content = flat(image, first, segments)
    offsets = apply_relocations(image, content, segments)
    header = fill_header(image, content, segments, len(offsets))
    HEADER.pack_into(content, 0, *(header[name] for name in FIELDS))
    content += struct.pack(f"<{len(offsets)}I", *offsets)
    header["digest"] = hashlib.sha256(content).digest()
    content[DIGEST_AT:DIGEST_AT + 32] = header["digest"]
    return bytes(content), header


def main():
    args = [a for a in sys.argv[1:] if a != "--print"]
    if len(args) != 2:
        sys.exit(__doc__)
    content, header = convert(elf.load(args[0]))
    with open(args[1], "wb") as file:
        file.write(content)
    if "--print" in sys.argv:
        print(f"{args[1]}: SHA-256 {header['digest'].hex()}, {header['load_size']} bytes in "
              f"memory, {header['fixed_pages']} + {header['pages_per_cpu']} per CPU pages, "
              f"{header['reloc_count']} relocations")


if __name__ == "__main__":
    elf.run(main)
