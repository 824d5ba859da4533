#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Keys and certificates of the Secure Boot tests, and what is signed with them.

Keys are made by the build (tools/sign/keys.sh) and live in build/ alone: PK, KEK; `db`, which firmware
trusts; `mok`, which shim trusts; `other`, which nobody trusts.
"""

import os
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "emu")]

from spec import BUILD, CACHE, TOP  # noqa: E402

WORK = os.path.join(BUILD, "tests", "secureboot")
KEYS = os.path.join(WORK, "keys")
DEBIAN_CA = os.path.join(CACHE, "debs/shim-unsigned/usr/share/shim/debian-uefi-ca.der")
SHIM = os.path.join(CACHE, "debs/shim-signed/usr/lib/shim/shimx64.efi.signed")
SECURITY_DIRECTORY = 4


def run(*command, data=None):
    """Output of a command; what it says on its own goes to stderr only if it fails."""
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False)
    if done.returncode:
        sys.stderr.write(done.stderr.decode(errors="replace"))
        raise SystemExit(f"{command[0]} failed")
    return done.stdout


def certificate(name):
    return os.path.join(KEYS, name + ".cer")


def sign(key, source, out):
    """`source` signed with one of our keys, at `out`; returns `out`."""
    os.makedirs(os.path.dirname(out), exist_ok=True)
    run("sbsign", "--key", os.path.join(KEYS, key + ".key"), "--cert",
        os.path.join(KEYS, key + ".crt"), "--output", out, source)
    return out


def sign_module(key, kernel, out):
    """redoubt.ko for a kernel, signed with one of our keys by the program of that kernel's headers."""
    run(os.path.join(CACHE, f"debs/headers-{kernel}/build/scripts/sign-file"), "sha256",
        os.path.join(KEYS, key + ".key"), os.path.join(KEYS, key + ".crt"), unsigned_module(kernel), out)
    return out


def unsigned_module(kernel):
    return os.path.join(BUILD, "guest/linux/driver", kernel, "unsigned.ko")


def certificate_table(data):
    """Where the certificate table of a PE32+ file is, and its length."""
    pe, = struct.unpack_from("<I", data, 60)
    return struct.unpack_from("<II", data, pe + 24 + 112 + 8 * SECURITY_DIRECTORY)


def signatures(path):
    """The PKCS#7 structures that sign a PE file."""
    with open(path, "rb") as file:
        data = file.read()
    at, left = certificate_table(data)
    while left >= 8:
        length, = struct.unpack_from("<I", data, at)
        yield data[at + 8:at + length]
        at += (length + 7) // 8 * 8
        left -= (length + 7) // 8 * 8


def issuers(path, folder):
    """The authorities that signed a PE file, DER files in `folder`: what firmware must trust.

    A signature carries the signer's certificate and then its issuer's.
    """
    found = []
    for number, pkcs7 in enumerate(signatures(path)):
        text = run("openssl", "pkcs7", "-inform", "DER", "-print_certs", data=pkcs7).decode()
        authority = text.split("-----BEGIN CERTIFICATE-----")[-1].split("-----END")[0]
        pem = "-----BEGIN CERTIFICATE-----" + authority + "-----END CERTIFICATE-----\n"
        found.append(os.path.join(folder, f"issuer{number}.cer"))
        run("openssl", "x509", "-outform", "DER", "-out", found[-1], data=pem.encode())
    return found


def variables(out, certificates):
    run(os.path.join(TOP, "tools/sign/variables.sh"), KEYS, out, *certificates)


def first_section(data):
    """Where the bytes of a PE file's first section are: code, in what is built here."""
    pe, = struct.unpack_from("<I", data, 60)
    optional, = struct.unpack_from("<H", data, pe + 20)
    return struct.unpack_from("<I", data, pe + 24 + optional + 20)[0]


def modified(source, out):
    """A copy with one bit of its code flipped: bytes that the signature covers."""
    with open(source, "rb") as file:
        data = bytearray(file.read())
    at = first_section(data)
    assert at < certificate_table(data)[0], "the bit is not one that the signature covers"
    data[at] ^= 1
    with open(out, "wb") as file:
        file.write(data)
    return out
