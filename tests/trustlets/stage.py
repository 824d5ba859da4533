#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""A trustlet executed from the start state of monitor/abi/trustlet.h, under SVM on QEMU's translator.

usage: stage.py STAGE sample|probe FOLDER      FOLDER holds NAME.img and NAME.elf

The stage (stage.c) starts the image anew for each scenario, from the same frames, and tells what it
answers, logs, and how it ends. What a scenario must tell is written here, line by line.
"""
import os
import re
import subprocess
import sys
import tempfile

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [os.path.join(TESTS, "emu"), os.path.join(TESTS, "../tools/build")]
import elf  # noqa: E402
from tap import Tap  # noqa: E402

TOOL = os.path.join(TESTS, "../tools/trustlet")
RDRAND, RDSEED, AMD, SHA = 2, 4, 1, 8
ALL = AMD | RDRAND
OK, UNKNOWN, INVALID = "reply 0", "reply 1 0 0 0", "reply 3 0 0 0"
FAULT = "exit 4 e "  # EXIT_FAULT, #PF
DEVICE, DATA, SHARED = 0x3fe00000, 0x40000000, 0x80000000
OFFERED_FIRST = 2  # the number of the partition that the first file is given to


class Scenario:
    """A start, its requests (id and words), and regular expressions for all it tells."""

    def __init__(self, what, requests, told, flags=ALL, pages=0, index=0):
        self.what, self.requests, self.told = what, requests, told
        self.start = (flags, pages & 0xff, index)

    def script(self):
        lines = ["s " + " ".join(f"{n:x}" for n in self.start)]
        lines += [r if isinstance(r, str) else "r " + " ".join(f"{n:x}" for n in r) for r in self.requests]
        return "\n".join(lines) + "\n"

    def wrong(self, told):
        """Why what was told is not what must be, or ''."""
        for at, pattern in enumerate(self.told):
            if at >= len(told) or not re.fullmatch(pattern, told[at]):
                return f"line {at + 1} must be {pattern}: {told}"
        return f"told more: {told}" if len(told) > len(self.told) else ""


def exception(error, place, vector=14):
    return f"log exception {vector} error {error:x} at (0|2[0-9a-f]{{5}}), address [0-9a-f]+ \\({place}\\)"


def dies(what, request, *told, before=()):
    """A request that is the end, told as a page fault unless said otherwise."""
    return Scenario(what, [*before, request], [OK + ".*"] * len(before) + list(told))


READY = "log sample: ready"
SAMPLE = [
    Scenario("requests are answered, state is kept, VMMCALL",
             [(1, 2, 3), (2, 0x1234), (3,), (3,), (1, 2**64 - 2, 1)],
             [READY, "reply 0 5 0 0", "reply 0 1234 0 0", "reply 0 1 0 0", "reply 0 2 0 0",
              "reply 0 ffffffffffffffff 0 0"]),
    Scenario("the same by VMCALL, started anew: state is gone", [(3,), (1, 7, 8)],
             [READY, "reply 0 1 0 0", "reply 0 f 0 0"], flags=RDRAND),
    Scenario("what a request cannot do is INVALID, and tells nothing", [(1, 2**64 - 1, 1)], [READY, INVALID]),
    Scenario("arguments that a row does not name must be zero", [(3, 1), (3, 0, 1), (3, 0, 0, 1), (2, 5, 1)],
             [READY] + [INVALID] * 4),
    Scenario("unknown requests have a fixed answer", [(0,), (4,), (2**32 + 1, 1, 1), (2**64 - 1,)],
             [READY] + [UNKNOWN] * 4),
]

PROBE = [
    Scenario("services: key, random words, time, report, heap, shared memory, SSE",
             [(4, 1), (4, 2), (5,), (5,), (6,), (7, 0x77), (8, 5000, 3), (9, SHARED), (10, 145)],
             [OK + " [0-9a-f]+ 0 0"] * 2 + [OK + " [0-9a-f]{12,16} [0-9a-f]{12,16} 0"] * 2 +
             [OK + " [0-9a-f]+ [0-9a-f]+ 0", "reply 0 7 77 5a5a5a5a5a5a5a2d", OK + " [0-9a-f]+ 0 0",
              "reply 0 5ead 0 0", "reply 0 c 0 0"]),
    Scenario("a RDSEED that the monitor allows is used", [(5,)], [OK + ".*"], flags=ALL | RDSEED),
    Scenario("no SHA extensions unless the monitor says so", [(16, 1, 5)], [OK + " 0 0 0"]),
    Scenario("SHA extensions if it says so", [(16, 0, 5)], [OK + " 1 0 0"], flags=ALL | SHA),
    dies("a read of page 0", (3, 8), exception(0, "null"), FAULT + "2.*"),
    dies("a write to page 0", (32, 0, 1), exception(2, "null"), FAULT + "2.*"),
    dies("a write far outside: the address is not told", (32, 0x123456789000, 1),
         exception(2, "not told"), FAULT + "2.*"),
    dies("an address that is not canonical: #GP", (32, 2**63, 1),
         exception(0, "not told", 13), "exit 4 d 2.*"),
    dies("a write to text", (45,), exception(3, "text"), FAULT + "2.*"),
    dies("a write to the header", (32, 0x200000, 1), exception(3, "read-only data"), FAULT + "2.*"),
    dies("a write to read-only data", (47,), exception(3, "read-only data"), FAULT + "2.*"),
    dies("a write to the page tables", (46,), exception(3, "private memory"), FAULT + "2.*"),
    dies("code in private memory", (48,), exception(0x11, "private memory"), FAULT + "0 *"),
    dies("code in the shared window", (33, SHARED), exception(0x11, "not told"), FAULT + "0 *"),
    dies("code in the header", (33, 0x200000), exception(0x11, "read-only data"), FAULT + "0 *"),
    dies("a shared page that is not there stops the VP", (32, SHARED + 0x1000, 1),
         "stopped 400 100000006 80001000 rip 2.*"),
    dies("recursion without end meets the guard page", (35,), exception(2, "stack guard"), FAULT + "2.*"),
    dies("a smashed stack", (36, 80), "log stack canary changed", "exit 3 0 0"),
    Scenario("a buffer that is filled is not smashed", [(36, 32)], [OK + ".*"]),
    dies("written behind memory of the heap", (37,), "log heap: written behind memory of 24 bytes", "exit 2 0 0"),
    dies("freed twice", (38,), "log heap: not memory in use", "exit 2 0 0"),
    dies("written after free", (39,), "log heap: written to after free", "exit 2 0 0"),
    dies("a failed assertion", (40,), r"log assertion failed: args\[0\] == 1, .*main.c:\d+", "exit 1 [0-9a-f]+ 0"),
    dies("division by zero", (41,), exception(0, "not told", 0), "exit 4 0 2.*"),
    dies("a port stops the VP", (42,), "stopped 7b .*"),
    dies("CPUID stops the VP", (43,), "stopped 72 .*"),
    dies("an MSR stops the VP", (44,), "stopped 7c .*"),
    Scenario("no RDRAND, no trustlet", [(5,)], ["log random: the CPU gives no numbers", "exit 2 0 0"], flags=AMD),
    Scenario("less memory than wanted: no start", [(5,)], ["stopped 7f .*"], pages=-1),
    Scenario("more memory than wanted: it starts", [(6,)], [OK + ".*"], pages=3),
    Scenario("another VP than the first: no start", [(5,)], ["stopped 7f .*"], index=1),
    Scenario("after all that the image starts as ever", [(6,)], [OK + ".*"]),
]
SECRET = Scenario("secret", [(1,), (2, 0), (49,)], [])


def play(stage, image, scenarios, offered=()):
    """What each scenario told: a list of lists of lines; None if the stage did not end. Files are
    images of other partitions, from OFFERED_FIRST on.
    """
    with tempfile.TemporaryDirectory() as folder:
        script = os.path.join(folder, "script")
        with open(script, "w", encoding="ascii") as file:
            file.write("".join(s.script() for s in scenarios))
        done = subprocess.run(
            ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "EPYC", "-m", "64", "-nodefaults", "-display", "none",
             "-no-reboot", "-kernel", stage, "-initrd", ",".join([image, *offered, script]), "-debugcon", "stdio",
             "-device", "isa-debug-exit,iobase=0xf4,iosize=4"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace", timeout=100)
    print(done.stdout, file=sys.stderr)
    parts = re.split(r"^start .*\n", done.stdout, flags=re.M)
    lines = [part.splitlines() for part in parts[1:]]
    if not lines or lines[-1][-1:] != ["end"] or parts[0] != "image fault 0\n" or len(lines) != len(scenarios):
        return None
    lines[-1].pop()
    return lines


def expected_map(path):
    """The ranges that the trustlet's tables must map, from its symbols."""
    symbol = elf.load(path, fixed=True).symbol
    text, rodata = [s for s in elf.load(path, fixed=True).loads() if s.vaddr < DATA]
    load_end = symbol("rt_data_load") + symbol("rt_data_bytes")

    def page(address):
        return (address + 0xfff) & ~0xfff

    guards = [symbol(f"rt_guard{i}") for i in range(4)]
    lines = [(0x200000, 0x201000, "--"), (0x201000, page(text.vaddr + text.memsz), "-x"),
             (rodata.vaddr, page(load_end), "--")]
    start = DEVICE  # its registers lie right below the data
    for guard in guards:
        lines.append((start, guard, "w-"))
        start = guard + 0x1000
    window = (symbol("rt_window"), symbol("rt_private_end"), "w-")
    lines += [(symbol("rt_sealed"), window[0], "--"), *([window] if window[0] < window[1] else []),
              (SHARED, 0xc0000000, "w-")]
    return [f"map {a:x} {b:x} {rights}" for a, b, rights in lines]


