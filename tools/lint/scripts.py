#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""lint-scripts: shell by shellcheck, Python by pyflakes; the Python is the system's own."""
import re
import sys
import tempfile

import lintlib

SHELL = re.compile(r"#!\s*(/usr/bin/env\s+|/bin/|/usr/bin/)(ba|da)?sh\b")
PYTHON = re.compile(r"#!.*\bpython")
SHEBANG = "#!/usr/bin/python3"


def kind_of(path, text):
    """'shell', 'python' or None."""
    if path.endswith(".sh") or SHELL.match(text):
        return "shell"
    if path.endswith(".py") or PYTHON.match(text):
        return "python"
    return None


def check_shell(root, path):
    done = lintlib.run(["shellcheck", "--format=gcc", "--external-sources", "--source-path=SCRIPTDIR",
                        "--severity=warning", path], cwd=root)
    return done.stdout.splitlines() + done.stderr.splitlines()


def check_python(root, path, text):
    done = lintlib.run(["pyflakes3", path], cwd=root)
    lines = done.stdout.splitlines() + done.stderr.splitlines()
    first = text.split("\n", 1)[0]
    if first.startswith("#!") and first != SHEBANG:
        lines.append(f"{path}:1: begins with {first}, not {SHEBANG}")
    return lines


def check(root, path, text):
    return check_shell(root, path) if kind_of(path, text) == "shell" \
        else check_python(root, path, text)


EXAMPLES = (
    (True, "a.sh", "#!/bin/bash\nset -eu\necho \"$1\"\n"),
    (True, "a", "#!/usr/bin/python3\nimport sys\nsys.exit(0)\n"),
    (False, "b.sh", "#!/bin/sh\nfor i in $(ls *.c); do rm \"$j\"; done\n"),
    (False, "b", "#!/usr/bin/env bash\nif [ $a = 1 ; then :; fi\n"),
    (False, "c.py", "import sys\n"),
    (False, "d.py", "def f():\n    return x\n"),
    (False, "e.py", "def f(:\n"),
    (False, "e", "#!/usr/bin/env python3\nprint(1)\n"),
)


def main():
    tap = lintlib.Tap()
    with tempfile.TemporaryDirectory() as scratch:
        for good, path, text in EXAMPLES:
            lintlib.write_tree(scratch, {path: text})
            found = check(scratch, path, text)
            tap.ok(good == (not found), f"self: {path} {'passes' if good else 'fails'}", found)
    for path in lintlib.tracked("."):
        text = lintlib.read(".", path)
        if kind_of(path, text):
            found = check(".", path, text)
            tap.ok(not found, path, found[:10])
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
