#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Firmware's event log (TCG PC Client Platform Firmware Profile, chapter 10), as Linux gives it out."""

import hashlib
import struct
import typing

SHA256 = 0x000b
SIZES = {0x0004: 20, SHA256: 32, 0x000c: 48, 0x000d: 64, 0x0012: 32}
EV_EFI_BOOT_SERVICES_APPLICATION, EV_EFI_ACTION, EV_EFI_PLATFORM_FIRMWARE_BLOB = 0x80000003, 0x80000007, 0x80000008
EV_SEPARATOR, EV_EVENT_TAG = 4, 6
CAP = "Redoubt: root key closed"  # boot/tcg2.c


class Event(typing.NamedTuple):
    """Of a log: what was extended, and what is said of it."""

    pcr: int
    kind: int
    sha256: bytes
    data: bytes


def events(log):
    """The events behind the first, which says what the log's form is."""
    at = 32 + struct.unpack_from("<I", log, 28)[0]
    found = []
    while at < len(log):
        pcr, kind, count = struct.unpack_from("<III", log, at)
        at += 12
        digest = b""
        for _ in range(count):
            algorithm, = struct.unpack_from("<H", log, at)
            size = SIZES[algorithm]
            if algorithm == SHA256:
                digest = log[at + 2:at + 2 + size]
            at += 2 + size
        size, = struct.unpack_from("<I", log, at)
        found.append(Event(pcr, kind, digest, log[at + 4:at + 4 + size]))
        at += 4 + size
    return found


def replay(found, pcr):
    value = bytes(32)
    for event in found:
        if event.pcr == pcr and event.kind != 3:  # EV_NO_ACTION is not extended
            value = hashlib.sha256(value + event.sha256).digest()
    return value


def kind(event):
    """A word, or an action's text."""
    if event.kind == EV_EFI_ACTION:
        return event.data.decode(errors="replace")
    return {EV_EFI_BOOT_SERVICES_APPLICATION: "image", EV_SEPARATOR: "separator",
            EV_EFI_PLATFORM_FIRMWARE_BLOB: "blob", EV_EVENT_TAG: "tag"}.get(event.kind, hex(event.kind))
