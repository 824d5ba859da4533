# SPDX-License-Identifier: BSD-2-Clause-Patent
"""What a machine says that has no state to go on from, and asks for one: vtpm.ask, beside its slots. Not secret, and proved
by nothing but its fingerprint, which the machine's console shows."""
import struct

import package
from common import need, sha256

MAGIC = b"RDTASK01"
FORM = struct.Struct("<8s32s65s7s")
NO_ANCHOR = bytes(32)


class Ask:
    def __init__(self, data, path):
        need(len(data) == FORM.size and data[:len(MAGIC)] == MAGIC, f"{path}: is no ask of a machine: 112 bytes that begin with "
             "RDTASK01")
        _, self.place, point, rest = FORM.unpack(data)
        need(not any(rest), f"{path}: the ask has bytes set that this program does not know")
        self.key = package.point_from(point, f"{path}: the ask's point is none of P-256: it was changed")
        self.fingerprint = sha256(data)

    def shown(self):
        return {"what": "ask of a machine", "key": package.fingerprint(self.key).hex(), "place": self.place.hex(),
                "anchor": "none, or never written" if self.place == NO_ANCHOR else "written", "fingerprint": self.fingerprint.hex()}
