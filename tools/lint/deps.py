#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""lint-deps: who may include whom, and what may be written where.

  includes   boot -> monitor/abi; monitor -> monitor/abi, arch/include; arch -> monitor/abi,
             arch/include; vtpm, guest, tools -> monitor/abi (and the trustlet run-time). One vendor
             of arch/x86 never includes another, and what they share includes neither. tests/ may
             include anything; nothing may include tests/. Root mode includes of the compiler's
             headers only those that a freestanding implementation has.
  assembly   only in arch/, and, outside root mode, in boot/, guest/, tests/,
             tools/doctor/ and vtpm/platform/libc/.
  formats    VMCS, VMCB, EPT, NPT and page-table names only in arch/ and its tests; in guest/ only
             those of the guest's own page tables.
"""
import posixpath
import re
import sys

import lintlib
from lintlib import Finding

SUFFIXES = (".c", ".h", ".S", ".def", ".cc")
TRUSTLET_RT = "guest/trustlets/rt/"

# What a file may include beside its own folder: the first row whose prefix fits it decides.
ALLOWED = (
    ("monitor/abi/", ("monitor/abi/",)),
    ("monitor/", ("monitor/", "arch/include/")),
    ("arch/include/", ("arch/include/", "monitor/abi/")),
    ("arch/host/", ("arch/host/", "arch/include/", "monitor/abi/")),
    ("arch/x86/vmx/", ("arch/x86/", "arch/include/", "monitor/abi/")),
    ("arch/x86/svm/", ("arch/x86/", "arch/include/", "monitor/abi/")),
    ("arch/x86/", ("arch/x86/", "arch/include/", "monitor/abi/")),
    ("arch/", ("arch/include/", "monitor/abi/")),
    ("boot/", ("boot/", "monitor/abi/")),
    ("vtpm/", ("vtpm/", "monitor/abi/", TRUSTLET_RT)),
    ("guest/", ("guest/", "monitor/abi/")),
    ("tools/", ("tools/", "monitor/abi/")),
    ("tests/", ("",)),
)
# Exceptions to the rows above: a file of the first prefix may not include the second.
DENIED = (
    ("arch/x86/vmx/", "arch/x86/svm/"),
    ("arch/x86/svm/", "arch/x86/vmx/"),
    ("arch/x86/", "arch/x86/vmx/"),
    ("arch/x86/", "arch/x86/svm/"),
)
ROOT_MODE = ("monitor/", "arch/x86/", "arch/include/")
FREESTANDING = {"float.h", "iso646.h", "limits.h", "stdalign.h", "stdarg.h", "stdatomic.h",
                "stdbool.h", "stddef.h", "stdint.h", "stdnoreturn.h"}
# vtpm/platform/libc: setjmp. tools/doctor: MSRs, and KVM's guests.
ASSEMBLY = ("arch/", "boot/", "guest/", "tests/", "tools/doctor/", "vtpm/platform/libc/")
# A guest that uses VT-x and SVM itself, to see whether KVM lets it.
KVM_GUEST = "tools/doctor/linux/kvm_guest.S"

_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*([\"<])([^\">\n]+)[\">]", re.M)
_COMPUTED = re.compile(r"^[ \t]*#[ \t]*include[ \t]+[^\"< \t]", re.M)
_ASM = re.compile(r"\b(asm|__asm|__asm__)\b|\b(__builtin_ia32_\w+)")
_SECOND_STAGE = re.compile(
    r"\b((VMCS|VMCB|EPT|NPT|EPTP|NCR3)_\w+|(vmcs|vmcb)_(read|write)\w*"
    r"|vm(read|write|launch|resume|xon|xoff|ptrld|clear|run|load|save)\w*|inv(ept|vpid)\w*)\b")
_FIRST_STAGE = re.compile(r"\b((PML4E?|PML5E?|PDPTE?|PDE|PTE)(_\w+)?)\b")


def target(path, kind, name, known):
    """The project path that an #include means, or None for one from outside the project."""
    own = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
    if kind == '"' and own in known:
        return own
    if posixpath.normpath("arch/include/" + name) in known:
        return posixpath.normpath("arch/include/" + name)
    full = posixpath.normpath(name)
    if full in known or full.startswith(("..", "/")):
        return full
    if kind == "<":
        return None
    # Generated: below the build folder under the path of its owner, or beside the file.
    return full if "/" in name else own


