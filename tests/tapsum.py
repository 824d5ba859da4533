#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Sum TAP files: usage tapsum.py FOLDER [TARGET THAT FAILED...]. Prints one closing line.

A target that failed without a failing test of its own counts as one failure, so that a build error is
never lost. Exit status 1 if anything failed or if no test ran.
"""
import pathlib
import re
import sys

RESULT = re.compile(r"^(not ok|ok)\b(.*)$")


def count(path):
    passed = failed = skipped = 0
    for line in path.read_text(errors="replace").splitlines():
        match = RESULT.match(line)
        if not match:
            continue
        if match.group(1) == "not ok":
            failed += 1
        elif re.search(r"# ?skip", match.group(2), re.I):
            skipped += 1
            print(f"skipped: {path.stem}: {match.group(2).strip(' -')}")
        else:
            passed += 1
    return passed, failed, skipped


def main():
    totals = [0, 0, 0]
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.tap")):
        result = count(path)
        totals = [a + b for a, b in zip(totals, result)]
        if result[1]:
            print(f"failed: {path.stem}: {result[1]}")
    for target in sys.argv[2:]:
        print(f"failed target: {target}")
    if sys.argv[2:] and not totals[1]:
        totals[1] = len(sys.argv) - 2
    print(f"{totals[0]} passed, {totals[1]} failed, {totals[2]} skipped")
    return 1 if totals[1] or not totals[0] else 0


if __name__ == "__main__":
    sys.exit(main())
