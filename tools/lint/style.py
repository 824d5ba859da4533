#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""lint-style: the numbers of the house style, on all tracked C, assembly and table files.

usage: style.py [--list]        TAP; --list prints the longest functions and all medians instead
"""
import pathlib
import re
import statistics
import sys
import tempfile

import lintlib
from lintlib import Finding

FUNCTION_LINES = 60
MEDIAN_LINES = 12
FILE_LINES = 600
PARAMETERS = 5
COLUMNS = 100
IFS_PER_KSLOC = 1
TEXT_SUFFIXES = (".c", ".cc", ".h", ".S", ".def", ".lds", ".py", ".sh", ".mk", ".md", ".txt")
CODE_SUFFIXES = (".c", ".h", ".S", ".def")
SCRIPT_SUFFIXES = (".py", ".sh", ".mk")
ROOT_MODE = ("monitor", "arch")
EXCEPTIONS = "tools/lint/exceptions.txt"
RULES = ("function-length", "median", "file-length", "parameters", "conditionals", "license",
         "file-comment", "tabs", "columns", "whitespace", "unfinished", "formats")

LICENSE = re.compile(r"SPDX-License-Identifier: BSD-2-Clause-Patent\b")
# What becomes part of Linux is under both licences; what builds into Bochs is under Bochs'.
BOTH_LICENSES = re.compile(r"SPDX-License-Identifier: "
                           r"\(?(BSD-2-Clause-Patent OR GPL-2\.0(-only)?|"
                           r"GPL-2\.0(-only)? OR BSD-2-Clause(-Patent)?)\)?")
OTHER_LICENSES = {"guest/linux/": BOTH_LICENSES, "tests/attack/linux/": BOTH_LICENSES}
PRINTING = re.compile(r"\b(klog|panic|add)\([^;]*;")
CONVERSIONS = re.compile(r"%(s|l?[ux]|%)")
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" "DO", "FIX" "ME", "X" "XX", "HA" "CK")) + r")\b")


def check_length(path, text):
    lines = text.count("\n")
    if lines > FILE_LINES:
        yield Finding("file-length", path, lines, f"{lines} lines, at most {FILE_LINES}")


def check_functions(path, text):
    for function in lintlib.functions(text):
        if function.is_definition and function.lines > FUNCTION_LINES:
            yield Finding("function-length", f"{path}:{function.name}", function.line,
                          f"{function.lines} lines, at most {FUNCTION_LINES}")
        if function.params > PARAMETERS:
            yield Finding("parameters", f"{path}:{function.name}", function.line,
                          f"{function.params} parameters, at most {PARAMETERS}")


def check_formats(path, text):
    """What root mode formats holds no conversion that monitor/lib/fmt.h does not know."""
    for call in PRINTING.finditer(text):
        for literal in re.findall(r'"((?:[^"\\]|\\.)*)"', call.group()):
            if "%" in CONVERSIONS.sub("", literal):
                yield Finding("formats", path, text.count("\n", 0, call.start()) + 1,
                              f"a conversion that fmt.h does not know: {literal}")


def check_license(path, text):
    wanted = LICENSE
    for prefix, pattern in OTHER_LICENSES.items():
        if path.startswith(prefix):
            wanted = re.compile(f"{LICENSE.pattern}|{pattern.pattern}")
    lines = text.split("\n")
    first = 1 if lines[0].startswith("#!") else 0
    if len(lines) <= first or not wanted.search(lines[first]):
        yield Finding("license", path, first + 1, "no SPDX line where it should be")


def check_comment(path, text):
    lines = [line for line in text.split("\n") if not line.startswith("#!")]
    rest = next((line for line in lines[1:] if line.strip() not in ("", "#")), "")
    start = ("/*",) if path.endswith(CODE_SUFFIXES) else ("#", '"""')
    if not rest.startswith(start):
        yield Finding("file-comment", path, 2, "no comment that says what the file is for")


