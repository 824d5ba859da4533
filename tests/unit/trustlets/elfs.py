#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Trustlets built out of the tree: a good one, and each kind that the build must refuse."""
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(TOP / "tests/emu"), str(TOP / "tools/image")]
import convert  # noqa: E402
import elf  # noqa: E402
from form import Refused  # noqa: E402
from tap import Tap  # noqa: E402

SAMPLE, RT = TOP / "guest/trustlets/sample", TOP / "guest/trustlets/rt"

# What makes a trustlet wrong: (C behind main.c, what make is told, what the build says).
BAD_SOURCES = {
    "a constructor": ("__attribute__((constructor)) static void early(void) { trustlet_log(\"x\"); }\n", (),
                      "nobody runs them"),
    "a destructor": ("__attribute__((destructor)) static void late(void) { trustlet_log(\"x\"); }\n", (),
                     "nobody runs them"),
    "thread-local data": ("_Thread_local int t = 3; int *where(void);\nint *where(void) { return &t; }\n", (),
                          "(nobody runs them|TLS|thread-local)"),
    "an undefined function": ("void gone(void);\nvoid call(void);\nvoid call(void) { gone(); }\n", (),
                              "undefined reference to `gone'"),
    "a weak symbol that nobody defines": ("__attribute__((weak)) void gone(void);\nvoid call(void);\n"
                                          "void call(void) { if (gone) gone(); }\n", (), "undefined, though weakly"),
    "a section of its own": ("__attribute__((section(\".mine\"))) int mine = 1;\n", (), "orphan section"),
    "code in a section that can be written": (
        "__asm__(\".section .bss.code,\\\"awx\\\",@nobits; .skip 8; .previous\");\n", (),
        "can be written and executed"),
    "a handler without a row": ("REQUEST_HANDLER(lost) { return lost; }\n", (), "error"),
    "a variable-length array": ("int vla(int n);\nint vla(int n) { int a[n]; return a[0]; }\n", (), "error"),
    "a header of the machine": ("#include <unistd.h>\n", (), "No such file"),
    "relocations kept": ("", ("LD=ld -q",), "relocations are left"),
    "a position-independent link": ("", ("LD=ld -pie",), "(linked at a fixed address|orphan|error)"),
    "more memory than there may be": ("", ("HEAP_PAGES=16380",), "data_pages is 16[0-9]{3}, must be 1 to 16384"),
    "an id that is none": ("", ("NAME=Sample",), "is not 1 to 31 of a-z"),
    "SVN 0": ("", ("SVN=0",), "svn is 0"),
}
BAD_TABLES = {
    "a row without a handler": ('REQUEST(9, gone, ARGS(), RETS(), "x")\n', "undefined reference to `request_gone'"),
    "an id twice": ('REQUEST(1, echo, ARGS(), RETS(), "x")\n', "duplicate case"),
    "four arguments": ('REQUEST(9, echo, ARGS(ARG(a, ""), ARG(b, ""), ARG(c, ""), ARG(d, "")), RETS(), "x")\n',
                       "too many words"),
}


def project(folder, source="", table="", built=None):
    """A copy of the sample somewhere else; `built`: one that is built, whose objects of the run-time will do."""
    shutil.copytree(SAMPLE, folder)
    if built:
        shutil.copytree(f"{built}/build/rt", f"{folder}/build/rt")
        os.unlink(f"{folder}/build/rt/serve.o")
    for name, text in (("main.c", source), ("requests.def", table)):
        with open(f"{folder}/{name}", "a", encoding="ascii") as file:
            file.write(text)


