#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Mutates what the table calls `structure`, and sees that the test it names fails.

usage: mutants.py [--vendor vmx|svm] [NAME...]

Works on a copy of the tree under $B/mutants. Each mutation must apply to exactly one place, must
build, and must make a test line with the given text fail; a mutation that the tests do not notice
is a failure here.
"""

import argparse
import dataclasses
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "emu"))

from spec import BUILD, CACHE, TOP  # noqa: E402
from tap import Tap  # noqa: E402

TREE = os.path.join(BUILD, "mutants", "tree")
# What a run of each build needs, beside the test guest.
LOADERS = {"release": "boot/redoubt.efi", "test": "boot/redoubt-test.efi",
           "partitions": "boot/redoubt-partitions.efi", "test-partitions": "boot/redoubt-test-partitions.efi",
           "vtpm": "boot/redoubt-vtpm.efi"}
EXIT = "arch/x86/vmx/exit.c"
CR = "arch/x86/vmx/cr.c"
SVM_EXIT = "arch/x86/svm/exit.c"
SVM_CR = "arch/x86/svm/cr.c"
ENGINE = {"vmx": "bochs", "svm": "qemu-tcg"}
SUITE_TIME = 200
PARTITION = "monitor/partition.c"
PROTECT = "monitor/protect.c"


@dataclasses.dataclass
class Mutant:
    """One change to one file, and the line that must fail. `suite` empty: code.py is the test, or that of `build`."""

    name: str  # begins with the id of the attack
    path: str
    old: str  # regular expression
    new: str
    suite: str
    expected: str
    cpus: int = 1
    build: str = "release"
    vendor: str = "vmx"
    options: tuple = ()


MUTANTS = [
    Mutant("T14 INVD is carried out as it is", EXIT, r"\twbinvd\(\);",
           '\t__asm__ volatile("invd" : : : "memory");', "", "T14 code: INVD is carried out"),
    Mutant("T16 CR0.NE is the guest's", CR, r"(CR0_HELD\s+)\(CR0_NE \| ", r"\1(", "cr",
           "NE clear (T16)"),
    Mutant("T20 XSETBV at any privilege level", CR,
           r"RIGHTS_DPL\(vmread\(VMCS_GUEST_SS_RIGHTS\)\) == 0 && xcr0_write", "xcr0_write", "xsetbv",
           "T20 XSETBV in"),
    Mutant("T20 XSETBV of any register", "arch/x86/policy_cpuid.c",
           r"\(uint32_t\)vcpu->regs.rcx == 0 &&\s+", "", "xsetbv", "T20 XSETBV with ECX other than 0"),
    Mutant("T22 refused WRMSR is passed over", EXIT,
           r"(REDOUBT_AUDIT_MSR_WRITE,[^;]*;\s+)vcpu_inject_gp", r"\1vcpu_skip", "msr",
           "T22 MTRRCAP"),
    Mutant("T24 refused WRMSR is passed over", EXIT,
           r"(REDOUBT_AUDIT_MSR_WRITE,[^;]*;\s+)vcpu_inject_gp", r"\1vcpu_skip", "msr",
           "T24 microcode load"),
    Mutant("T26 VMX instructions are passed over", EXIT,
           r"(REDOUBT_AUDIT_VMX_INSTRUCTION,[^;]*;\s+)vcpu_inject_ud", r"\1vcpu_skip", "vmx",
           "T26 VMXON in"),
    Mutant("T27 a task switch ends with another exception", EXIT,
           r"vmx_inject_exception\(vcpu, VECTOR_GP, true, selector\)", "vcpu_inject_ud(vcpu)",
           "task", "T27 task switch by a far JMP"),
    Mutant("T27 single steps are forgotten", "arch/x86/vmx/skip.h",
           r"\(RFLAGS_TF \| RFLAGS_RF\)", "RFLAGS_RF", "events",
           "T27 single step over"),
    Mutant("T27 machine checks at VM entry have no handler", EXIT,
           r"\n\s*\[EXIT_MACHINE_CHECK_ENTRY\] = \w+,", "", "", "T27 code: a machine check"),
    Mutant("T35 half of a call's number counts", "monitor/call.c", r"return dispatch\(call, call->rax, caller\);",
           "return dispatch(call, (uint32_t)call->rax, caller);", "call", "T35 call 100000000 is unknown"),
    Mutant("T74 records have no budget, subjects are one", "monitor/audit.c",
           r"source->kinds\[i\]\.count != 0 &&([\s\S]*?)return false;",
           r"source->kinds[i].count == ~0ull &&\1return true;", "log",
           "T74 no record gave way", build="test"),
    Mutant("T75 the ICR is left as the monitor used it", "arch/x86/apic.c",
           r"\*reg\(APIC_ICR_HIGH\) = high;", "(void)high;", "storm",
           "half-written ICR was never disturbed", cpus=2, build="test"),
    *[Mutant("T59 a size beyond the buffer is passed on", "vtpm/main.c", r" \|\| says > length", "", "tpm",
             "T59 the TPM answers after commands that are none", build="vtpm", vendor=v) for v in ENGINE],
    *[Mutant("T60 the command is read from the window", "vtpm/crb.c",
             r"crb->carry_out\(crb->active, crb->command,",
             "crb->carry_out(crb->active, (const uint8_t *)(uintptr_t)buffer,", "tpm-smp",
             "T60 a size that changes during the command", cpus=2, build="vtpm", vendor=v) for v in ENGINE],
]


# On SVM: the same where the code is another.
MUTANTS += [dataclasses.replace(m, vendor="svm") for m in (
    Mutant("T14 INVD is carried out as it is", SVM_EXIT, r"\twbinvd\(\);",
           '\t__asm__ volatile("invd" : : : "memory");', "", "T14 code: INVD is carried out"),
    Mutant("T16 CR4 is not checked", SVM_CR, r"value & ~policy_cr4\(\) \|\|", "", "cr",
           "the guest ends and switches"),  # VMRUN refuses: the guest's CPU is stopped
    Mutant("T22 refused WRMSR is passed over", SVM_EXIT,
           r"(REDOUBT_AUDIT_MSR_WRITE,[^;]*;\s+)vcpu_inject_gp", r"\1vcpu_skip", "msr",
           "T22 MTRRCAP"),
    Mutant("T24 refused WRMSR is passed over", SVM_EXIT,
           r"(REDOUBT_AUDIT_MSR_WRITE,[^;]*;\s+)vcpu_inject_gp", r"\1vcpu_skip", "msr",
           "T24 microcode load"),
    Mutant("T26 SVM instructions get another exception", SVM_EXIT,
           r"(REDOUBT_AUDIT_VMX_INSTRUCTION,[^;]*;\s+)vcpu_inject_ud", r"\1vcpu_inject_gp", "vmx",
           "T26 VMSAVE in 64-bit ring 0"),
    Mutant("T27 task switches do not exit", "arch/x86/svm/launch.c", r"INTERCEPT\(EXIT_TASK_SWITCH\) \| ", "",
           "", "T27 code: task switches exit"),
    Mutant("T27 machine checks have no handler", SVM_EXIT, r"\n\s*\[EXIT_MC\] = \w+,", "", "",
           "T27 code: a machine check"),
    Mutant("T27 single steps are forgotten", "arch/x86/svm/event.c",
           r"(void svm_inject_step\(void\)\n\{)", r"\1\n\treturn;", "events",
           "T27 single step over CPUID"),
    Mutant("T75 the ICR is left as the monitor used it", "arch/x86/apic.c",
           r"\*reg\(APIC_ICR_HIGH\) = high;", "(void)high;", "storm",
           "half-written ICR was never disturbed", cpus=2, build="test"))]


# The same on both: what partitions rest on.
MUTANTS += [dataclasses.replace(m, vendor=v) for v in ENGINE for m in (
    Mutant("T09 a table with gaps is merged to a large page", "arch/x86/stage2.c",
           r"if \(load\(&table\[i\]\) != first \+ i \* step\)",
           "if (load(&table[i]) != 0 && load(&table[i]) != first + i * step)", "split",
           "T09 one frame given: hidden", build="test"),
    Mutant("T12 frames are not withdrawn from the normal world", PROTECT,
           r"\twithdraw\(set\);\n(\tcpu_flush_all\(\);\n\tdma_sync\(\);\n\treturn true;)", r"\1", "window",
           "T12 a base address register moved over a partition", build="partitions"),
    Mutant("T15 a partition that has ended keeps its frames mapped", PROTECT,
           r"\n\tif \(from\)\n\t\tstage2_protect\(from, at, set->count, 0\);", "", "death",
           "the monitor logged no error", cpus=2, build="test-partitions", options=("KILLS=1",)),
    Mutant("T41 a suspended request is in nobody's way", PARTITION,
           r"\(state == VP_SUSPENDED &&[^;]*SUSPENSION_CYCLES\)\)", "state == VP_SUSPENDED)", "reentry",
           "T41 another request to the same partition is BUSY", build="partitions"),
    Mutant("T41 a token is good more than once", PARTITION, r"!take\(of\(id\), token, 0\)",
           "(take(of(id), token, 0), false)", "reentry", "T41 the handler cancels the request, once",
           build="partitions"),
    Mutant("T32 leaving forgets the partitions' memory", "monitor/leave.c", r"\tpage_owner_scrub\(\);\n", "",
           "", "leaving_scrubs_keys_and_partitions", build="unit-keys"))]


def environment():
    return {**os.environ, "B": os.path.join(TREE, "build"), "CACHE": CACHE}


def copy_tree():
    shutil.rmtree(TREE, ignore_errors=True)
    names = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=TOP,
                           check=True, stdout=subprocess.PIPE).stdout.decode().split("\0")
    for name in filter(None, names):
        source = os.path.join(TOP, name)
        if os.path.isfile(source):
            os.makedirs(os.path.dirname(os.path.join(TREE, name)), exist_ok=True)
            shutil.copy2(source, os.path.join(TREE, name))


def build(builds):
    """A build, or the name of a unit test: "unit-NAME"."""
    images = [b.replace("unit-", "tests/unit/test_") if b not in LOADERS else LOADERS[b] for b in builds]
    images += ["guest/suite.efi"] * any(b in LOADERS for b in builds)
    done = subprocess.run(
        ["make", "-s", "-C", TREE, "B=" + environment()["B"],
         *(os.path.join(environment()["B"], i) for i in images)],
        env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout


def lines_of(mutant):
    """The TAP lines of the mutant's test. A suite that never ends has told what it has told."""
    if mutant.build.startswith("unit-"):
        command = [os.path.join(environment()["B"], mutant.build.replace("unit-", "tests/unit/test_"))]
    elif mutant.suite:
        command = [sys.executable, os.path.join(TREE, "tests/suite/suite.py"), "--name", "mutant",
                   "--suite", mutant.suite, "--build", mutant.build, "--cpus", str(mutant.cpus),
                   "--vendor", mutant.vendor, "--engine", ENGINE[mutant.vendor], "--time", str(SUITE_TIME), *mutant.options]
    else:
        command = [sys.executable, os.path.join(TREE, "tests/attack/code.py"), mutant.vendor]
    done = subprocess.run(command, env={**environment(), "CMOCKA_MESSAGE_OUTPUT": "TAP"}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    return done.stdout.splitlines(), done.stderr


def noticed(mutant):
    """(whether the test fails as it should, why not)"""
    path = os.path.join(TREE, mutant.path)
    with open(path, encoding="utf-8") as f:
        original = f.read()
    changed, places = re.subn(mutant.old, mutant.new, original)
    if places != 1:
        return False, f"the mutation applies to {places} places"
    try:
        with open(path, "w", encoding="utf-8") as f:
            f.write(changed)
        trouble = build([mutant.build])
        if trouble:
            return False, "the mutant does not build:\n" + trouble
        lines, errors = lines_of(mutant)
    finally:
        with open(path, "w", encoding="utf-8") as f:
            f.write(original)
    found = [x for x in lines if mutant.expected in x]
    if any(x.startswith("not ok") for x in found):
        return True, ""
    return False, f"lines with the text: {found}\n{errors[-2000:]}"


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--vendor", choices=sorted(ENGINE))
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    wanted = [m for m in MUTANTS if args.vendor in (None, m.vendor)
              and (not args.names or any(m.name.startswith(a) for a in args.names))]
    tap = Tap(len(wanted) + 1)
    copy_tree()
    trouble = build(sorted({m.build for m in wanted}))
    tap.check(not trouble, "mutants: the tree builds as it is", trouble)
    for mutant in wanted:
        good, why = noticed(mutant)
        tap.check(good, f"mutant on {mutant.vendor}: {mutant.name}: its test fails", why)
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
