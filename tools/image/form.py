# SPDX-License-Identifier: BSD-2-Clause-Patent
"""The form of a trustlet's image file. Its numbers are read from monitor/abi, which owns them;
guest/trustlets/image/image.c is the same judgement in C, and tests hold them together.
"""
import hashlib
import pathlib
import re
import struct

ABI_FOLDER = pathlib.Path(__file__).resolve().parents[2] / "monitor/abi"
HEADER = struct.Struct("<QIIIIIIIIII32s4016s")  # struct redoubt_image
FIELDS = ("magic", "version", "header_size", "pages", "text_pages", "rodata_pages", "data_pages", "vps",
          "svn", "flags", "reserved0", "id", "reserved")
BLOCK = struct.Struct("<QIII12s")  # struct redoubt_image_signature
PAGE = 4096

ECDSA_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
RSA_HEAD = bytes.fromhex("308201a2300d06092a864886f70d01010105000382018f003082018a0282018100")
RSA_TAIL = bytes.fromhex("0203010001")


class Refused(Exception):
    """Something is not as it must be. `fault` is a name of enum image_fault, if there is one for it."""

    def __init__(self, text, fault=None):
        super().__init__(text)
        self.fault = fault


def constants():
    """The numbers that monitor/abi/image.h and trustlet.h define."""
    found = {}
    text = "".join((ABI_FOLDER / name).read_text() for name in ("image.h", "trustlet.h"))
    for name, value, shift in re.findall(
            r"^#define\s+(\w+)\s+\(?(0x[0-9a-f]+|\d+)u(?:ll)?(?:\s*<<\s*(\d+))?\)?", text, re.M):
        found[name] = int(value, 0) << int(shift or 0)
    return found


ABI = constants()


class Key:
    """An algorithm: its name, and what its keys and signatures look like."""

    def __init__(self, number, name, head, middle, tail, signature_size):
        self.number, self.name, self.head, self.tail = number, name, head, tail
        self.key_size = len(head) + middle + len(tail)
        self.signature_size = signature_size

    def fits(self, spki):
        return len(spki) == self.key_size and spki.startswith(self.head) and spki.endswith(self.tail)


ECDSA = Key(ABI["IMAGE_SIGNATURE_ECDSA_P256"], "ECDSA P-256 with SHA-256", ECDSA_HEAD, 64, b"", 64)
RSA = Key(ABI["IMAGE_SIGNATURE_RSA3072"], "RSA-3072 PSS with SHA-256", RSA_HEAD, 384, RSA_TAIL, 384)
KEYS = {key.number: key for key in (ECDSA, RSA)}


def require(condition, fault, text):
    if not condition:
        raise Refused(text, fault)


def check_id(raw):
    name = raw.rstrip(b"\0")
    require(name and len(name) < len(raw) and re.fullmatch(rb"[a-z0-9-]+", name), "IMAGE_BAD_ID",
            f"id {raw!r} is not 1 to {ABI['IMAGE_ID_BYTES'] - 1} of a-z, 0-9 and '-', then zeroes")


def check_header(header, size):
    """Judges the fields in the order of image_check()."""
    def limits(name, fault, most):
        require(1 <= header[name] <= most, fault, f"{name} is {header[name]}, must be 1 to {most}")

    require(header["magic"] == ABI["IMAGE_MAGIC"], "IMAGE_BAD_MAGIC",
            "does not begin with RDTRUST1: not a trustlet's image")
    for name, wanted in (("version", ABI["IMAGE_VERSION"]), ("header_size", HEADER.size)):
        require(header[name] == wanted, "IMAGE_BAD_VERSION",
                f"{name} is {header[name]}, this program knows {wanted}")
    for name in ("text_pages", "rodata_pages"):
        limits(name, "IMAGE_BAD_PAGES", ABI["IMAGE_MAX_PAGES"])
    parts = 1 + header["text_pages"] + header["rodata_pages"]
    require(header["pages"] == parts, "IMAGE_BAD_PAGES",
            f"pages is {header['pages']}, but header, text and read-only data are {parts}")
    limits("pages", "IMAGE_BAD_PAGES", ABI["IMAGE_MAX_PAGES"])
    limits("data_pages", "IMAGE_BAD_DATA_PAGES", ABI["IMAGE_MAX_DATA_PAGES"])
    limits("vps", "IMAGE_BAD_VPS", ABI["IMAGE_MAX_VPS"])
    limits("svn", "IMAGE_BAD_SVN", ABI["IMAGE_MAX_SVN"])
    require(header["flags"] & ~ABI["IMAGE_FLAGS"] == 0, "IMAGE_BAD_FLAGS",
            f"flags {header['flags']:#x} has bits that mean nothing")
    check_id(header["id"])
    require(header["reserved0"] == 0 and not any(header["reserved"]), "IMAGE_BAD_RESERVED",
            "a reserved byte of the header is not zero")
    require(size >= header["pages"] * PAGE, "IMAGE_BAD_SIZE",
            f"cut short: {header['pages']} pages are {header['pages'] * PAGE} bytes, "
            f"the file has {size}")


def parse_block(block):
    """(algorithm, key, signature) of what stands behind the pages."""
    fault = "IMAGE_BAD_SIGNATURE_BLOCK"
    require(len(block) >= BLOCK.size, fault, f"{len(block)} bytes behind the pages that mean nothing")
    magic, algorithm, key_size, signature_size, reserved = BLOCK.unpack_from(block)
    require(magic == ABI["IMAGE_SIGNATURE_MAGIC"], fault,
            "what stands behind the pages does not begin with RDTSIGN1")
    key = KEYS.get(algorithm)
    require(key, fault, f"signature algorithm {algorithm} is not known")
    require(not any(reserved), fault, "a reserved byte of the signature block is not zero")
    require((key_size, signature_size) == (key.key_size, key.signature_size), fault,
            f"key of {key_size} and signature of {signature_size} bytes: {key.name} has "
            f"{key.key_size} and {key.signature_size}")
    wanted = BLOCK.size + key_size + signature_size
    require(len(block) == wanted, fault,
            f"the signature block has {len(block)} bytes, must have {wanted}")
    spki = block[BLOCK.size:BLOCK.size + key_size]
    require(key.fits(spki), fault, f"the signer's key is not the encoding of a key for {key.name}")
    return key, spki, block[BLOCK.size + key_size:]


def make_block(key, spki, signature):
    return BLOCK.pack(ABI["IMAGE_SIGNATURE_MAGIC"], key.number, len(spki), len(signature),
                      bytes(12)) + spki + signature


class Image:
    """A file, judged: header, pages, and what is known of its signature."""

    def __init__(self, data):
        require(len(data) >= HEADER.size, "IMAGE_BAD_SIZE", f"{len(data)} bytes: not even a header")
        self.header = dict(zip(FIELDS, HEADER.unpack_from(data)))
        check_header(self.header, len(data))
        size = self.header["pages"] * PAGE
        self.pages, block = data[:size], data[size:]
        self.key, self.spki, self.signature = parse_block(block) if block else (None, None, None)

    @property
    def id(self):
        return self.header["id"].rstrip(b"\0").decode("ascii")

    @property
    def debug(self):
        return bool(self.header["flags"] & ABI["IMAGE_DEBUG"])

    def measurement(self):
        return hashlib.sha256(self.pages)

    def signer(self):
        return hashlib.sha256(self.spki).hexdigest() if self.spki else None


def load(path):
    """The image at `path`; a text that names it if it is none."""
    try:
        with open(path, "rb") as file:
            return Image(file.read())
    except Refused as error:
        raise Refused(f"{path}: {error}", error.fault) from error
