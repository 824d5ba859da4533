#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""redoubt-state and vtpm/package.c, written apart from each other: what one makes the other opens, and what the partition
must not take it does not.
"""
import contextlib
import hashlib
import hmac
import os
import random
import subprocess
import sys
import unittest.mock

from address import BACKUP, COPY, EXPORT, MOVE, PARTS, REPLACE, Guardian, facts, flipped, whole, words
from bench import BUILD, Bench

KEYS = BUILD / "guest/trustlets/keys"
PROGRAM = BUILD / "tests/vtpm-state/packagefile"
ONE, OTHER = (hashlib.sha256(name).hexdigest() for name in (b"one", b"other"))
HERE, THERE = "0x11", "0x22"
IMPORTED, RESTORED, COPIED, REPLACED = 4, 5, 2, 3
HEAD, TAIL = 216, 32


class Partition:
    """vtpm/package.c on a machine with this root key, its anchor as it is told."""

    def __init__(self, bench, root=ONE, place=HERE):
        self.bench, self.root, self.place = bench, root, place

    def run(self, *args):
        said = subprocess.run([PROGRAM, *map(str, args)], cwd=self.bench.folder, env=dict(os.environ, ROOT=self.root), check=True,
                              stdout=subprocess.PIPE, text=True, timeout=300).stdout
        return [line.split() for line in said.splitlines() if not line.startswith("seed ")]

    def key(self):
        """As its console shows it."""
        return self.run("key")[0][0]

    def asks(self, name):
        self.run("ask", self.place, name)
        return name

    def open(self, *names):
        """Verdicts and what was found, in the order of the files."""
        return self.run("open", self.place, *names)

    def open_all(self, files):
        """A verdict for each of these bytes."""
        names = [self.bench.put(f"try/{number}", data) for number, data in enumerate(files)]
        return [verdict for verdict, *_ in self.open(*names)]


def prepare(bench):
    for name, key in (("g", "ec"), ("other", "other")):
        bench.put(name + ".key", (KEYS / f"{key}.key").read_bytes())
        subprocess.run(["openssl", "pkey", "-in", bench.path(name + ".key"), "-pubout", "-out", bench.path(name + ".pub")], check=True)
    for name, data in PARTS.items():
        bench.put("part." + name, data)
    bench.path("host").mkdir()


def check_out(bench):
    """What the partition makes."""
    import package
    machine = Partition(bench)
    machine.run("make", "backup", 7, "0x0a", "0x0c", *(f"part.{name}" for name in PARTS))
    data = bench.get("backup")
    told = bench.done("inspect", "backup")
    bench.tap.check((told["purpose"], told["wrapped"], told["recipient"], told["source"], told["generation"], told["digest"]) ==
                    ("backup", "ECDH P-256, proved by a machine", bench.fingerprint("g.pub"), "Redoubt's", 7, hashlib.sha256(data).hexdigest()) and
                    told["lineage"] == told["origin_lineage"] == "0a" * 32 and told["origin_digest"] == "0c" * 32 and
                    told["machine"] == machine.key() != Partition(bench, OTHER).key(),
                    "the tool reads what the partition says of a package", str(told))
    _, parts = package.open_package(data, package.WithKey(package.load_private(bench.get("g.key"), "g.key")))
    bench.tap.check(parts == {name: PARTS[name] for name in ("permanent", "ca_key", "ek_certs")},
                    "the guardian opens it: all that travels, and no more", str(parts))
    machine.run("make", "bare", 7, "0x0a", "0x0c", "part.permanent")
    digest = hashlib.sha256(bench.get("bare")).hexdigest()
    bench.done("restore", "bare", "host:host", "--private-key", "g.key", "--digest", digest)
    bench.tap.check(bench.get("host/permanent") == PARTS["permanent"], "and one with nothing but the TPM's state")
    bench.refuses("another guardian does not", "wrapped to another key", *words(bench, "backup", machine.asks("an.ask"), "--machine",
                                                                              machine.key(), key="other.key"))


class Liar:
    """Who knows the guardian's public key, and has a key of their own, not the machine's."""

    def __init__(self, guardian, bench, point=None):
        self.package = guardian.tool.package
        self.to = self.package.load_public(bench.get("g.pub"), "g")
        self.own = self.package.load_private(bench.get("other.key"), "other")
        self.point = point or self.package.point_of(self.own.public_key())

    def make(self, told, parts):
        """A state of their own, as the machine of that point would give it away."""
        package, payload = self.package, self.statefile_of(parts)
        once, salt = package.ec.generate_private_key(package.ec.SECP256R1()), os.urandom(32)
        recipient, wrapped = package.fingerprint(self.to), package.WRAPPED[package.ECDH_PROVED]
        h = dict.fromkeys(package.FIELDS, 0)
        h.update(told, magic=package.MAGIC, version=1, wrap=package.ECDH_PROVED, wrapped=wrapped, payload=len(payload), salt=salt,
                 recipient=recipient, total=HEAD + wrapped + len(payload) + 16 + TAIL)
        head = package.HEADER.pack(*(h[field] for field in package.FIELDS)) + package.point_of(once.public_key()) + self.point
        info = b"redoubt package 1 proof" + recipient + package.fingerprint(package.machine_of(head))
        key = package.HKDF(package.hashes.SHA256(), 32, salt, info).derive(self.own.exchange(package.ec.ECDH(), self.to))
        head += hmac.digest(key, head + hashlib.sha256(payload).digest(), "sha256")
        key = package.content_key(h, once.exchange(package.ec.ECDH(), self.to), head[HEAD:], b"")
        return whole(head + package.AESGCM(key).encrypt(bytes(12), payload, head))

    @staticmethod
    def statefile_of(parts):
        import statefile
        return statefile.compose(parts)


def check_proofs(bench, guardian):
    """T62: a TPM of somebody's making, given to the guardian as a machine's."""
    machine = Partition(bench)
    machine.asks("vtpm.ask")
    told = {"purpose": BACKUP, "generation": 7, "lineage": b"\x0a" * 32, "origin_lineage": b"\x0a" * 32, "origin_digest": b"\x0c" * 32}
    point = bench.get("backup")[HEAD + 65:HEAD + 130]
    bench.put("own", Liar(guardian, bench).make(told, PARTS))
    bench.put("borrowed", Liar(guardian, bench, point).make(told, PARTS))
    named = ("--machine", machine.key(), "--digest", None)
    bench.done(*words(bench, "backup", "vtpm.ask", *named, out="named"))
    bench.tap.check(machine.open("named")[0][0] == "OK", "by the machine's fingerprint no digest is wanted")
    bench.refuses("T62: a machine's package, whose the guardian does not say", "names a machine", *words(bench, "backup", "vtpm.ask"))
    bench.refuses("T62: another machine's", "was not made by the machine with that key",
                  *words(bench, "backup", "vtpm.ask", "--machine", Partition(bench, OTHER).key()))
    bench.refuses("T62: somebody's, with a key of their own", "was not made by the machine with that key",
                  *words(bench, "own", "vtpm.ask", *named))
    bench.refuses("T62: somebody's, with the machine's point", "was not made by the machine that it names",
                  *words(bench, "borrowed", "vtpm.ask", *named))
    package, to = guardian.tool.package, guardian.tool.package.load_public(bench.get("g.pub"), "g")
    bench.put("bare", package.make({**told, "foreign": 0}, PARTS, package.ToKey(to, package.fingerprint(to), "g")))
    bench.refuses("T62: somebody's, without a proof, and its digest too", "no machine has proved",
                  *words(bench, "bare", "vtpm.ask", "--machine", machine.key()))
    bench.refuses("T62: nor unproved, where a machine is named", "no machine has proved",
                  *words(bench, "bare", "vtpm.ask", "--machine", machine.key()), "--accept", "unproved")
    bench.refuses("T62: nor is that one taken unproved", "was not made by the machine that it names",
                  *words(bench, "borrowed", "vtpm.ask"), "--accept", "unproved")
    bench.done(*words(bench, "own", "vtpm.ask", out="unproved"), "--accept", "unproved")
    bench.refuses("unproved a package is taken with its digest alone", "anybody can wrap",
                  *words(bench, "own", "vtpm.ask", "--digest", None, out="more"), "--accept", "unproved")
    key = package.WithKey(package.load_private(bench.get("g.key"), "g"))
    opened = 0
    for one in flipped(bench.get("backup")[:-TAIL]):
        with contextlib.suppress(guardian.tool.Refused):
            package.open_package(whole(one), key)
            opened += 1
    bench.tap.check(opened == 0, "with a bit of it changed, and the digest mended, the guardian opens it not", str(opened))


def check_asks(bench):
    """The machine's key is its root key's."""
    here = bench.get(Partition(bench).asks("here.ask"))
    bench.tap.check(bench.get(Partition(bench).asks("again.ask")) == here, "a machine asks the same again")
    told = [bench.done("inspect", one.asks("an.ask")) for one in (Partition(bench), Partition(bench, OTHER), Partition(bench, ONE, THERE))]
    bench.tap.check([one["place"] for one in told] == ["11" * 32, "11" * 32, "22" * 32] and told[0]["key"] == told[2]["key"] !=
                    told[1]["key"] and told[0]["fingerprint"] == hashlib.sha256(here).hexdigest(),
                    "the tool reads it; another root key is another machine", str(told))


def check_in(bench, guardian):
    """What the tool has addressed: kinds, lineages, parts."""
    machine = Partition(bench)
    machine.asks("vtpm.ask")
    named = ("--machine", machine.key())
    bench.done(*words(bench, "backup", "vtpm.ask", *named, out="returned"))
    bench.done(*words(bench, "backup", "vtpm.ask", *named, out="copied"), "--copy")
    want = ["OK", str(RESTORED), "8", "9", "0a" * 32, "0a" * 32, "0c" * 32, PARTS["permanent"].hex(), "-", PARTS["ca_key"].hex(),
            PARTS["ek_certs"].hex(), "-", "-"]
    returned, copied = machine.open("returned", "copied")
    bench.tap.check(returned == want, "a backup comes back, as the same TPM", str(returned))
    bench.tap.check(copied[1] == str(COPIED) and copied[4] not in ("0a" * 32, "00" * 32) and copied[5:8] == want[5:8] and copied[9] == "-",
                    "T65: a copy is another one, and says of which", str(copied))
    rows = ((MOVE, 0, IMPORTED), (MOVE, 1, IMPORTED), (BACKUP, 0, RESTORED), (COPY, 0, COPIED), (REPLACE, 0, REPLACED),
            (EXPORT, 1, IMPORTED))
    for purpose, foreign, kind in rows:
        bench.put("given", guardian.package("g", purpose, foreign))
        bench.done(*words(bench, "given", "vtpm.ask", out=f"out{purpose}{foreign}"))
        got, again = machine.open(f"out{purpose}{foreign}", f"out{purpose}{foreign}")
        said = facts(bench.get("given"))
        lineage = got[4] == said["lineage"].hex() if not foreign else got[4] not in (said["lineage"].hex(), again[4], "00" * 32)
        ca_key = PARTS["ca_key"].hex() if purpose == BACKUP else "-"
        bench.tap.check(got[:4] == ["OK", str(kind), "8", "9"] and lineage and got[5:] ==
                        [said["origin"].hex(), said["digest"].hex(), *want[7:9], ca_key, *want[10:]],
                        f"purpose {purpose}, foreign {foreign}: kind {kind}", str(got))


def forged(guardian, bench, asked, key="g", parts=None, **how):
    """As by the guardian whose key that is; what the tool itself does not make, too."""
    package = guardian.tool.package
    told = {"purpose": BACKUP, "generation": 7, "foreign": 0, "lineage": b"\x0a" * 32, "origin_lineage": b"\x0a" * 32,
            "origin_digest": b"\x0c" * 32, **how}
    sender = package.FromGuardian(package.load_private(bench.get(key + ".key"), key), asked)
    return package.make(told, parts or {"permanent": b"s"}, sender)


def forged_of(guardian, bench, asked, payload):
    with unittest.mock.patch.object(guardian.tool.statefile, "compose", lambda parts: payload):
        return forged(guardian, bench, asked)


def in_the_name_of(guardian, bench, asked):
    """All that the guardian's public key is good for."""
    package = guardian.tool.package
    forger = package.FromGuardian(package.load_private(bench.get("other.key"), "other"), asked)
    forger.sender = package.fingerprint(package.load_public(bench.get("g.pub"), "g"))
    told = facts(bench.get("good"))
    told.update(origin_lineage=told.pop("origin"), origin_digest=told.pop("digest"))
    return package.make(told, {"permanent": b"s"}, forger)


