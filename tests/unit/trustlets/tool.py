#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""tools/trustlet: what it makes, signs, verifies, and each thing that it refuses.

usage: tool.py VERDICT FOLDER      VERDICT is verdict.c; FOLDER holds sample/sample.elf
"""
import hashlib
import json
import os
import pathlib
import random
import stat
import struct
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(TOP / "tests/emu"), str(TOP / "tools/image")]
import form  # noqa: E402
from signature import der_from_fixed, fixed_from_der  # noqa: E402
from tap import Tap  # noqa: E402

TOOL = str(TOP / "tools/trustlet")
PLAN = 85
PAGE = 4096
# Where fields stand in the header.
VERSION, PAGES, SVN, FLAGS, ID, RESERVED = 8, 16, 36, 40, 48, 80
MUTANTS = 400


class Bench:
    """A scratch folder, keys, and the tool."""

    def __init__(self, tap, folder, elf):
        self.tap, self.folder, self.elf = tap, folder, elf

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)

    def run(self, *arguments):
        return subprocess.run([TOOL, *arguments], capture_output=True, text=True, check=False)

    def tool(self, what, *arguments):
        """It must succeed; returns what it printed."""
        done = self.run(*arguments)
        self.tap.check(done.returncode == 0 and not done.stderr, what, done.stderr)
        return done.stdout

    def refused(self, what, said, *arguments):
        """It must fail with this sentence, and change no file."""
        before = self.snapshot()
        done = self.run(*arguments)
        good = (done.returncode == 1 and said in done.stderr and done.stderr.startswith("trustlet: ")
                and done.stderr.count("\n") == 1 and not done.stdout and self.snapshot() == before)
        self.tap.check(good, f"refused: {what}", f"{done.returncode}: {done.stdout}{done.stderr}")

    def snapshot(self):
        return {name: self.read(name) for name in os.listdir(self.folder) if not os.path.isdir(self.path(name))}

    def openssl(self, *arguments):
        return subprocess.run(["openssl", *arguments], cwd=self.folder, capture_output=True, check=False)

    def make_keys(self):
        self.openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", "ec.pem")
        self.openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", "other.pem")
        self.openssl("ecparam", "-genkey", "-name", "secp384r1", "-noout", "-out", "p384.pem")
        self.openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072", "-out", "rsa.pem")
        self.openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "rsa2048.pem")
        self.openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072", "-pkeyopt",
                     "rsa_keygen_pubexp:3", "-out", "rsa3.pem")
        for name in ("ec", "other", "p384", "rsa", "rsa2048"):
            self.openssl("pkey", "-in", f"{name}.pem", "-pubout", "-out", f"{name}.pub")
        self.write("junk.pem", b"-----BEGIN PUBLIC KEY-----\njunk\n-----END PUBLIC KEY-----\n")


def test_make(b):
    printed = b.tool("make", "make", "--id", "a-1", "--svn", "5", b.elf, b.path("a.img"))
    data = b.read("a.img")
    digest = hashlib.sha256(data).hexdigest()
    b.tap.check(printed == f"measurement {digest}\n", "make prints the measurement, the digest of all pages", printed)
    b.tool("make again", "make", "--id", "a-1", "--svn", "5", b.elf, b.path("again.img"))
    b.tap.check(b.read("again.img") == data, "the same input gives the same bytes")
    header = struct.unpack_from("<8s9I4x32s", data)
    good = (header[0] == b"RDTRUST1" and header[1:3] == (1, PAGE) and header[3] * PAGE == len(data)
            and header[3] == 1 + header[4] + header[5] and header[7:] == (1, 5, 0, b"a-1".ljust(32, b"\0")))
    b.tap.check(good, "the header is as monitor/abi/image.h has it", str(header))
    b.tap.check(not any(data[RESERVED:PAGE]), "the rest of the header's page is zero")
    b.tool("make with the debug flag", "make", "--id", "a-1", "--svn", "5", "--debug", b.elf, b.path("debug.img"))
    different = [i for i, (x, y) in enumerate(zip(data, b.read("debug.img"))) if x != y]
    b.tap.check(different == [FLAGS], "the debug flag is one bit of the header", str(different))
    b.tap.check(stat.S_IMODE(os.stat(b.path("a.img")).st_mode) == 0o666 & ~umask(), "an output has ordinary rights")


def umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_show(b):
    shown = json.loads(b.tool("show --json", "show", "--json", b.path("a.img")))
    wanted = {"id": "a-1", "svn": 5, "debug": False, "vps": 1, "algorithm": None, "signer": None,
              "measurement": hashlib.sha256(b.read("a.img")).hexdigest()}
    b.tap.check(wanted.items() <= shown.items(), "show tells the facts to programs", str(shown))
    text = b.tool("show", "show", b.path("debug.img"))
    b.tap.check("debug         yes\n" in text and "signer        none\n" in text and "svn           5\n" in text,
                "show tells them to people", text)


def verified_by_openssl(b, name, key):
    """A second opinion: openssl dgst over the pages, the signature taken out by hand."""
    data = b.read(name)
    size = struct.unpack_from("<I", data, PAGES)[0] * PAGE
    _, algorithm, key_size, length = struct.unpack_from("<QIII", data, size)
    signature = data[size + 32 + key_size:]
    b.write("pages", data[:size])
    b.write("sig", der_from_fixed(signature) if algorithm == 1 else signature)
    pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"] if algorithm == 2 else []
    done = b.openssl("dgst", "-sha256", "-verify", key, *pss, "-signature", "sig", "pages")
    return done.returncode == 0 and len(signature) == length


def test_sign(b):
    unsigned = b.read("a.img")
    told = f"measurement {hashlib.sha256(unsigned).hexdigest()}\n"
    for name in ("ec", "rsa"):
        printed = b.tool(f"sign by {name}", "sign", "--key", b.path(f"{name}.pem"), b.path("a.img"), b.path(f"{name}.img"))
        b.tap.check(printed == told and b.read("a.img") == unsigned, f"{name}: the input stays, the measurement too")
        b.tap.check(b.read(f"{name}.img").startswith(unsigned), f"{name}: the pages stand before the signature")
        printed = b.tool(f"verify {name}", "verify", "--key", b.path(f"{name}.pub"), b.path(f"{name}.img"))
        spki = b.openssl("pkey", "-pubin", "-in", f"{name}.pub", "-outform", "DER").stdout
        signer = hashlib.sha256(spki).hexdigest()
        b.tap.check(printed == f"{told}signed by {signer}\n", f"{name}: verify tells measurement and signer", printed)
        b.tap.check(verified_by_openssl(b, f"{name}.img", f"{name}.pub"), f"{name}: openssl dgst agrees")
        shown = json.loads(b.run("show", "--json", b.path(f"{name}.img")).stdout)
        b.tap.check(shown["signer"] == signer and shown["algorithm"], f"{name}: show tells the signer")
    os.chmod(b.write("place.img", b.read("rsa.img")), 0o640)
    b.tool("sign in place, over another signature", "sign", "--key", b.path("ec.pem"), b.path("place.img"))
    b.tap.check(b.run("verify", "--key", b.path("ec.pub"), b.path("place.img")).returncode == 0
                and b.read("place.img").startswith(unsigned)
                and stat.S_IMODE(os.stat(b.path("place.img")).st_mode) == 0o640,
                "the old signature is gone, the rights are kept")


def flipped(data, at):
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1:]


def test_verify_refusals(b):
    def refused(what, said, data, key="ec.pub"):
        b.refused(what, said, "verify", "--key", b.path(key), b.write("bad.img", data))

    good = b.read("ec.img")
    size = len(b.read("a.img"))
    refused("no signature", "is not signed", good[:size])
    refused("another key", "which is not the key in", good, "other.pub")
    refused("a key of another kind", "which is not the key in", good, "rsa.pub")
    refused("text changed", "not that of these pages", flipped(good, PAGE + 100))
    refused("the last byte of the pages changed", "not that of these pages", flipped(good, size - 1))
    refused("SVN raised", "not that of these pages", good[:SVN] + b"\x06" + good[SVN + 1:])
    refused("debug flag set", "not that of these pages", good[:FLAGS] + b"\1" + good[FLAGS + 1:])
    refused("id changed", "not that of these pages", good[:ID] + b"b" + good[ID + 1:])
    refused("signature changed", "not that of these pages", flipped(good, len(good) - 1))
    refused("signature of zeroes", "not that of these pages", good[:-64] + bytes(64))
    refused("the key in the file exchanged", "which is not the key in", flipped(good, size + 32 + 50))
    refused("cut short", "must have", good[:-1])
    refused("a byte behind", "must have", good + b"\0")
    refused("another algorithm", "RSA-3072 PSS with SHA-256 has", good[:size + 8] + b"\2" + good[size + 9:])
    refused("a signature by RSA changed", "not that of these pages", flipped(b.read("rsa.img"), len(b.read("rsa.img")) - 9),
            "rsa.pub")
    both = b.read("a.img") + b.read("debug.img")[size:] + good[size:]
    refused("the signature of another image", "not that of these pages", b.read("debug.img") + both[size:])


def test_file_refusals(b):
    good = b.read("a.img")

    def refused(what, said, data):
        b.refused(what, said, "show", b.write("bad.img", data))

    refused("an empty file", "not even a header", b"")
    refused("no image", "does not begin with RDTRUST1", b"\x7fELF" + good[4:])
    refused("a version to come", "version is 2, this program knows 1", good[:VERSION] + b"\2" + good[VERSION + 1:])
    refused("an image cut short", "cut short", good[:-1])
    refused("bytes behind the pages", "bytes behind the pages that mean nothing", good + b"more")
    refused("a reserved byte", "reserved byte of the header", flipped(good, RESERVED + 77))
    b.refused("no such file", "No such file", "show", b.path("gone.img"))


def test_make_refusals(b):
    def refused(what, said, name="ok", svn="1", elf=None, out="new.img"):
        b.refused(what, said, "make", "--id", name, "--svn", svn, elf or b.elf, b.path(out))

    for name in ("", "UPPER", "under_score", "a b", "ä", "a/b"):
        refused(f"the id {name!r}", "is not 1 to 31 of a-z", name=name)
    refused("an id of 32 characters", "is longer than 31", name="a" * 32)
    for svn in ("0", "-1", "65536", "99999999999"):
        refused(f"the SVN {svn}", f"svn is {svn}, must be 1 to 65535", svn=svn)
    refused("no ELF file", "not an ELF64", elf=b.path("a.img"))
    refused("no such ELF file", "No such file", elf=b.path("gone"))
    refused("an ELF file of another kind", "linked at a fixed address", elf="/usr/bin/openssl")
    copy = b.write("copy.elf", pathlib.Path(b.elf).read_bytes())
    refused("the input as output", "is the input", elf=copy, out="copy.elf")
    os.mkdir(b.path("folder"))
    refused("a folder as output", "directory", out="folder")
    b.tap.check(b.run("make", "--id", "a", b.elf, b.path("new.img")).returncode == 2, "no SVN: wrong usage, exit status 2")


def test_sign_refusals(b):
    for key, said in (("rsa2048.pem", "neither a P-256 key nor an RSA key of 3072 bits"),
                      ("rsa3.pem", "neither a P-256 key nor an RSA key of 3072 bits"),
                      ("p384.pem", "neither a P-256 key nor an RSA key of 3072 bits"),
                      ("ec.pub", "not a private key in PEM"), ("junk.pem", "not a private key in PEM"),
                      ("gone.pem", "No such file")):
        b.refused(f"to sign by {key}", said, "sign", "--key", b.path(key), b.path("a.img"))
    b.refused("to verify by junk", "not a public key in PEM", "verify", "--key", b.path("junk.pem"), b.path("ec.img"))
    b.refused("to verify by a private key", "not a public key in PEM", "verify", "--key", b.path("ec.pem"),
              b.path("ec.img"))
    b.refused("to sign what is no image", "RDTRUST1", "sign", "--key", b.path("ec.pem"), b.elf)


def test_signers(b):
    printed = b.tool("signers", "signers", b.path("ec.pub"), b.path("rsa.pub"))
    digests = [hashlib.sha256(b.openssl("pkey", "-pubin", "-in", f"{name}.pub", "-outform", "DER").stdout).digest()
               for name in ("ec", "rsa")]
    wanted = "".join(f'SIGNER("{name}.pub", {", ".join(f"0x{x:02x}" for x in digest)})\n'
                     for name, digest in zip(("ec", "rsa"), digests))
    b.tap.check(printed == wanted, "signers prints a row for each key, its digest", printed)
    b.refused("a signer of another kind", "neither a P-256 key", "signers", b.path("p384.pub"))
    b.refused("a private key as a signer", "not a public key in PEM", "signers", b.path("ec.pem"))


def mutant(rng, data, size):
    """The file with a few words of header or signature block changed, or another length."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.choice((0, size)) + 4 * rng.randrange(rng.choice((8, 20, 30)))
        value = rng.choice((0, 1, 2, 3, 4, 0x61, 0xffffffff, rng.getrandbits(32), rng.getrandbits(13)))
        if rng.randrange(3):
            out[at:at + 4] = struct.pack("<I", value)
        else:
            out[at] ^= 1 << rng.randrange(8)
    if rng.randrange(4) == 0:
        del out[rng.choice((0, 100, size - 1, size, size + 1, size + 40, len(out) - 1)):]
    if rng.randrange(8) == 0:
        out += bytes(rng.randrange(1, 9))
    return bytes(out)


