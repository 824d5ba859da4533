# SPDX-License-Identifier: BSD-2-Clause-Patent
"""swtpm's state files: a header, then (tag, length, value). Encrypted as its --key has it: AES-CBC, and
HMAC-SHA-256 by the same key over ciphertext and IV.
"""
import hashlib
import hmac
import os
import struct

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from common import Refused, need, read

HEADER, TLV = struct.Struct(">BBHHI"), struct.Struct(">HI")
PLAIN, ENCRYPTED, MAC, IV = 1, 2, 3, 6
KNOWN_FLAGS, IS_ENCRYPTED, IS_256 = 0x9, 0x1, 0x8
BLOCK = 16  # AES's; swtpm makes IV and padding for blocks as long as the key
NAMES = {"permanent": "tpm2-00.permall", "volatile": "tpm2-00.volatilestate"}


def key_of(file=None, password=None, bits=128):
    """What --key file=... (hexadecimal or binary) or pwdfile=... give swtpm; None: no encryption."""
    size = bits // 8
    if password:
        return hashlib.pbkdf2_hmac("sha512", read(password)[:32], b"swtpm", 1000, size)
    if not file:
        return None
    data = read(file)
    if len(data) != size:
        try:
            data = bytes.fromhex(data.decode().strip())
        except ValueError:
            data = b""
    need(len(data) == size, f"{file}: is no AES key of {bits} bits, in binary or hexadecimal")
    return data


def take(data, path):
    """(flags, {tag: value}), every length checked."""
    need(len(data) >= HEADER.size, f"{path}: is too short for a file of swtpm's")
    version, least, size, flags, total = HEADER.unpack_from(data)
    need(version >= 2 >= least and size == HEADER.size, f"{path}: is no file of swtpm's of a version that this program knows")
    need(total == len(data), f"{path}: is {len(data)} bytes long and says {total}: it was cut off, or added to")
    need(not flags & ~KNOWN_FLAGS, f"{path}: has flags 0x{flags:x}: a blob for migration, or of a later swtpm")
    found, at = {}, size
    while at < len(data):
        need(len(data) - at >= TLV.size, f"{path}: ends within a field")
        tag, length = TLV.unpack_from(data, at)
        at += TLV.size
        need(length <= len(data) - at and tag not in found, f"{path}: has a field that is longer than the file, or is there twice")
        found[tag] = data[at:at + length]
        at += length
    wanted = {ENCRYPTED, MAC, IV} if flags & IS_ENCRYPTED else {PLAIN}
    need(set(found) == wanted, f"{path}: has not the fields that there must be")
    return flags, found


def unwrap(data, key, path):
    flags, found = take(data, path)
    if not flags & IS_ENCRYPTED:
        need(key is None, f"{path}: is not encrypted, though a key is given: somebody may have put another file there")
        return found[PLAIN]
    need(key is not None, f"{path}: is encrypted: swtpm's key is needed (--swtpm-key or --swtpm-password)")
    need(bool(flags & IS_256) == (len(key) == 32), f"{path}: is encrypted by a key of {256 if flags & IS_256 else 128} bits")
    need(hmac.compare_digest(hmac.digest(key, found[ENCRYPTED] + found[IV], "sha256"), found[MAC]),
         f"{path}: is not by this key, or was changed")
    need(len(found[IV]) == len(key) and found[ENCRYPTED] and len(found[ENCRYPTED]) % len(key) == 0, f"{path}: has a length that "
         "no encryption gives")
    cipher = Cipher(algorithms.AES(key), modes.CBC(found[IV][:BLOCK])).decryptor()
    unpad = padding.PKCS7(8 * len(key)).unpadder()
    try:
        return unpad.update(cipher.update(found[ENCRYPTED]) + cipher.finalize()) + unpad.finalize()
    except ValueError as why:
        raise Refused(f"{path}: has padding that no encryption gives") from why


def wrap(state, key):
    fields, flags = {PLAIN: state}, 0
    if key is not None:
        pad = padding.PKCS7(8 * len(key)).padder()
        iv = os.urandom(len(key))
        cipher = Cipher(algorithms.AES(key), modes.CBC(iv[:BLOCK])).encryptor()
        text = cipher.update(pad.update(state) + pad.finalize()) + cipher.finalize()
        fields = {ENCRYPTED: text, MAC: hmac.digest(key, text + iv, "sha256"), IV: iv}
        flags = IS_ENCRYPTED | (IS_256 if len(key) == 32 else 0)
    body = b"".join(TLV.pack(tag, len(value)) + value for tag, value in fields.items())
    return HEADER.pack(2, 1, HEADER.size, flags, HEADER.size + len(body)) + body