def build(folder, *arguments):
    """(whether it succeeded, all it printed)."""
    done = subprocess.run(["make", "-s", "-C", folder, f"RT={RT}", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, env=clean_environment())
    return done.returncode == 0, done.stdout


def clean_environment():
    return {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}


def test_good(tap, folder):
    key = f"{folder}/key.pem"
    subprocess.run(["openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", key], check=True)
    for name in ("one", "two"):
        project(f"{folder}/{name}")
        good, said = build(f"{folder}/{name}", f"KEY={key}")
        tap.check(good, f"the sample builds and is signed in {name}, outside the tree", said)
    images = [pathlib.Path(folder, name, "build/sample.img").read_bytes() for name in ("one", "two")]
    size = struct.unpack_from("<I", images[0], 16)[0] * 4096
    tap.check(images[0][:size] == images[1][:size], "the same pages from another folder: the build is reproducible")
    tap.check(len(images[0]) > size, "and a signature behind them")
    return f"{folder}/one"


def refused_by_convert(data):
    try:
        convert.convert(elf.Elf(data, fixed=True), "a", 1, False)
        return "nothing is refused"
    except (elf.BadInput, Refused) as error:
        return str(error)


def patched(data, number, offset, form, value):
    """The file with a field of a program header changed."""
    out = bytearray(data)
    struct.pack_into(form, out, struct.unpack_from("<Q", data, 32)[0] + 56 * number + offset, value)
    return bytes(out)


# Program header, field, format, value; what is said. The headers are text, rodata, data, stack.
BAD_HEADERS = {
    "text that can be written": (0, 4, "<I", 7, "can be written and executed"),
    "data that can be executed": (2, 4, "<I", 7, "can be written and executed"),
    "read-only data that can be written": (1, 4, "<I", 6, "not R-X, R--, RW-"),
    "a stack that can be executed": (3, 4, "<I", 7, "stack that can be executed"),
    "a dynamic section": (3, 0, "<I", 2, "dynamically linked"),
    "an interpreter": (3, 0, "<I", 3, "dynamically linked"),
    "a segment too few": (1, 0, "<I", 0, "not R-X, R--, RW-"),
    "text at another address": (0, 16, "<Q", 0x202000, "text is at 0x202000"),
    "read-only data at another address": (1, 16, "<Q", 0x300000, "read-only data is at"),
    "data at another address": (2, 16, "<Q", 0x40001000, "private data is at"),
    "initial data elsewhere": (2, 24, "<Q", 0x300000, "initial data is to be loaded"),
    "text that is not in the file": (0, 40, "<Q", 0x4fff, "not in the file|read-only data is at"),
    "a file cut short": (0, 8, "<Q", 0xffffff, "cut short"),
}


INITIAL_DATA = "static volatile int initial = 5;\nint get(void);\nint get(void) { return initial; }\n"


def test_headers(tap, data):
    for what, (number, offset, form, value, said) in BAD_HEADERS.items():
        told = refused_by_convert(patched(data, number, offset, form, value))
        tap.check(re.search(said, told), f"refused: {what}", told)
    entry = data[:24] + struct.pack("<Q", 0x201010) + data[32:]
    tap.check("must be the first byte of text" in refused_by_convert(entry), "refused: another entry")
    other = data[:18] + struct.pack("<H", 3) + data[20:]
    tap.check("not an x86-64 file" in refused_by_convert(other), "refused: another machine")


def main():
    tap = Tap(4 + len(BAD_SOURCES) + len(BAD_TABLES) + len(BAD_HEADERS) + 2)
    with tempfile.TemporaryDirectory() as folder:
        good = test_good(tap, folder)
        for number, (what, (source, arguments, said)) in enumerate(BAD_SOURCES.items()):
            project(f"{folder}/bad{number}", source, built=good)
            done, told = build(f"{folder}/bad{number}", *arguments)
            images = list(pathlib.Path(folder, f"bad{number}", "build").glob("*.img"))
            tap.check(not done and re.search(said, told) and not images, f"refused: {what}", told[-600:])
        for number, (what, (table, said)) in enumerate(BAD_TABLES.items()):
            project(f"{folder}/table{number}", table=table, built=good)
            done, told = build(f"{folder}/table{number}")
            tap.check(not done and said in told, f"refused: {what}", told[-600:])
        project(f"{folder}/data", INITIAL_DATA, built=good)
        build(f"{folder}/data")
        test_headers(tap, pathlib.Path(folder, "data/build/sample.elf").read_bytes())
    return tap.status()


sys.exit(main())
