#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""A TPM as it leaves manufacture: its endorsement keys' certificates, judged by OpenSSL and tpm2-tools.

usage: manufacture.py VTPM BROKEN MISLED     the last two: programs whose hashes, or answers, can be made wrong
"""
import hashlib
import pathlib
import re
import stat
import struct
import subprocess
import sys
import tempfile

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "emu")]
from host import Host, code_of, command  # noqa: E402
from tap import Tap  # noqa: E402

# The TCG EK Credential Profile for TPM 2.0: NV indices, key usage (RFC 5280), public area.
KEYS = {"rsa": (0x01C00002, "Key Encipherment"), "ecc": (0x01C0000A, "Key Agreement")}
INDICES = {**{kind: index for kind, (index, _) in KEYS.items()}, "ca": 0x01C00100}
# PPWRITE WRITELOCKED WRITEDEFINE PPREAD OWNERREAD AUTHREAD NO_DA WRITTEN PLATFORMCREATE
ATTRIBUTES = 1 << 0 | 1 << 11 | 1 << 13 | 1 << 16 | 1 << 17 | 1 << 18 | 1 << 25 | 1 << 29 | 1 << 30
FROM, UNTIL = "notBefore=Jan  1 00:00:00 2026 GMT", "notAfter=Dec 31 23:59:59 9999 GMT"
# What its commands are for, one by one: keys are made and flushed; indices defined, written, locked.
WORK = (*["the RSA endorsement key"] * 2, *["the ECC endorsement key"] * 2, *["the CA's certificate"] * 3,
        *["the RSA key's certificate"] * 3, *["the ECC key's certificate"] * 3)
EK_EXTENSIONS = {"Key Usage", "Subject Alternative Name", "Basic Constraints", "Extended Key Usage",
                 "Subject Directory Attributes", "Authority Key Identifier"}
CA_EXTENSIONS = {"Key Usage", "Basic Constraints", "Subject Key Identifier"}


def openssl(tpm, arguments, data=None):
    done = subprocess.run(["openssl", *arguments.split()], cwd=tpm.folder, input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


def der(tag, *parts):
    body = b"".join(parts)
    return bytes([tag, len(body)]) + body


class Certificate:
    """Of an index of a TPM: its bytes, and what OpenSSL says of it."""

    def __init__(self, tpm, name, index):
        self.tpm, self.file = tpm, f"{name}.crt"
        self.why = tpm.tools(f"nvread 0x{index:x} -C o -o {self.file}\nnvreadpublic 0x{index:x}")
        self.public = tpm.said
        self.bytes = (tpm.folder / self.file).read_bytes() if not self.why else b""
        self.text = self.asked("-text")
        self.key = self.asked("-pubkey")
        openssl(tpm, f"x509 -inform DER -in {self.file} -out {name}.pem")
        (tpm.folder / f"{name}.key.pem").write_text(self.key)

    def asked(self, what):
        return openssl(self.tpm, f"x509 -inform DER -in {self.file} -noout {what}")

    def extensions(self):
        """{name: (critical, text)}"""
        found = re.findall(r"X509v3 ([A-Za-z ]+): ?(critical)?\n\s+(.*)", self.text.partition("extensions:\n")[2])
        return {name: (bool(critical), text.strip()) for name, critical, text in found}

    def number(self):
        return self.asked("-serial").strip().removeprefix("serial=")


def made(program, folder, name):
    """A TPM that is new, with its certificates."""
    tpm = Host(program, pathlib.Path(folder, name))
    tpm.tool("getrandom --hex 4")
    return tpm, {name: Certificate(tpm, name, index) for name, index in INDICES.items()}


def test_indices(tap, tpm, certificates):
    tpm.tool("getcap handles-nv-index")
    tap.check(re.findall(r"0x[0-9A-F]+", tpm.said) == ["0x1C00002", "0x1C0000A", "0x1C00100"], "the profile's indices, and no others",
              tpm.said)
    for name, certificate in certificates.items():
        size = re.search(r"size: (\d+)", certificate.public)
        good = f"value: 0x{ATTRIBUTES:X}\n" in certificate.public and size and int(size.group(1)) == len(certificate.bytes)
        tap.check(good and "friendly: sha256" in certificate.public, f"{name}: attributes, and no byte more than the certificate",
                  certificate.why or certificate.public)
        (tpm.folder / "other").write_bytes(b"other")
        refused = [tpm.tool(f"{what} 0x{INDICES[name]:x} -C {who}", good=False)
                   for what, who in (("nvwrite -i other", "o"), ("nvwrite -i other", "p"), ("nvundefine", "o"))]
        tap.check(all(refused), f"{name}: nobody can write it, the owner not delete it", f"{refused} {tpm.error}")


def test_keys(tap, tpm, certificates):
    for kind in KEYS:
        why = tpm.tools(f"createek -c {kind}.ctx -G {kind} -u {kind}.pub\nreadpublic -c {kind}.ctx -f pem -o {kind}.made.pem")
        tap.check(not why and (tpm.folder / f"{kind}.made.pem").read_text() == certificates[kind].key and certificates[kind].key,
                  f"{kind}: the certificate's key is the one that tpm2_createek makes", why or certificates[kind].text)


def test_chain(tap, tpm, certificates, stranger):
    for kind in KEYS:
        tap.check("OK" in openssl(tpm, f"verify -x509_strict -CAfile ca.pem {kind}.pem"), f"{kind}: OpenSSL verifies it",
                  certificates[kind].text)
        tap.check(openssl(stranger, f"verify -CAfile ca.pem {tpm.folder}/{kind}.pem") == "", f"{kind}: and not by another machine's CA")
    tap.check("OK" in openssl(tpm, "verify -x509_strict -CAfile ca.pem ca.pem"), "the CA's is signed by itself")
    tap.check(re.fullmatch(r"subject=CN = Redoubt vTPM CA, serialNumber = [0-9a-f]{32}\n", certificates["ca"].asked("-subject")),
              "the CA's name", certificates["ca"].text)


def properties(tpm):
    """What the TPM says of itself."""
    tpm.tool("getcap properties-fixed")
    return {name: int(raw, 16) for name, raw in re.findall(r"TPM2_PT_(\w+):\n\s+raw: (?:0x)?([0-9A-Fa-f]+)", tpm.said)}


def specification(says):
    """The attribute tpmSpecification: family, level, revision."""
    family = says["FAMILY_INDICATOR"].to_bytes(4, "big").rstrip(b"\0")
    numbers = [der(2, number.to_bytes(1 + number // 128, "big")) for number in (says["LEVEL"], says["REVISION"])]
    return der(0x30, der(6, bytes.fromhex("6781050210")), der(0x31, der(0x30, der(0xc, family), *numbers)))


def test_endorsement(tap, certificate, ca, usage, says):
    """What the profile wants in a certificate of an EK."""
    found = certificate.extensions()
    name = certificate.file.removesuffix(".crt")
    tap.check(set(found) == EK_EXTENSIONS, f"{name}: the extensions", certificate.text)
    tap.check(found.get("Key Usage") == (True, usage), f"{name}: what the key is for, and nothing else")
    tap.check(found.get("Basic Constraints") == (True, "CA:FALSE"), f"{name}: no CA")
    tap.check(found.get("Extended Key Usage") == (False, "2.23.133.8.1"), f"{name}: of an endorsement key")
    tpm = (f"DirName:/2.23.133.2.1=id:{says['MANUFACTURER']:08X}/2.23.133.2.2=Redoubt vTPM"
           f"/2.23.133.2.3=id:{says['FIRMWARE_VERSION_1']:08X}")
    tap.check(found.get("Subject Alternative Name") == (True, tpm), f"{name}: the TPM's maker and version, as it says itself", tpm)
    tap.check(der(0x30, specification(says)) in certificate.bytes, f"{name}: the specification, as it says itself")
    tap.check(found.get("Authority Key Identifier", (1, ""))[1] == ca.extensions().get("Subject Key Identifier", (1, "-"))[1],
              f"{name}: the CA's key is named")
    tap.check(certificate.asked("-subject").strip() == "subject=" and
              certificate.asked("-issuer").removeprefix("issuer=") == ca.asked("-subject").removeprefix("subject="),
              f"{name}: no subject, the CA its issuer")


def test_authority(tap, tpm, ca):
    found = ca.extensions()
    tap.check(set(found) == CA_EXTENSIONS and found["Basic Constraints"] == (True, "CA:TRUE, pathlen:0") and
              found["Key Usage"] == (True, "Certificate Sign"), "the CA signs certificates, not CAs", ca.text)
    point = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=ca.key.encode(), stdout=subprocess.PIPE,
                           check=False).stdout[-65:]
    digest = hashlib.sha1(point).hexdigest().upper()
    tap.check(found["Subject Key Identifier"][1].replace(":", "") == digest, "its key's identifier", ca.text)
    key = (tpm.state / "ca-key").read_bytes()
    # RFC 5915's ECPrivateKey without the public half, which OpenSSL then computes.
    private = der(0x30, der(2, b"\1"), der(4, key), der(0xa0, der(6, bytes.fromhex("2a8648ce3d030107"))))
    tap.check(len(key) == 32 and openssl(tpm, "pkey -inform DER -pubout", private) == ca.key, "the key that is kept is the CA's")
    mode = stat.S_IMODE((tpm.state / "ca-key").stat().st_mode)
    states = b"".join((tpm.state / name).read_bytes() for name in ("permanent", "volatile"))
    tap.check(mode == 0o600 and key not in states and key[::-1] not in states, "and the TPM has it not", oct(mode))


def test_all(tap, certificates, others):
    everybody = [*certificates.values(), *others.values()]
    tap.check(all("Version: 3 " in c.text and c.text.count("ecdsa-with-SHA256") == 2 for c in everybody), "X.509 v3, ECDSA with SHA-256")
    tap.check(all(c.asked("-dates").splitlines() == [FROM, UNTIL] for c in everybody), "from a fixed day, without an end")
    numbers = [c.number() for c in everybody]
    tap.check(len(set(numbers)) == len(numbers) and all(len(n) == 32 and "4" <= n[0] <= "7" for n in numbers),
              "serial numbers: 16 random bytes, above zero", str(numbers))
    tap.check(len({c.key for c in everybody}) == len(numbers) and certificates["ca"].asked("-subject") != others["ca"].asked("-subject"),
              "another TPM has other keys, and a CA of its own")


def test_credential(tap, tpm, kind):
    """A challenge encrypted to the certificate's key is one that the TPM can answer."""
    (tpm.folder / "challenge").write_bytes(b"a challenge")
    why = tpm.tools(f"createek -c {kind}.ctx -G {kind} -u {kind}.pub\ncreateak -C {kind}.ctx -c ak.ctx -n ak.name")
    name = (tpm.folder / "ak.name").read_bytes().hex() if not why else ""
    why = why or tpm.tools(f"makecredential -T none -u {kind}.key.pem -G {kind} -s challenge -n {name} -o cred")
    activate = f"activatecredential -c ak.ctx -C {kind}.ctx -i cred -o answer -P session:s.ctx"
    why = why or tpm.tools(f"startauthsession --policy-session -S s.ctx\npolicysecret -S s.ctx -c e\n{activate}\nflushcontext s.ctx")
    tap.check(not why and (tpm.folder / "answer").read_bytes() == b"a challenge", f"{kind}: a credential is activated", why)


