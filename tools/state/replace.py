# SPDX-License-Identifier: BSD-2-Clause-Patent
"""A TPM with seeds of its own made out of another one's state, by the TPM's own commands: the vTPM as a
program (vtpm/host) changes the seeds, and is asked for keys before and after.
"""
import os
import pathlib
import struct
import subprocess
import tempfile

from common import Refused, need

OWNER, PLATFORM, ENDORSEMENT = 0x40000001, 0x4000000C, 0x4000000B
HIERARCHIES = {"endorsement": ENDORSEMENT, "platform": PLATFORM, "owner": OWNER}
NAMES = {0x122: "TPM2_NV_UndefineSpace", 0x124: "TPM2_ChangeEPS", 0x125: "TPM2_ChangePPS", 0x126: "TPM2_Clear",
         0x127: "TPM2_ClearControl", 0x131: "TPM2_CreatePrimary", 0x165: "TPM2_FlushContext", 0x17a: "TPM2_GetCapability",
         0x145: "TPM2_Shutdown"}
AUTH = struct.pack(">IIHBH", 9, 0x40000009, 0, 0, 0)
CERTIFICATES = range(0x01C00000, 0x01C08000)  # NV indices of the TCG EK profile
MOST_HANDLES = 64


def command(code, handles=(), auth=True, parameters=b""):
    body = b"".join(struct.pack(">I", handle) for handle in handles) + (AUTH if auth else b"") + parameters
    return struct.pack(">HII", 0x8002 if auth else 0x8001, 10 + len(body), code) + body


def primary(hierarchy):
    """The storage key of P-256 of the TCG's templates, restricted and with AES-128-CFB."""
    public = struct.pack(">HHIHHHHHHHHH", 0x23, 0xb, 0x00030472, 0, 6, 128, 0x43, 0x10, 3, 0x10, 0, 0)
    return command(0x131, (hierarchy,), True, struct.pack(">HHHH", 4, 0, 0, len(public)) + public + struct.pack(">HI", 0, 0))


def handles(first):
    return command(0x17a, auth=False, parameters=struct.pack(">III", 1, first, MOST_HANDLES))


class Machine:
    """The program, on a folder of its own in memory."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def send(self, commands):
        try:
            done = subprocess.run([self.program, "--state", self.folder], input=b"".join(commands), timeout=300, check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        except (OSError, subprocess.SubprocessError) as why:
            raise Refused(f"{self.program}: {why}") from why
        need(done.returncode == 0, "the TPM does not take the state: " +
             " ".join(done.stderr.decode("ascii", "replace").split()))
        out, data = [], done.stdout
        while len(data) >= 10:
            length = struct.unpack_from(">I", data, 2)[0]
            out.append(data[:length])
            data = data[max(length, 10):]
        need(len(out) == len(commands), f"{self.program}: gives not an answer to each command")
        return out

    def must(self, commands):
        out = self.send(commands)
        for sent, got in zip(commands, out):
            code = struct.unpack_from(">I", got, 6)[0]
            name = NAMES[struct.unpack_from(">I", sent, 6)[0]]
            need(code == 0, f"the TPM refuses {name} with 0x{code:x}: what it has cannot be replaced without what it asks for")
        return out

    def public(self, hierarchy):
        """The public area of a primary key that follows from the hierarchy's seed; None: it asks for a password."""
        got = self.send([primary(hierarchy), command(0x165, auth=False, parameters=struct.pack(">I", 0x80000000))])[0]
        if struct.unpack_from(">I", got, 6)[0]:
            return None
        size = struct.unpack_from(">H", got, 18)[0]
        return got[20:20 + size]

    def publics(self):
        return {name: self.public(handle) for name, handle in HIERARCHIES.items()}

    def handles(self, first):
        got = self.must([handles(first)])[0]
        more, count = got[10], struct.unpack_from(">I", got, 15)[0]
        need(not more, "the TPM has more NV indices or keys than this program asks for")
        return [struct.unpack_from(">I", got, 19 + 4 * i)[0] for i in range(count)]


def work(machine):
    """The names of the hierarchies whose keys were seen to change."""
    before = machine.publics()
    machine.must([command(0x127, (PLATFORM,), True, b"\0"), command(0x126, (PLATFORM,))])
    cleared = machine.publics()
    machine.must([command(0x124, (PLATFORM,)), command(0x125, (PLATFORM,))])
    for index in machine.handles(0x01000000):
        if index in CERTIFICATES:
            machine.must([command(0x122, (PLATFORM, index))])
    after = machine.publics()
    for name in HIERARCHIES:
        was = cleared[name] if name != "owner" else before[name]
        need(after[name] and after[name] not in (before[name], was), f"the key of the {name} hierarchy is the same as before: "
             "its seed was not replaced")
    left = machine.handles(0x81000000) + [i for i in machine.handles(0x01000000) if i in CERTIFICATES]
    need(not left, f"something of the other TPM is left: handle 0x{left[0] if left else 0:x}")
    machine.must([command(0x145, auth=False, parameters=b"\0\0")])
    return sorted(name for name in HIERARCHIES if before[name] or (name != "owner" and cleared[name]))


def replaced(permanent, program):
    """(permanent state with new seeds, hierarchies compared). The state's copy is in memory, and gone afterwards."""
    need(program, "new seeds are the TPM's own work: the vTPM as a program is needed (--vtpm build/vtpm/host/vtpm)")
    place = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=place) as folder:
        path = pathlib.Path(folder) / "permanent"
        path.write_bytes(permanent)
        compared = work(Machine(os.path.abspath(program), folder))
        return path.read_bytes(), compared
