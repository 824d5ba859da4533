# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Transfer packages: in what state leaves a machine. README.md has the format and what it is good for."""
import hmac
import os
import struct

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

import statefile
from common import Refused, need, sha256

MAGIC, VERSION = b"RDTMOVE1", 1
HEADER = struct.Struct("<8sIIIIIIQIIII32s32s32s32s32s")
FIELDS = ("magic", "version", "total", "purpose", "wrap", "wrapped", "payload", "generation", "log2n", "r", "p", "foreign",
          "lineage", "origin_lineage", "origin_digest", "recipient", "salt")
TOLD = ("purpose", "generation", "foreign", "lineage", "origin_lineage", "origin_digest")  # by who makes one
PURPOSES = {1: "export", 2: "move", 3: "backup", 4: "copy", 5: "replace"}
EXPORT, MOVE, BACKUP, COPY, REPLACE = PURPOSES
RSA_OAEP, ECDH_P256, SCRYPT, ECDH_FROM, ECDH_PROVED = 1, 2, 3, 4, 5
WRAPS = {RSA_OAEP: "RSA-OAEP", ECDH_P256: "ECDH P-256", SCRYPT: "passphrase (scrypt)", ECDH_FROM: "ECDH P-256 from the guardian",
         ECDH_PROVED: "ECDH P-256, proved by a machine"}
# Memory for scrypt: 128 * r * N, 128 MiB at the least.
LOG2N, LOG2N_MOST, R, P = 17, 20, 8, 1
PASSPHRASE_LEAST = 12
ZERO, TAG, DIGEST = bytes(32), 16, 32
POINT, PLACE, PROOF = 65, 32, 32
WRAPPED = {ECDH_P256: POINT, ECDH_FROM: POINT + PLACE, ECDH_PROVED: 2 * POINT + PROOF}
OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)


# ---- Keys ----

def public_of(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def point_of(key):
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def point_from(data, otherwise):
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), data)
    except ValueError as why:
        raise Refused(otherwise) from why


def fitting(key, path):
    """RSA of 3072 bits or more, or P-256."""
    if isinstance(key, (rsa.RSAPublicKey, rsa.RSAPrivateKey)):
        need(3072 <= key.key_size <= 8192, f"{path}: an RSA key of {key.key_size} bits: 3072 to 8192 there must be")
    else:
        need(isinstance(key, (ec.EllipticCurvePublicKey, ec.EllipticCurvePrivateKey)) and
             isinstance(key.curve, ec.SECP256R1), f"{path}: is neither an RSA key nor one of P-256")
    return key


def load_public(data, path):
    try:
        return fitting(serialization.load_pem_public_key(data), path)
    except (ValueError, TypeError, UnsupportedAlgorithm) as why:
        raise Refused(f"{path}: is no public key in PEM") from why


def load_private(data, path):
    try:
        return fitting(serialization.load_pem_private_key(data, None), path)
    except (ValueError, TypeError, UnsupportedAlgorithm) as why:
        raise Refused(f"{path}: is no private key in PEM without a passphrase") from why


def fingerprint(key):
    return sha256(public_of(key))


# ---- Wrapping: a secret for the recipient, and what stands in the package for it ----
# `sender`: whom the key of the content is bound to besides.

class ToKey:
    """To a public key that the administrator has named by its fingerprint, had another way (T62)."""

    sender = b""

    def __init__(self, key, named, path):
        need(named is not None, f"{path}: a public key alone is nobody's word: whoever can write this file would get the "
             "state. Give its fingerprint too (--fingerprint), as `redoubt-state fingerprint` printed it where the private "
             "key is, and not as this machine or its disk tells it")
        need(hmac.compare_digest(fingerprint(key), named), f"{path}: is not the key with that fingerprint: it was exchanged, "
             "or the fingerprint is another key's")
        self.key, self.recipient = key, named

    def wrap(self, salt):
        if isinstance(self.key, rsa.RSAPublicKey):
            secret = os.urandom(32)
            return {"wrap": RSA_OAEP, "recipient": self.recipient}, secret, self.key.encrypt(secret, OAEP)
        own = ec.generate_private_key(ec.SECP256R1())
        point = point_of(own.public_key())
        return {"wrap": ECDH_P256, "recipient": self.recipient}, own.exchange(ec.ECDH(), self.key), point


