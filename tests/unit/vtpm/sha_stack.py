#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""vtpm/platform/sha_ni.c as a trustlet's compiler makes it: what must not be in its instructions.

usage: sha_stack.py OBJECT

State and data of the functions by SHA extensions stay in registers: no instruction reaches the stack
or %fs (a canary, which a trustlet does not have there). All that they branch on is the number of
blocks. The rest of the file, which every CPU executes, has no instruction beyond SSE2.
"""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../emu"))
from tap import Tap  # noqa: E402

NEEDED = {"sha1_ni_blocks": {"sha1rnds4", "sha1nexte", "sha1msg1", "sha1msg2"},
          "sha256_ni_blocks": {"sha256rnds2", "sha256msg1", "sha256msg2"}}
BEYOND = re.compile(r"sha\d|v[a-z]|pshufb|palignr|p(ins|ext)r[bdq]|pmov[sz]x|pblend|blend")


def functions(path):
    """Instructions of each function, as objdump writes them."""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], check=True, stdout=subprocess.PIPE,
                          text=True).stdout
    found = {}
    for line in text.splitlines():
        start = re.match(r"[0-9a-f]+ <(.*)>:$", line)
        if start:
            code = found.setdefault(start[1], [])
        elif re.match(r" +[0-9a-f]+:\t", line):
            code.append(line.split("\t", 1)[1].strip())
    return found


def main():
    found = functions(sys.argv[1])
    tap = Tap(3 * len(NEEDED) + 1)
    for name, needed in NEEDED.items():
        code = found.get(name, [])
        missing = needed - {line.split()[0] for line in code}
        tap.check(not missing, f"{name}: is by SHA extensions", str(missing))
        bad = [line for line in code if re.search(r"%[re]?[sb]p\b|%fs|^push|^pop|^call", line)]
        tap.check(code and not bad, f"{name}: nothing on the stack", str(bad))
        jumps = [line for line in code if line.startswith("j") and not line.startswith("jmp")]
        tap.check(1 <= len(jumps) <= 2, f"{name}: no branch but on the number of blocks", str(jumps))
    bad = [f"{name}: {line}" for name, code in found.items() if name not in NEEDED
           for line in code if BEYOND.match(line)]
    tap.check(len(found) > len(NEEDED) and not bad, "all else runs on every CPU", str(bad))
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
