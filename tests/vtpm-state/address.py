#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""redoubt-state address: what a guardian gives to a machine that asks. The machine is played here, from the text of
tools/state/README.md and with no code of the tool's: it opens what is for it, where it is, by its guardian, and nothing else.
"""
import argparse
import base64
import contextlib
import hashlib
import importlib.machinery
import importlib.util
import io
import os
import re
import struct
import subprocess
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bench import P256, RSA, TOOL, TOP, Bench

STATE, CA, CERTS = b"a permanent state, or what passes for one", b"the CA's key", b"certificates of the EK"
PARTS = {"permanent": STATE, "volatile": b"a volatile state", "ca_key": CA, "ek_certs": CERTS, "anchor": bytes(40), "ppi": b"a request"}
SECTIONS = {1: "permanent", 2: "volatile", 3: "ca_key", 4: "ek_certs", 5: "anchor", 6: "ppi"}
NOWHERE, HERE, THERE = bytes(32), b"\x11" * 32, b"\x22" * 32
ORIGIN, LINEAGE, DIGEST = b"\x0a" * 32, b"\x0b" * 32, b"\x0c" * 32
EXPORT, MOVE, BACKUP, COPY, REPLACE = range(1, 6)
HEAD, POINT, TAIL = 216, 65, 32
MAKER = TOP / "vtpm/guardian.py"
PASS = ("--passphrase", "pass")


def sha256(data):
    return hashlib.sha256(data).digest()


def whole(data):
    return data + sha256(data)


def flipped(data):
    """With each bit of it the other way."""
    for at in range(len(data)):
        for bit in range(8):
            yield data[:at] + bytes((data[at] ^ 1 << bit,)) + data[at + 1:]


def spki(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


class Machine:
    """Its key, its place, and the guardian whom its image names."""

    def __init__(self, guardian, place=NOWHERE, key=None):
        self.key, self.place = key or ec.generate_private_key(ec.SECP256R1()), place
        self.guardian = serialization.load_pem_public_key(guardian)

    def ask(self):
        point = self.key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        return b"RDTASK01" + self.place + point + bytes(7)

    def opens(self, data):
        """What is in a package that is for it, by name; None: it is not."""
        version, total, _, wrap, wrapped, payload, _, *scrypt = struct.unpack_from("<IIIIIIQIII", data, 8)
        recipient, salt = data[152:184], data[184:HEAD]
        if data[:8] != b"RDTMOVE1" or (version, wrap, wrapped, scrypt) != (1, 4, POINT + 32, [0, 0, 0]) or \
                total != len(data) != HEAD + wrapped + payload + 16 or whole(data[:-TAIL]) != data or \
                recipient != sha256(spki(self.key.public_key())):
            return None
        head = data[:HEAD + wrapped]
        if head[HEAD + POINT:] != self.place:
            return None
        try:
            other = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), head[HEAD:HEAD + POINT])
            secret = self.key.exchange(ec.ECDH(), other) + self.key.exchange(ec.ECDH(), self.guardian)
            info = b"redoubt package 1\x04" + recipient + head[HEAD:] + sha256(spki(self.guardian))
            content = HKDF(hashes.SHA256(), 32, salt, info).derive(secret)
            return self.sections(AESGCM(content).decrypt(bytes(12), data[len(head):-TAIL], head))
        except (ValueError, InvalidTag):
            return None

    @staticmethod
    def sections(payload):
        parts = {}
        while payload:
            kind, size = struct.unpack_from("<II", payload)
            parts[SECTIONS[kind]] = payload[8:8 + size]
            payload = payload[8 + -(-size // 8) * 8:]
        return parts


def facts(data):
    return {"purpose": struct.unpack_from("<I", data, 16)[0], "generation": struct.unpack_from("<Q", data, 32)[0],
            "foreign": struct.unpack_from("<I", data, 52)[0], "lineage": data[56:88], "origin": data[88:120], "digest": data[120:152]}


class Guardian:
    """The tool in this process, for what is tried a thousand times."""

    def __init__(self, bench):
        loader = importlib.machinery.SourceFileLoader("redoubt_state", str(TOOL))
        self.tool = importlib.util.module_from_spec(importlib.util.spec_from_loader("redoubt_state", loader))
        loader.exec_module(self.tool)
        self.bench = bench
        self.args = self.tool.parse(("address", "try.pkg", "try.out", "--private-key", "g.key", "--ask", "try.ask"))

    def package(self, name, purpose, foreign=0, parts=None):
        """A package to a guardian's key, of any purpose."""
        package = self.tool.package
        lineage = LINEAGE if purpose in (COPY, REPLACE) else ORIGIN
        told = {"purpose": purpose, "generation": 7, "foreign": foreign, "lineage": lineage, "origin_lineage": ORIGIN,
                "origin_digest": DIGEST}
        key = package.load_public(self.bench.get(name + ".pub"), name)
        return package.make(told, parts or PARTS, package.ToKey(key, package.fingerprint(key), name))

    def address(self, data, asked, fingerprint=None, digest=None):
        """What comes out; None: it is refused, and nothing does."""
        self.bench.put("try.pkg", data)
        self.bench.put("try.ask", asked)
        told = {"fingerprint": (fingerprint or sha256(asked)).hex(), "digest": (digest or sha256(data)).hex()}
        out, refused = self.bench.path("try.out"), False
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                self.args.run(argparse.Namespace(**{**vars(self.args), **told}))
            except self.tool.Refused:
                refused = True
        if refused == out.exists():
            raise RuntimeError("it was refused, and is there" if refused else "it was done, and is not there")
        made = out.read_bytes() if out.exists() else None
        out.unlink(missing_ok=True)
        return made


