#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""lint-unseen: arch/x86/UNSEEN.md lists the rows that cpu_policy.def and cpu_denied.def mark UNSEEN, all of them,
and README.md leads to it.
"""
import difflib
import sys
import tempfile

import lintlib

POLICY = ("arch/x86/cpu_policy.def", "arch/x86/vmx/cpu_policy.def", "arch/x86/svm/cpu_policy.def",
          "arch/x86/cpu_denied.def")
PAGE = "arch/x86/UNSEEN.md"
EXAMPLE = """\
MSR(0x1, 0x2, A, PASS, 0, ANY, UNSEEN, "a, "
    "b")
MSR(0x3, 0x3, C, GP, 0, AMD, SEEN, "c")

CPUID(BASIC, 0x4, ALL, NONE, NONE, NONE, PLAIN, UNSEEN, "d")
"""


def page(*paths):
    return lintlib.run([sys.executable, "tools/build/gen_policy.py", "--unseen", *paths]).stdout


def marks(path):
    with open(path, encoding="utf-8") as file:
        return sum(", UNSEEN," in line for line in file)


def selftest(tap):
    with tempfile.NamedTemporaryFile("w", suffix=".def") as file:
        file.write(EXAMPLE + "#endif\n")
        file.flush()
        text = page(file.name)
    tap.ok("| 0x1-0x2 | A |" in text and "| 0x4 |" in text and " C " not in text,
           "self: the rows marked UNSEEN and no others", text.splitlines())


def main():
    tap = lintlib.Tap()
    selftest(tap)
    wanted = page(*POLICY)
    with open(PAGE, encoding="utf-8") as file:
        found = file.read()
    diff = list(difflib.unified_diff(found.splitlines(), wanted.splitlines(), PAGE, "policy", lineterm="", n=0))
    tap.ok(not diff, f"{PAGE} is up to date (make unseen-page)", diff[:20])
    marked = sum(marks(path) for path in POLICY)
    rows = sum(" | UNSEEN | " in line for line in wanted.splitlines())
    # Counted another way, so that a row that the program cannot read is noticed.
    tap.ok(rows == marked > 0, f"{rows} rows", [f"{marked} marks"])
    with open("README.md", encoding="utf-8") as file:
        tap.ok(f"]({PAGE})" in file.read(), "README.md leads there")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