class FromGuardian:
    """To a machine that has asked: it opens what this private key has a part in, and nothing else, and only where it was
    when it asked."""

    def __init__(self, key, asked):
        self.key, self.asked, self.sender = key, asked, fingerprint(key.public_key())

    def wrap(self, salt):
        own = ec.generate_private_key(ec.SECP256R1())
        secret = b"".join(key.exchange(ec.ECDH(), self.asked.key) for key in (own, self.key))
        return {"wrap": ECDH_FROM, "recipient": fingerprint(self.asked.key)}, secret, point_of(own.public_key()) + self.asked.place


class WithKey:
    sender = b""

    def __init__(self, key):
        self.key = key

    def unwrap(self, h, wrapped):
        need(h["wrap"] != ECDH_FROM, "the package is addressed to a machine, and that machine alone opens it")
        need(h["wrap"] != SCRYPT, "the package is wrapped with a passphrase, not to a key")
        need(h["recipient"] == fingerprint(self.key.public_key()), "the package is wrapped to another key: of fingerprint " +
             h["recipient"].hex())
        try:
            if h["wrap"] == RSA_OAEP:
                need(isinstance(self.key, rsa.RSAPrivateKey), "the package is wrapped to an RSA key, and this is none")
                secret = self.key.decrypt(wrapped, OAEP)
            else:
                need(isinstance(self.key, ec.EllipticCurvePrivateKey), "the package is wrapped to a key of P-256")
                other = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), wrapped[:POINT])
                secret = self.key.exchange(ec.ECDH(), other)
        except ValueError as why:
            raise Refused("the package was changed: what is wrapped to the key is not whole") from why
        need(h["wrap"] != RSA_OAEP or len(secret) == 32, "the package was changed: the wrapped secret has another length")
        return secret

    def check(self, h, head, payload):
        """That the machine whose point is there has made it, and not somebody who knows the recipient's public key alone."""
        if h["wrap"] != ECDH_PROVED:
            return
        machine = machine_of(head)
        info = b"redoubt package 1 proof" + h["recipient"] + fingerprint(machine)
        key = HKDF(algorithm=hashes.SHA256(), length=32, salt=h["salt"], info=info).derive(self.key.exchange(ec.ECDH(), machine))
        proof = hmac.digest(key, head[:-PROOF] + sha256(payload), "sha256")
        need(hmac.compare_digest(proof, head[-PROOF:]), "the package was not made by the machine that it names")


class Passphrase:
    sender = b""

    def __init__(self, passphrase, log2n=LOG2N):
        need(len(passphrase) >= PASSPHRASE_LEAST, f"the passphrase has {len(passphrase)} bytes: at least {PASSPHRASE_LEAST} "
             "there must be, for who has the package can try as many as they like")
        self.passphrase, self.log2n = passphrase, log2n

    def derive(self, salt, log2n):
        return Scrypt(salt=salt, length=32, n=1 << log2n, r=R, p=P).derive(self.passphrase)

    def wrap(self, salt):
        return {"wrap": SCRYPT, "log2n": self.log2n, "r": R, "p": P}, self.derive(salt, self.log2n), b""

    def check(self, h, head, payload):
        """The passphrase is the proof."""

    def unwrap(self, h, wrapped):
        need(h["wrap"] == SCRYPT, "the package is wrapped to a key, not with a passphrase: of fingerprint " +
             h["recipient"].hex())
        return self.derive(h["salt"], h["log2n"])


# ---- Packages ----

def machine_of(data):
    """Whose proof it has."""
    return point_from(data[HEADER.size + POINT:HEADER.size + 2 * POINT], "the package was changed: the machine's point is none")


def content_key(h, secret, wrapped, sender):
    info = b"redoubt package 1" + bytes((h["wrap"],)) + h["recipient"] + wrapped + sender
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=h["salt"], info=info).derive(secret)