def check_canaries(tap, told):
    """The stack canary differs from start to start, and its first byte is zero."""
    seen = [int(lines[0].split()[2], 16) if lines else 0 for lines in told]
    tap.check(len(set(seen)) == len(seen) and all(x and x % 256 == 0 for x in seen),
              "probe: each start has a stack canary of its own", str(seen))


def check_secret(tap, told):
    """A secret used as an address shows neither in the log nor in the reason."""
    lines = list(told)
    secret = int(lines[1].split()[2], 16) if len(lines) == 4 else 0
    shown = " ".join(lines[2:])
    good = secret and lines[3].startswith(FAULT) and not any(
        f"{secret >> shift:x}"[:6] in shown for shift in (0, 16, 17))
    tap.check(good, "a secret used as an address is not told", str(lines))


def check_debug(tap, stage, folder):
    """An image with the debug flag shows its registers."""
    image = os.path.join(folder, "debug.img")
    subprocess.run([TOOL, "make", "--id", "probe", "--svn", "7", "--debug", f"{folder}/probe.elf", image],
                   check=True, stdout=subprocess.DEVNULL)
    told = play(stage, image, [Scenario("", [(32, 0, 0xabcdef12345)], [])])
    tap.check(told and any(re.match(r"log rax .* rsp ", line) for line in told[0]),
              "with the debug flag, and only then, registers are shown", str(told))