def test_found(tap, tpm, certificates):
    why = tpm.tools("getekcertificate -o one.crt -o two.crt")
    tap.check(not why and [(tpm.folder / f"{n}.crt").read_bytes() for n in ("one", "two")] ==
              [certificates[kind].bytes for kind in KEYS], "tpm2_getekcertificate finds them", why)


def same(tpm, certificates):
    """Certificates and keys that are as they were."""
    now = {name: Certificate(tpm, name, index).bytes for name, index in INDICES.items()}
    why = tpm.tools("\n".join(f"createek -c e.ctx -G {kind} -u e.pub\nreadpublic -c e.ctx -f pem -o {kind}.again.pem" for kind in KEYS))
    return not why and all(now[kind] == certificates[kind].bytes for kind in certificates) and all(
        (tpm.folder / f"{kind}.again.pem").read_text() == certificates[kind].key for kind in KEYS)


def test_lasting(tap, tpm, certificates):
    key = (tpm.state / "ca-key").read_bytes()
    tpm.power_cut()
    tap.check(same(tpm, certificates) and (tpm.state / "ca-key").read_bytes() == key, "after a power cut: the same, and the CA's key", tpm.error)
    why = tpm.tools("clear")
    tap.check(not why and same(tpm, certificates), "TPM2_Clear leaves them, and the keys", why or tpm.error)


