#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""lint-cppcheck: cppcheck on all tracked C but what other builds compile."""
import os
import sys
import tempfile

import compile as comp
import lintlib

SUPPRESSIONS = "tools/lint/cppcheck-suppressions.txt"
BASE = ["cppcheck", "--quiet", "--std=c11", "--platform=unix64", "--inline-suppr",
        "--enable=warning,performance,portability", "--error-exitcode=2",
        "--template={file}:{line}: {id}: {message}", f"--suppressions-list={SUPPRESSIONS}",
        "-I.", "-Iarch/include", "-D__x86_64__", "-D__GNUC__=12"]
GOOD = "int f(int a)\n{\n\tint b[4] = { 0 };\n\n\treturn b[a & 3];\n}\n"
BAD = {
    "arrayIndexOutOfBounds": "int f(void)\n{\n\tint b[4] = { 0 };\n\n\treturn b[4];\n}\n",
    "uninitvar": "int f(void)\n{\n\tint b;\n\n\treturn b;\n}\n",
    "nullPointerRedundantCheck":
        "int f(int *p)\n{\n\tint a = *p;\n\n\tif (p)\n\t\treturn a;\n\treturn 0;\n}\n",
}


def cppcheck(paths):
    """Complaints about the files."""
    build = os.environ.get("B", "build")
    done = lintlib.run([*BASE, f"-I{build}", f"-j{os.cpu_count() or 2}", *paths])
    lines = done.stderr.splitlines()
    return lines or ([f"exit status {done.returncode}"] if done.returncode else [])


def selftest(tap, scratch):
    lintlib.write_tree(scratch, {"good.c": GOOD})
    lines = cppcheck([f"{scratch}/good.c"])
    tap.ok(not lines, "self: nothing in the good example", lines)
    for number, (name, text) in enumerate(BAD.items(), 1):
        lintlib.write_tree(scratch, {f"bad{number}.c": text})
        lines = cppcheck([f"{scratch}/bad{number}.c"])
        tap.ok(any(f": {name}:" in line for line in lines), f"self: {name} is found", lines)


def main():
    tap = lintlib.Tap()
    with tempfile.TemporaryDirectory() as scratch:
        selftest(tap, scratch)
    paths = [path for path in lintlib.tracked(".", ".c") if comp.sets_of(path)]
    if paths:
        lines = cppcheck(paths)
        tap.ok(not lines, f"{len(paths)} files", lines[:40])
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