def make(facts, parts, wrapper):
    salt = os.urandom(32)
    how, secret, wrapped = wrapper.wrap(salt)
    payload = statefile.compose(parts)
    h = dict.fromkeys(FIELDS, 0)
    h.update(facts, magic=MAGIC, version=VERSION, salt=salt, recipient=ZERO)
    h.update(how, wrapped=len(wrapped), payload=len(payload),
             total=HEADER.size + len(wrapped) + len(payload) + TAG + DIGEST)
    head = HEADER.pack(*(h[field] for field in FIELDS)) + wrapped
    data = head + AESGCM(content_key(h, secret, wrapped, wrapper.sender)).encrypt(bytes(12), payload, head)
    return data + sha256(data)


def wrap_right(h):
    if h["wrap"] == SCRYPT:
        need(h["log2n"] >= LOG2N and (h["r"], h["p"]) == (R, P), "the package asks for less of scrypt than N = 2^17, r = 8, "
             "p = 1: a passphrase would be cheap to try")
        need(h["log2n"] <= LOG2N_MOST, "the package asks for more of scrypt than N = 2^20: for more memory than is given")
        return h["wrapped"] == 0 and h["recipient"] == ZERO
    if h["wrap"] in WRAPPED:
        good = h["wrapped"] == WRAPPED[h["wrap"]]
    else:
        good = h["wrap"] == RSA_OAEP and 384 <= h["wrapped"] <= 1024
    return good and not (h["log2n"] or h["r"] or h["p"]) and h["recipient"] != ZERO


def origin_right(h):
    if h["purpose"] in (COPY, REPLACE):
        return ZERO != h["origin_lineage"] != h["lineage"] != ZERO
    return h["lineage"] != ZERO and h["origin_lineage"] == h["lineage"]


def peek(data):
    """The header; what can be judged without a key."""
    need(len(data) >= HEADER.size + TAG + DIGEST and data[:8] == MAGIC, "is no transfer package")
    h = dict(zip(FIELDS, HEADER.unpack_from(data)))
    need(h["total"] == len(data), f"the package is {len(data)} bytes long and says {h['total']}: it was cut off, or added to")
    need(sha256(data[:-DIGEST]) == data[-DIGEST:], "the package is damaged")
    need(h["version"] == VERSION, f"the package has version {h['version']}, which this program does not know")
    need(h["purpose"] in PURPOSES and h["foreign"] in (0, 1) and h["origin_digest"] != ZERO and origin_right(h) and
         h["payload"] <= statefile.FILE_MAX and
         h["total"] == HEADER.size + h["wrapped"] + h["payload"] + TAG + DIGEST and wrap_right(h),
         "the package says of itself what cannot be")
    return h


def open_package(data, wrapper):
    """(header, parts)"""
    h = peek(data)
    head = data[:HEADER.size + h["wrapped"]]
    key = content_key(h, wrapper.unwrap(h, head[HEADER.size:]), head[HEADER.size:], wrapper.sender)
    try:
        payload = AESGCM(key).decrypt(bytes(12), data[len(head):-DIGEST], head)
    except InvalidTag:
        raise Refused("the package was changed, or it is another passphrase" if h["wrap"] == SCRYPT else
                      "the package was changed") from None
    wrapper.check(h, head, payload)
    try:
        return h, statefile.parse(payload)
    except statefile.Bad as why:
        raise Refused("the package is whole, and holds no state as it should be") from why


def shown(data):
    h = peek(data)
    return {"purpose": PURPOSES[h["purpose"]], "wrapped": WRAPS[h["wrap"]],
            "recipient": h["recipient"].hex() if h["wrap"] != SCRYPT else None,
            "place": data[HEADER.size + POINT:HEADER.size + POINT + PLACE].hex() if h["wrap"] == ECDH_FROM else None,
            "machine": fingerprint(machine_of(data)).hex() if h["wrap"] == ECDH_PROVED else None,
            "scrypt": {"N": 1 << h["log2n"], "r": h["r"], "p": h["p"]} if h["wrap"] == SCRYPT else None,
            "source": "another program's" if h["foreign"] else "Redoubt's", "generation": h["generation"],
            "lineage": h["lineage"].hex(), "origin_lineage": h["origin_lineage"].hex(),
            "origin_digest": h["origin_digest"].hex(), "bytes": h["total"], "version": h["version"]}
