#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""redoubt-state's packages: to whom (T62), what a changed one comes to (T63), what each is for, and what
happens to the state that is there.
"""
import hashlib
import random
import subprocess
import sys

from bench import P256, ROOT, RSA, Bench

ANCHOR = bytes(8) + b"thirty-two bytes of some anchor.."[:32]
STATE, OTHER = b"a permanent state, or what passes for one", b"another TPM's state"
UNROOTED = ("--root-key", "root.key", "--image", "sample.img")
PASS = ("--passphrase", "pass")
WRAP, LOG2N, R, P, RECIPIENT, SALT = 20, 40, 44, 48, 152, 184
HEAD = 216


def mended(data):
    return data[:-32] + hashlib.sha256(data[:-32]).digest()


def changed(data, at, value):
    return data[:at] + value + data[at + len(value):]


def prepare(bench):
    bench.put("host/permanent", STATE)
    bench.put("host/volatile", b"a volatile state")
    bench.put("pass", b"correct horse battery\n")
    bench.put("wrong", b"correct horse batterx\n")
    bench.put("short", b"elevenbytes\n")
    bench.keys("rsa", *RSA)
    bench.keys("ec", *P256)
    bench.keys("evil", *P256)
    bench.keys("weak", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    bench.keys("curve", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp384r1")
    bench.keys("edwards", "-algorithm", "ED25519")
    for name in ("t1", "t2", "t3"):
        bench.path(name).mkdir()


def to(bench, name):
    return "--recipient", name + ".pub", "--fingerprint", bench.fingerprint(name + ".pub")


def check_recipients(bench):
    """T62: the state goes to who was named by the administrator, or nowhere."""
    export = ("export", "host:host", "out")
    for name in ("rsa", "ec"):
        print_ = bench.fingerprint(name + ".pub")
        bench.tap.check(all(bench.done("fingerprint", f"{name}.{half}") == {"fingerprint": print_} for half in ("pub", "key")),
                        f"the fingerprint of {name} is the SHA-256 of the key as OpenSSL has it")
    bench.refuses("T62: a key and nobody's word for it", "nobody's word", *export, "--recipient", "ec.pub")
    bench.refuses("T62: a key that was exchanged", "it was exchanged", *export, "--recipient", "evil.pub", "--fingerprint",
                  bench.fingerprint("ec.pub"))
    ran = bench.run(*export, "--recipient", "evil.pub")
    bench.tap.check(bench.fingerprint("evil.pub") not in ran.stdout + ran.stderr,
                    "T62: a refusal does not tell the fingerprint that would open the way", ran.stderr)
    bench.refuses("T62: no recipient at all", "either to a key", *export)
    bench.refuses("T62: a key and a passphrase", "either to a key", *export, *to(bench, "ec"), *PASS)
    bench.refuses("T62: a fingerprint without a key", "goes with --recipient", *export, *PASS, "--fingerprint", "00" * 32)
    bench.refuses("a fingerprint that is none", "32 bytes in hexadecimal", *export, "--recipient", "ec.pub", "--fingerprint", "ab")
    for name, why in (("weak", "2048 bits"), ("curve", "neither an RSA key nor one of P-256"),
                      ("edwards", "neither an RSA key nor one of P-256")):
        bench.refuses(f"a recipient's key: {name}", why, *export, *to(bench, name))
    bench.refuses("a private key as the recipient's", "no public key", *export, "--recipient", "ec.key", "--fingerprint", "00" * 32)
    bench.refuses("a passphrase of 11 bytes", "at least 12", *export, "--passphrase", "short")
    bench.refuses("a passphrase that is not there", "No such file", *export, "--passphrase", "nothing")
    bench.refuses("a package that is there already", "is not overwritten", "export", "host:host", "pass", *PASS)


def check_round_trips(bench):
    digest = {}
    for name in ("rsa", "ec"):
        told = bench.done("export", "host:host", name + ".pkg", *to(bench, name))
        digest[name] = told["digest"]
        bench.tap.check(told["digest"] == hashlib.sha256(bench.get(name + ".pkg")).hexdigest() and
                        told["recipient"] == bench.fingerprint(name + ".pub"), f"export to {name} tells digest and recipient",
                        str(told))
        bench.done("import", name + ".pkg", "host:t1", "--private-key", name + ".key", "--digest", digest[name], "--accept",
                   "replace-tpm")
        bench.tap.check(bench.get("t1/permanent") == STATE and bench.get("t1/volatile") == b"a volatile state",
                        f"and with {name}'s private key it comes back")
    told = bench.done("export", "host:host", "pass.pkg", *PASS)
    bench.tap.check(told["scrypt"] == {"N": 1 << 17, "r": 8, "p": 1}, "a passphrase costs 128 MiB a try", str(told))
    bench.done("import", "pass.pkg", "host:t2", *PASS)
    bench.tap.check(bench.get("t2/permanent") == STATE, "and with it the state comes back")
    raw = b"".join(bench.get(name + ".pkg") for name in ("rsa", "ec", "pass"))
    bench.tap.check(STATE[:8] not in raw, "nothing of the state is to be read in any of them")
    told = bench.done("inspect", "ec.pkg")
    bench.tap.check(told["purpose"] == "export" and told["digest"] == digest["ec"] and not told["authenticated"],
                    "inspect tells what a package says", str(told))
    open_ec = ("--private-key", "ec.key", "--digest", digest["ec"])
    into = ("host:t3",)
    bench.refuses("T62: a package that anybody can have made", "anybody can wrap", "import", "ec.pkg", *into, "--private-key",
                  "ec.key")
    bench.refuses("T62: another package than the one sent", "it was exchanged", "import", "rsa.pkg", *into, "--private-key",
                  "rsa.key", "--digest", digest["ec"])
    bench.refuses("another's key", "wrapped to another key", "import", "ec.pkg", *into, "--private-key", "evil.key", "--digest",
                  digest["ec"])
    bench.refuses("a public key to open it", "no private key", "import", "ec.pkg", *into, "--private-key", "ec.pub", "--digest",
                  digest["ec"])
    bench.refuses("a passphrase for what is wrapped to a key", "to a key, not with a passphrase", "import", "ec.pkg", *into, *PASS)
    bench.refuses("a key for what has a passphrase", "with a passphrase, not to a key", "import", "pass.pkg", *into,
                  "--private-key", "ec.key", "--digest", hashlib.sha256(bench.get("pass.pkg")).hexdigest())
    bench.refuses("a wrong passphrase", "another passphrase", "import", "pass.pkg", *into, "--passphrase", "wrong")
    bench.refuses("nothing to open it", "opened either", "import", "ec.pkg", *into)
    bench.refuses("a folder that there is not", "is no folder", "import", "ec.pkg", "host:nowhere", *open_ec)
    bench.refuses("a TPM that is there already", "which would be lost", "import", "ec.pkg", "host:t2", *open_ec)


def check_changed(bench):
    """Each byte of a package, by who can compute SHA-256 and by who cannot; each length."""
    import package
    from common import Refused
    data = bench.get("ec.pkg")
    opener = package.WithKey(package.load_private(bench.get("ec.key"), "ec.key"))

    def opens(what):
        try:
            package.open_package(what, opener)
            return True
        except Refused:
            return False

    bench.tap.check(opens(data), "a package opens")
    flip = random.Random(1)
    flipped = [changed(data, at, bytes((data[at] ^ 1 << flip.randrange(8),))) for at in range(len(data))]
    bench.tap.check(not any(opens(one) for one in flipped), "T63: with a bit of any byte changed it does not")
    bench.tap.check(not any(opens(mended(one)) for one in flipped[:-32]), "T63: nor with the digest mended")
    bench.tap.check(not any(opens(data[:size]) for size in range(len(data))) and not opens(data + b"\0"),
                    "T63: nor cut or longer")
    grown = [mended(changed(data[:size] + bytes(32), 12, (size + 32).to_bytes(4, "little"))) for size in range(300)]
    bench.tap.check(not any(opens(one) for one in grown), "T63: nor cut, and told so")
    whole = bench.get("pass.pkg")
    for name, at, value, why in (("cheap", LOG2N, 10, "would be cheap to try"), ("less", R, 1, "would be cheap to try"),
                                 ("dear", LOG2N, 30, "more memory than is given"), ("nobody", WRAP, 9, "what cannot be"),
                                 ("later", 8, 2, "does not know"), ("none", 16, 6, "what cannot be")):
        bench.put(name, mended(changed(whole, at, value.to_bytes(4, "little"))))
        bench.refuses(f"T62: a package that says of itself: {name}", why, "import", name, "host:t3", *PASS)
    bench.put("damaged", whole[:-1] + bytes((whole[-1] ^ 1,)))
    bench.refuses("a damaged one", "is damaged", "inspect", "damaged")


def machine(bench, name, env, generation=5, tag=7, state=b""):
    """An unrooted machine's slots."""
    bench.put("state", state or STATE)
    bench.put("ca", b"the CA's key")
    bench.put("anchor", ANCHOR)
    bench.put("ppi", b"a request")
    bench.nvfile(env, "seal", f"{name}.a", generation, 1, 1, tag, "-", "state", "ca", "anchor", "ppi")
    return f"slots:{name}.a,{name}.b"


