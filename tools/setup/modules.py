#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Keeps some modules of a kernel's package, with what they depend on; the others are thrown away.

usage: modules.py FOLDER NAME...

FOLDER has the package's files. Writes FOLDER/modules: a line with the names that were asked for, then the path of
each module that is kept, in the order in which they can be loaded. A name without a file is part of the kernel, or
not in it at all.
"""

import lzma
import os
import re
import sys


def found(folder):
    """{name: path} of the modules, those of Debian 13 unpacked as they are needed. A name has no hyphens."""
    paths = {}
    for where, _, names in os.walk(folder):
        for name in names:
            match = re.fullmatch(r"(.*)\.ko(\.xz)?", name)
            if match:
                paths[match.group(1).replace("-", "_")] = os.path.join(where, name)
    return paths


def plain(path):
    """The path of a module that is not compressed."""
    if not path.endswith(".xz"):
        return path
    with lzma.open(path) as packed, open(path[:-3], "wb") as f:
        f.write(packed.read())
    return path[:-3]


def depends(path):
    with open(path, "rb") as f:
        match = re.search(rb"\0depends=([^\0]*)\0", f.read())
    return [name.replace("-", "_") for name in match.group(1).decode().split(",") if name] if match else []


def keep(name, paths, kept):
    if name not in paths or name in kept:
        return
    path = plain(paths[name])
    for other in depends(path):
        keep(other, paths, kept)
    kept[name] = path


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    folder, wanted = sys.argv[1], sys.argv[2:]
    paths, kept = found(folder), {}
    for name in wanted:
        keep(name, paths, kept)
    for path in set(paths.values()) - set(kept.values()):
        os.unlink(path)
    with open(os.path.join(folder, "modules"), "w", encoding="ascii") as f:
        f.write(f"# {' '.join(wanted)}\n")
        f.writelines(os.path.relpath(path, folder) + "\n" for path in kept.values())


if __name__ == "__main__":
    main()
