#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""lint-sloc: lines of root-mode code, counted by cloc: what one vendor's monitor links.

usage: sloc.py [--total] MONITOR.elf

Counted are the .c and .S files that the debug information of the linked file names, and every .h and
.def of the project that they include; generated files are not. MON_CFLAGS comes from the Makefile.
--total prints the number alone.
"""
import csv
import os
import sys
import tempfile

import compile as comp
import lintlib
from elfview import Elf

LIMIT = 8000
CLOC = ["cloc", "--quiet", "--csv", "--by-file", "--force-lang=C,def", "--force-lang=C,h",
        "--list-file=/dev/stdin"]


def unknown_code(elf):
    """Functions whose source the debug information does not name: they would not be counted."""
    first = {}
    for instruction in elf.instructions:
        first.setdefault(instruction.function, instruction.address)
    sources = elf.source_of(list(first.values()))
    return [name for name, address in first.items() if sources.get(address, "??") == "??"]


def included(unit, root):
    """Files of the project that compiling `unit` reads, itself among them."""
    done = lintlib.run(["gcc", *comp.flags("MON_CFLAGS"), "-MM", "-MG", unit], cwd=root)
    if done.returncode:
        raise RuntimeError(done.stderr)
    names = done.stdout.replace("\\\n", " ").split(":", 1)[1].split()
    return {os.path.normpath(name) for name in names}


def sources(elf, root="."):
    """Sorted paths of all that is counted."""
    built = os.path.normpath(os.environ.get("B", "build")) + "/"
    files = set()
    for unit in elf.units:
        files |= included(os.path.normpath(unit), root)
    return sorted(path for path in files
                  if not path.startswith(built) and os.path.isfile(os.path.join(root, path)))


def count(paths, root="."):
    """{path: lines of code}."""
    done = lintlib.run(CLOC, input="\n".join(paths) + "\n", cwd=root)
    rows = list(csv.reader(done.stdout.splitlines()))
    counts = {os.path.normpath(row[1]): int(row[4]) for row in rows
              if len(row) >= 5 and row[4].isdigit() and row[0] != "SUM"}
    missing = set(paths) - counts.keys()
    # cloc leaves out a file without code, and one that repeats another byte for byte.
    return counts, sorted(missing)


def selftest(tap, scratch):
    import image_test
    files = {
        "a.c": '#include "a.h"\n\n/* a\n * b */\nint start(int a)\n{\n\treturn a + A; // c\n}\n',
        "b.S": "/* a */\n.globl b\nb:\tret\n.section .note.GNU-stack,\"\"\n",
    }
    folder = f"{scratch}/example"
    lintlib.write_tree(folder, {"a.h": '/* a */\nint start(int a);\nenum {\n#include "a.def"\n};\n',
                                "a.def": "/* a */\nA = 1,\n\nB = 2,\n", "unused.h": "int x;\n"})
    elf = image_test.build(scratch, "example", files)
    paths = sources(elf, folder)
    tap.ok(paths == ["a.c", "a.def", "a.h", "b.S"], "self: what is linked and included", [str(paths)])
    counts, missing = count(paths, folder)
    tap.ok(counts == {"a.c": 5, "a.h": 4, "a.def": 2, "b.S": 3} and not missing,
           "self: lines of code", [str(counts), str(missing)])
    tap.ok(not unknown_code(elf), "self: all code has a source")
    lintlib.run(["strip", "--strip-debug", f"{folder}/out.elf"])
    tap.ok(unknown_code(Elf(f"{folder}/out.elf")) != [], "self: code without a source is found")


def main():
    args = [arg for arg in sys.argv[1:] if arg != "--total"]
    elf = Elf(args[0])
    paths = sources(elf)
    counts, missing = count(paths)
    total = sum(counts.values())
    if "--total" in sys.argv:
        print(total)
        return 0
    tap = lintlib.Tap()
    with tempfile.TemporaryDirectory() as scratch:
        selftest(tap, os.path.abspath(scratch))
    for path in paths:
        tap.note(f"{counts.get(path, 0):6} {path}")
    tap.note(f"{total:6} in {len(paths)} files")
    print(f"root-mode code: {total} lines in {len(paths)} files", file=sys.stderr)
    unknown = unknown_code(elf)
    tap.ok(not unknown, "all code has a source that is counted", unknown[:20])
    tap.ok(not missing, "cloc counts every file", missing)
    tap.ok(len(paths) > 1 and total > 0, "there is code to count")
    tap.ok(total <= LIMIT, f"at most {LIMIT} lines", [f"{total} lines"])
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
