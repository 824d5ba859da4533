# SPDX-License-Identifier: BSD-2-Clause-Patent
"""A linked trustlet (guest/trustlets/rt/trustlet.lds) to an image without a signature.

The ELF file must be exactly what that linker script gives: three segments (R-X behind the header's
page, R-- behind it, RW- at the private memory), nothing undefined, nothing left to relocate, nothing
that would have to be run before main().
"""
import pathlib
import sys

from form import ABI, FIELDS, HEADER, PAGE, Image, Refused

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "build"))
import elf  # noqa: E402

RX, R, RW = elf.PF_R | elf.PF_X, elf.PF_R, elf.PF_R | elf.PF_W
PT_DYNAMIC, PT_INTERP, PT_TLS, PT_GNU_STACK = 2, 3, 7, 0x6474e551
SHF_TLS = 1 << 10
CONSTRUCTORS = (".init_array", ".fini_array", ".preinit_array", ".ctors", ".dtors", ".init", ".fini")


def align(value):
    return (value + PAGE - 1) // PAGE * PAGE


def check_sections(image):
    for section in image.sections:
        if section.type in (elf.SHT_RELA, elf.SHT_REL, elf.SHT_RELR) and section.size:
            raise Refused(f"relocations are left in {section.name}: nobody applies them")
        if section.size and section.name.startswith(CONSTRUCTORS):
            raise Refused(f"{section.name} holds constructors or destructors: nobody runs them")
        if section.flags & elf.SHF_WRITE and section.flags & elf.SHF_EXECINSTR:
            raise Refused(f"{section.name} can be written and executed")
        if section.flags & SHF_TLS:
            raise Refused(f"{section.name} is thread-local: there are no threads")
    undefined = image.undefined()
    if undefined:
        raise Refused(f"undefined: {', '.join(undefined)}")


def check_kinds(image):
    for segment in image.segments:
        if segment.kind in (PT_DYNAMIC, PT_INTERP, PT_TLS):
            raise Refused("dynamically linked or thread-local: link it with trustlet.lds")
        if segment.kind == PT_GNU_STACK and segment.flags & elf.PF_X:
            raise Refused("wants a stack that can be executed")
        if segment.kind == elf.PT_LOAD and segment.flags & elf.PF_W and segment.flags & elf.PF_X:
            raise Refused(f"the segment at {segment.vaddr:#x} can be written and executed")


def segments_of(image):
    """(text, read-only data, private data), each where it belongs."""
    check_kinds(image)
    loads = [s for s in image.loads() if s.memsz]
    if [s.flags for s in loads] != [RX, R, RW]:
        raise Refused("the segments are not R-X, R--, RW-, but "
                      + (" ".join(f"{s.flags:#x}" for s in loads) or "none"))
    text, rodata, data = loads
    start = ABI["TRUSTLET_IMAGE_BASE"] + PAGE
    for name, segment, address in (("text", text, start),
                                   ("read-only data", rodata, start + align(text.memsz)),
                                   ("private data", data, ABI["TRUSTLET_DATA_BASE"])):
        if segment.vaddr != address:
            raise Refused(f"{name} is at {segment.vaddr:#x}, must be at {address:#x}")
    for segment in (text, rodata):
        if segment.filesz != segment.memsz:
            raise Refused(f"the segment at {segment.vaddr:#x} has memory that is not in the file")
    if image.entry != start:
        raise Refused(f"the entry is {image.entry:#x}, must be the first byte of text, {start:#x}")
    return text, rodata, data


def content(image, segment):
    return image.bytes_at(segment.offset, segment.filesz)


def convert(image, name, svn, debug):
    """The bytes of the image."""
    check_sections(image)
    text, rodata, data = segments_of(image)
    if data.filesz and data.paddr != rodata.vaddr + rodata.filesz:
        raise Refused(f"initial data is to be loaded at {data.paddr:#x}, not behind read-only data")
    code, constant = content(image, text), content(image, rodata) + content(image, data)
    header = dict.fromkeys(FIELDS, 0) | {
        "magic": ABI["IMAGE_MAGIC"], "version": ABI["IMAGE_VERSION"], "header_size": HEADER.size,
        "text_pages": align(len(code)) // PAGE, "rodata_pages": align(len(constant)) // PAGE,
        "data_pages": align(data.memsz) // PAGE, "vps": 1, "svn": svn,
        "flags": ABI["IMAGE_DEBUG"] if debug else 0, "id": name.encode("utf-8"), "reserved": b""}
    header["pages"] = 1 + header["text_pages"] + header["rodata_pages"]
    if len(header["id"]) >= ABI["IMAGE_ID_BYTES"]:
        raise Refused(f"id {name!r} is longer than {ABI['IMAGE_ID_BYTES'] - 1} bytes")
    if not 0 <= svn < 1 << 32:
        raise Refused(f"svn is {svn}, must be 1 to {ABI['IMAGE_MAX_SVN']}")
    made = HEADER.pack(*(header[field] for field in FIELDS))
    made += code + bytes(align(len(code)) - len(code))
    made += constant + bytes(align(len(constant)) - len(constant))
    Image(made)  # judged by the same rules as one that comes from elsewhere
    return made


def convert_file(path, name, svn, debug):
    try:
        return convert(elf.load(path, fixed=True), name, svn, debug)
    except (elf.BadInput, Refused) as error:
        raise Refused(f"{path}: {error}") from error