def test_left(tap, program, folder):
    """TPM2_GetCapability of transient objects, the first command: no tool has flushed any."""
    tpm = Host(program, pathlib.Path(folder, "left"))
    said = tpm.send([command(0x17a, struct.pack(">III", 1, 0x80000000, 8))])
    tap.check(said and code_of(said[0]) == 0 and said[0][-4:] == bytes(4), "manufacture leaves no object loaded", f"{said} {tpm.error}")


def test_bare(tap, program, folder):
    """Without a start there is no manufacture; and a state that is there is not manufactured again."""
    tpm = Host(program, pathlib.Path(folder, "bare"))
    said = tpm.send([command(0x144, b"\0\0")], "--startup", "none")
    tap.check(said and code_of(said[0]) == 0 and not (tpm.state / "ca-key").exists(), "without a start: a TPM without certificates", tpm.error)
    tpm.power_cut()
    tpm.tool("getcap handles-nv-index")
    tap.check("0x" not in tpm.said and not (tpm.state / "ca-key").exists(), "which gets none afterwards", tpm.said)


def test_failed(tap, broken, folder):
    """With a hash that is wrong nothing is left: the next start manufactures."""
    tpm, flag = Host(broken, pathlib.Path(folder, "broken")), pathlib.Path(folder, "flag")
    tpm.environment["BROKEN"] = str(flag)
    flag.touch()
    said = tpm.send([command(0x17b, b"\0\x08")])
    tap.check(said is None and "manufacture: the " in tpm.error and not list(tpm.state.iterdir()),
              "manufacture that does not succeed ends it, and nothing is kept", tpm.error)
    flag.unlink()
    tpm.tool("getcap handles-nv-index")
    tap.check(tpm.said.count("0x") == 3, "the next start makes a whole TPM", tpm.said)