def own_rule(path):
    return next((allowed for prefix, allowed in ALLOWED if path.startswith(prefix)), ())


def refused(path, wanted):
    """Whether `path` may not include the project file `wanted`."""
    if not any(wanted.startswith(prefix) for prefix in own_rule(path)):
        return True
    return any(path.startswith(mine) and wanted.startswith(other) and not path.startswith(other)
               for mine, other in DENIED)


def check_includes(path, text, known):
    code = lintlib.strip_comments(text)
    for match in _COMPUTED.finditer(code):
        yield Finding("includes", path, code.count("\n", 0, match.start()) + 1,
                      "the name of an included file is computed")
    for match in _INCLUDE.finditer(code):
        line = code.count("\n", 0, match.start()) + 1
        wanted = target(path, match[1], match[2], known)
        if wanted is None:
            if path.startswith(ROOT_MODE) and match[2] not in FREESTANDING:
                yield Finding("includes", path, line,
                              f"<{match[2]}> is not a header of a freestanding implementation")
        elif refused(path, wanted):
            yield Finding("includes", path, line, f"may not include {wanted}")


def check_assembly(path, text):
    if path.startswith(ASSEMBLY):
        return
    if path.endswith(".S"):
        yield Finding("assembly", path, 1, "an assembly file outside arch/")
    code = lintlib.strip_code(text)
    for match in _ASM.finditer(code):
        yield Finding("assembly", path, code.count("\n", 0, match.start()) + 1,
                      f"{match[0]} outside arch/")


def check_formats(path, text):
    if path.startswith(("arch/", "tests/")) or path == KVM_GUEST:
        return
    patterns = [_SECOND_STAGE] if path.startswith("guest/") else [_SECOND_STAGE, _FIRST_STAGE]
    code = lintlib.strip_code(text)
    for pattern in patterns:
        for match in pattern.finditer(code):
            yield Finding("formats", path, code.count("\n", 0, match.start()) + 1,
                          f"{match[0]}: the CPU's formats belong in arch/")


def check(files):
    """All findings in {path: text}."""
    found = []
    for path, text in files.items():
        found += check_includes(path, text, files.keys())
        found += check_assembly(path, text)
        found += check_formats(path, text)
    return found


# (rule or None, path, text): one file beside TREE, and the one rule that must find it.
TREE = {"arch/include/arch/cpu.h": "", "monitor/abi/call.h": "", "monitor/log.h": "",
        "arch/x86/exit.h": "", "arch/x86/vmx/vmcs.h": "", "arch/x86/svm/vmcb.h": "",
        "boot/config.h": "", "tests/lib.h": "", "guest/lib/call.h": "", TRUSTLET_RT + "rt.h": ""}
