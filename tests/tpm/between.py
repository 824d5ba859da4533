# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Between QEMU and swtpm: what is done to the anchor (vtpm/ptpm/anchor.h) is told before it is asked of the TPM, and
before the answer goes.

QEMU hands swtpm one end of the sockets for commands by the control channel, with CMD_SET_DATAFD; swtpm is given another
one here, and each command and answer passes whole.
"""
import os
import socket
import struct
import threading
import typing

ANCHOR = 0x01805244
DEFINE, UNDEFINE, WRITE = 0x12a, 0x122, 0x137
HEADER = struct.Struct(">HII")  # tag, size, code
OURS = HEADER.size + 4  # where the handle of the index is, of commands with two handles
FILE = "tpm2-00.permall"


class Anchor(typing.NamedTuple):
    """What the platform's TPM has: no index, one that was never written (no value), or a value."""

    auth: typing.Optional[bytes] = None
    value: typing.Optional[bytes] = None


def sized(data, at):
    size, = struct.unpack_from(">H", data, at)
    return data[at + 2:at + 2 + size], at + 2 + size


def behind_sessions(command, handles):
    """Where the parameters are."""
    at = HEADER.size + 4 * handles
    return at + 4 + struct.unpack_from(">I", command, at)[0]


def after(anchor, command):
    """What a command makes of the anchor, where it is carried out; None: it is no such command."""
    code = HEADER.unpack_from(command)[2]
    if code == WRITE and struct.unpack_from(">I", command, OURS)[0] == ANCHOR:
        data, at = sized(command, behind_sessions(command, 2))
        if len(data) != 32 or command[at:] != b"\0\0":
            raise ValueError("a write of a part of the anchor")
        return anchor._replace(value=data)
    if code == UNDEFINE and struct.unpack_from(">I", command, OURS)[0] == ANCHOR:
        return Anchor()
    if code == DEFINE:
        auth, at = sized(command, behind_sessions(command, 1))
        if struct.unpack_from(">I", command, at + 2)[0] == ANCHOR:
            return Anchor(auth)
    return None


def message(stream):
    """One command or response; empty at the end."""
    data = b""
    while len(data) < HEADER.size or len(data) < HEADER.unpack_from(data)[1]:
        more = stream.recv((HEADER.unpack_from(data)[1] if len(data) >= HEADER.size else HEADER.size) - len(data))
        if not more:
            return b""
        data += more
    return data


class Between:
    """`tell(kind, anchor)`, kind "anchor" or "anchored", is called while nobody else goes on. `files` has what is in
    the TPM's file at the beginning and at each anchored: the index's memory is there before the answer goes."""

    def __init__(self, tpm, tell):
        self.tpm, self.tell = tpm, tell
        self.anchor, self.files, self.commands, self.error = Anchor(), [], 0, None

    def __enter__(self):
        self.control = self.tpm.control + ".between"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.control)
        self.listener.listen(1)
        self._begin(self._serve)
        return self

    def __exit__(self, *_):
        self.listener.close()

    def qemu(self, device):
        return (f"-chardev socket,id=tpm,path={self.control} -tpmdev emulator,id=tpm0,chardev=tpm "
                f"-device {device},tpmdev=tpm0")

    def _begin(self, function, *args):
        def run():
            try:
                function(*args)
            except (OSError, ValueError, struct.error) as why:
                self.error = why
        threading.Thread(target=run, daemon=True).start()

    def memory(self):
        """The TPM's file, which is exchanged as a whole."""
        with open(os.path.join(self.tpm.state, FILE), "rb") as file:
            return file.read()

    # -- the control channel

    def _serve(self):
        theirs, _ = self.listener.accept()
        ours = socket.socket(socket.AF_UNIX)
        ours.connect(self.tpm.control)
        self._begin(self._answers, ours, theirs)
        while True:
            data, descriptors, _, _ = socket.recv_fds(theirs, 1 << 16, 1)
            if not data:
                ours.close()
                return
            if descriptors:
                mine, its = socket.socketpair()
                socket.send_fds(ours, [data], [its.fileno()])
                its.close()
                self._begin(self._commands, socket.socket(fileno=descriptors[0]), mine)
            else:
                ours.sendall(data)

    @staticmethod
    def _answers(ours, theirs):
        while True:
            data = ours.recv(1 << 16)
            if not data:
                return
            theirs.sendall(data)

    # -- commands

    def _commands(self, theirs, mine):
        while True:
            command = message(theirs)
            if not command:
                return
            self.commands += 1
            wanted = after(self.anchor, command)
            if wanted is not None:
                self.files = self.files or [self.memory()]
                self.tell("anchor", wanted)
            mine.sendall(command)
            answer = message(mine)
            if wanted is not None:
                if HEADER.unpack_from(answer)[2] == 0:
                    self.anchor = wanted
                self.files.append(self.memory())
                self.tell("anchored", self.anchor)
            theirs.sendall(answer)
