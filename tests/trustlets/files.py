#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Image files for tests of those who judge them, signed by OpenSSL through tools/trustlet.

usage: files.py KEYS OUT      KEYS holds ec.key, rsa.key, other.key

Those of RIGHT are right, and tests make wrong ones of them; those of ODD are beta's pages signed by the
right RSA key, but not in the way that monitor/abi/image.h fixes. seeds/ is what tests/fuzz/trustlets begins with.
"""
import os
import pathlib
import random
import struct
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools/image"))
import form  # noqa: E402
import signature  # noqa: E402
from form import ABI, FIELDS, HEADER, PAGE  # noqa: E402

TOOL = str(TOP / "tools/trustlet")

# Name: key, id, SVN, debug flag, pages.
RIGHT = {
    "ec": ("ec", "alpha", 3, False, 3),
    "rsa": ("rsa", "beta", 3, False, 5),
    "ec_old": ("ec", "alpha", 2, False, 3),
    "ec_new": ("ec", "alpha", 4, False, 3),
    "rsa_alpha": ("rsa", "alpha", 1, False, 3),
    "debug": ("ec", "gamma", 1, True, 3),
    "other": ("other", "alpha", 3, False, 3),
    "unsigned": (None, "alpha", 3, False, 3),
}
# The longest file there can be.
LARGE = ("rsa", "large", 1, False, ABI["IMAGE_MAX_PAGES"])

PSS = ("rsa_padding_mode:pss", "digest:sha256")
ODD = {
    "rsa_pkcs1": ("digest:sha256",),
    "rsa_salt20": (*PSS, "rsa_pss_saltlen:20"),
    "rsa_salt0": (*PSS, "rsa_pss_saltlen:0"),
    "rsa_salt_max": (*PSS, "rsa_pss_saltlen:max"),
    "rsa_mgf_sha512": (*PSS, "rsa_pss_saltlen:digest", "rsa_mgf1_md:sha512"),
}


def pages_of(name, svn, debug, pages):
    """The pages of an image: a right header, and noise that is the same each time."""
    header = dict.fromkeys(FIELDS, 0) | {
        "magic": ABI["IMAGE_MAGIC"], "version": ABI["IMAGE_VERSION"], "header_size": HEADER.size, "pages": pages,
        "text_pages": pages - 2, "rodata_pages": 1, "data_pages": 8, "vps": 1, "svn": svn,
        "flags": ABI["IMAGE_DEBUG"] if debug else 0, "id": name.encode("ascii"), "reserved": b""}
    noise = random.Random(f"{name} {svn}").randbytes((pages - 1) * PAGE)
    return HEADER.pack(*(header[field] for field in FIELDS)) + noise


def make_odd(keys, out):
    image = form.load(os.path.join(out, "rsa.img"))
    for name, options in ODD.items():
        words = [word for option in options for word in ("-pkeyopt", option)]
        made = signature.openssl(["pkeyutl", "-sign", "-inkey", os.path.join(keys, "rsa.key"), *words],
                                 image.measurement().digest())
        with open(os.path.join(out, name + ".img"), "wb") as file:
            file.write(image.pages + form.make_block(image.key, image.spki, made))
        form.load(os.path.join(out, name + ".img"))


def make_seeds(folder):
    """Inputs of codeint_fuzz.c: turns of two patches each (file, how, where, value)."""
    os.makedirs(folder, exist_ok=True)
    unchanged, bit, block = 0x40, 0x18, 2
    turns = {"unchanged": [(file, unchanged) for file in (0, 1, 2, 0)],
             "both": [(file, unchanged) for file in (3, 4, 5, 3)],
             "mixed": [(0, unchanged), (0x10, block), (3, bit), (2, unchanged)]}
    for name, list_of in turns.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(b"".join(struct.pack("<BBHI", *turn, 5000, 3) + struct.pack("<BBHI", 0, 7, 0, 0)
                                for turn in list_of))


def make(keys, out):
    os.makedirs(out, exist_ok=True)
    for name, (key, *content) in (RIGHT | {"large": LARGE}).items():
        path = os.path.join(out, name + ".img")
        with open(path, "wb") as file:
            file.write(pages_of(*content))
        if key:
            subprocess.run([TOOL, "sign", "--key", os.path.join(keys, key + ".key"), path], check=True,
                           stdout=subprocess.DEVNULL)
        form.load(path)
    make_odd(keys, out)
    make_seeds(os.path.join(out, "seeds"))


if __name__ == "__main__":
    make(*sys.argv[1:])
