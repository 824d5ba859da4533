#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""lint-tidy: clang-tidy with .clang-tidy on monitor/, arch/ and boot/; clang's own warnings count too."""
import functools
import os
import shutil
import sys
import tempfile

import compile as comp
import lintlib

FOLDERS = ("monitor/", "arch/", "boot/")
GOOD = "int f(const int *p);\nint f(const int *p)\n{\n\treturn p ? *p : 0;\n}\n"
# Name of the check, and what it must find.
BAD = {
    "clang-analyzer-core.NullDereference":
        "int f(const int *p);\nint f(const int *p)\n{\n\tif (p)\n\t\treturn 0;\n\treturn *p;\n}\n",
    "bugprone-sizeof-expression":
        "#include <stddef.h>\nsize_t f(void);\nsize_t f(void)\n{\n\treturn sizeof(sizeof(int));\n}\n",
    "readability-identifier-naming":
        "int getIt(void);\nint getIt(void)\n{\n\treturn 0;\n}\n",
    "clang-diagnostic-shadow":
        "int f(int a);\nint f(int a)\n{\n\tif (a) {\n\t\tint a = 1;\n\n\t\treturn a;\n\t}\n"
        "\treturn 0;\n}\n",
}


def tidy(path, flag_set):
    """(what was tried, complaints: empty if none)."""
    done = lintlib.run(["clang-tidy", "--quiet", path, "--", *comp.flags(flag_set, "clang")])
    lines = [line for line in done.stdout.splitlines() if ": error:" in line or ": warning:" in line]
    if done.returncode and not lines:
        lines = done.stderr.splitlines() or [f"exit status {done.returncode}"]
    return f"{path} ({flag_set})", lines


def selftest(tap, scratch):
    shutil.copy(".clang-tidy", scratch)
    lintlib.write_tree(scratch, {"good.c": GOOD})
    lines = tidy(f"{scratch}/good.c", "MON_CFLAGS")[1]
    tap.ok(not lines, "self: nothing in the good example", lines)
    for number, (check, text) in enumerate(BAD.items(), 1):
        lintlib.write_tree(scratch, {f"bad{number}.c": text})
        lines = tidy(f"{scratch}/bad{number}.c", "MON_CFLAGS")[1]
        tap.ok(any(check in line for line in lines), f"self: {check} is found", lines)


def main():
    tap = lintlib.Tap()
    with tempfile.TemporaryDirectory() as scratch:
        selftest(tap, os.path.abspath(scratch))
    jobs = [functools.partial(tidy, path, name) for path in lintlib.tracked(".", ".c")
            if path.startswith(FOLDERS) for name in comp.sets_of(path)[:1]]
    for what, lines in comp.in_parallel(jobs):
        tap.ok(not lines, what, lines[:10])
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
