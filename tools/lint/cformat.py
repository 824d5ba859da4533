#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""lint-format: C files and headers are as clang-format with .clang-format writes them.

Releases of clang-format differ in details, so one release counts: Debian 12's. With another one the
check is skipped, not passed.
"""
import re
import shutil
import sys
import tempfile

import lintlib

MAJOR = "14"
GOOD = "int f(int a)\n{\n\tif (a)\n\t\treturn 1;\n\treturn 0;\n}\n"
BAD = ("int f(int a) {\n\tif (a)\n\t\treturn 1;\n\treturn 0;\n}\n",
       "int f(int a)\n{\n    return 0;\n}\n",
       "int f(int a)\n{\n\treturn a +" + " a +" * 30 + " a;\n}\n")


def complaints(command, paths):
    done = lintlib.run([command, "--style=file", "--dry-run", "-Werror", *paths])
    return done.stderr.splitlines() if done.returncode else []


def selftest(tap, command, scratch):
    shutil.copy(".clang-format", scratch)
    for number, text in enumerate((GOOD, *BAD)):
        path = f"{scratch}/example{number}.c"
        lintlib.write_tree(scratch, {f"example{number}.c": text})
        found = complaints(command, [path])
        tap.ok(bool(found) == (number > 0), f"self: example {number} "
               f"{'fails' if number else 'passes'}", found)


def main():
    tap = lintlib.Tap()
    command = shutil.which(f"clang-format-{MAJOR}") or "clang-format"
    version = re.search(r"version (\d+)", lintlib.run([command, "--version"]).stdout)
    if not version or version[1] != MAJOR:
        tap.skip("format", f"needs clang-format {MAJOR}, here is {version and version[1]}")
        return tap.done()
    with tempfile.TemporaryDirectory() as scratch:
        selftest(tap, command, scratch)
    paths = lintlib.tracked(".", (".c", ".h"))
    found = [line for line in complaints(command, paths) if "error:" in line]
    for path in paths:
        tap.ok(not any(line.startswith(path + ":") for line in found), path,
               [line for line in found if line.startswith(path + ":")][:5])
    strays = [line for line in found if line.split(":")[0] not in paths]
    tap.ok(not strays, "each complaint is about a file", strays[:5])
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
