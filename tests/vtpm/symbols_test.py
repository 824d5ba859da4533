#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""vtpm/platform/symbols.py on the list as it is, and on lists with one fault each.

usage: symbols_test.py FOLDER      FOLDER holds the objects of the image
"""
import pathlib
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/emu"))
from tap import Tap  # noqa: E402

LIST = TOP / "vtpm/platform/symbols.txt"
FAULTS = (
    ("a name that is not listed", "bn BN_cmp\n", "", "wants BN_cmp, which the list does not have"),
    ("a name that nobody wants", "bn BN_cmp\n", "bn BN_cmp\nbn BN_sqr\n", "BN_sqr is listed, and libtpms does not want it"),
    ("a name in the wrong family", "bn BN_cmp\n", "ec BN_cmp\n", "ec does not define BN_cmp"),
    ("a name that its family has and the list gives to another", "bn BN_cmp\n", "ec BN_cmp\n",
     "bn defines BN_cmp, which is not listed"),
    ("a name twice", "bn BN_cmp\n", "bn BN_cmp\nbn BN_cmp\n", "BN_cmp is there twice"),
)


def run(path, folder):
    done = subprocess.run([sys.executable, TOP / "vtpm/platform/symbols.py", path, f"{folder}/libtpms.o", folder],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


def main():
    folder = sys.argv[1]
    tap = Tap(len(FAULTS) + 1)
    text = LIST.read_text(encoding="ascii")
    status, said = run(LIST, folder)
    tap.check(status == 0 and not said, "the list is right", said)
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch, "list")
        for what, old, new, wanted in FAULTS:
            path.write_text(text.replace(old, new, 1), encoding="ascii")
            status, said = run(path, folder)
            tap.check(old in text and status != 0 and wanted in said, f"{what} is found", said)
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