def check_not_taken(bench, guardian):
    machine = Partition(bench)
    asked = guardian.tool.ask.Ask(bench.get("vtpm.ask"), "vtpm.ask")
    good = forged(guardian, bench, asked)
    bench.put("good", good)
    bench.done(*words(bench, "backup", "vtpm.ask", "--machine", machine.key(), out="mine"))
    for text, one, verdict in (("T63: another machine, or root key", Partition(bench, OTHER), "OTHER_MACHINE"),
                               ("T63: where the anchor has gone on", Partition(bench, ONE, THERE), "OTHER_PLACE")):
        got = [verdict for verdict, *_ in one.open("mine", "good")]
        bench.tap.check(got == [verdict] * 2, text, str(got))
    cases = (
        ("T62: by another guardian", forged(guardian, bench, asked, key="other"), "NOT_OF_GUARDIAN"),
        ("T62: by who knows the guardian's public key", in_the_name_of(guardian, bench, asked), "NOT_OF_GUARDIAN"),
        ("a package to the guardian", bench.get("backup"), "OTHER_WRAP"),
        ("an export of Redoubt's own", forged(guardian, bench, asked, purpose=EXPORT), "BAD_FIELD"),
        ("a copy with the first one's lineage", forged(guardian, bench, asked, purpose=COPY), "BAD_FIELD"),
        ("a purpose that there is not", forged(guardian, bench, asked, purpose=6), "BAD_FIELD"),
        ("no lineage", forged(guardian, bench, asked, lineage=bytes(32), origin_lineage=bytes(32)), "BAD_FIELD"),
        ("no origin", forged(guardian, bench, asked, origin_digest=bytes(32)), "BAD_FIELD"),
        ("a generation behind which there is none", forged(guardian, bench, asked, generation=1 << 63), "BAD_FIELD"),
        ("an ask", bench.get("vtpm.ask"), "NO_PACKAGE"),
        ("an empty file", b"", "NO_PACKAGE"),
        ("a file longer than a slot", good + bytes(1 << 18), "NO_PACKAGE"),
        ("a package with more behind it", good + b"\0", "BAD_SIZE"),
        ("a damaged one", good[:-1] + bytes((good[-1] ^ 1,)), "DAMAGED"),
        ("of a later version", whole(good[:8] + b"\2" + good[9:-TAIL]), "BAD_VERSION"),
        ("the guardian's, and no state in it", forged_of(guardian, bench, asked, bytes(16)), "BAD_CONTENT"))
    for (text, _, verdict), got in zip(cases, machine.open_all([data for _, data, _ in cases])):
        bench.tap.check(got == verdict, text, got)
    bench.put("all", forged(guardian, bench, asked, parts=PARTS))
    got = machine.open("all")[0]
    bench.tap.check(got[0] == "OK" and [part != "-" for part in got[7:]] == [True, False, True, True, False, False],
                    "parts that are of one machine's alone are not taken", str(got))


