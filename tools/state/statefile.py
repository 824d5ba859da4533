# SPDX-License-Identifier: BSD-2-Clause-Patent
"""State files of the vTPM, and which of two slots is current: vtpm/nv.h is the format, this reads it a
second time, independently of vtpm/nv.c; tests hold the two together.
"""
import hashlib
import hmac
import os
import re
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import common
from common import Refused, need, sha256

MAGIC, VERSION, LABEL = b"RDTVTPM1", 1, b"vtpm state"
HEADER = struct.Struct("<8sIIIIQQQII32s32s32s32s32s")
FIELDS = ("magic", "version", "total", "header_size", "payload", "generation", "first", "svn", "kind", "flags",
          "lineage", "parent", "origin_lineage", "origin_digest", "salt")
KINDS = {1: "manufactured", 2: "copied", 3: "replaced", 4: "imported", 5: "restored"}
MANUFACTURED, COPIED, REPLACED, IMPORTED, RESTORED = KINDS
PARTS = {"permanent": 160 << 10, "volatile": 64 << 10, "ca_key": 4096, "ek_certs": 16 << 10, "anchor": 4096, "ppi": 4096}
TAG, DIGEST, NONCE = 16, 32, bytes(12)
FILE_MAX = 256 << 10
OVERHEAD = HEADER.size + TAG + DIGEST
ZERO = bytes(32)
SENTENCES = dict(re.findall(r'^VERDICT\((\w+),\s*"([^"]+)"\)', (common.TOP / "monitor/abi/tpm_state.def").read_text(), re.M))
LOOSE = 1  # NV_LOOSE
UNREADABLE = object()  # what read_slot() has of a file that is there


class Bad(Refused):
    """A file that is not to be used; `verdict` is a name of enum nv_verdict."""

    def __init__(self, verdict):
        super().__init__(SENTENCES[verdict])
        self.verdict = verdict


class Keys:
    """A machine's keys, by its root.key and the image that seals. The loader hashes the file's key once for
    each SVN below the last, the monitor for older ones: boot/root.c, monitor/keys.c."""

    def __init__(self, root, image, monitor_svn=None):
        need(len(root) == 32, "the root key: is 32 bytes")
        self.root, self.image = root, image
        self.end = common.fact("monitor/abi/bootinfo.h", r"#define BOOTINFO_SVN_END\s+(\w+?)u?\b")
        own = common.fact("monitor/abi/bootinfo.h", r"#define REDOUBT_SVN\s+(\w+?)u?\b")
        self.svn = image["svn"] | (own if monitor_svn is None else monitor_svn) << 32

    def key(self, svn):
        root = self.root
        for _ in range(self.end - (svn >> 32)):
            root = sha256(root)
        who = struct.pack("<8s16sQQ32s32s", b"seal", sha256(LABEL)[:16], svn & 0xffffffff, self.image["flags"],
                          self.image["id"], self.image["signer"])
        return hmac.digest(root, who, "sha256")

    def file_key(self, header):
        newer = header["svn"] & 0xffffffff > self.svn & 0xffffffff or header["svn"] >> 32 > self.svn >> 32
        if newer or header["svn"] >> 32 > self.end:
            raise Bad("NEWER")
        return hmac.digest(self.key(header["svn"]), header["salt"], "sha256")


# ---- Files ----

def story_right(h):
    origin = (h["origin_lineage"] != ZERO, h["origin_digest"] != ZERO)
    if h["kind"] == MANUFACTURED:
        good = origin == (False, False)
    elif h["kind"] in (COPIED, REPLACED):
        good = origin == (True, True) and h["origin_lineage"] != h["lineage"]
    else:
        good = h["kind"] in KINDS and origin[1]
    return good and 0 < h["first"] <= h["generation"] < (1 << 64) - 1 and h["lineage"] != ZERO


def peek(data):
    """(header, the file without what is behind it); what needs no key."""
    if not any(data):
        raise Bad("BLANK")
    if len(data) < OVERHEAD:
        raise Bad("BAD_SIZE")
    h = dict(zip(FIELDS, HEADER.unpack_from(data)))
    if h["magic"] != MAGIC:
        raise Bad("BAD_MAGIC")
    if not OVERHEAD <= h["total"] <= FILE_MAX or len(data) not in (h["total"], FILE_MAX):
        raise Bad("BAD_SIZE")
    data = data[:h["total"]]
    if sha256(data[:-DIGEST]) != data[-DIGEST:]:
        raise Bad("DAMAGED")
    if h["version"] != VERSION:
        raise Bad("BAD_VERSION")
    if h["header_size"] != HEADER.size or h["payload"] != h["total"] - OVERHEAD or h["flags"] & ~LOOSE or not story_right(h):
        raise Bad("BAD_FIELD")
    return h, data


