#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""State to stock swtpm and back, and the same primary keys from the same seeds: libtpms on our shim
against libtpms on OpenSSL.

usage: swtpm.py VTPM
"""
import hashlib
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "emu")]
from host import SESSIONS, Host, code_of, command, responses  # noqa: E402
from tap import Tap  # noqa: E402

OWNER, NULL, PASSWORD = 0x40000001, 0x40000007, 0x40000009
SHA256, SHA512 = 0xb, 0xd
NV_INDEX, EVICTED = 0x01500010, 0x81000010
FIRST = bytes(i * 5 & 255 for i in range(777))
REST = bytes(i * 3 & 255 for i in range(500))
CURVES = {"P-192": 1, "P-224": 2, "P-256": 3, "P-384": 4, "P-521": 5, "BN-256": 0x10, "BN-638": 0x11, "SM2": 0x20}
NAMES = ("permall", "permanent"), ("volatilestate", "volatile")


# ---- swtpm's files: a header, then (tag, length, value); tag 1 is the plain state ----

def wrap(state):
    return struct.pack(">BBHHI", 2, 1, 10, 0, 16 + len(state)) + struct.pack(">HI", 1, len(state)) + state


def unwrap(data):
    version, _, header, _, total = struct.unpack_from(">BBHHI", data)
    assert (version, header, total) == (2, 10, len(data))
    tag, length = struct.unpack_from(">HI", data, header)
    assert tag == 1 and header + 6 + length == total
    return data[header + 6:]


class Swtpm:
    """Stock swtpm on a folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(exist_ok=True)

    def send(self, commands):
        """One power cycle, at whose end the volatile state is stored."""
        data, control = self.folder / "data", self.folder / "control"
        process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder}", "--server", f"type=unixio,path={data}",
             "--ctrl", f"type=unixio,path={control}", "--flags", "not-need-init"])
        try:
            out = b"".join(self.talk(data, commands))
            subprocess.run(["swtpm_ioctl", "--unix", control, "-v"], check=True)
            subprocess.run(["swtpm_ioctl", "--unix", control, "-s"], check=True)
            process.wait(timeout=20)
        finally:
            process.kill()
        return responses(out)

    @staticmethod
    def talk(path, commands):
        deadline = time.monotonic() + 20
        with socket.socket(socket.AF_UNIX) as stream:
            while stream.connect_ex(str(path)):
                if time.monotonic() > deadline:
                    raise TimeoutError("swtpm does not listen")
                time.sleep(0.05)
            for one in commands:
                stream.sendall(one)
                answer = b""
                while len(answer) < 10 or len(answer) < struct.unpack_from(">I", answer, 2)[0]:
                    part = stream.recv(8192)
                    if not part:
                        raise EOFError("swtpm closed")
                    answer += part
                yield answer

    def take(self, state, names=NAMES):
        for mine, other in names:
            path = self.folder / f"tpm2-00.{mine}"
            path.unlink(missing_ok=True)
            if (state / other).exists():
                path.write_bytes(wrap((state / other).read_bytes()))

    def give(self, state):
        state.mkdir(exist_ok=True)
        for mine, other in NAMES:
            (state / other).write_bytes(unwrap((self.folder / f"tpm2-00.{mine}").read_bytes()))


# ---- Commands ----

def pack(form, *values):
    return struct.pack(">" + form, *values)


def sized(data):
    return pack("H", len(data)) + data


AUTH = pack("IIHBH", 9, PASSWORD, 0, 0, 0)
STARTUP = command(0x144, pack("H", 0))


def primary(kind, parameters):
    public = pack("HHI", kind, SHA256, 0x00040472) + sized(b"") + parameters  # sign, noDA
    body = pack("I", OWNER) + AUTH + sized(sized(b"") + sized(b"")) + sized(public) + sized(b"") + pack("I", 0)
    return command(0x131, body, SESSIONS)


def rsa_primary(bits):
    return primary(1, pack("HHHHI", 0x10, 0x14, SHA256, bits, 0) + sized(b""))


def ecc_primary(curve):
    return primary(0x23, pack("HHHH", 0x10, 0x10, curve, 0x10) + sized(b"") + sized(b""))


def flush(handle):
    return command(0x165, pack("I", handle))


SIGN = command(0x15d, pack("I", 0x80000000) + AUTH + sized(bytes(32)) + pack("HHHIH", 0x18, SHA256, 0x8024, NULL, 0),
               SESSIONS)


def sequence(algorithm):
    return command(0x186, sized(b"") + pack("H", algorithm))


def update(handle):
    return command(0x15c, pack("I", handle) + AUTH + sized(FIRST), SESSIONS)


def complete(handle):
    return command(0x13e, pack("I", handle) + AUTH + sized(REST) + pack("I", NULL), SESSIONS)




def nv_define(index, size):
    public = pack("IHI", index, SHA256, 0x02040004) + sized(b"") + pack("H", size)
    return command(0x12a, pack("I", OWNER) + AUTH + sized(b"") + sized(public), SESSIONS)