def judged(data):
    try:
        form.Image(data)
        return "IMAGE_OK"
    except form.Refused as error:
        return error.fault


def test_same_verdicts(b, verdict):
    """The two judges, in C and in Python, name the same fault for files changed at random."""
    rng = random.Random(int(os.environ.get("SEED", "1")))
    size = len(b.read("a.img"))
    files = [mutant(rng, b.read(rng.choice(("ec.img", "rsa.img"))), size) for _ in range(MUTANTS)]
    names = [b.write(f"mutant{i}", data) for i, data in enumerate(files)]
    told = subprocess.run([verdict, *names], capture_output=True, text=True, check=False).stdout.split()
    mine = [judged(data) for data in files]
    wrong = [(name, x, y) for name, x, y in zip(names, told, mine) if x != y]
    b.tap.check(len(told) == MUTANTS and not wrong, f"{MUTANTS} files: C and Python judge alike", str(wrong[:3]))
    b.tap.check(len(set(told)) >= 9, "and nearly every fault was among them", str(sorted(set(told))))


def test_der(b):
    rng = random.Random(1)
    values = [bytes(31) + b"\1", b"\x80" + bytes(31), b"\xff" * 32] + [rng.randbytes(32) for _ in range(200)]
    good = all(fixed_from_der(der_from_fixed(x + y)) == x + y for x in values for y in values[:5])
    b.tap.check(good, "r and s survive DER and back")


def main():
    verdict, folder = sys.argv[1], sys.argv[2]
    tap = Tap(PLAN)
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(tap, scratch, os.path.abspath(f"{folder}/sample/sample.elf"))
        bench.make_keys()
        for test in (test_make, test_show, test_sign, test_verify_refusals, test_file_refusals,
                     test_make_refusals, test_sign_refusals, test_signers, test_der):
            test(bench)
        test_same_verdicts(bench, os.path.abspath(verdict))
    return tap.status()


sys.exit(main())
