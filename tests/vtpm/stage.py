#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""The vTPM's image in a partition, on the stage of tests/trustlets.

usage: stage.py STAGE FOLDER BROKEN     FOLDER holds vtpm.img and vtpm.elf; BROKEN is an image with a
                                        hash that can be broken
"""
import os
import pathlib
import re
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "trustlets"), str(pathlib.Path(__file__).resolve().parent)]
import stage as st  # noqa: E402
import swtpm  # noqa: E402
from host import command  # noqa: E402
from stage import ALL, AMD, INVALID, RDRAND, UNKNOWN, Scenario  # noqa: E402
from tap import Tap  # noqa: E402

SELF_TEST, MEMORY, COMMAND, STATE_OPEN, STATE_PIECE = 2, 3, 4, 6, 7
TPM_STATE_KEPT = 0
NV_OVERHEAD, SECTION, CA_KEY = 216 + 16 + 32, 8, 32  # vtpm/nv.h
CERTIFICATES = (0x01C00002, 0x01C0000A, 0x01C00100)
INDICES = 70  # of 2,048 bytes: more than NV has room for
READY = "log vtpm: ready"
STARTUP, TEST = command(0x144, b"\0\0"), command(0x143, b"\1")
RANDOM, RESULT = command(0x17b, b"\0\x10"), command(0x17c)


def sent(data):
    """Lines that put a command into the shared page and ask for it."""
    padded = data + bytes(-len(data) % 8)
    lines = [f"w {at:x} {int.from_bytes(padded[at:at + 8], 'little'):x}" for at in range(0, len(padded), 8)]
    return lines + [(COMMAND, len(data)), "d 0", "d 8"]


def words(tag, length, code=0):
    """The first two words of a response, as far as they are its header."""
    head = tag.to_bytes(2, "big") + length.to_bytes(4, "big") + code.to_bytes(4, "big")
    low = int.from_bytes(head[8:], "little")
    return [f"word {int.from_bytes(head[:8], 'little'):x}", f"word ([0-9a-f]*{low:04x}|{low:x})"]


def told(length, generation="[0-9a-f]+", tag=0x8001, code=0):
    return [f"reply 0 {length:x} {generation} 0", *words(tag, length, code)]


def scenarios():
    return [
        Scenario("starts, tests itself as a whole, and says that all is well; once more", [(SELF_TEST,), (SELF_TEST,)],
                 [READY, "reply 0 0 0 0", "reply 0 0 0 0"]),
        Scenario("the same by VMCALL", [(SELF_TEST,)], [READY, "reply 0 0 0 0"], flags=RDRAND),
        Scenario("commands and responses in the page that is shared",
                 [*sent(STARTUP), *sent(RANDOM), *sent(TEST)], [READY, *told(10), *told(28), *told(10)]),
        Scenario("a command before Startup; one that there is not; a locality; too long; unknown",
                 [*sent(RANDOM), *sent(command(0xffff)), (COMMAND, 10, 1), (COMMAND, 4097), (99,)],
                 [READY, *told(10, code=0x100), *told(10, code=0x143), INVALID, INVALID, UNKNOWN]),
        Scenario("no RDRAND: the partition ends", [(SELF_TEST,)], ["log random: the CPU gives no numbers", "exit 2 0 0"],
                 flags=AMD),
    ]


def failing():
    """Failure mode is left by setjmp and longjmp: the partition goes on and answers, and does nothing else."""
    return Scenario("with a hash that is wrong it enters failure mode, and answers",
                    [*sent(STARTUP), *sent(RANDOM), "w ff8 1", *sent(TEST), *sent(RANDOM), *sent(RESULT), *sent(RANDOM)],
                    [READY, *told(10), *told(28), "log libtpms/tpm2: Entering failure mode; code: 6, location: TestHash line [0-9]+.*",
                     *told(10, code=0x101), *told(10, code=0x101),
                     "reply 0 [0-9a-f]+ [0-9a-f]+ 0", "word .*", "word ([0-9a-f]*0000|0)", *told(10, code=0x101)])


def memory():
    """What is measured: keys of both kinds, then an NV that is full: the last index does not fit."""
    full = [line for i in range(INDICES) for line in sent(swtpm.nv_define(0x1500000 + i, 2048))]
    return Scenario("memory", [*sent(STARTUP), *sent(TEST), *sent(swtpm.ecc_primary(3)), *sent(swtpm.rsa_primary(2048)),
                               (MEMORY,), *full, (MEMORY,)], [], flags=ALL)


def manufactured():
    """A state was never written: a TPM is made, and has its certificates."""
    asked = [line for index in CERTIFICATES for line in sent(command(0x169, index.to_bytes(4, "big")))]
    return Scenario("a new TPM is manufactured", [(STATE_OPEN,), *asked, (STATE_PIECE, 0), (MEMORY,)],
                    [READY, "log vtpm: no state .*", "log vtpm: a new TPM, with certificates of its endorsement keys",
                     f"reply 0 {TPM_STATE_KEPT:x} [0-9a-f]+ 0", *told(62), *told(62), *told(62), "reply 0 [0-9a-f]+ [0-9a-f]+ 1", "reply 0 .*"], flags=ALL)


def used(line):
    """(heap's pages, peak, stack's bytes, state's) as a request told them."""
    heap, stack, state = (int(word, 16) for word in line.split()[2:])
    return heap >> 32, heap & 0xffffffff, stack, state


def check_manufactured(tap, lines, room):
    why = manufactured().wrong(lines)
    pages, peak, stack, state = used(lines[-1]) if not why else (0, 0, 0, 0)
    whole = int(lines[-2].split()[3], 16) >> 32 if not why else 0
    tap.check(whole == NV_OVERHEAD + SECTION + (state + 7) // 8 * 8 + SECTION + CA_KEY, "vtpm: its file is to be written, with the CA's key",
              f"{whole} bytes, state {state}")
    tap.check(not why and peak <= pages * 3 // 4 and stack <= room // 2, f"vtpm: {manufactured().what}: state {state} bytes: heap peak "
              f"{peak} of {pages} pages, stack {stack} of {room} bytes", why)


def stack_of(folder):
    elf = st.elf.load(f"{folder}/vtpm.elf", fixed=True)
    return elf.symbol("rt_stack_top") - elf.symbol("rt_stack_bottom")


def check_memory(tap, lines, folder):
    """At most three quarters of the heap and half of the stack are ever in use."""
    reply = [line for line in lines if line.startswith("reply")]
    keys = [re.fullmatch("reply 0 [0-9a-f]{3} [0-9a-f]+ 0", line) for line in reply[2:4]]
    if not tap.check(len(reply) == 6 + INDICES and all(keys), "primary keys ECC P-256 and RSA-2048 are made, NV is filled",
                     str(lines)):
        tap.check(False, "memory")
        return
    image = os.path.getsize(f"{folder}/vtpm.img") // 1024
    room = stack_of(folder)
    good, text = True, []
    for line in (reply[4], reply[-1]):
        pages, peak, stack, state = used(line)
        good = good and 0 < peak <= pages * 3 // 4 and 0 < stack <= room // 2
        text.append(f"state {state} bytes: heap peak {peak} of {pages} pages, stack {stack} of {room} bytes")
    tap.check(good and state > 140000, f"image {image} KiB; " + "; ".join(text))


def main():
    stage, folder, broken = sys.argv[1:]
    wanted = scenarios()
    tap = Tap(len(wanted) + 7)
    said = st.play(stage, f"{folder}/vtpm.img", [*wanted, manufactured(), memory(), Scenario("map", ["m"], [])])
    if not tap.check(said is not None, "vtpm: the stage starts it and ends"):
        tap.give_up("the stage did not end")
        return tap.status()
    for scenario, lines in zip(wanted, said):
        why = scenario.wrong(lines)
        tap.check(not why, f"vtpm: {scenario.what}", why)
    check_manufactured(tap, said[-3], stack_of(folder))
    check_memory(tap, said[-2], folder)
    shown = [line for line in said[-1] if line.startswith("map")]
    tap.check(shown == st.expected_map(f"{folder}/vtpm.elf"), "vtpm: its page tables map what they must, W^X", str(shown))
    said = st.play(stage, broken, [failing()])
    why = failing().wrong(said[0]) if said else "the stage did not end"
    tap.check(not why, f"vtpm: {failing().what}", why)
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
