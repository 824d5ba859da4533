#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""tools/build/elf2pe.py and mkimage.py: the images they write, moved to other bases, are the ELF there.

usage: convert.py APP.elf APP.efi MONITOR.elf MONITOR.img SCRATCH_FOLDER

The PE file is loaded as firmware does it: headers and sections copied, base relocations applied. At
each base every word must be what the ELF's own relocations make of it. Then what the converters
must refuse.
"""
import os
import struct
import subprocess
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")
sys.path[:0] = [os.path.join(TOP, "tools/build"), os.path.join(TOP, "tools/lint")]
import check_pe  # noqa: E402
import elf  # noqa: E402
import elf2pe  # noqa: E402
import lintlib  # noqa: E402
import mkimage  # noqa: E402

BASES = (elf2pe.DEFAULT_BASE, 0x1e19e000, 0x7fff_ffff_0000_0000 & ~0xfff, 0)


def moved_pe(pe, base):
    """The image in memory at `base`, as bytes."""
    memory = bytearray(pe.image_size)
    memory[:pe.headers_size] = pe.data[:pe.headers_size]
    for section in pe.sections:
        memory[section.rva:section.rva + len(section.content)] = section.content
    for rva, kind in check_pe.blocks(pe.named(".reloc").content):
        if kind == 10:
            value, = struct.unpack_from("<Q", memory, rva)
            struct.pack_into("<Q", memory, rva, (value + base - pe.base) % (1 << 64))
    return memory


def moved_elf(image, base, names):
    """{address: bytes} of the named sections, relocated by the ELF's own table."""
    out = {}
    for name in names:
        section = image.section(name)
        out[section.addr] = bytearray(image.section_bytes(section))
    for where, value in image.relative_relocations():
        at = max(start for start in out if start <= where)
        struct.pack_into("<Q", out[at], where - at, (base + value) % (1 << 64))
    return out


def check_moved_pe(tap, image, pe):
    tap.ok(len(image.relative_relocations()) > 20, "the application has relocations to test")
    for base in BASES:
        memory = moved_pe(pe, base)
        wrong = [f"{at:#x}" for at, content in moved_elf(image, base, elf2pe.CARRIED).items()
                 if memory[at:at + len(content)] != content]
        tap.ok(not wrong, f"the application at {base:#x}", wrong)
    tap.ok(pe.entry == image.entry, "the entry point")
    bss = image.section(".bss")
    data = pe.named(".data")
    tap.ok(data.rva + data.size == bss.addr + bss.size, "zeroed data has its room")
    tap.ok(not any(moved_pe(pe, 0)[bss.addr:bss.addr + bss.size]), "zeroed data is zero")


def check_moved_monitor(tap, image, content):
    header = dict(zip(mkimage.FIELDS, mkimage.HEADER.unpack_from(content)))
    relocs = struct.unpack_from(f"<{header['reloc_count']}I", content, header["file_size"])
    want = [where for where, _ in image.relative_relocations()]
    tap.ok(list(relocs) == want and want, "the monitor's relocations are the ELF's")
    for base in (0x100000, 0x1de00000, 0x7f_0000_0000):
        memory = bytearray(content[:header["file_size"]])
        for where in relocs:
            value, = struct.unpack_from("<Q", memory, where)
            struct.pack_into("<Q", memory, where, value + base)
        wrong = [f"{where:#x}" for where, value in image.relative_relocations()
                 if struct.unpack_from("<Q", memory, where)[0] != base + value]
        tap.ok(not wrong, f"the monitor at {base:#x}", wrong)
    for name in ("text", "rodata", "data"):
        tap.ok(header[name + "_size"] and header[name + "_offset"] % 4096 == 0,
               f"the monitor's {name} has pages of its own")