EXAMPLES = (
    (None, "monitor/a.c", '#include <stdint.h>\n#include "arch/cpu.h"\n#include "monitor/log.h"\n'
                          '#include "log.h"\n/* asm volatile VMCS_X */\n'
                          'const char *s = "asm VMCS_X"; /* #include "tests/lib.h" */\n'),
    (None, "monitor/a.c", '#include "monitor/gen/dispatch.h"\n#include "made.h"\n'),
    (None, "arch/x86/vmx/a.c", '#include "arch/x86/exit.h"\n#include "arch/x86/vmx/vmcs.h"\n'
                               '#include "monitor/abi/call.h"\nint f(void) { asm(""); }\n'),
    (None, "arch/host/a.c", "#include <stdio.h>\n"),
    (None, "boot/a.c", '#include <efi.h>\n#include "config.h"\n#include "monitor/abi/call.h"\n'),
    (None, "tests/a.c", '#include <stdio.h>\n#include "monitor/log.h"\nint x = VMCS_X;\n'),
    (None, "vtpm/a.c", f'#include "{TRUSTLET_RT}rt.h"\n'),
    (None, "guest/a.c", 'int x = PTE_W; int f(void) { asm(""); }\n'),
    ("includes", "boot/a.c", '#include "monitor/log.h"\n'),
    ("includes", "boot/a.c", '#include "arch/cpu.h"\n'),
    ("includes", "boot/a.c", '#include "../monitor/log.h"\n'),
    ("includes", "monitor/a.c", '#include "arch/x86/exit.h"\n'),
    ("includes", "monitor/a.c", '#  include /* far */ "arch/x86/exit.h"\n'),
    ("includes", "monitor/a.c", '#include <arch/x86/exit.h>\n'),
    ("includes", "monitor/a.c", "#include <string.h>\n"),
    ("includes", "monitor/a.c", '#define X "a.h"\n#include X\n'),
    ("includes", "monitor/a.c", '#include "../boot/config.h"\n'),
    ("includes", "monitor/a.c", '#include "tests/lib.h"\n'),
    ("includes", "monitor/abi/a.h", '#include "monitor/log.h"\n'),
    ("includes", "monitor/abi/a.h", '#include "../log.h"\n'),
    ("includes", "arch/x86/a.c", '#include "monitor/log.h"\n'),
    ("includes", "arch/x86/a.c", '#include "arch/x86/vmx/vmcs.h"\n'),
    ("includes", "arch/x86/a.c", '#include "vmx/vmcs.h"\n'),
    ("includes", "arch/x86/vmx/a.c", '#include "arch/x86/svm/vmcb.h"\n'),
    ("includes", "arch/x86/svm/a.c", '#include "arch/x86/vmx/vmcs.h"\n'),
    ("includes", "arch/host/a.c", '#include "arch/x86/exit.h"\n'),
    ("includes", "arch/include/arch/a.h", '#include "arch/x86/exit.h"\n'),
    ("includes", "vtpm/a.c", '#include "guest/lib/call.h"\n'),
    ("includes", "guest/a.c", '#include "boot/config.h"\n'),
    ("includes", "guest/a.c", '#include "arch/cpu.h"\n'),
    ("includes", "tools/a.c", '#include "monitor/log.h"\n'),
    ("includes", "other/a.c", '#include "monitor/abi/call.h"\n'),
    ("assembly", "monitor/a.c", 'int f(void) { __asm__ volatile("hlt"); }\n'),
    ("assembly", "monitor/a.c", "int f(void) { return __builtin_ia32_rdtsc(); }\n"),
    ("assembly", "monitor/a.S", "hlt\n"),
    ("assembly", "vtpm/a.c", 'int f(void) { asm("hlt"); }\n'),
    ("assembly", "tools/a.c", 'int f(void) { asm("hlt"); }\n'),
    ("formats", "monitor/a.c", "int x = VMCS_GUEST_RIP;\n"),
    ("formats", "monitor/a.c", "int x = EPT_READ;\n"),
    ("formats", "monitor/a.c", "int x = PTE_W;\n"),
    ("formats", "boot/a.c", "int f(void) { vmread(1); }\n"),
    ("formats", "guest/a.c", "int x = EPT_READ;\n"),
)


def selftest(tap):
    for number, (rule, path, text) in enumerate(EXAMPLES, 1):
        found = check({**TREE, path: text})
        rules = {f.rule for f in found}
        tap.ok(rules == ({rule} if rule else set()),
               f"self: example {number}, {path}: {rule or 'nothing'} is found",
               [f"found: {sorted(rules)}"])


def main():
    tap = lintlib.Tap()
    selftest(tap)
    files = {path: lintlib.read(".", path) for path in lintlib.tracked(".", SUFFIXES)}
    tap.ok(len(files) > 0, "there are files to check")
    found = check(files)
    for rule in ("includes", "assembly", "formats"):
        tap.findings(f"deps: {rule}", [f for f in found if f.rule == rule])
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
