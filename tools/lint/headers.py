#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""lint-headers: each header compiles on its own, twice in one file, with gcc and clang."""
import functools
import os
import sys
import tempfile

import compile as comp
import lintlib

COMPILERS = ("gcc", "clang")


def compile_alone(path, compiler, flag_set, include=None):
    """(what was tried, complaints or None)."""
    # -I finds files named from the top; the header is named as others would name it.
    name = path.removeprefix("arch/include/")
    source = f'#include "{name}"\n#include "{name}"\n'
    command = [compiler, *comp.flags(flag_set, compiler), *(["-I" + include] if include else []),
               "-fsyntax-only", "-x", "c", "-"]
    done = lintlib.run(command, input=source)
    return f"{path} ({compiler}, {flag_set})", done.stderr if done.returncode else None


def jobs_of(path):
    return [functools.partial(compile_alone, path, compiler, name)
            for name in comp.sets_of(path) for compiler in COMPILERS]


EXAMPLES = (
    (True, "#ifndef A_H\n#define A_H\n#include <stdint.h>\nstruct a { uint32_t b; };\n#endif\n"),
    (False, "#ifndef A_H\n#define A_H\nstruct a { uint32_t b; };\n#endif\n"),
    (False, "struct a { int b; };\n"),
    (False, "#ifndef A_H\n#define A_H\nint f();\n#endif\n"),
)


def selftest(tap, scratch):
    for number, (good, text) in enumerate(EXAMPLES, 1):
        name = f"example{number}.h"
        lintlib.write_tree(scratch, {name: text})
        for compiler in COMPILERS:
            complaint = compile_alone(name, compiler, "MON_CFLAGS", scratch)[1]
            tap.ok((complaint is None) == good,
                   f"self: example {number} {'passes' if good else 'fails'} with {compiler}",
                   [str(complaint)])


def main():
    tap = lintlib.Tap()
    with tempfile.TemporaryDirectory() as scratch:
        selftest(tap, os.path.abspath(scratch))
    headers = lintlib.tracked(".", ".h")
    jobs = [job for path in headers for job in jobs_of(path)]
    tap.ok(len(jobs) > 0, "there are headers to check")
    for what, complaint in comp.in_parallel(jobs):
        tap.ok(complaint is None, what, (complaint or "").splitlines()[:8])
    foreign = [path for path in headers if not comp.sets_of(path)]
    tap.note(f"built by others, not checked here: {' '.join(foreign) or 'none'}")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