def main():
    stage, name, folder = sys.argv[1:]
    scenarios = {"sample": SAMPLE, "probe": PROBE}[name]
    canary = elf.load(f"{folder}/{name}.elf", fixed=True).symbol("__stack_chk_guard")
    extra = [Scenario("map", ["m"], [])]
    if name == "probe":
        extra += [Scenario("canary", [(3, canary)], [])] * 2 + [SECRET]
    tap = Tap(len(scenarios) + 2 + (4 if name == "probe" else 0))
    told = play(stage, f"{folder}/{name}.img", scenarios + extra)
    if not tap.check(told is not None, f"{name}: the stage starts it and ends"):
        tap.give_up("the stage did not end")
        return tap.status()
    for scenario, lines in zip(scenarios, told):
        why = scenario.wrong(lines)
        tap.check(not why, f"{name}: {scenario.what}", why)
    shown = [line for line in told[len(scenarios)] if line.startswith("map")]
    wanted = expected_map(f"{folder}/{name}.elf")
    tap.check(shown == wanted, f"{name}: its page tables map what they must, W^X, guards left out",
              f"{shown}, wanted {wanted}")
    if name == "probe":
        random = [line.split()[2:4] for line in told[0] if len(line.split()) == 5][2:4]
        tap.check(len({word for pair in random for word in pair}) == 4, "probe: random words differ", str(random))
        check_canaries(tap, told[-3:-1])
        check_secret(tap, told[-1])
        check_debug(tap, stage, folder)
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
