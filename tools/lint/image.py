#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""lint-image: what may not be in a linked monitor.

usage: image.py VENDOR RELEASE.elf TEST.elf

  registers      no SSE, AVX, MMX or x87 instruction: that state is the guest's
  branches       no indirect jump or call (retpolines make none), nothing that does not decode
  segments       no segment or section writable and executable, no executable stack
  closed         no undefined symbol, no relocation but RELATIVE, no constructor, no thread storage
  virtualization VMX and SVM instructions only in the vendor's files, each entry once
  test-switches  the release holds no unit, function or string of monitor/test/, the test build does
  paths          no path of the machine that built it
"""
import os
import re
import sys
import tempfile

import lintlib
from elfview import Elf

TEST_FOLDER = "monitor/test/"
TEST_NONE = "monitor/test/none.c"

_VECTOR = re.compile(r"%([xyz]mm\d+|mm[0-7]|st\b|k[0-7]\b|bnd[0-3]|tmm[0-7])")
# Moves of the state as a whole are how a VP's state is switched, FNINIT in between; they compute nothing.
_X87 = re.compile(r"(f(?!xsave|xrstor|ninit)[a-z]\w*|emms|ldmxcsr|stmxcsr|vzero\w+|vldmxcsr|vstmxcsr)$")

# Mnemonic: file it must stand in, and how often at most. What is not listed stands nowhere in root
# mode. VMRESUME ends both exit paths, the plain one and the one with mitigations; VMLAUNCH begins the first guest
# and each run of a VP. VMRUN: the normal world, and a partition's VP.
VMX_FILES = "arch/x86/vmx/"
SVM_FILES = "arch/x86/svm/"
VIRTUALIZATION = {
    "vmx": {"vmlaunch": (VMX_FILES + "entry.S", 2), "vmresume": (VMX_FILES + "entry.S", 2),
            "vmxon": (VMX_FILES, 1), "vmxoff": (VMX_FILES, 2), "vmptrld": (VMX_FILES, 4),
            "vmclear": (VMX_FILES, 4), "invept": (VMX_FILES, 8), "invvpid": (VMX_FILES, 8),
            "vmread": (VMX_FILES, 10000), "vmwrite": (VMX_FILES, 10000)},
    "svm": {"vmrun": (SVM_FILES + "entry.S", 2), "vmload": (SVM_FILES, 5),
            "vmsave": (SVM_FILES, 4), "stgi": (SVM_FILES, 4), "clgi": (SVM_FILES, 4),
            "invlpga": (SVM_FILES, 4)},
}
_VIRTUAL = re.compile(r"(vm(launch|resume|xon|xoff|ptrld|ptrst|clear|read|write|call|mcall|func|run"
                      r"|load|save)|inv(ept|vpid|lpga)|stgi|clgi|skinit|getsec)[qld]?$")


def check_registers(elf):
    return [f"{i.address} in {i.function}: {i.mnemonic} {i.operands}" for i in elf.instructions
            if _VECTOR.search(i.operands) or _X87.match(i.mnemonic)]


def check_branches(elf):
    return [f"{i.address} in {i.function}: {i.mnemonic} {i.operands}" for i in elf.instructions
            if "(bad)" in i.mnemonic
            or (re.match(r"l?(jmp|call)", i.mnemonic) and i.operands.startswith("*"))]


def check_segments(elf):
    found = [f"segment {kind} {flags}" for kind, flags in elf.segments
             if "W" in flags and "E" in flags or kind == "GNU_STACK" and "E" in flags]
    found += [f"section {name} {flags}" for name, flags in elf.sections
              if "W" in flags and "X" in flags]
    if not any(kind == "LOAD" and "E" in flags for kind, flags in elf.segments):
        found.append("no executable segment: not what this check can judge")
    return found


def check_closed(elf):
    found = [f"undefined symbol {name}" for name, section in elf.symbols if section == "UND"]
    found += sorted({f"relocation {kind}" for kind in elf.relocations
                     if kind not in ("R_X86_64_RELATIVE", "R_X86_64_RELATIV")})
    found += [f"section {name}" for name, _ in elf.sections
              if re.match(r"\.(init|fini|preinit)(_array)?$|\.[cd]tors|\.interp|\.plt", name)]
    return found + [f"segment {kind}" for kind, _ in elf.segments if kind in ("TLS", "INTERP")]


def check_virtualization(elf, vendor):
    rules, lines, found = VIRTUALIZATION[vendor], {}, []
    sites = [i for i in elf.instructions if _VIRTUAL.match(i.mnemonic)]
    sources = elf.line_of([i.address for i in sites])
    for site in sites:
        name = site.mnemonic if site.mnemonic in rules else site.mnemonic[:-1]
        place, most = rules.get(name, ("", 0))
        source = sources.get(site.address, "?")
        # A line that is inlined in two functions is one place.
        lines.setdefault(name, set()).add(source)
        where = f"{site.address} in {site.function} ({source}): {site.mnemonic}"
        if not most:
            found.append(f"{where}: not in root mode")
        elif place not in source:
            found.append(f"{where}: belongs in {place}")
        elif len(lines[name]) > most:
            found.append(f"{where}: place {len(lines[name])}, {most} expected")
    return found


def literals(text):
    """Pieces of string literals that are long enough to tell."""
    code = lintlib.strip_directives(lintlib.strip_comments(text))
    pieces = (piece for body in re.findall(r'"((?:\\.|[^"\\\n])*)"', code)
              for piece in re.split(r"\\.", body))
    return {piece for piece in pieces if len(piece) >= 6}


def test_marks(files):
    """(names, strings) that only monitor/test/ has, none.c aside. `files`: {path: text}."""
    names, strings, elsewhere, none = set(), set(), set(), set()
    for path, text in files.items():
        inside = path.startswith(TEST_FOLDER) and path != TEST_NONE
        (strings if inside else elsewhere).update(literals(text))
        defined = {f.name for f in lintlib.functions(text) if f.is_definition}
        (names if inside else none).update(defined)
    return names - none, {s for s in strings if not any(s in other for other in elsewhere)}


def marks_in(elf, marks):
    names, strings = marks
    symbols = {name for name, _ in elf.symbols}
    found = [f"unit {unit}" for unit in elf.units if TEST_FOLDER in unit and TEST_NONE not in unit]
    found += [f"symbol {name}" for name in sorted(symbols & names)]
    return found + [f"string {text!r}" for text in sorted(strings)
                    if text.encode() in elf.loaded_bytes]


def check_paths(elf, path):
    with open(elf.path, "rb") as file:
        return [f"{path} is in the file"] if path.encode() in file.read() else []


def judge(tap, name, elf, vendor):
    """The checks that hold for every image."""
    for what, found in (("registers", check_registers(elf)), ("branches", check_branches(elf)),
                        ("segments", check_segments(elf)), ("closed", check_closed(elf)),
                        ("virtualization", check_virtualization(elf, vendor)),
                        ("paths", check_paths(elf, os.getcwd()))):
        tap.ok(not found, f"{name}: {what}", found[:20])


def judge_switches(tap, release, test):
    files = {path: lintlib.read(".", path) for path in lintlib.tracked(".", (".c", ".h", ".def"))
             if path.startswith(("monitor/", "arch/"))}
    marks = test_marks(files)
    tap.note(f"test switches: {len(marks[0])} functions, {len(marks[1])} strings")
    tap.ok(bool(marks[0]), "monitor/test/ has functions of its own")
    found = marks_in(release, marks)
    tap.ok(not found, "release: test-switches", found[:20])
    tap.ok(bool(marks_in(test, marks)), "test build: test-switches are seen where they are")


def main():
    vendor, release, test = sys.argv[1:]
    import image_test
    tap = lintlib.Tap()
    with tempfile.TemporaryDirectory() as scratch:
        image_test.run(tap, scratch)
    release, test = Elf(release), Elf(test)
    tap.ok(len(release.instructions) > 1000, "the release has code to judge")
    judge(tap, "release", release, vendor)
    judge(tap, "test build", test, vendor)
    judge_switches(tap, release, test)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
