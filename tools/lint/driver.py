#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""lint-driver: the kernel's own judges on what is kernel code here: checkpatch.pl --strict on each file, sparse on what
the kernel's build compiles (C=2), warnings as errors.

usage: driver.py HEADERS CHECKPATCH GENERATED     folders: the kernel's headers, of checkpatch.pl, of what is generated
"""
import os
import pathlib
import sys
import tempfile

import lintlib

# They are part of the kernel, in its style; clang-format has no say there.
FOLDERS = ("guest/linux/driver/", "tests/attack/linux/")
ALSO = ["guest/linux/redoubt.h"]
BAD_STYLE = {"SPACING": "int f(int a)\n{\n\tif(a)\n\t\treturn 1;\n\treturn 0;\n}\n",
             "CODE_INDENT": "int f(int a)\n{\n        return a;\n}\n",
             "MACRO_ARG_REUSE": "#define F(a) ((a) + (a))\n"}
LICENSE = "// SPDX-License-Identifier: GPL-2.0\n"
BAD_SPARSE = LICENSE + """#include <linux/module.h>
#include <linux/uaccess.h>

int bad(int __user *p);
int bad(int __user *p)
{
	return *p;
}
MODULE_LICENSE("GPL");
"""


def checkpatch(script, path):
    """Complaints about one file."""
    done = lintlib.run(["perl", f"{script}/checkpatch.pl", "--no-tree", "--strict", "--terse", "--show-types",
                        "--no-summary", "-f", path])
    lines = (done.stdout + done.stderr).splitlines()
    return lines or ([f"exit status {done.returncode}"] if done.returncode else [])


def sparse(headers, folder, *more):
    """What the kernel's build says of the module in a folder."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    done = lintlib.run(["make", "-s", "-C", headers, f"M={folder}", "C=2", "CF=-Wsparse-error", *more, "modules"],
                       env=env)
    lines = [line for line in done.stderr.splitlines() if "BTF generation" not in line]
    return lines or ([f"exit status {done.returncode}"] if done.returncode else [])


def sparse_folder(folder, headers, generated):
    with tempfile.TemporaryDirectory() as scratch:
        for path in lintlib.tracked("."):
            if path.startswith(folder) and "/" not in path[len(folder):]:
                os.symlink(os.path.abspath(path), os.path.join(scratch, pathlib.Path(path).name))
        return sparse(headers, scratch, "REDOUBT_TOP=" + os.getcwd(), "REDOUBT_GEN=" + os.path.abspath(generated))


def selftest(tap, headers, script, scratch):
    for kind, text in BAD_STYLE.items():
        path = f"{scratch}/bad.c"
        lintlib.write_tree(scratch, {"bad.c": LICENSE + "/* What it is for. */\n" + text})
        lines = checkpatch(script, path)
        tap.ok(any(kind in line for line in lines), f"self: checkpatch finds {kind}", lines)
    lintlib.write_tree(scratch, {"bad/Kbuild": "obj-m := bad.o\n", "bad/bad.c": BAD_SPARSE})
    lines = sparse(headers, f"{scratch}/bad")
    tap.ok(any("dereference of noderef" in line for line in lines), "self: sparse finds a user's pointer", lines)


def main():
    headers, script, generated = sys.argv[1:]
    tap = lintlib.Tap()
    with tempfile.TemporaryDirectory() as scratch:
        selftest(tap, headers, script, scratch)
    for folder in FOLDERS:
        paths = [path for path in lintlib.tracked(".", (".c", ".h")) if path.startswith(folder)]
        for path in paths + ALSO * (folder == FOLDERS[0]):
            lines = checkpatch(script, path)
            tap.ok(not lines, f"checkpatch: {path}", lines)
        lines = sparse_folder(folder, headers, generated)
        tap.ok(not lines, f"sparse and the compiler: {folder}, {len(paths)} files", lines)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