def check_lines(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip():
            yield Finding("whitespace", path, number, "trailing blanks or carriage return")
        if path.endswith(CODE_SUFFIXES) and len(line.expandtabs(lintlib.TAB)) > COLUMNS:
            yield Finding("columns", path, number,
                          f"{len(line.expandtabs(lintlib.TAB))} columns, at most {COLUMNS}")
        if path.endswith(lintlib.C_SUFFIXES) and re.match(r"\t* {8}| +\t", line):
            yield Finding("tabs", path, number, "indented with blanks, not tabs")
        if UNFINISHED.search(line):
            yield Finding("unfinished", path, number, "a mark of unfinished work")
    if text and not text.endswith("\n"):
        yield Finding("whitespace", path, text.count("\n") + 1, "no newline at the end")


def conditionals(text):
    """Lines of #if and kin; the guard of a header does not count."""
    code = lintlib.strip_code(text)
    guard = re.match(r"\s*#ifndef (\w+)\s*\n#define \1\s*\n", code)
    start = guard.end() if guard else 0
    return [code.count("\n", 0, match.start()) + 1
            for match in re.finditer(r"^[ \t]*#[ \t]*(if|ifdef|ifndef|elif)\b", code, re.M)
            if match.start() >= start]


def sloc(text):
    return sum(1 for line in lintlib.strip_comments(text).split("\n") if line.strip())


def check_conditionals(files):
    """Conditional compilation: none outside arch/, there at most one in a thousand lines."""
    inside, lines = [], 0
    for path, text in files.items():
        if not path.endswith(CODE_SUFFIXES):
            continue
        found = conditionals(text)
        if path.startswith("arch/"):
            lines += sloc(text)
            inside += [(path, number) for number in found]
            continue
        for number in found:
            yield Finding("conditionals", path, number, "#if outside arch/: choose by file")
    allowed = lines * IFS_PER_KSLOC // 1000
    for path, number in inside[allowed:]:
        yield Finding("conditionals", path, number,
                      f"{len(inside)} #if in arch/, {allowed} allowed in {lines} lines")


def function_lengths(files):
    """{path: [lengths]} of functions defined in C files and headers."""
    return {path: [f.lines for f in lintlib.functions(text) if f.is_definition]
            for path, text in files.items() if path.endswith((".c", ".h"))}


def medians(lengths):
    """(name, count, median) of the project, of root mode and of each folder with functions."""
    groups = {"project": [], "root mode": []}
    for path, values in lengths.items():
        groups["project"] += values
        if path.startswith(tuple(f"{folder}/" for folder in ROOT_MODE)):
            groups["root mode"] += values
        groups.setdefault(str(pathlib.PurePosixPath(path).parent), []).extend(values)
    return [(name, len(values), statistics.median(values))
            for name, values in groups.items() if values]


def check_medians(files):
    for name, count, median in medians(function_lengths(files)):
        if name in ("project", "root mode") and median > MEDIAN_LINES:
            yield Finding("median", name, 0,
                          f"median of {count} functions is {median:g} lines, at most {MEDIAN_LINES}")


def check(files):
    """All findings in {path: text}."""
    found = []
    for path, text in files.items():
        if path.endswith(TEXT_SUFFIXES):
            found += check_lines(path, text)
        if path.endswith(CODE_SUFFIXES + SCRIPT_SUFFIXES):
            found += [*check_license(path, text), *check_comment(path, text)]
        if path.endswith(CODE_SUFFIXES):
            found += check_length(path, text)
        if path.endswith((".c", ".h")):
            found += check_functions(path, text)
        if path.endswith((".c", ".h")) and path.startswith(ROOT_MODE):
            found += check_formats(path, text)
    return found + [*check_conditionals(files), *check_medians(files)]


def parse_exceptions(text):
    """(ceiling, {(rule, where): limit}) or ValueError that names the line."""
    ceiling, entries = None, {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        top = re.fullmatch(r"ceiling (\d+)", line)
        entry = re.fullmatch(r"(\S+) (\S+) (\d+) -- \S.*", line)
        if top and ceiling is None:
            ceiling = int(top[1])
        elif entry and entry[1] in RULES and (entry[1], entry[2]) not in entries:
            entries[entry[1], entry[2]] = int(entry[3])
        else:
            raise ValueError(f"line {number} is malformed: {line}")
    if ceiling is None:
        raise ValueError("no ceiling")
    return ceiling, entries


def apply_exceptions(found, entries):
    """Findings that no exception covers, and those of exceptions that cover nothing or too little."""
    used, left = set(), []
    for finding in found:
        key = (finding.rule, finding.path)
        actual = int(re.match(r"\d+|", finding.text)[0] or 0)
        if key in entries and actual <= entries[key]:
            used.add(key)
        else:
            left.append(finding)
    for key in sorted(entries.keys() - used):
        left.append(Finding("exceptions", EXCEPTIONS, 0, f"not needed or passed: {' '.join(key)}"))
    return left


def check_growth(now, before):
    """The list of exceptions may only shrink. `before`: all older versions, parsed."""
    ceiling, entries = now
    if len(entries) > ceiling:
        yield Finding("exceptions", EXCEPTIONS, 0, f"{len(entries)} lines, ceiling {ceiling}")
    for old_ceiling, old in before:
        if ceiling > old_ceiling:
            yield Finding("exceptions", EXCEPTIONS, 0, f"ceiling raised from {old_ceiling}")
        for key in entries.keys() & old.keys():
            if entries[key] > old[key]:
                yield Finding("exceptions", EXCEPTIONS, 0, f"limit raised: {' '.join(key)}")


def history(root):
    """Older versions of the list that version control knows, parsed."""
    log = lintlib.run(["git", "-C", root, "log", "--format=%H", "--", EXCEPTIONS])
    texts = (lintlib.run(["git", "-C", root, "show", f"{commit}:{EXCEPTIONS}"]).stdout
             for commit in log.stdout.split())
    return [parse_exceptions(text) for text in texts if text]


def load(root):
    return {path: lintlib.read(root, path) for path in lintlib.tracked(root, TEXT_SUFFIXES)}


def print_list(files):
    for name, count, median in medians(function_lengths(files)):
        print(f"{name:32} {count:5} functions, median {median:g}")
    longest = sorted(((f.lines, path, f.name) for path, text in files.items()
                      if path.endswith((".c", ".h"))
                      for f in lintlib.functions(text) if f.is_definition), reverse=True)
    for lines, path, name in longest[:20]:
        print(f"{lines:5} {path}:{name}")


def main():
    files = load(".")
    if "--list" in sys.argv[1:]:
        print_list(files)
        return 0
    import style_test
    tap = lintlib.Tap()
    with tempfile.TemporaryDirectory() as scratch:
        style_test.run(tap, scratch)
    for name, count, median in medians(function_lengths(files)):
        tap.note(f"{name}: {count} functions, median {median:g} lines")
    exceptions = parse_exceptions(lintlib.read(".", EXCEPTIONS))
    left = apply_exceptions(check(files), exceptions[1])
    for rule in RULES:
        tap.findings(f"style: {rule}", [f for f in left if f.rule == rule])
    tap.findings("style: the list of exceptions only shrinks",
                 [f for f in left if f.rule == "exceptions"]
                 + list(check_growth(exceptions, history("."))))
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
