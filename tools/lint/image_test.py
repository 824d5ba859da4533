# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Bad examples for image.py: small ELF files, each with one fault, built with the monitor's flags."""
import os

import compile as comp
import image
import lintlib
from elfview import Elf

LINK = ["ld", "-pie", "--no-dynamic-linker", "-z", "noexecstack", "-z", "norelro",
        "-z", "separate-code", "-e", "start"]
START = "int start(int a);\nint start(int a)\n{\n\treturn a * 3;\n}\n"


def asm(text):
    return f'void start(void);\nvoid start(void)\n{{\n\t__asm__ volatile("{text}");\n}}\n'


def build(scratch, name, files, link=()):
    """Compiles {path: text} below a folder of its own and links it."""
    folder = f"{scratch}/{name}"
    lintlib.write_tree(folder, files)
    objects = []
    for path in files:
        objects.append(path + ".o")
        flags = [f for f in comp.flags("MON_CFLAGS") if not f.startswith("-ffile-prefix-map")]
        done = lintlib.run(["gcc", *flags, "-c", path, "-o", path + ".o"], cwd=folder)
        if done.returncode:
            raise RuntimeError(done.stderr)
    done = lintlib.run([*LINK, *link, "-o", "out.elf", *objects], cwd=folder)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return Elf(f"{folder}/out.elf")


def rules_broken(elf, vendor="vmx"):
    found = {"registers": image.check_registers(elf), "branches": image.check_branches(elf),
             "segments": image.check_segments(elf), "closed": image.check_closed(elf),
             "virtualization": image.check_virtualization(elf, vendor)}
    return {rule for rule, lines in found.items() if lines}


# (rule or None, files, more options of the linker)
EXAMPLES = (
    (None, {"a.c": START}, ()),
    (None, {"a.c": asm("xsetbv; verw (%rax); fxsave64 (%rax); fninit; fs; nop; rep stosb")}, ()),
    (None, {"a.c": "int (*volatile f)(int);\nint start(int a);\n"
                   "int start(int a)\n{\n\treturn f(a) + 1;\n}\n"}, ()),
    (None, {"arch/x86/vmx/a.c": asm("vmxon (%rax); vmread %rax, %rdx; invept (%rax), %rdx")}, ()),
    (None, {"arch/x86/vmx/entry.S": ".globl start\nstart: vmlaunch\nvmresume\nret\n"
                                    '.section .note.GNU-stack,\\"\\"\n'.replace('\\"', '"')}, ()),
    ("registers", {"a.c": asm("addps %xmm0, %xmm1")}, ()),
    ("registers", {"a.c": asm("vaddps %ymm0, %ymm1, %ymm2")}, ()),
    ("registers", {"a.c": asm("vpaddd %zmm0, %zmm1, %zmm2")}, ()),
    ("registers", {"a.c": asm("paddb %mm0, %mm1")}, ()),
    ("registers", {"a.c": asm("fld1")}, ()),
    ("registers", {"a.c": asm("fldz")}, ()),
    ("registers", {"a.c": asm("vzeroupper")}, ()),
    ("registers", {"a.c": asm("ldmxcsr (%rax)")}, ()),
    ("branches", {"a.c": asm("jmp *%rax")}, ()),
    ("branches", {"a.c": asm("call *8(%rax)")}, ()),
    ("branches", {"a.c": asm("notrack jmp *%rax")}, ()),
    ("branches", {"a.c": asm(".byte 0x06, 0x06, 0x90, 0x90")}, ()),
    ("segments", {"a.c": START + "int data = 1;\n"}, ("-N",)),
    ("segments", {"a.c": START}, ("-z", "execstack")),
    ("closed", {"a.c": "extern int other;\nint *const start[] = { &other };\n"
                       "int text(void);\nint text(void)\n{\n\treturn 0;\n}\n"},
     ("-shared", "--unresolved-symbols=ignore-all")),
    ("closed", {"a.c": "__attribute__((visibility(\"default\"))) int data;\nint *start = &data;\n"
                       "int text(void);\nint text(void)\n{\n\treturn 0;\n}\n"},
     ("-shared",)),
    ("closed", {"a.c": START + "volatile int d;\n__attribute__((constructor)) void c(void);\n"
                               "void c(void)\n{\n\td = 1;\n}\n"}, ()),
    ("virtualization", {"a.c": asm("vmxon (%rax)")}, ()),
    ("virtualization", {"arch/x86/vmx/a.c": asm("vmlaunch")}, ()),
    ("virtualization", {"arch/x86/vmx/a.c": asm("vmxon (%rax)") + "void b(void);\nvoid b(void)\n"
                                                                "{\n\t__asm__(\"vmxon (%rax)\");\n}\n"}, ()),
    ("virtualization", {"arch/x86/vmx/a.c": asm("vmcall")}, ()),
    ("virtualization", {"arch/x86/vmx/a.c": asm("vmrun")}, ()),
    ("virtualization", {"arch/x86/svm/a.c": asm("vmread %rax, %rdx")}, ()),
)

SWITCHES = {
    "monitor/test/hooks.c": 'int start(int a);\n/* "a comment" */\nstatic const char *const text[] = '
                            '{ "switch off\\n", "shared text" };\n'
                            "int helper(int a);\n"
                            "int helper(int a)\n{\n\treturn text[a & 1][a];\n}\n"
                            "int start(int a)\n{\n\treturn helper(a);\n}\n",
    "monitor/test/none.c": "int start(int a);\nint start(int a)\n{\n\treturn a;\n}\n",
    "monitor/log.c": "const char *log_text(void);\n"
                     'const char *log_text(void)\n{\n\treturn "shared text too";\n}\n',
}


def test_switches(tap, scratch):
    marks = image.test_marks(SWITCHES)
    tap.ok(marks == ({"helper"}, {"switch off"}), "self: what only the test build has", [str(marks)])
    parts = {path: SWITCHES[path] for path in ("monitor/test/none.c", "monitor/log.c")}
    found = image.marks_in(build(scratch, "release", parts), marks)
    tap.ok(not found, "self: nothing of the test build in a release", found)
    parts = {path: SWITCHES[path] for path in ("monitor/test/hooks.c", "monitor/log.c")}
    found = image.marks_in(build(scratch, "test", parts), marks)
    tap.ok({line.split()[0] for line in found} == {"unit", "symbol", "string"},
           "self: unit, symbol and string of a test build are found", found)


def test_paths(tap, scratch):
    text = START + f'__attribute__((used)) static const char path[] = "{scratch}/a.c";\n'
    elf = build(scratch, "paths", {"a.c": text})
    tap.ok(image.check_paths(elf, scratch), "self: paths: found")
    tap.ok(not image.check_paths(elf, "/nowhere/else"), "self: paths: nothing found")


def run(tap, scratch):
    scratch = os.path.abspath(scratch)
    for number, (rule, files, link) in enumerate(EXAMPLES, 1):
        broken = rules_broken(build(scratch, f"example{number}", files, link))
        tap.ok(broken == ({rule} if rule else set()),
               f"self: example {number}: {rule or 'nothing'} is found", [f"found: {sorted(broken)}"])
    test_switches(tap, scratch)
    test_paths(tap, scratch)