def words(bench, package, ask, *more, out="out", key="g.key"):
    """As it is to be; `more` stands in the place of what it names."""
    given = {"--private-key": key, "--ask": ask, "--fingerprint": sha256(bench.get(ask)).hex(),
             "--digest": sha256(bench.get(package)).hex()}
    given.update(zip(more[::2], more[1::2]))
    return ("address", package, out, *(word for pair in given.items() if pair[1] is not None for word in pair))


def prepare(bench, guardian):
    bench.keys("g", *P256)
    bench.keys("other", *P256)
    bench.keys("rsa", *RSA)
    bench.keys("curve", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp384r1")
    bench.put("pass", b"correct horse battery\n")
    bench.put("host/permanent", STATE)
    bench.put("host/volatile", b"a volatile state")
    bench.put("backup", guardian.package("g", BACKUP))
    bench.put("export", guardian.package("g", EXPORT))
    bench.put("others", guardian.package("other", BACKUP))
    machine = Machine(bench.get("g.pub"), HERE)
    bench.put("vtpm.ask", machine.ask())
    return machine


def check_asks(bench, machine):
    pem = machine.key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    print_ = bench.fingerprint(bench.put("machine.pub", pem))
    for place, anchor in ((NOWHERE, "none, or never written"), (HERE, "written")):
        asked = Machine(bench.get("g.pub"), place, machine.key).ask()
        told = bench.done("inspect", bench.put("an.ask", asked))
        bench.tap.check(told == {"what": "ask of a machine", "key": print_, "place": place.hex(), "anchor": anchor,
                                 "fingerprint": hashlib.sha256(asked).hexdigest(), "authenticated": False},
                        f"inspect tells what an ask says: an anchor: {anchor}", str(told))
    asked = machine.ask()
    for name, data, why in (("short", asked[:-1], "is no ask"), ("long", asked + b"\0", "is no ask"), ("empty", b"", "is no ask"),
                            ("other", b"RDTASK02" + asked[8:], "is no ask"), ("more", asked[:-1] + b"\1", "does not know"),
                            ("point", asked[:40] + b"\4" + b"\5" * 64 + bytes(7), "none of P-256"),
                            ("nothing", asked[:40] + bytes(72), "none of P-256")):
        bench.put(name + ".ask", data)
        bench.refuses(f"an ask that is none: {name}", why, *words(bench, "backup", name + ".ask"))
    bench.refuses("nor is it looked at", "none of P-256", "inspect", "point.ask")


def check_refusals(bench, machine):
    """T62: for whom and what, both by another way than the files."""
    evil = Machine(bench.get("g.pub"), HERE)
    bench.put("evil.ask", evil.ask())
    right = sha256(machine.ask()).hex()
    for text, why, *more in (
            ("T62: an ask and nobody's word for it", "nobody's word", "--fingerprint", None),
            ("T62: an ask that was exchanged", "it was exchanged", "--ask", "evil.ask", "--fingerprint", right),
            ("a fingerprint cut short", "32 bytes in hexadecimal", "--fingerprint", right[:-2]),
            ("T62: a package that anybody can have made", "anybody can wrap", "--digest", None),
            ("T62: another package than the one sent", "it was exchanged or changed", "--digest", right),
            ("another guardian's key", "wrapped to another key", "--private-key", "other.key"),
            ("an RSA key as the guardian's", "is an RSA key", "--private-key", "rsa.key"),
            ("a key of another curve", "neither an RSA key nor one of P-256", "--private-key", "curve.key"),
            ("a public key", "no private key", "--private-key", "g.pub"),
            ("an ask that is not there", "No such file", "--ask", "no.ask")):
        asked = "evil.ask" if "evil.ask" in more else "vtpm.ask"
        bench.refuses(text, why, *words(bench, "backup", asked, *more))
    ran = bench.run(*words(bench, "backup", "evil.ask", "--fingerprint", right))
    bench.tap.check(sha256(evil.ask()).hex() not in ran.stdout + ran.stderr,
                    "T62: a refusal does not tell the fingerprint that would open the way", ran.stderr)
    bench.refuses("a package to another guardian", "wrapped to another key", *words(bench, "others", "vtpm.ask"))
    bench.refuses("what is there already", "is not overwritten", *words(bench, "backup", "vtpm.ask", out="vtpm.ask"))
    bench.refuses("no package", "is no transfer package", *words(bench, "g.pub", "vtpm.ask"))
    bench.refuses("an export of Redoubt's own", "twice with one lineage", *words(bench, "export", "vtpm.ask"))
    bench.done("export", "host:host", "pass.pkg", *PASS)
    bench.refuses("a package with a passphrase", "with a passphrase, not to a key", *words(bench, "pass.pkg", "vtpm.ask"))


def check_machines(bench, guardian, machine):
    """What comes out is one machine's, in one place, and from one guardian."""
    told = bench.done(*words(bench, "backup", "vtpm.ask"))
    data, asked = bench.get("out"), machine.ask()
    want = {"permanent": STATE, "ca_key": CA, "ek_certs": CERTS}
    bench.tap.check(machine.opens(data) == want, "the machine opens it", str(machine.opens(data)))
    bench.tap.check((told["digest"], told["ask"], told["place"], told["recipient"], told["parts"], told["left_out"]) ==
                    (sha256(data).hex(), sha256(asked).hex(), HERE.hex(), sha256(spki(machine.key.public_key())).hex(),
                     list(want), ["anchor", "ppi", "volatile"]), "and the tool tells for whom it is, and what is in it", str(told))
    looked = bench.done("inspect", "out")
    bench.tap.check((looked["wrapped"], looked["place"]) == ("ECDH P-256 from the guardian", HERE.hex()),
                    "inspect tells a place", str(looked))
    bench.tap.check(not any(part in data for part in PARTS.values() if any(part)), "nothing of the state is to be read in it")
    bench.tap.check(guardian.address(bench.get("backup"), asked) != data, "nor is it the same twice")
    by_name = {"another machine": Machine(bench.get("g.pub"), HERE),
               "the machine where its anchor is another": Machine(bench.get("g.pub"), THERE, machine.key),
               "the machine with another guardian in its image": Machine(bench.get("other.pub"), HERE, machine.key)}
    for name, one in by_name.items():
        bench.tap.check(one.opens(data) is None, f"{name} does not open it")
    moved = whole(data[:HEAD + POINT] + THERE + data[HEAD + POINT + 32:-TAIL])
    bench.tap.check(by_name["the machine where its anchor is another"].opens(moved) is None, "nor if it is told its anchor instead")
    bench.done(*words(bench, "others", "vtpm.ask", out="theirs", key="other.key"))
    bench.tap.check(machine.opens(bench.get("theirs")) is None and
                    Machine(bench.get("other.pub"), HERE, machine.key).opens(bench.get("theirs")) == want,
                    "what another guardian gives is for machines of theirs alone")
    bench.refuses("the machine alone opens it, and not the guardian", "that machine alone", "restore", "out", "host:host",
                  "--private-key", "g.key", "--digest", told["digest"])
    bench.refuses("nor does a passphrase", "to a key, not with a passphrase", "restore", "out", "host:host", *PASS)
    bench.refuses("nor is it addressed again", "that machine alone", *words(bench, "out", "vtpm.ask", out="again"))
    return data


def check_changed(bench, guardian, machine, addressed):
    """T63: each bit of what goes in and comes out."""
    data, asked = bench.get("backup"), machine.ask()
    bench.tap.check(all(guardian.address(data, one, fingerprint=sha256(asked)) is None for one in flipped(asked)),
                    "with a bit of the ask changed it is refused")
    made = [guardian.address(data, one) for one in flipped(asked)]
    bench.tap.check(all(one is None for one in made[:64] + made[-56:]) and all(made[64:320]) and
                    not any(one and machine.opens(one) for one in made),
                    "and if that one's fingerprint is told, the machine opens nothing of it")
    small = guardian.package("g", BACKUP, parts={"permanent": b"s"})
    bench.tap.check(guardian.address(small, asked) is not None, "a small package is taken")
    # A step that is no multiple of eight: each byte, and each bit of some.
    bench.tap.check(all(guardian.address(one, asked, digest=sha256(small)) is None for one in list(flipped(small))[::7]),
                    "with a bit of it changed it is not")
    bench.tap.check(all(guardian.address(one, asked) is None for one in list(flipped(small))[::7]), "nor if that one's digest is told")
    bench.tap.check(all(guardian.address(whole(one), asked) is None for one in flipped(small[:-TAIL])), "nor if it is whole besides")
    bench.tap.check(machine.opens(addressed) and not any(machine.opens(one) for one in flipped(addressed)) and
                    not any(machine.opens(whole(one)) for one in flipped(addressed[:-TAIL])),
                    "T63: with a bit changed of what comes out the machine does not open it")


def check_purposes(bench, guardian, machine):
    rows = ((MOVE, 0, {"permanent", "ek_certs"}), (BACKUP, 0, {"permanent", "ek_certs", "ca_key"}), (COPY, 0, {"permanent", "ek_certs"}),
            (REPLACE, 0, {"permanent", "ek_certs"}), (EXPORT, 1, {"permanent", "ek_certs"}))
    for purpose, foreign, parts in rows:
        given = guardian.package("g", purpose, foreign)
        bench.put("given", given)
        bench.done(*words(bench, "given", "vtpm.ask", out=f"out{purpose}"))
        data = bench.get(f"out{purpose}")
        got = machine.opens(data)
        bench.tap.check(facts(data) == facts(given) and got == {name: PARTS[name] for name in parts},
                        f"purpose {purpose} stays, with what it says; {len(parts)} parts go", f"{facts(data)} {got}")
    for purpose, foreign in ((BACKUP, 0), (EXPORT, 0), (EXPORT, 1)):
        given = guardian.package("g", purpose, foreign)
        bench.put("given", given)
        lineages, good = [], True
        for out in (f"copy{purpose}{foreign}a", f"copy{purpose}{foreign}b"):
            bench.done(*words(bench, "given", "vtpm.ask", out=out), "--copy")
            data = bench.get(out)
            told = facts(data)
            lineages.append(told.pop("lineage"))
            want = {**facts(given), "purpose": COPY}
            want.pop("lineage")
            good = good and told == want and machine.opens(data) == {"permanent": STATE, "ek_certs": CERTS}
        bench.tap.check(good and len({*lineages, ORIGIN, bytes(32)}) == 4,
                        f"T65: a copy of purpose {purpose} (foreign {foreign}) has a lineage of its own that names the first one's, "
                        "without the CA's key", str(told))
    for purpose in (MOVE, COPY, REPLACE):
        bench.put("given", guardian.package("g", purpose))
        bench.refuses(f"no copy of purpose {purpose}", "is no backup and no export", *words(bench, "given", "vtpm.ask"), "--copy")


def check_image(bench):
    """vtpm/guardian.py: what of a key gets into the image."""
    def made(name):
        ran = subprocess.run([sys.executable, MAKER, bench.path("guardian.c"), bench.path(name)], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, check=False)
        return ran.returncode == 0 and bytes(int(byte, 16) for byte in re.findall(r"0x(..)", bench.get("guardian.c").decode()))

    der = spki(serialization.load_pem_public_key(bench.get("g.pub")))
    bench.tap.check(made("g.pub") == der[-POINT:], "the image has the guardian's point", str(made("g.pub")))
    changed = der[:-1] + bytes((der[-1] ^ 1,))
    bench.put("off.pub", b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(changed) + b"-----END PUBLIC KEY-----\n")
    said = [made(name) for name in ("off.pub", "g.key", "rsa.pub", "curve.pub", "pass")]
    bench.tap.check(not any(said), "no point beside the curve, no private key, none of another kind", str(said))


def main():
    with Bench(59) as bench:
        guardian = Guardian(bench)
        machine = prepare(bench, guardian)
        os.chdir(bench.folder)
        check_image(bench)
        check_asks(bench, machine)
        check_refusals(bench, machine)
        check_changed(bench, guardian, machine, check_machines(bench, guardian, machine))
        check_purposes(bench, guardian, machine)
        os.chdir("/")
        return bench.tap.status()


if __name__ == "__main__":
    sys.exit(main())
