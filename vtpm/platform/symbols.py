#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""What libtpms leaves undefined, compared with the list, and the list with what defines it.

usage: symbols.py LIST LIBTPMS FOLDER     FOLDER holds the objects of the image, FAMILY.o each

It fails for a name that is not listed, one that is listed and not undefined, one that its family
does not define, and one that a family defines though nobody wants it.
"""
import pathlib
import subprocess
import sys

SHIM = "tree/vtpm/platform/ossl_shim/"
LIBC = "tree/vtpm/platform/libc/"
OWN = "shim_"  # between the files of the shim


def listed(path):
    """{name: family}; a name twice is an error."""
    names = {}
    for line in pathlib.Path(path).read_text(encoding="ascii").splitlines():
        if not line or line.startswith("#"):
            continue
        family, name = line.split()
        if name in names:
            sys.exit(f"{path}: {name} is there twice")
        names[name] = family
    return names


def nm(objects, option):
    """The names of objects that nm prints with an option."""
    out = subprocess.run(["nm", "-j", "-g", option, *map(str, objects)], check=True, stdout=subprocess.PIPE,
                         text=True).stdout
    return {line for line in out.splitlines() if line and not line.endswith(":")}


def defined(folder, family):
    """What the objects of a family define."""
    if family == "rt":
        return nm(sorted((folder / "rt").glob("*.o")), "--defined-only")
    there = [path for path in (folder / SHIM / f"{family}.o", folder / LIBC / f"{family}.o") if path.exists()]
    return nm(there, "--defined-only") if there else set()


def faults(names, wanted, folder):
    """One line for each name that is wrong."""
    for name in sorted(wanted - set(names)):
        yield f"libtpms wants {name}, which the list does not have"
    for name in sorted(set(names) - wanted):
        yield f"{name} is listed, and libtpms does not want it"
    for family in sorted(set(names.values()) - {"linker"}):
        mine = {name for name, its in names.items() if its == family}
        there = defined(folder, family)
        for name in sorted(mine - there):
            yield f"{family} does not define {name}"
        if family != "rt":
            for name in sorted(there - mine):
                if not name.startswith(OWN):
                    yield f"{family} defines {name}, which is not listed"


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    names = listed(sys.argv[1])
    wrong = list(faults(names, nm([sys.argv[2]], "--undefined-only"), pathlib.Path(sys.argv[3])))
    for line in wrong:
        print(f"symbols: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