def misled(program, folder, number, at):
    """What it says if a bit of an answer is wrong, and what it leaves."""
    tpm = Host(program, pathlib.Path(folder, f"misled-{number}-{at}"))
    tpm.environment["MISLED"] = f"{number} {at}"
    said = tpm.send([])
    return (said is not None, re.findall("manufacture: (.*) cannot be made", tpm.error), [path.name for path in tpm.state.iterdir()])


def test_misled(tap, program, folder):
    """Startup is command 0. The answer to TPM2_CreatePrimary has the public area's size at 18, the area, in it the number's size."""
    for number, what in enumerate(WORK, 1):
        found = misled(program, folder, number, 9)
        tap.check(found == (False, [what], []), f"a command of {what} that fails ends it, and nothing is kept", str(found))
    number = len(WORK) + 1
    tap.check(misled(program, folder, number, 9)[0] is True, "behind those it asks no more")
    for first, head, what in ((1, 56, WORK[0]), (3, 54, WORK[2])):
        found = [misled(program, folder, first, at) for at in (19, 20, 25, 28, 20 + head - 1, 20 + head + 1)]
        tap.check(all(each == (False, [what], []) for each in found), f"{what}: a public area that is not as asked is refused", str(found))
    found = misled(program, folder, 3, 20 + 54 + 2)
    tap.check(found == (False, [WORK[2]], []), "and a point that is not on the curve", str(found))


def main():
    program, broken, wrong = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        tap = Tap(49 + len(WORK) + 4)
        tpm, certificates = made(program, folder, "tpm")
        stranger, others = made(program, folder, "stranger")
        test_indices(tap, tpm, certificates)
        test_keys(tap, tpm, certificates)
        test_chain(tap, tpm, certificates, stranger)
        says = properties(tpm)
        for kind, (_, usage) in KEYS.items():
            test_endorsement(tap, certificates[kind], certificates["ca"], usage, says)
        test_authority(tap, tpm, certificates["ca"])
        test_all(tap, certificates, others)
        for kind in KEYS:
            test_credential(tap, tpm, kind)
        test_found(tap, tpm, certificates)
        test_lasting(tap, tpm, certificates)
        test_left(tap, program, folder)
        test_bare(tap, program, folder)
        test_failed(tap, broken, folder)
        test_misled(tap, wrong, folder)
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