def link(folder, source, script, flags=()):
    """Path of an ELF linked from a line of C."""
    text, out = os.path.join(folder, "x.c"), os.path.join(folder, "x.elf")
    with open(text, "w", encoding="ascii") as file:
        file.write(source)
    subprocess.run(["gcc", "-O1", "-ffreestanding", "-fpie", "-nostdlib", "-static-pie",
                    "-fno-asynchronous-unwind-tables", "-Wl,--build-id=none,-z,norelro",
                    "-Wl,-z,max-page-size=4096", "-Wl,--no-dynamic-linker,-T," + script,
                    *flags, "-o", out, text], check=True)
    return out


def refused(convert, path):
    """The converter's complaint, or None."""
    try:
        convert(elf.load(path))
    except elf.BadInput as error:
        return str(error)
    return None


APP = "int efi_main(void) { return 0; } "
HEADER = ("__attribute__((section(\".header\"))) unsigned monitor_header[24] = { 0, 0, 0, 1 }; "
          "int monitor_entry(void) { return 0; } "
          "const char r[4]; int data = 1; ")
REFUSALS = (
    ("an undefined weak pointer", elf2pe.convert, "boot/efi.lds", APP +
     "extern int gone __attribute__((visibility(\"default\"))); "
     "__attribute__((section(\".data\"))) int *p = &gone;",
     ["-Wl,--unresolved-symbols=ignore-all", "-Wl,-E"], "relocation"),
    ("a section without a place", elf2pe.convert, "boot/efi.lds", APP +
     "__attribute__((section(\"stray\"))) int s = 5;", [], "has no place"),
    ("an address in the text", elf2pe.convert, "boot/efi.lds", APP +
     "__asm__(\".text; .quad efi_main\");", ["-Wl,-z,notext"], "outside .rodata and .data"),
    ("a fixed address", elf2pe.convert, "boot/efi.lds", APP, ["-no-pie"], "position-independent"),
    ("a monitor without header", mkimage.convert, "arch/x86/monitor.lds",
     HEADER.replace("monitor_header", "other_header"), [], "no symbol monitor_header"),
    ("a monitor of no vendor", mkimage.convert, "arch/x86/monitor.lds",
     HEADER.replace("0, 0, 0, 1", "0"), [], "names no vendor"),
    ("a monitor with a wrong field", mkimage.convert, "arch/x86/monitor.lds",
     HEADER.replace("0, 0, 0, 1", "0, 0, 0, 1, 4097"), [], "file_size"),
    ("an address in the monitor's text", mkimage.convert, "arch/x86/monitor.lds", HEADER +
     "__asm__(\".text; .quad monitor_entry\");", ["-Wl,-z,notext"], "outside rodata and data"),
    ("a monitor's entry outside", mkimage.convert, "arch/x86/monitor.lds", HEADER,
     ["-Wl,-e,data"], "entry point is not in the text"),
)


def check_refusals(tap, folder):
    for what, convert, script, source, flags, part in REFUSALS:
        complaint = refused(convert, link(folder, source, os.path.join(TOP, script), flags))
        tap.ok(complaint and part in complaint, f"refused: {what}", [str(complaint)])
    good = link(folder, HEADER, os.path.join(TOP, "arch/x86/monitor.lds"))
    tap.ok(refused(mkimage.convert, good) is None, "the same monitor without a fault passes")
    good = link(folder, APP, os.path.join(TOP, "boot/efi.lds"))
    tap.ok(refused(elf2pe.convert, good) is None, "the same application without a fault passes")
    bare = check_pe.Pe(elf2pe.convert(elf.load(good)))
    tap.ok(list(check_pe.blocks(bare.named(".reloc").content)) and not bare.characteristics & 1,
           "an application without relocations may still be moved")


def main():
    app_elf, app_efi, monitor_elf, monitor_img, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    tap = lintlib.Tap()
    with open(app_efi, "rb") as file:
        check_moved_pe(tap, elf.load(app_elf), check_pe.Pe(file.read()))
    with open(monitor_img, "rb") as file:
        check_moved_monitor(tap, elf.load(monitor_elf), file.read())
    check_refusals(tap, folder)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