NV = [nv_define(NV_INDEX, 100),
      command(0x137, pack("II", NV_INDEX, NV_INDEX) + AUTH + sized(FIRST[:100]) + pack("H", 0), SESSIONS)]
NV_READ = command(0x14e, pack("II", NV_INDEX, NV_INDEX) + AUTH + pack("HH", 100, 0), SESSIONS)
EXTEND = command(0x182, pack("I", 10) + AUTH + pack("IH", 1, SHA256) + FIRST[:32], SESSIONS)
PCR_READ = command(0x17e, pack("IHB", 1, SHA256, 3) + b"\0\4\0")
EVICT = command(0x120, pack("II", OWNER, 0x80000000) + AUTH + pack("I", EVICTED), SESSIONS)
READ_EVICTED = command(0x173, pack("I", EVICTED))

# What one TPM begins: a loaded key, evicted too; NV; a PCR; two hash sequences with half of their data.
BEGIN = [ecc_primary(3), EVICT, READ_EVICTED, *NV, EXTEND, sequence(SHA256), update(0x80000001), sequence(SHA512),
         update(0x80000002)]
# And the other one ends.
FINISH = [complete(0x80000001), complete(0x80000002), SIGN, NV_READ, PCR_READ, READ_EVICTED]


def check_begun(tap, name, said):
    return tap.check(said and not any(code_of(r) for r in said), f"{name}: keys, NV, PCR, sequences under way",
                     str([f"{code_of(r):x}" for r in said or []]))


def check_finished(tap, name, begun, said):
    codes = [f"{code_of(r):x}" for r in said or []]
    if not tap.check(said and set(codes) == {"0"}, f"{name}: it goes on with all of them", str(codes)):
        tap.check(False, f"{name}: digests")
        tap.check(False, f"{name}: NV, PCR, key")
        return
    whole = FIRST + REST
    tap.check(said[0][16:48] == hashlib.sha256(whole).digest() and said[1][16:80] == hashlib.sha512(whole).digest(),
              f"{name}: both digests are those of the whole", str(said[:2]))
    tap.check(said[3][16:116] == FIRST[:100] and said[4][-32:] == hashlib.sha256(bytes(32) + FIRST[:32]).digest() and
              said[5] == begun[BEGIN.index(READ_EVICTED)], f"{name}: NV, PCR and persistent key are the same", str(said[3:]))


def publics(tpm_send):
    """The public areas of primary keys, by one power cycle each of few enough objects."""
    out = {}
    for name, make in [("RSA-2048", rsa_primary(2048)), *((n, ecc_primary(c)) for n, c in CURVES.items())]:
        said = tpm_send([make, flush(0x80000000)])
        made = next((r for r in said or [] if len(r) > 50), b"")
        size = struct.unpack_from(">H", made, 18)[0] if made else 0
        out[name] = made[18:20 + size]
    return out


def main():
    tap = Tap(20)
    with tempfile.TemporaryDirectory() as top:
        top = pathlib.Path(top)
        ours, theirs = Host(sys.argv[1], top / "a"), Swtpm(top / "b")
        ours.send([])
        theirs.take(ours.state, NAMES[:1])
        mine = publics(ours.send)
        other = publics(lambda commands: theirs.send([STARTUP, *commands]))
        for name, public in mine.items():
            tap.check(len(public) > 50 and public == other[name], f"{name}: the same primary key as libtpms on OpenSSL",
                      f"{public.hex()} {other[name].hex()}")

        ours, theirs = Host(sys.argv[1], top / "c"), Swtpm(top / "d")
        begun = ours.send(BEGIN)
        check_begun(tap, "ours", begun)
        theirs.take(ours.state)
        check_finished(tap, "swtpm with our state", begun, theirs.send(FINISH))

        theirs, ours = Swtpm(top / "e"), Host(sys.argv[1], top / "f")
        begun = theirs.send([STARTUP, *BEGIN])[1:]
        check_begun(tap, "swtpm", begun)
        theirs.give(ours.state)
        check_finished(tap, "ours with swtpm's state", begun, ours.send(FINISH))

        again = Swtpm(top / "g")
        begun = ours.send([flush(0x80000000), PCR_READ, NV_READ])
        again.take(ours.state)
        said = again.send([PCR_READ, NV_READ])
        tap.check(said and begun and said[0][-32:] == begun[1][-32:] and said[1] == begun[2], "and back to swtpm once more",
                  f"{begun} {said}")
        for name, state in (("permanent", bytes(50)), ("volatile", b"junk" * 20)):
            path = ours.state / name
            good = path.read_bytes()
            path.write_bytes(state)
            tap.check(ours.send([PCR_READ]) is None and path.read_bytes() == state,
                      f"{name}: what is no state is refused, and left as it is", ours.error)
            path.write_bytes(good)
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
