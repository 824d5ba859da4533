#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Makes from the call table what C's preprocessor cannot, and checks what belongs to each row.

usage: gen_calls.py stubs TABLE OUT.h     guest stubs: one function a call over redoubt_raw_call()
       gen_calls.py linux PLANNED OUT.h   for Linux: stubs of monitor/abi/calls.def and of the rows of PLANNED that it
                                          lacks, statuses with names, sentences and error numbers
       gen_calls.py status OUT.h          names and sentences of statuses
       gen_calls.py page OUT.md           the reference page of monitor/abi/calls.def
       gen_calls.py check OUT             fails if the page is out of date or a row lacks a test; writes a list of tests

Enum and dispatch come straight from the table by inclusion (monitor/abi/call.h, monitor/call.c).
"""
import pathlib
import re
import sys
from typing import NamedTuple

CALLS = pathlib.Path("monitor/abi/calls.def")
STATUSES = pathlib.Path("monitor/abi/status.def")
PAGE = pathlib.Path("monitor/abi/CALLS.md")
REGISTERS = ("RCX", "RDX", "R8", "R9")
ALWAYS = ("UNKNOWN_CALL", "DENIED", "INVALID")

# For each row `name`, a function PREFIX + name must be defined below FOLDER, and used: if it is static the compiler
# sees to that, otherwise its name must stand there once more, prototypes aside.
TESTS = (("unit", "tests/unit", "test_call_"), ("guest", "guest/suite", "suite_call_"),
         ("fuzz", "tests/fuzz", "fuzz_call_"))

# What a status becomes in Linux. One for each status: a new one has to be thought about.
ERRNO = {"OK": "0", "UNKNOWN_CALL": "ENOSYS", "DENIED": "EPERM", "INVALID": "EINVAL", "ALIGNMENT": "EPROTO",
         "RANGE": "EPROTO", "STATE": "EBADFD", "BUSY": "EBUSY", "NO_RESOURCE": "ENOSPC", "CLOSED": "ESHUTDOWN",
         "DEAD": "EOWNERDEAD"}
PLANNED_ID = 0xffff0000

HEAD = """/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Made by tools/build/gen_calls.py from {source}. */
"""


class Row(NamedTuple):
    number: int
    name: str
    rights: str
    args: list
    rets: list
    statuses: list
    summary: str


def fail(text):
    sys.exit(f"gen_calls: {text}")


def without_comments(path):
    return re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)


def split_top(text):
    """The parts between commas that stand outside parentheses and strings."""
    parts, depth, start, quoted = [], 0, 0, False
    for i, char in enumerate(text):
        if char == '"' and text[i - 1] != "\\":
            quoted = not quoted
        if quoted:
            continue
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    parts.append(text[start:].strip())
    return [part for part in parts if part]


def invocations(text, macro):
    """The arguments of each macro(...) in the text; anything between two is an error."""
    rows, rest = [], text.strip()
    while rest:
        match = re.match(macro + r"\s*\(", rest)
        if not match:
            fail(f"expected {macro}( at: {rest[:40]!r}")
        depth, quoted = 0, False
        for i, char in enumerate(rest):
            if char == '"' and rest[i - 1] != "\\":
                quoted = not quoted
            if not quoted:
                depth += {"(": 1, ")": -1}.get(char, 0)
                if char == ")" and depth == 0:
                    break
        rows.append(split_top(rest[match.end():i]))
        rest = rest[i + 1:].strip()
    return rows


def literal(text):
    pieces = re.findall(r'"((?:[^"\\]|\\.)*)"', text)
    if not pieces:
        fail(f"expected a string: {text!r}")
    return "".join(pieces)


def pairs(text, outer, inner):
    match = re.fullmatch(outer + r"\s*\((.*)\)", text, re.S)
    if not match:
        fail(f"expected {outer}(...): {text!r}")
    found = []
    for part in split_top(match.group(1)):
        name, meaning = split_top(re.fullmatch(inner + r"\s*\((.*)\)", part, re.S).group(1))
        found.append((name, literal(meaning)))
    if len(found) > len(REGISTERS):
        fail(f"too many: {text!r}")
    return found


def read_rows(path):
    known = {row[0] for row in read_statuses()}
    rows = []
    for fields in invocations(without_comments(path), "CALL"):
        if len(fields) != 7:
            fail(f"{path}: a row has {len(fields)} fields: {fields[:2]}")
        number, name, rights, args, rets, statuses, summary = fields
        listed = split_top(re.fullmatch(r"STATUSES\s*\((.*)\)", statuses, re.S).group(1))
        for status in listed:
            if status not in known:
                fail(f"{path}: {name}: no such status: {status}")
        rows.append(Row(int(number, 0), name, rights, pairs(args, "ARGS", "ARG"),
                        pairs(rets, "RETS", "RET"), listed, literal(summary)))
    return rows


def read_calls(path):
    rows = read_rows(path)
    for before, row in zip(rows, rows[1:]):
        if row.number != before.number + 1:
            fail(f"{path}: {row.name}: ids have a gap or are out of order")
    return rows


def read_statuses():
    rows = [(f[0], int(f[1], 0), literal(f[2]))
            for f in invocations(without_comments(STATUSES), "STATUS")]
    if len({row[1] for row in rows}) != len(rows):
        fail(f"{STATUSES}: two statuses have one value")
    return rows


# ---- Output ----

def stub(row):
    """One inline function: arguments by value, results through a structure if there are any."""
    out = [f"/* {row.summary} */"]
    params = [f"uint64_t {name}" for name, _ in row.args]
    regs = ", ".join(name for name, _ in row.args) or "0"
    if row.rets:
        fields = " ".join(f"uint64_t {name};" for name, _ in row.rets)
        out.append(f"struct redoubt_{row.name} {{ {fields} }};")
        params.append(f"struct redoubt_{row.name} *result")
    out += [f"static inline uint64_t redoubt_{row.name}({', '.join(params) or 'void'})", "{",
            f"\tuint64_t regs[CALL_REGS] = {{ {regs} }};",
            f"\tuint64_t rax = redoubt_raw_call({row.number:#x}, regs);", ""]
    for i, (name, _) in enumerate(row.rets):
        out.append(f"\tresult->{name} = regs[{i}];")
    return out + ["\treturn rax;", "}", ""]


def stubs(table):
    name = "REDOUBT_GEN_" + re.sub(r"\W", "_", pathlib.Path(table).stem).upper() + "_H"
    out = [HEAD.format(source=table).rstrip(), f"#ifndef {name}", f"#define {name}", "",
           "#include <stdint.h>", "", '#include "monitor/abi/call.h"', "",
           "/* Makes a call with the registers given, and puts what came back there. By the guest's library. */",
           "uint64_t redoubt_raw_call(uint64_t id, uint64_t regs[CALL_REGS]);", ""]
    for row in read_calls(pathlib.Path(table)):
        out += stub(row)
    return "\n".join(out + ["#endif", ""])


def status_strings():
    return "\n".join([HEAD.format(source=STATUSES).rstrip(), "#ifndef REDOUBT_GEN_STATUS_H",
                      "#define REDOUBT_GEN_STATUS_H", "", *status_functions(), "#endif", ""])


def status_functions():
    out = ["/* Name and meaning of a status; a status that does not exist gives NULL. */"]
    for function, column in (("redoubt_status_name", 0), ("redoubt_status_text", 2)):
        out += [f"static inline const char *{function}(unsigned status)", "{", "\tswitch (status) {"]
        for row in read_statuses():
            out += [f"\tcase {row[1]}:", f'\t\treturn "{row[column]}";']
        out += ["\t}", "\treturn (const char *)0;", "}", ""]
    return out


def status_errors():
    out = ["/* The error number of a status; one that does not exist is EPROTO. */",
           "static inline int redoubt_errno(unsigned status)", "{", "\tswitch (status) {"]
    for name, value, _ in read_statuses():
        if name not in ERRNO:
            fail(f"status {name} has no error number for Linux: ERRNO in gen_calls.py")
        out += [f"\tcase {value}:", f"\t\treturn {ERRNO[name]};"]
    return out + ["\t}", "\treturn EPROTO;", "}", ""]


def linux(planned):
    rows = read_calls(CALLS)
    there = {row.name for row in rows}
    missing = [row for row in read_rows(pathlib.Path(planned)) if row.name not in there]
    rows = [row for row in rows if "RIGHT_NORMAL" in row.rights]
    rows += [row._replace(number=PLANNED_ID + i) for i, row in enumerate(missing)]
    out = [HEAD.format(source=f"{CALLS} and {planned}").rstrip(), "#ifndef REDOUBT_GEN_LINUX_H",
           "#define REDOUBT_GEN_LINUX_H", "", "#include <linux/errno.h>", "", '#include "monitor/abi/call.h"', "",
           "/* Calls from here on are not in the table yet. */", f"#define REDOUBT_PLANNED {PLANNED_ID:#x}u", "",
           "/* Makes a call with the registers given, and puts what came back there. */",
           "uint64_t redoubt_raw_call(uint64_t id, uint64_t regs[CALL_REGS]);", ""]
    out += [f"#define REDOUBT_ID_{row.name} {row.number:#x}u" for row in rows] + [""]
    for row in rows:
        out += stub(row)
    return "\n".join(out + status_functions() + status_errors() + ["#endif", ""])


def registers(pairs_, verb):
    if not pairs_:
        return [f"{verb}: none.", ""]
    lines = [f"| {verb} | register | meaning |", "|---|---|---|"]
    return lines + [f"| {name} | {reg} | {meaning} |" for reg, (name, meaning) in zip(REGISTERS, pairs_)] + [""]


def page():
    sentences = {row[0]: row[2] for row in read_statuses()}
    out = ["# Calls", "", "Made by tools/build/gen_calls.py from calls.def and status.def; `make calls-page` writes it anew.",
           "", "RAX carries the id; it returns the status in bits 15:0 and, for an error that an argument caused, that "
           "argument's number (from 1) in bits 23:16. Calls are taken from 64-bit mode at CPL 0; anywhere else they are #UD. "
           "Arguments that a call does not name must be zero; results that it does not name, and all results of a call that "
           "failed, read zero.", "", "| id | call | who | |", "|---|---|---|---|"]
    rows = read_calls(CALLS)
    for row in rows:
        out.append(f"| {row.number} | [{row.name}](#{row.name}) | {who(row.rights)} | {row.summary} |")
    for row in rows:
        out += ["", f"## {row.name}", "", f"{row.summary} Id {row.number}; {who(row.rights)}.", ""]
        out += registers(row.args, "Arguments") + registers(row.rets, "Results")
        out += ["Statuses: " + ", ".join(f"`{s}`" for s in row.statuses + list(ALWAYS)) + "."]
    out += ["", "## Statuses", "", "| value | name | meaning |", "|---|---|---|"]
    out += [f"| {value} | {name} | {sentences[name]} |" for name, value, _ in read_statuses()]
    return "\n".join(out + [""])


def who(rights):
    return rights.replace("RIGHT_", "").replace("_", " ").replace("|", "or").lower().replace("normal", "normal world")


def check():
    """The list of tests, one a line; fails where one is missing or the page differs."""
    wrong, found = [], []
    if not PAGE.exists() or PAGE.read_text() != page():
        wrong.append(f"{PAGE} is out of date: make calls-page")
    for kind, folder, prefix in TESTS:
        sources = "\n".join(p.read_text() for p in sorted(pathlib.Path(folder).rglob("*.c")))
        for row in read_calls(CALLS):
            name = prefix + row.name
            defined = re.search(rf"^(static )?\w+ {name}\([^;]*?\)\n\{{", sources, re.M)
            prototypes = len(re.findall(rf"^\w[\w ]* {name}\([^;{{]*\);", sources, re.M))
            uses = len(re.findall(rf"\b{name}\b", sources)) - prototypes - 1
            if not defined or (not defined.group(1) and uses < 1):
                wrong.append(f"call {row.name} has no {kind} test: {folder} must define and run {name}()")
            found.append(f"{row.name}\t{kind}\t{name}")
    if wrong:
        sys.exit("\n".join(wrong))
    return "\n".join(found + [""])


def main(argv):
    makers = {("stubs", 2): stubs, ("linux", 2): linux, ("status", 1): status_strings, ("page", 1): page,
              ("check", 1): check}
    maker = makers.get((argv[1] if len(argv) > 1 else "", len(argv) - 2))
    if not maker:
        sys.exit(__doc__)
    text = maker(*argv[2:-1])
    out = pathlib.Path(argv[-1])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text)


if __name__ == "__main__":
    main(sys.argv)
