#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""The guardian's public key as C (package.h).

usage: guardian.py OUT [PUBLIC.pem]     without a key the image has no guardian; OUT is written if it changes
"""
import base64
import pathlib
import re
import sys

# A SubjectPublicKeyInfo of P-256 up to the point, and the first byte of one that is not compressed (RFC 5480).
BEFORE = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + b"\4"
POINT = 65
# SEC 2, 2.4.2: y^2 = x^3 - 3x + B modulo P.
P = (1 << 256) - (1 << 224) + (1 << 192) + (1 << 96) - 1
B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b


def on_curve(point):
    """The partition would end at the first package to one that is not."""
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    return x < P and y < P and (y * y - x * x * x + 3 * x - B) % P == 0


def point_of(path):
    text = pathlib.Path(path).read_text(encoding="ascii", errors="replace")
    found = re.fullmatch(r"\s*-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----\s*", text)
    try:
        data = base64.b64decode("".join(found[1].split()), validate=True) if found else b""
    except ValueError:
        data = b""
    if not data.startswith(BEFORE) or len(data) != len(BEFORE) - 1 + POINT or not on_curve(data[-POINT:]):
        sys.exit(f"{path}: is no public key of P-256 in PEM (openssl pkey -in KEY -pubout)")
    return data[-POINT:]


def main(out, *key):
    point = point_of(key[0]) if key else bytes(POINT)
    text = ("/* Made by vtpm/guardian.py. */\n#include \"vtpm/package.h\"\n\nconst uint8_t guardian_point[PACKAGE_POINT] = { "
            + ", ".join(f"0x{byte:02x}" for byte in point) + " };\n")
    path = pathlib.Path(out)
    if not path.exists() or path.read_text(encoding="ascii") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
