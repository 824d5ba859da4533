#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""codeint on the stage: right and wrong images, each the image of a partition that it is asked to launch.

usage: codeint.py STAGE FOLDER DEBUG FILES

FOLDER holds codeint.img and codeint.elf, DEBUG one that was built to accept debug images, FILES what
files.py makes.
"""
import hashlib
import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import stage as st  # noqa: E402
from files import ODD, RIGHT, TOP  # noqa: E402
from stage import OFFERED_FIRST, Scenario  # noqa: E402

import form  # noqa: E402
from tap import Tap  # noqa: E402

PAGE = form.PAGE
SVN, FLAGS = 36, 40
LAUNCH, HEAP = 1, 2
READY = r"log codeint: ready, 2 signers trusted, debug images refused"


def statuses():
    """{name: what the request answers}."""
    text = (TOP / "guest/trustlets/codeint/statuses.def").read_text()
    return {name: 0x100 + int(value) for name, value in re.findall(r"^STATUS\((\w+), (\d+),", text, re.M)}


STATUS = statuses()
WRONG = ("other", "unsigned", "debug", *ODD)


def flipped(data, at, bit=1):
    return data[:at] + bytes((data[at] ^ bit,)) + data[at + 1:]


def wrong_files(right):
    """[(what, bytes, status name)]"""
    ec, rsa = right["ec"], right["rsa"]
    ec_pages, rsa_pages = 3 * PAGE, 5 * PAGE
    return [
        ("ECDSA: a bit of text", flipped(ec, PAGE), "BAD_SIGNATURE"),
        ("RSA: a bit of text", flipped(rsa, 2 * PAGE + 77, 0x80), "BAD_SIGNATURE"),
        ("ECDSA: the last byte of the pages", flipped(ec, ec_pages - 1), "BAD_SIGNATURE"),
        ("RSA: the last byte of the pages", flipped(rsa, rsa_pages - 1), "BAD_SIGNATURE"),
        ("ECDSA: a bit of r", flipped(ec, len(ec) - 64), "BAD_SIGNATURE"),
        ("ECDSA: a bit of s", flipped(ec, len(ec) - 1), "BAD_SIGNATURE"),
        ("RSA: a bit of the signature", flipped(rsa, len(rsa) - 200), "BAD_SIGNATURE"),
        ("ECDSA: SVN raised", flipped(ec, SVN, 4), "BAD_SIGNATURE"),
        ("ECDSA: debug flag set", flipped(ec, FLAGS), "BAD_SIGNATURE"),
        ("ECDSA: a signature of zeroes", ec[:-64] + bytes(64), "BAD_SIGNATURE"),
        ("RSA: a signature of ones", rsa[:-384] + b"\xff" * 384, "BAD_SIGNATURE"),
        ("ECDSA: the signature of another image", ec[:ec_pages] + right["ec_new"][ec_pages:], "BAD_SIGNATURE"),
        ("ECDSA: a bit of the key", flipped(ec, ec_pages + 32 + 60), "UNKNOWN_SIGNER"),
        ("RSA: a bit of the key", flipped(rsa, rsa_pages + 32 + 200), "UNKNOWN_SIGNER"),
        ("another's key", right["other"], "UNKNOWN_SIGNER"),
        ("cut to its pages", ec[:ec_pages], "UNSIGNED"),
        ("cut by a byte", ec[:-1], "BAD_FORM"),
        ("cut within its pages", rsa[:rsa_pages - 1], "BAD_FORM"),
        ("a byte behind the signature", rsa + b"\0", "BAD_FORM"),
        ("not an image", b"\x7fELF" + ec[4:], "BAD_FORM"),
        ("the debug flag, signed", right["debug"], "DEBUG_IMAGE"),
    ] + [(f"not as image.h fixes it: {name}", data, "BAD_SIGNATURE") for name, data in right.items() if name in ODD]


class Offered:
    """Files in the order in which they are given; requests about them."""

    def __init__(self, folder):
        self.folder, self.paths = folder, []

    def add(self, data):
        path = os.path.join(self.folder, f"offered{len(self.paths)}")
        with open(path, "wb") as file:
            file.write(data)
        self.paths.append(path)
        return (LAUNCH, OFFERED_FIRST + len(self.paths) - 1, len(data))


def accepted(request, data):
    """What the monitor is told of a right image, and what the answer must be: two lines."""
    image = form.Image(data)
    digest = hashlib.sha256(image.spki).digest()
    words = [int.from_bytes(digest[at:at + 8], "little") for at in (0, 8, 16)]
    head = image.header
    measured = int.from_bytes(hashlib.sha256(data[:PAGE * head["pages"]]).digest()[:8], "little")
    numbers = [head[name] for name in ("text_pages", "rodata_pages", "data_pages", "svn", "flags")]
    return (f"launch {request[1]:x} {head['id'].rstrip(bytes(1)).decode()} " +
            " ".join(f"{number:x}" for number in (*numbers, measured, words[0])),
            "reply 0 " + " ".join(f"{word:x}" for word in words))


def refused(name):
    return f"reply {STATUS[name]:x} 0 0 0"


def told_of(*lines):
    """Lines, and pairs of them, in a row."""
    return [line for some in lines for line in (some if isinstance(some, tuple) else (some,))]


def scenarios(right, offered):
    """[(Scenario)]; all that is given is added to `offered`."""
    ask = {name: offered.add(data) for name, data in right.items() if name not in WRONG}
    bad = [(what, offered.add(data), refused(name)) for what, data, name in wrong_files(right)]
    yes = {name: accepted(ask[name], right[name]) for name in ask}
    number, length = ask["ec"][1:]
    out = [Scenario("ECDSA and RSA, right; again; heap", [ask["ec"], ask["rsa"], ask["ec"], (HEAP,)],
                    told_of(READY, yes["ec"], yes["rsa"], yes["ec"], "reply 0 [0-9a-f]+ [0-9a-f]+ 0")),
           Scenario("the same by VMCALL", [ask["rsa"], ask["ec"]], told_of(READY, yes["rsa"], yes["ec"]), flags=st.RDRAND)]
    out += [Scenario(f"refused: {what}, and a right one after it is not", [request, ask["ec"]],
                     told_of(READY, told, yes["ec"])) for what, request, told in bad]
    out += [
        Scenario("an older SVN does not come after a newer one; what was refused is not remembered; another "
                 "signer's id is another", [ask["ec_old"], ask["ec"], ask["ec_old"], ask["ec_new"], ask["ec"],
                                            ask["rsa_alpha"], ask["ec_new"]],
                 told_of(READY, yes["ec_old"], yes["ec"], refused("OLD_SVN"), yes["ec_new"], refused("OLD_SVN"),
                         yes["rsa_alpha"], yes["ec_new"])),
        Scenario("lengths that no file has",
                 [(LAUNCH, number, wrong) for wrong in (0, (4096 << 12) + 839, 2**64 - 1)] + [ask["ec"]],
                 told_of(READY, *[st.INVALID] * 3, yes["ec"])),
        Scenario("a file that is too long for it", [(LAUNCH, number, 0x200001), ask["ec"]],
                 told_of(READY, refused("NO_ROOM"), yes["ec"])),
        Scenario("partitions that there are not, and more than one was given",
                 [(LAUNCH, 1, length), (LAUNCH, 0, length), (LAUNCH, 2**32 + number, length), (LAUNCH, 99, length),
                  (LAUNCH, number, 0x10000), ask["ec"]],
                 told_of(READY, *[refused("NOT_READ")] * 5, yes["ec"])),
    ]
    return out


def check_debug(tap, stage, folder, right):
    """A build for tests accepts debug images, and says so."""
    with tempfile.TemporaryDirectory() as scratch:
        offered = Offered(scratch)
        ask = [offered.add(right[name]) for name in ("debug", "ec", "other")]
        wanted = Scenario("", ask, told_of(READY.replace("refused", "accepted"), accepted(ask[0], right["debug"]),
                                           accepted(ask[1], right["ec"]), refused("UNKNOWN_SIGNER")))
        told = st.play(stage, f"{folder}/codeint.img", [wanted], offered.paths)
    why = wanted.wrong(told[0]) if told else "the stage did not end"
    tap.check(not why, "codeint: built for debug images it accepts them, and says so", why)


def main():
    stage, folder, debug, files = sys.argv[1:]
    right = {}
    for name in (*RIGHT, *ODD):
        with open(f"{files}/{name}.img", "rb") as file:
            right[name] = file.read()
    image = f"{folder}/codeint.img"
    with tempfile.TemporaryDirectory() as scratch:
        offered = Offered(scratch)
        wanted = scenarios(right, offered)
        tap = Tap(len(wanted) + 4)
        told = st.play(stage, image, wanted + [Scenario("map", ["m"], [])], offered.paths)
    if not tap.check(told is not None, "codeint: the stage starts it and ends"):
        tap.give_up("the stage did not end")
        return tap.status()
    for scenario, lines in zip(wanted, told):
        why = scenario.wrong(lines)
        tap.check(not why, f"codeint: {scenario.what}", why)
    peak, pages = (int(word, 16) for word in told[0][-1].split()[2:4])
    tap.check(0 < peak <= pages // 2, f"codeint: image {os.path.getsize(image) // 1024} KiB, heap peak {peak} of {pages} "
                                      "pages, at most half of them")
    shown = [line for line in told[-1] if line.startswith("map")]
    tap.check(shown == st.expected_map(f"{folder}/codeint.elf"), "codeint: its page tables map what they must, W^X",
              str(shown))
    check_debug(tap, stage, debug, right)
    return tap.status()


sys.exit(main())
