# SPDX-License-Identifier: BSD-2-Clause-Patent
"""What the lint programs share: TAP output, the list of tracked files, a small reader of C text.

The reader works on text, not on a syntax tree: it needs no include path, so it sees every file of the
tree, those for another vendor or kernel included. Each program tests it with bad examples first.
"""
import os
import pathlib
import re
import subprocess
import sys
from collections import namedtuple

C_SUFFIXES = (".c", ".h", ".S")
TAB = 8

Finding = namedtuple("Finding", "rule path line text")
Function = namedtuple("Function", "name line lines params is_definition")


class Tap:
    """Counts and prints results; the plan comes last."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def ok(self, good, text, details=()):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {text}", flush=True)
        if not good:
            for line in details:
                print(f"# {line}")
                print(f"{text}: {line}", file=sys.stderr)

    def skip(self, text, why):
        self.count += 1
        print(f"ok {self.count} - {text} # SKIP {why}", flush=True)

    def note(self, text):
        for line in str(text).splitlines():
            print(f"# {line}", flush=True)

    def findings(self, text, findings):
        """One test: there is no finding."""
        self.ok(not findings, text, [f"{f.path}:{f.line}: {f.rule}: {f.text}" for f in findings])

    def done(self):
        print(f"1..{self.count}")
        return 1 if self.failed else 0


def run(command, **keys):
    """Run a command, output kept as text; its exit status is the caller's to judge."""
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False,
                          **keys)


def tracked(root=".", suffixes=None):
    """Files under version control that are still there, sorted, relative to root."""
    out = subprocess.run(["git", "-C", root, "ls-files", "-z"], capture_output=True, check=True)
    names = sorted(os.fsdecode(name) for name in out.stdout.split(b"\0") if name)
    return [name for name in names if (pathlib.Path(root) / name).is_file()
            and (suffixes is None or name.endswith(suffixes))]


def read(root, path):
    return (pathlib.Path(root) / path).read_text(encoding="utf-8", errors="replace")


def write_tree(root, files):
    """Fixture: writes {path: text} below root."""
    for path, text in files.items():
        target = pathlib.Path(root) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def top_folder(path):
    return path.split("/", 1)[0] if "/" in path else "."


_TOKENS = re.compile(
    r"""(?P<comment>/\*.*?\*/|//(?:\\\n|[^\n])*)
      |(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')""", re.S | re.X)


def _keep_newlines(text):
    return "".join(c if c == "\n" else " " for c in text)


def strip_comments(text):
    """Comments become blanks; line numbers and columns stay."""
    return _TOKENS.sub(lambda m: _keep_newlines(m[0]) if m["comment"] else m[0], text)


def strip_code(text):
    """Comments and the contents of strings become blanks."""
    def blank(match):
        if match["comment"]:
            return _keep_newlines(match[0])
        return match[0][0] + " " * (len(match[0]) - 2) + match[0][-1]
    return _TOKENS.sub(blank, text)


_DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.M)


def strip_directives(text):
    """Preprocessor lines, with those they go on in, become blanks. Takes text of strip_code()."""
    return _DIRECTIVE.sub(lambda m: _keep_newlines(m[0]), text)


def _statements(text):
    """Yields (start, end, body_end) of what stands outside braces; body_end is None without a body."""
    start, i, parens = 0, 0, 0
    while i < len(text):
        char = text[i]
        if char in "([":
            parens += 1
        elif char in ")]":
            parens -= 1
        elif char == ";" and not parens:
            yield start, i, None
            start = i + 1
        elif char == "{" and not parens:
            close = _closing(text, i)
            yield start, i, close
            start = close + 1
            i = close
        i += 1


def _closing(text, opening):
    """Index of the bracket that closes the one at `opening`; the end of text if none does."""
    pairs = {"{": "}", "(": ")"}
    left, right = text[opening], pairs[text[opening]]
    depth = 0
    for i in range(opening, len(text)):
        depth += (text[i] == left) - (text[i] == right)
        if not depth:
            return i
    return len(text) - 1


_ATTRIBUTE = re.compile(r"\b(__attribute__|_Alignas|__asm__|__declspec|_Static_assert)\s*\(")


def _without_attributes(head):
    while True:
        match = _ATTRIBUTE.search(head)
        if not match:
            return head
        head = head[:match.start()] + " " + head[_closing(head, match.end() - 1) + 1:]


def _split_top(text):
    """Splits at commas that stand outside brackets."""
    parts, depth, last = [], 0, 0
    for i, char in enumerate(text):
        depth += (char in "([{") - (char in ")]}")
        if char == "," and not depth:
            parts.append(text[last:i])
            last = i + 1
    return parts + [text[last:]]


def _function_of(head):
    """(name, parameters) if a declaration's text is that of a function, else None."""
    head = _without_attributes(head)
    match = re.search(r"\b([A-Za-z_]\w*)\s*\(", head)
    if not match or "=" in head[:match.start()] or re.match(r"\s*typedef\b", head):
        return None
    if match[1] in ("if", "for", "while", "switch", "return", "sizeof", "STATIC_ASSERT"):
        return None
    inside = head[match.end():_closing(head, match.end() - 1)]
    params = [part for part in _split_top(inside) if part.strip() not in ("", "void")]
    return match[1], len(params)


def functions(text):
    """Functions defined or declared in C text. `lines` counts from the declarator to the last brace."""
    code = strip_directives(strip_code(text))
    for start, end, body_end in _statements(code):
        found = _function_of(code[start:end])
        if not found:
            continue
        begin = start + len(code[start:end]) - len(code[start:end].lstrip())
        first = code.count("\n", 0, begin) + 1
        last = code.count("\n", 0, body_end if body_end is not None else end) + 1
        yield Function(found[0], first, last - first + 1, found[1], body_end is not None)