def check_purposes(bench, env, image):
    import statefile
    keys = statefile.Keys(ROOT, {name: image.header[name] for name in ("svn", "flags", "id")} | {"signer": bytes.fromhex(image.signer())})
    slots = machine(bench, "m", env)
    source = (slots, *UNROOTED)
    lineage = "07" * 32
    bench.refuses("T62: state of a machine whose root key nobody has", "the vTPM's partition alone", "export", slots, "x", *PASS)
    bench.refuses("state of Redoubt's in another program's format", "as a package alone", "convert", slots, "host:t3", *UNROOTED)
    bench.done("export", *source, "export.pkg", *PASS)
    empty = ("slots:n.a,n.b", *UNROOTED, *PASS)
    bench.refuses("an export into a machine", "twice with one lineage", "import", "export.pkg", *empty)
    bench.done("import", "export.pkg", "host:t3", *PASS)
    bench.tap.check(bench.get("t3/permanent") == STATE, "an export into another program")

    bench.done("backup", *source, "backup.pkg", *PASS)
    bench.refuses("a backup is not imported", "is restored, not imported", "import", "backup.pkg", *empty)
    bench.refuses("an export is not restored", "imported, not restored", "restore", "export.pkg", *empty)
    before = bench.get("m.a")
    bench.does("a backup onto the same generation", "restore", "backup.pkg", *source, *PASS)
    told = bench.done("verify", "m.a", "m.b", *UNROOTED)
    bench.tap.check(told["kind"] == "restored" and told["generation"] == 6 and told["lineage"] == lineage and
                    told["parts"]["ca_key"] == 12 and told["verdicts"]["m.a"]["verdict"] == "OLDER",
                    "is a generation of its own, with all that there was", str(told))
    def part(name):
        choice = statefile.Choice([statefile.read_slot(bench.path(slot)) for slot in ("m.a", "m.b")], keys)
        return choice.found[choice.current][1].get(name)

    bench.tap.check(part("anchor") == ANCHOR[:8] + hashlib.sha256(before).digest(),
                    "T63: it is bound to what the platform's TPM knows on this machine, the state that is there")
    bench.tap.check(part("ppi") is None, "and what was asked of who is at the machine is nobody's")
    bench.refuses("T63: a backup onto a later generation", "would go back", "restore", "backup.pkg", *source, *PASS)
    bench.does("T63: unless it is said", "restore", "backup.pkg", *source, *PASS, "--accept", "older")
    other = machine(bench, "o", env, 40, 8, OTHER)
    bench.refuses("a backup onto another TPM", "of lineage " + "08" * 32, "restore", "backup.pkg", other, *UNROOTED, *PASS)
    bench.put("u.a", b"x" * 500)
    bench.put("u.b", bench.get("m.a")[:-5])
    broken = ("slots:u.a,u.b", *UNROOTED, *PASS)
    bench.refuses("T63: over slots of no use", "neither slot can be used", "restore", "backup.pkg", *broken)
    bench.does("T63: unless it is said", "restore", "backup.pkg", *broken, "--accept", "unusable")
    bench.tap.check(bench.done("verify", "u.a", "u.b", *UNROOTED)["current"] == "u.a", "and then there is a current one")

    told = bench.done("move", *source, "move.pkg", *PASS)
    bench.tap.check(told["purpose"] == "move" and told["lineage"] == lineage and not any(bench.get("m.a") + bench.get("m.b")),
                    "a move leaves nothing behind", str(told))
    bench.refuses("a move out of empty slots", "is not there", "move", "slots:y.a,y.b", *UNROOTED, "y.pkg", *PASS)
    told = bench.done("import", "move.pkg", *empty, "--floor", "90")
    c = bench.nvfile(env, "choose", "90", "n.a", "-").splitlines()
    header = dict(zip(statefile.FIELDS, statefile.HEADER.unpack_from(bench.get("n.a"))))
    bench.tap.check(told["generation"] == 91 and told["lineage"] == lineage and header["kind"] == 4 and c[0] == "0" and
                    c[3] == STATE.hex(), "and comes above the floor, with its lineage", str((told, c)))
    parts = bench.done("verify", "n.a", *UNROOTED)["parts"]
    bench.tap.check(not {"ca_key", "anchor", "ppi"} & set(parts), "the CA's key stays on its machine, what it is bound to, and requests")
    bench.refuses("a move onto another TPM", "which would be lost", "import", "move.pkg", other, *UNROOTED, *PASS)
    bench.refuses("slots that are one", "are two files", "import", "move.pkg", "slots:q", *UNROOTED, *PASS)
    bench.refuses("a place that there is not", "a place is", "import", "move.pkg", "moon:q", *PASS)


def check_reopened(bench):
    """The RSA wrap by OpenSSL's program: the package's own secret, not ours."""
    data = bench.get("rsa.pkg")
    bench.put("wrapped", data[HEAD:HEAD + 384])
    ran = subprocess.run(["openssl", "pkeyutl", "-decrypt", "-inkey", "rsa.key", "-in", "wrapped", "-pkeyopt",
                          "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256"],
                         cwd=bench.folder, stdout=subprocess.PIPE, check=False)
    bench.tap.check(len(ran.stdout) == 32, "OpenSSL's program opens the RSA-OAEP of a package")


def main():
    with Bench(70) as bench:
        image = bench.image()
        prepare(bench)
        check_recipients(bench)
        check_round_trips(bench)
        check_changed(bench)
        check_purposes(bench, bench.environment(image, ROOT), image)
        check_reopened(bench)
        return bench.tap.status()


if __name__ == "__main__":
    sys.exit(main())
