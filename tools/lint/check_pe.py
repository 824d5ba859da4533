#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""lint-pe: the properties of redoubt.efi, read with a reader of its own.

usage: check_pe.py FILE.efi...

  headers      PE32+ for x86-64, an EFI application that may be moved, DYNAMIC_BASE, NX_COMPAT,
               HIGH_ENTROPY_VA, no time stamp, right checksum, no directory but relocations
  layout       sections in order, page-aligned, apart from each other, within the file
  protections  .text read-execute, .data read-write, all else read-only; the entry in .text
  relocations  whole blocks of 64-bit entries for words of .rodata and .data, each of which holds an
               address of the image; no word that does and has none
  payloads     .sbat has its lines; each monitor image is one, with the right digest; .part0 and on, without
               a gap, are images of secure partitions, each whole and with an id of its own; nothing else

Each rule is tested: every mutation of a file that breaks one is found. A loader without secure partitions has no
mutations of theirs.
"""
import hashlib
import re
import struct
import sys

import lintlib

PAGE = 4096
EXECUTE, READ, WRITE = 0x20000000, 0x40000000, 0x80000000
PROTECTION = {".text": READ | EXECUTE, ".data": READ | WRITE}
DEMANDED = (".text", ".rodata", ".data", ".reloc", ".sbat", ".monvmx", ".monsvm")
MONITORS = (".monvmx", ".monsvm")
PARTITIONS = (".part0", ".part1", ".part2", ".part3")
RELOCATED = (".rodata", ".data")
IMAGE_MAGIC, DIGEST_AT = b"RDTMONIT", 64
# struct redoubt_image and struct redoubt_image_signature of monitor/abi/image.h.
PARTITION_MAGIC, PARTITION_HEADER = b"RDTRUST1", struct.Struct("<8s10I32s")
MAX_PAGES, MAX_DATA_PAGES, MAX_SVN, FLAG_BITS = 4096, 16384, 65535, 1
BLOCK_MAGIC, BLOCK_HEADER = b"RDTSIGN1", struct.Struct("<8s3I12s")
BLOCK_SIZES = {1: (91, 64), 2: (422, 384)}


class Section:
    def __init__(self, data, at):
        name, self.size, self.rva, self.raw_size, self.raw, *_, self.flags = struct.unpack_from(
            "<8sIIIIIIHHI", data, at)
        self.name = name.rstrip(b"\0").decode("ascii", "replace")
        self.content = data[self.raw:self.raw + min(self.raw_size, self.size)]

    def holds(self, rva, size=1):
        return self.rva <= rva and rva + size <= self.rva + len(self.content)


class Pe:
    """Fields by the names of the specification; raises struct.error where the file ends too early."""

    def __init__(self, data):
        self.data = data
        self.pe = struct.unpack_from("<I", data, 0x3c)[0]
        (self.machine, count, self.stamp, _, _, size,
         self.characteristics) = struct.unpack_from("<HHIIIHH", data, self.pe + 4)
        self.optional = self.pe + 24
        self.magic, = struct.unpack_from("<H", data, self.optional)
        (self.entry, self.code_base, self.base, self.section_alignment,
         self.file_alignment) = struct.unpack_from("<IIQII", data, self.optional + 16)
        (self.image_size, self.headers_size, self.checksum, self.subsystem,
         self.dll) = struct.unpack_from("<IIIHH", data, self.optional + 56)
        number, = struct.unpack_from("<I", data, self.optional + 108)
        self.directories = [struct.unpack_from("<II", data, self.optional + 112 + 8 * i)
                            for i in range(min(number, 16))]
        self.table = self.optional + size
        self.sections = [Section(data, self.table + 40 * i) for i in range(count)]

    def named(self, name):
        return next((s for s in self.sections if s.name == name), None)


def sum_of(data, skip):
    """The checksum that the file should carry at `skip`."""
    data = data[:skip] + bytes(4) + data[skip + 4:]
    data += b"\0" * (len(data) % 2)
    total = 0
    for (word,) in struct.iter_unpack("<H", data):
        total += word
        total = (total & 0xffff) + (total >> 16)
    return total + len(data)


def check_headers(pe):
    tests = (
        (pe.data[:2] == b"MZ" and pe.data[pe.pe:pe.pe + 4] == b"PE\0\0", "signatures"),
        (pe.machine == 0x8664, "machine is not x86-64"),
        (pe.magic == 0x20b, "not PE32+"),
        (pe.characteristics & 0x2, "not marked executable"),
        (not pe.characteristics & 0x1, "marked as not relocatable"),
        (pe.characteristics & 0x20, "not large address aware"),
        (pe.subsystem == 10, "not an EFI application"),
        (pe.dll & 0x40, "no DYNAMIC_BASE"),
        (pe.dll & 0x100, "no NX_COMPAT"),
        (pe.dll & 0x20, "no HIGH_ENTROPY_VA"),
        (pe.base >= 1 << 32 and pe.base % 65536 == 0, "image base is low or crooked"),
        (pe.stamp == 0, "a time stamp"),
        (pe.checksum == sum_of(pe.data, pe.optional + 64), "wrong checksum"),
        (len(pe.directories) == 16, "not 16 directories"),
        (all(d == (0, 0) for i, d in enumerate(pe.directories) if i != 5), "another directory"),
    )
    return [text for good, text in tests if not good]


def check_layout(pe):
    found = []
    if pe.section_alignment != PAGE:
        found.append(f"section alignment {pe.section_alignment}")
    if pe.file_alignment < 512 or pe.file_alignment & (pe.file_alignment - 1):
        found.append(f"file alignment {pe.file_alignment}")
    if pe.table + 40 * len(pe.sections) > pe.headers_size:
        found.append("the headers are longer than they say")
    rva, raw = pe.headers_size, pe.headers_size
    for s in pe.sections:
        if s.rva % PAGE or s.rva < rva:
            found.append(f"{s.name} at {s.rva:#x} is not on a page of its own")
        if s.raw_size and (s.raw % max(pe.file_alignment, 1) or s.raw < raw
                           or s.raw + s.raw_size > len(pe.data)):
            found.append(f"{s.name} is not where it should be in the file")
        rva = s.rva + s.size
        raw = s.raw + s.raw_size if s.raw_size else raw
    if pe.image_size != (rva + PAGE - 1) // PAGE * PAGE:
        found.append(f"image size {pe.image_size:#x} is not the end of the last section")
    return found


def check_protections(pe):
    found = [f"no section {name}" for name in DEMANDED if not pe.named(name)]
    for s in pe.sections:
        have = s.flags & (READ | WRITE | EXECUTE)
        if have != PROTECTION.get(s.name, READ):
            found.append(f"{s.name} has protection {have:#x}")
    text = pe.named(".text")
    if text and not text.holds(pe.entry):
        found.append("the entry is not in .text")
    return found


def blocks(content):
    """(rva, type) of each entry of a relocation section; ValueError where a block is not whole."""
    at = 0
    while at < len(content):
        if at + 8 > len(content):
            raise ValueError(f"a block header is cut short at {at:#x}")
        page, size = struct.unpack_from("<II", content, at)
        if size < 8 or size % 4 or page % PAGE or at + size > len(content):
            raise ValueError(f"the block at {at:#x} is not whole")
        for (entry,) in struct.iter_unpack("<H", content[at + 8:at + size]):
            yield page + (entry & 0xfff), entry >> 12
        at += size


def words_of(pe):
    """(rva, value) of every aligned 64-bit word of the sections that are relocated."""
    for name in RELOCATED:
        section = pe.named(name)
        for at in range(0, len(section.content) - 7 if section else 0, 8):
            yield section.rva + at, struct.unpack_from("<Q", section.content, at)[0]


def check_targets(pe, rvas):
    found = [f"two entries for {a:#x}" for a, b in zip(rvas, rvas[1:]) if b < a + 8]
    if not rvas:
        found.append("no relocation at all")
    for rva in rvas:
        home = [s for s in pe.sections if s.name in RELOCATED and s.holds(rva, 8)]
        if not home:
            found.append(f"an entry for {rva:#x}, outside .rodata and .data")
            continue
        value, = struct.unpack_from("<Q", home[0].content, rva - home[0].rva)
        if not pe.base <= value <= pe.base + pe.image_size:
            found.append(f"the word at {rva:#x} is {value:#x}: not an address of the image")
    return found


def check_relocations(pe):
    section = pe.named(".reloc")
    if not section:
        return ["no .reloc"]
    found = []
    if pe.directories[5] != (section.rva, section.size):
        found.append("the directory is not the section")
    try:
        entries = list(blocks(section.content))
    except ValueError as error:
        return found + [str(error)]
    found += [f"type {kind} at {rva:#x}" for rva, kind in entries if kind not in (0, 10)]
    rvas = sorted(rva for rva, kind in entries if kind == 10)
    found += check_targets(pe, rvas)
    known = set(rvas)
    return found + [f"the word at {rva:#x} is an address of the image, but has no entry"
                    for rva, value in words_of(pe)
                    if pe.base <= value < pe.base + pe.image_size and rva not in known]


def check_monitor(pe, name):
    monitor = pe.named(name)
    content = monitor.content if monitor else b""
    blank = content[:DIGEST_AT] + bytes(32) + content[DIGEST_AT + 32:]
    if content[:8] != IMAGE_MAGIC:
        yield f"{name} is no monitor image"
    elif content[DIGEST_AT:DIGEST_AT + 32] != hashlib.sha256(blank).digest():
        yield f"{name} has a wrong digest"


def block_holds(block):
    """Whether it is nothing, or has the form of a signature block."""
    if len(block) < BLOCK_HEADER.size:
        return not block
    magic, algorithm, key, signature, zero = BLOCK_HEADER.unpack_from(block)
    return magic == BLOCK_MAGIC and BLOCK_SIZES.get(algorithm) == (key, signature) and \
        not any(zero) and len(block) == BLOCK_HEADER.size + key + signature


def check_partition(section):
    content = section.content
    if len(content) < PAGE or section.size != len(content):
        return [f"{section.name} is cut short"]
    (magic, version, size, pages, text, rodata, data, vps, svn, flags, _,
     name) = PARTITION_HEADER.unpack_from(content)
    tests = (
        (magic == PARTITION_MAGIC and version == 1 and size == PAGE, "is no image"),
        (text and rodata and pages == 1 + text + rodata <= MAX_PAGES, "has parts that do not fit"),
        (0 < data <= MAX_DATA_PAGES and vps == 1, "wants too much or nothing"),
        (0 < svn <= MAX_SVN and not flags & ~FLAG_BITS, "has a wrong SVN or flag"),
        (re.fullmatch(rb"[a-z0-9-]{1,31}\0+", name), "has no proper id"),
        (not any(content[44:48] + content[80:PAGE]), "has a reserved byte that is not zero"),
        (len(content) >= pages * PAGE and block_holds(content[pages * PAGE:]),
         "is not as long as it says"),
    )
    return [f"{section.name} {text}" for good, text in tests if not good]


def check_partitions(pe):
    parts = [s for s in pe.sections if s.name not in DEMANDED]
    found = [f"section {s.name} has no place here" for s in parts if s.name not in PARTITIONS]
    if [s.name for s in parts] != list(PARTITIONS[:len(parts)]):
        found.append("partitions are not numbered from 0 on")
    names = [s.content[48:80] for s in parts]
    found += [f"{s.name} has the id of another" for i, s in enumerate(parts) if names[i] in names[:i]]
    return found + [fault for s in parts for fault in check_partition(s)]


def check_payloads(pe):
    found = []
    sbat = pe.named(".sbat")
    lines = sbat.content.split(b"\n") if sbat else []
    if len(lines) < 3 or not lines[0].startswith(b"sbat,1,") \
            or not any(line.startswith(b"redoubt,") for line in lines) \
            or any(line.count(b",") != 5 for line in lines[:2]):
        found.append(".sbat does not have its lines")
    found += [fault for name in MONITORS for fault in check_monitor(pe, name)]
    return found + check_partitions(pe)


RULES = {"headers": check_headers, "layout": check_layout, "protections": check_protections,
         "relocations": check_relocations, "payloads": check_payloads}


def check(data):
    """{rule: findings}; an unreadable file breaks all rules."""
    try:
        pe = Pe(data)
        return {rule: test(pe) for rule, test in RULES.items()}
    except (struct.error, IndexError) as error:
        return {rule: [f"not readable: {error}"] for rule in RULES}


def patch(data, at, form, value):
    out = bytearray(data)
    struct.pack_into(form, out, at, value)
    return bytes(out)


def flip(data, at):
    return patch(data, at, "<B", data[at] ^ 0x10)


def mutations(data):
    """(what was broken, rule that must find it, the broken file)."""
    pe = Pe(data)
    index = {s.name: pe.table + 40 * i for i, s in enumerate(pe.sections)}
    reloc, text, dat = pe.named(".reloc"), pe.named(".text"), pe.named(".data")
    first = next(rva for rva, kind in blocks(reloc.content) if kind == 10)
    home = next(s for s in pe.sections if s.holds(first))
    word = home.raw + first - home.rva
    opt = pe.optional
    yield from (
        ("machine", "headers", patch(data, pe.pe + 4, "<H", 0x14c)),
        ("time stamp", "headers", patch(data, pe.pe + 8, "<I", 1)),
        ("RELOCS_STRIPPED", "headers", patch(data, pe.pe + 22, "<H", pe.characteristics | 1)),
        ("subsystem", "headers", patch(data, opt + 68, "<H", 3)),
        ("no DYNAMIC_BASE", "headers", patch(data, opt + 70, "<H", pe.dll & ~0x40)),
        ("no NX_COMPAT", "headers", patch(data, opt + 70, "<H", pe.dll & ~0x100)),
        ("no HIGH_ENTROPY_VA", "headers", patch(data, opt + 70, "<H", pe.dll & ~0x20)),
        ("checksum", "headers", patch(data, opt + 64, "<I", pe.checksum ^ 1)),
        ("changed byte of text", "headers", flip(data, text.raw + 5)),
        ("debug directory", "headers", patch(data, opt + 112 + 48, "<I", 0x1000)),
        ("section alignment", "layout", patch(data, opt + 32, "<I", 512)),
        ("image size", "layout", patch(data, opt + 56, "<I", pe.image_size + PAGE)),
        ("overlap", "layout", patch(data, index[".data"] + 12, "<I", text.rva)),
        ("crooked address", "layout", patch(data, index[".data"] + 12, "<I", dat.rva + 16)),
        ("raw data beyond the file", "layout", patch(data, index[".data"] + 20, "<I", len(data))),
        ("writable text", "protections",
         patch(data, index[".text"] + 36, "<I", text.flags | WRITE)),
        ("executable data", "protections",
         patch(data, index[".data"] + 36, "<I", dat.flags | EXECUTE)),
        ("writable payload", "protections",
         patch(data, index[".monvmx"] + 36, "<I", READ | WRITE | 0x40)),
        ("entry in data", "protections", patch(data, opt + 16, "<I", dat.rva)),
        ("missing section", "protections", patch(data, index[".sbat"], "<8s", b".other")),
        ("unreadable block", "relocations", patch(data, reloc.raw + 4, "<I", 9)),
        ("32-bit entry", "relocations", patch(data, reloc.raw + 8, "<H", 0x3000)),
        ("entry left out", "relocations", patch(data, reloc.raw + 8, "<H", 0)),
        ("entry in text", "relocations", patch(data, reloc.raw, "<I", text.rva)),
        ("word outside", "relocations", patch(data, word, "<Q", pe.base - 8)),
        ("directory", "relocations", patch(data, opt + 112 + 44, "<I", 8)),
        ("sbat", "payloads", patch(data, pe.named(".sbat").raw, "<4s", b"abat")),
    )
    for name in MONITORS:
        raw = pe.named(name).raw
        yield f"damaged {name}", "payloads", flip(data, raw + 5000)
        yield f"no {name}", "payloads", patch(data, raw, "<8s", b"12345678")
    yield from partition_mutations(data, pe, index)


def partition_mutations(data, pe, index):
    parts = [s for s in pe.sections if s.name in PARTITIONS]
    for s in parts:
        for what, at, value in (("magic", 0, 1), ("version", 8, 2), ("header size", 12, 80),
                                ("pages", 16, 2), ("text", 20, 0), ("read-only data", 24, 0),
                                ("private memory", 28, 0), ("private memory", 28, 16385),
                                ("VPs", 32, 2), ("SVN", 36, 0), ("SVN", 36, 65536), ("flags", 40, 2),
                                ("reserved word", 44, 1), ("reserved byte", 4092, 1 << 24),
                                ("id", 48, 0), ("id", 76, 0x61616161)):
            yield f"{what} of {s.name}", "payloads", patch(data, s.raw + at, "<I", value)
        yield f"a byte more of {s.name}", "payloads", patch(data, index[s.name] + 8, "<I", s.size + 1)
        yield f"a byte less of {s.name}", "payloads", patch(data, index[s.name] + 8, "<I", s.size - 1)
        yield f"writable {s.name}", "protections", patch(data, index[s.name] + 36, "<I",
                                                         READ | WRITE | 0x40)
    for one, two in zip(parts, parts[1:]):
        same = bytearray(data)
        same[two.raw + 48:two.raw + 80] = one.content[48:80]
        yield f"{two.name} with the id of {one.name}", "payloads", bytes(same)
        yield f"no {one.name}", "payloads", patch(data, index[one.name], "<8s", b".other")


def check_file(tap, path):
    with open(path, "rb") as file:
        data = file.read()
    for rule, found in check(data).items():
        tap.ok(not found, f"{rule} of {path}", found)
    for what, rule, broken in mutations(data):
        tap.ok(broken != data and check(broken)[rule], f"found: {what} ({rule})")
    tap.ok(check(data[:200])["headers"], "found: a file cut short")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    tap = lintlib.Tap()
    for path in sys.argv[1:]:
        check_file(tap, path)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