def parse(payload):
    parts, last = {}, 0
    while payload:
        kind, size = struct.unpack_from("<II", payload) if len(payload) >= 8 else (0, 0)
        whole = 8 + -(-size // 8) * 8
        if not last < kind <= len(PARTS) or not 0 < size <= list(PARTS.values())[kind - 1] or whole > len(payload) or \
                any(payload[8 + size:whole]):
            raise Bad("BAD_CONTENT")
        parts[list(PARTS)[kind - 1]] = payload[8:8 + size]
        payload, last = payload[whole:], kind
    if "permanent" not in parts:
        raise Bad("BAD_CONTENT")
    return parts


def compose(parts):
    need("permanent" in parts, "there is no permanent state")
    out = b""
    for number, (name, most) in enumerate(PARTS.items(), 1):
        part = parts.get(name)
        if part is not None:
            need(0 < len(part) <= most, f"the part {name} has {len(part)} bytes: 1 to {most} there may be")
            out += struct.pack("<II", number, len(part)) + part + bytes(-len(part) % 8)
    return out


def open_file(data, keys):
    """(header, parts, digest)"""
    h, data = peek(data)
    try:
        payload = AESGCM(keys.file_key(h)).decrypt(NONCE, data[HEADER.size:-DIGEST], data[:HEADER.size])
    except InvalidTag:
        raise Bad("NOT_GENUINE") from None
    return h, parse(payload), sha256(data)


def seal_file(h, parts, keys):
    payload = compose(parts)
    h = dict(h, magic=MAGIC, version=VERSION, total=OVERHEAD + len(payload), header_size=HEADER.size, payload=len(payload),
             svn=keys.svn, flags=0, salt=os.urandom(32))
    need(story_right(h), SENTENCES["BAD_FIELD"])
    head = HEADER.pack(*(h[field] for field in FIELDS))
    data = head + AESGCM(keys.file_key(h)).encrypt(NONCE, payload, head)
    return data + hashlib.sha256(data).digest()


# ---- Two slots ----

def read_slot(path):
    """As the loader has it: bytes, None or UNREADABLE."""
    if not os.path.lexists(path):
        return None
    try:
        data = common.read(path)
    except Refused:
        return UNREADABLE
    return data if len(data) <= FILE_MAX else UNREADABLE


class Choice:
    """What two slots come to; vtpm/nv_slots.c is the same in C."""

    def __init__(self, slots, keys, floor=None, lineage=None):
        self.found, self.verdicts, self.current = [None, None], ["OK", "OK"], None
        for i, data in enumerate(slots):
            try:
                if data is None:
                    raise Bad("ABSENT")
                if data is UNREADABLE:
                    raise Bad("UNREADABLE")
                self.found[i] = open_file(data, keys)
            except Bad as why:
                self.verdicts[i] = why.verdict
        self.judge(floor, lineage)
        good = [i for i in (0, 1) if self.verdicts[i] == "OK"]
        if good:
            self.current, self.outcome = good[0], "CURRENT"
        elif all(v in ("ABSENT", "BLANK") for v in self.verdicts):
            self.outcome = "LOST" if lineage or floor else "NEVER"
        else:
            self.outcome = "UNUSABLE"

    def judge(self, floor, lineage):
        v = self.verdicts
        for i in (0, 1):
            if v[i] == "OK" and v[1 - i] in ("NEWER", "BAD_VERSION"):
                v[i] = "SUPERSEDED"
            if v[i] == "OK" and v[1 - i] == "UNREADABLE":
                v[i] = "HIDDEN"
            if v[i] == "OK" and lineage and self.found[i][0]["lineage"] != lineage:
                v[i] = "OTHER_LINEAGE"
        if v == ["OK", "OK"]:
            self.compare()
        for i in (0, 1):
            if v[i] == "OK" and floor is not None and self.found[i][0]["generation"] < floor:
                v[i] = "BELOW_FLOOR"

    def compare(self):
        generations = [found[0]["generation"] for found in self.found]
        new = int(generations[1] > generations[0])
        (now, _, digest), (old, _, other) = self.found[new], self.found[1 - new]
        begins = now["first"] == now["generation"]
        if generations[0] == generations[1]:
            verdict = "SAME" if digest == other else "TWICE"
        elif now["lineage"] != old["lineage"]:
            verdict = "OTHER_LINEAGE" if begins else "FORKED"
        elif not begins and now["generation"] == old["generation"] + 1 and now["parent"] != other:
            verdict = "FORKED"
        else:
            verdict = "OLDER"
        self.verdicts[1 - new] = verdict
        if verdict in ("TWICE", "FORKED"):
            self.verdicts[new] = verdict

    def highest(self):
        return max((found[0]["generation"] for found in self.found if found), default=0)


def shown(h):
    """A header for a person, or for JSON."""
    return {"generation": h["generation"], "since": h["first"], "kind": KINDS.get(h["kind"], h["kind"]),
            "lineage": h["lineage"].hex(), "parent": h["parent"].hex(), "origin_lineage": h["origin_lineage"].hex(),
            "origin_digest": h["origin_digest"].hex(), "image_svn": h["svn"] & 0xffffffff, "monitor_svn": h["svn"] >> 32,
            "bytes": h["total"], "version": h["version"]}
