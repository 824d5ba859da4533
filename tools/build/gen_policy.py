#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""The CPUID and MSR policy as a Markdown page: usage gen_policy.py [--unseen] FILE.def... > policy.md.

  --unseen  only the rows that no machine of the tests takes
"""
import re
import sys

ROW = re.compile(r"^(MSR|CPUID)\((.*?)\)\n(?=MSR|CPUID|#|\n|\Z)", re.S | re.M)


def fields(text):
    """Split at commas outside brackets and strings; neighbouring strings are one."""
    parts, depth, start, quoted = [], 0, 0, False
    for i, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif not quoted and char in "()":
            depth += 1 if char == "(" else -1
        elif not quoted and depth == 0 and char == ",":
            parts.append(text[start:i])
            start = i + 1
    parts.append(text[start:])
    parts = [" ".join(part.split()) for part in parts]
    parts[-1] = "".join(re.findall(r'"([^"]*)"', parts[-1]))
    return [part.replace("|", "or") for part in parts]


def msr_line(row):
    first, last, name, kind, value, vendor, mark, reason = row
    numbers = first if first == last else f"{first}-{last}"
    shown = f"{kind} {value}" if kind in ("VALUE", "BITS", "SET_BITS", "HOST_MASK") else kind
    return f"| {numbers} | {name} | {shown} | {vendor} | {mark} | {reason} |"


def cpuid_line(row):
    table, index, eax, ebx, ecx, edx, rule, mark, reason = row
    place = {"BASIC": index, "EXTENDED": f"0x80000000 + {index}", "FEATURES": f"7, subleaf {index}"}
    return f"| {place[table]} | {eax} | {ebx} | {ecx} | {edx} | {rule} | {mark} | {reason} |"


def place(kind_and_row):
    """Sorts by number; of CPUID by table first."""
    kind, row = kind_and_row
    table, number = ("MSR", row[0]) if kind == "MSR" else (row[0], row[1])
    return ["MSR", "BASIC", "FEATURES", "EXTENDED"].index(table), int(number, 16)


WHOLE = ("# CPUID and MSR policy\n\nMade from arch/x86/cpu_policy.def, which explains the kinds and rules, the files"
         " of that name\nin vmx/ and svm/, and cpu_denied.def. What is not listed: #GP, or zeros.")
UNSEEN = """\
# Policy rows that were never seen at work

The rows that `cpu_policy.def` (here, in vmx/ and svm/) and `cpu_denied.def` mark UNSEEN: no CPU model of Bochs in
the tests takes them, so they are what the manuals say, and at most the host tests walk through them. The mark is set
by hand and is about Bochs only: QEMU's AMD machine has a few of the registers below. Made by `make unseen-page`;
`lint-unseen` compares."""


def main():
    unseen = sys.argv[1] == "--unseen"
    rows = []
    for path in sys.argv[2 if unseen else 1:]:
        with open(path, encoding="utf-8") as file:
            rows += [(kind, fields(text)) for kind, text in ROW.findall(file.read())]
    rows.sort(key=place)
    if unseen:
        rows = [row for row in rows if row[1][-2] == "UNSEEN"]
    print(f"{UNSEEN if unseen else WHOLE}\n\n## MSRs\n\n"
          "| number | name | kind | CPUs | mark | reason |\n|---|---|---|---|---|---|")
    print("\n".join(msr_line(row) for kind, row in rows if kind == "MSR"))
    print("\n## CPUID\n\n| leaf | EAX | EBX | ECX | EDX | rule | mark | reason |\n"
          "|---|---|---|---|---|---|---|---|")
    print("\n".join(cpuid_line(row) for kind, row in rows if kind == "CPUID"))


main()
