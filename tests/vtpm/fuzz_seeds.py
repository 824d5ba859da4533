#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Inputs that commands_fuzz.c begins with: commands of each kind, right ones first.

usage: fuzz_seeds.py FOLDER
"""
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "emu")]
import swtpm as s  # noqa: E402
from host import SESSIONS, command  # noqa: E402

CODES = range(0x11f, 0x198)
TRANSIENT = 0x80000000


def joined(commands):
    return b"".join(len(c).to_bytes(2, "big") + c for c in commands)


def symmetric(algorithm, bits, mode):
    public = s.pack("HHI", 0x25, s.SHA256, 0x00060472) + s.sized(b"") + s.pack("HHH", algorithm, bits, mode) + s.sized(b"")
    body = s.pack("I", s.OWNER) + s.AUTH + s.sized(s.sized(b"") + s.sized(b"")) + s.sized(public) + s.sized(b"") + s.pack("I", 0)
    return command(0x131, body, SESSIONS)


def crypt(mode, decrypt):
    return command(0x164, s.pack("I", TRANSIENT) + s.AUTH + s.pack("BH", decrypt, mode) + s.sized(bytes(16)) +
                   s.sized(bytes(range(40)) if mode in (0x40, 0x41, 0x43) else bytes(range(48))), SESSIONS)


def external_rsa(e=0):
    """A public key from outside, and what can be done with it."""
    n = bytes([0xc5]) + bytes(range(1, 127)) + b"\x01"
    public = s.pack("HHI", 1, s.SHA256, 0x00060040) + s.sized(b"") + s.pack("HHHI", 0x10, 0x10, 1024, e) + s.sized(n)
    load = command(0x167, s.sized(b"") + s.sized(public) + s.pack("I", s.NULL))
    out = [load]
    for scheme in (s.pack("HH", 0x17, s.SHA256), s.pack("H", 0x15), s.pack("H", 0x10)):
        text = b"abc" if scheme != s.pack("H", 0x10) else bytes(128)
        out.append(command(0x174, s.pack("I", TRANSIENT) + s.sized(text) + scheme + s.sized(b"L\0")))
    for scheme in (0x14, 0x16):
        out.append(command(0x177, s.pack("I", TRANSIENT) + s.sized(bytes(32)) + s.pack("HH", scheme, s.SHA256) +
                           s.sized(bytes([5]) * 128)))
    return out


def curve(number):
    """A key, a signature of it and its check; ECDH with another one."""
    sign = command(0x177, s.pack("I", TRANSIENT) + s.sized(bytes(32)) + s.pack("HH", 0x18, s.SHA256) +
                   s.sized(b"\x11" * 24) + s.sized(b"\x22" * 24))
    return [s.ecc_primary(number), s.SIGN, sign, command(0x163, s.pack("I", TRANSIENT)), command(0x178, s.pack("H", number)),
            command(0x18e, s.pack("H", number))]


def seeds():
    yield "begin", s.BEGIN
    yield "finish", s.BEGIN + s.FINISH
    yield "test", [command(0x143, b"\1"), command(0x17c), command(0x142, s.pack("IHH", 2, s.SHA256, 6))]
    yield "random", [command(0x17b, b"\0\x40"), command(0x146, s.sized(b"more"))]
    yield "external", external_rsa()
    for number in s.CURVES.values():
        yield f"curve{number}", curve(number)
    for algorithm, name in ((6, "aes"), (0x26, "camellia"), (3, "tdes")):
        for mode in range(0x40, 0x45):
            bits = 192 if algorithm == 3 else 128
            yield f"{name}{mode:x}", [symmetric(algorithm, bits, mode), crypt(mode, 0), crypt(mode, 1)]
    for code in CODES:
        handles = s.pack("II", s.OWNER, TRANSIENT)
        yield f"code{code:x}", [s.ecc_primary(3), command(code), command(code, handles), command(code, handles[:4] + s.AUTH, SESSIONS),
                                command(code, handles + s.AUTH + bytes(20), SESSIONS)]
    for algorithm in (4, s.SHA256, 0xc, s.SHA512):
        yield f"hash{algorithm}", [command(0x17d, s.sized(bytes(300)) + s.pack("HI", algorithm, s.NULL))]


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, commands in seeds():
        (folder / name).write_bytes(joined(commands))


if __name__ == "__main__":
    main()
