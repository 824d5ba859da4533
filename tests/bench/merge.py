#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Puts the parts of a benchmark together: usage merge.py OUTPUT.json PART.json...

Prints a table beside the goals. A goal is met where value <= goal. Nothing is gated by it; exit status 1
only where a part is missing.
"""

import json
import sys


def verdict(row):
    if row["goal"] is None:
        return ""
    return "met" if row["value"] <= row["goal"] else "MISSED"


def main():
    rows = []
    for path in sys.argv[2:]:
        with open(path, encoding="ascii") as f:
            rows += json.load(f)
    with open(sys.argv[1], "w", encoding="ascii") as f:
        json.dump(rows, f, indent=1)
        f.write("\n")
    print(f"{'what':24} {'value':>12} {'goal':>10}  {'':6} unit, vendor, emulator; note")
    for row in rows:
        goal = "" if row["goal"] is None else row["goal"]
        print(f"{row['name']:24} {row['value']:>12} {goal:>10}  {verdict(row):6} "
              f"{row['unit']}, {row['vendor']}, {row['emulator']}; {row.get('note', '')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