def check_changed(bench):
    """T63: each byte by who cannot compute SHA-256, and each bit of the head by who can; each length."""
    good, machine = bench.get("good"), Partition(bench)
    pick = random.Random(1)
    head = list(flipped(good[:-TAIL]))
    some = [head[8 * at + pick.randrange(8)] for at in range(len(head) // 8)]
    bench.tap.check(machine.open_all([good]) == ["OK"], "a package opens")
    got = machine.open_all([one + good[-TAIL:] for one in some])
    bench.tap.check("OK" not in got, "with a bit of any byte changed it does not", str(got))
    got = machine.open_all([whole(one) for one in head])
    bench.tap.check("OK" not in got and len(got) == 8 * (len(good) - TAIL), "nor with the digest mended, whichever the bit", str(got))
    cut = [good[:size] for size in range(len(good))]
    grown = [whole(one[:12] + (size + TAIL).to_bytes(4, "little") + one[16:size]) for size, one in enumerate(cut)
             if 16 <= size != len(good) - TAIL]
    got = machine.open_all(cut + grown)
    bench.tap.check("OK" not in got, "nor cut, nor told so", str(got))


def main():
    with Bench(47) as bench:
        prepare(bench)
        guardian = Guardian(bench)
        check_out(bench)
        check_asks(bench)
        check_proofs(bench, guardian)
        check_in(bench, guardian)
        check_not_taken(bench, guardian)
        check_changed(bench)
        return bench.tap.status()


if __name__ == "__main__":
    sys.exit(main())
