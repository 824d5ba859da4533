#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Breaks comments that are wider than the house style allows, and leaves all others as they are.

usage: reflow.py FILE...        rewrites the files in place

clang-format would reflow diagrams and lists too, so it is told to leave comments alone. Here only a
paragraph with a line that is too wide is filled anew; lines indented within the comment, and those with
a gap in them (a table, a list with hanging indent), are left alone. A comment behind code that is too
wide moves to the line above.
"""
import re
import sys
import textwrap

COLUMNS = 100
TAB = 8


def width(line):
    return len(line.expandtabs(TAB))


def fill(indent, paragraph):
    """Lines of a paragraph, each behind ` * `."""
    room = COLUMNS - width(indent) - 3
    lines = textwrap.wrap(" ".join(paragraph), room, break_long_words=False, break_on_hyphens=False)
    return [f"{indent} * {line}" for line in lines]


def refill(indent, body):
    """The lines of a block comment, those that are too wide filled anew with their paragraph."""
    out, paragraph = [], []

    def flush():
        lines = [f"{indent} * {line}" for line in paragraph]
        wide = any(width(line) > COLUMNS for line in lines)
        out.extend(fill(indent, paragraph) if wide else lines)
        paragraph.clear()

    for line in body:
        if not line or line[0].isspace() or "  " in line.strip() or "\t" in line:
            flush()
            out.append(f"{indent} * {line}".rstrip())
        else:
            paragraph.append(line)
    flush()
    return out


def rewrite_block(match):
    text, indent = match[0], match[1]
    if all(width(line) <= COLUMNS for line in text.split("\n")):
        return text
    inner = text[len(indent) + 2:text.rindex("*/")].split("\n")
    body = [inner[0].strip()] if inner[0].strip() else []
    body += [re.sub(r"^\s*\* ?", "", line).rstrip() for line in inner[1:]]
    while body and not body[-1].strip():
        body.pop()
    return "\n".join([f"{indent}/*", *refill(indent, body), f"{indent} */"])


def rewrite_trailing(text):
    out = []
    for line in text.split("\n"):
        match = re.match(r"^(\s*)([^\s/*].*?)\s*(/\*.*\*/)$", line)
        if match and width(line) > COLUMNS and not (out and out[-1].endswith("\\")):
            out += [match[1] + match[3], match[1] + match[2]]
        else:
            out.append(line)
    return "\n".join(out)


def rewrite(text):
    return re.sub(r"^([ \t]*)/\*(?:[^*]|\*(?!/))*\*/(?=\n)", rewrite_block, rewrite_trailing(text),
                  flags=re.M)


def main():
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        new = rewrite(text)
        if new != text:
            with open(path, "w", encoding="utf-8") as file:
                file.write(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
