# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Signatures over images, by the openssl program. The message is the image's pages."""
import os
import subprocess
import tempfile

from form import ECDSA, KEYS, RSA, Refused

OPTIONS = {
    ECDSA: ("digest:sha256",),
    RSA: ("rsa_padding_mode:pss", "rsa_pss_saltlen:digest", "rsa_mgf1_md:sha256", "digest:sha256"),
}


def openssl(arguments, data=b""):
    """Output of openssl, or None if it refuses."""
    try:
        done = subprocess.run(["openssl", *arguments], input=data, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
    except FileNotFoundError as error:
        raise Refused("the program openssl is not there (package openssl)") from error
    return done.stdout if done.returncode == 0 else None


def options(key):
    return [word for option in OPTIONS[key] for word in ("-pkeyopt", option)]


def public_key(path, private):
    """(algorithm, DER SubjectPublicKeyInfo) of the key in a PEM file."""
    with open(path, "rb"):
        pass  # a file that cannot be read is the system's own complaint
    spki = openssl(["pkey", "-in", path, "-pubout", "-outform", "DER", *([] if private else ["-pubin"])])
    if spki is None:
        raise Refused(f"{path}: not a {'private' if private else 'public'} key in PEM that openssl reads")
    for key in KEYS.values():
        if key.fits(spki):
            return key, spki
    raise Refused(f"{path}: neither a P-256 key nor an RSA key of 3072 bits with exponent 65537")


def der_integer(data):
    """(value, rest) of a DER INTEGER below 2^256."""
    if len(data) < 2 or data[0] != 2 or data[1] > 33 or len(data) < 2 + data[1]:
        raise Refused("openssl gave an ECDSA signature that cannot be read")
    return int.from_bytes(data[2:2 + data[1]], "big"), data[2 + data[1]:]


def fixed_from_der(der):
    """SEQUENCE { r, s } to 32 + 32 bytes."""
    if len(der) < 2 or der[0] != 0x30 or der[1] != len(der) - 2:
        raise Refused("openssl gave an ECDSA signature that cannot be read")
    r, rest = der_integer(der[2:])
    s, rest = der_integer(rest)
    if rest or max(r, s) >> 256:
        raise Refused("openssl gave an ECDSA signature that cannot be read")
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def der_from_fixed(fixed):
    parts = b""
    for at in (0, 32):
        value = int.from_bytes(fixed[at:at + 32], "big")
        raw = value.to_bytes(value.bit_length() // 8 + 1, "big")
        parts += bytes((2, len(raw))) + raw
    return bytes((0x30, len(parts))) + parts


def sign(path, image):
    """(algorithm, key, signature) by the private key at `path`."""
    key, spki = public_key(path, private=True)
    signature = openssl(["pkeyutl", "-sign", "-inkey", path, *options(key)],
                        image.measurement().digest())
    if signature is None:
        raise Refused(f"{path}: openssl does not sign with this key")
    if key is ECDSA:
        signature = fixed_from_der(signature)
    if len(signature) != key.signature_size or not true_signature(key, spki, signature, image):
        raise Refused(f"{path}: openssl gave a signature that is not right")
    return key, spki, signature


def true_signature(key, spki, signature, image):
    with tempfile.TemporaryDirectory() as folder:
        names = [os.path.join(folder, name) for name in ("key", "signature")]
        raw = der_from_fixed(signature) if key is ECDSA else signature
        for name, data in zip(names, (spki, raw)):
            with open(name, "wb") as file:
                file.write(data)
        return openssl(["pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", names[0],
                        "-sigfile", names[1], *options(key)],
                       image.measurement().digest()) is not None


def verify(path, image):
    """Refuses unless the image is signed, and by the public key at `path`."""
    _, spki = public_key(path, private=False)
    if image.spki is None:
        raise Refused("is not signed")
    if image.spki != spki:
        raise Refused(f"is signed by {image.signer()}, which is not the key in {path}")
    if not true_signature(image.key, image.spki, image.signature, image):
        raise Refused("the signature is not that of these pages by this key")
