# SPDX-License-Identifier: BSD-2-Clause-Patent
"""A disk of the machine's, served from here: what is asked of it, and what was answered, in one order.

QEMU's filter blklogwrites writes down each request once. It does not tell when a request came from when it was
answered, and what is seen on the console has no place in it. Here both have: Disk.note() puts a mark into the log.
The protocol is NBD (its document doc/proto.md) on a Unix socket, for one client, as much of it as QEMU asks for.
"""

import os
import select
import socket
import struct
import tempfile
import threading
import time
import typing

SECTOR = 512
MOST = 32 << 20
HELLO = b"NBDMAGICIHAVEOPT" + struct.pack(">H", 3)  # fixed, no zeros
OPTION, OPTION_REPLY = struct.Struct(">8sII"), struct.Struct(">QIII")
REPLY_MAGIC, GO, ABORT = 0x3e889045565a9, 7, 2
ACK, INFO, UNSUPPORTED = 1, 3, 0x80000001
REQUEST, REPLY = struct.Struct(">IHHQQI"), struct.Struct(">IIQ")
READ, WRITE, HANG_UP, FLUSH = range(4)
FLAGS = 1 | 4 | 8  # valid; FLUSH and FUA are understood
EINVAL = 22


class Event(typing.NamedTuple):
    """`kind`: write, flush: asked for; done: write or flush `number` is about to be answered; note: text in `data`; or
    what Disk.tell() was told."""

    kind: str
    number: int
    offset: int = 0
    data: typing.Any = b""
    fua: bool = False


class Disk:
    """Serves the file `path`, from a thread of its own."""

    def __init__(self, path):
        self.path = path
        self.events, self.lock = [], threading.Lock()
        self.error = None
        self.numbers = 0

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()  # a socket's path must be short
        self.socket = os.path.join(self.folder.name, "disk")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.socket)
        self.listener.listen(1)
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.folder.cleanup()

    def note(self, text):
        self.tell("note", text)

    def tell(self, kind, data):
        """What happened elsewhere, in the order of what happens here."""
        with self.lock:
            self.events.append(Event(kind, 0, data=data))

    def settle(self):
        """Until nothing has come for a moment: what was on its way by now is in the log."""
        for _ in range(100):
            before = len(self.events)
            time.sleep(0.01)
            if len(self.events) == before:
                break

    def options(self):
        """Words of QEMU's for a node with this disk."""
        return f"driver=nbd,server.type=unix,server.path={self.socket}"

    def _serve(self):
        try:
            client, _ = self.listener.accept()
            with client, open(self.path, "r+b", buffering=0) as self.file:
                self.client, self.buffer = client, b""
                if self._greet():
                    self._transmit()
        except (OSError, EOFError) as why:
            self.error = why

    def _take(self, count):
        while len(self.buffer) < count:
            data = self.client.recv(1 << 18)
            if not data:
                raise EOFError("the client has gone")
            self.buffer += data
        found, self.buffer = self.buffer[:count], self.buffer[count:]
        return found

    # -- the greeting

    def _answer(self, option, kind, data=b""):
        self.client.sendall(OPTION_REPLY.pack(REPLY_MAGIC, option, kind, len(data)) + data)

    def _greet(self):
        self.client.sendall(HELLO)
        self._take(4)
        while True:
            _, option, length = OPTION.unpack(self._take(OPTION.size))
            self._take(length)
            if option not in (GO, ABORT):
                self._answer(option, UNSUPPORTED)
                continue
            if option == GO:
                size = os.fstat(self.file.fileno()).st_size
                self._answer(option, INFO, struct.pack(">HQH", 0, size, FLAGS))
                self._answer(option, INFO, struct.pack(">HIII", 3, SECTOR, 4096, MOST))
            self._answer(option, ACK)
            return option == GO

    # -- requests

    def _request(self):
        magic, flags, kind, handle, offset, length = REQUEST.unpack(self._take(REQUEST.size))
        if magic != 0x25609513 or length > MOST:
            raise OSError("what came is no request")
        data = self._take(length) if kind == WRITE else b""
        number = self.numbers = self.numbers + 1
        if kind in (WRITE, FLUSH):
            with self.lock:
                self.events.append(Event("write" if kind == WRITE else "flush", number, offset, data, bool(flags & 1)))
        return kind, number, handle, offset, length, data

    def _more(self):
        return bool(self.buffer) or bool(select.select([self.client], [], [], 0)[0])

    def _transmit(self):
        """All that has come is taken before anything is answered: so the log has as done before a flush only what
        the client could know to be done."""
        while True:
            requests = [self._request()]
            while self._more():
                requests.append(self._request())
            for request in requests:
                if request[0] == HANG_UP:
                    return
                self._carry_out(*request)

    def _carry_out(self, kind, number, handle, offset, length, data):
        error, out = 0, b""
        if kind == READ:
            out = os.pread(self.file.fileno(), length, offset)
        elif kind == WRITE:
            os.pwrite(self.file.fileno(), data, offset)
        elif kind != FLUSH:
            error = EINVAL
        if kind in (WRITE, FLUSH):
            with self.lock:
                self.events.append(Event("done", number))
        self.client.sendall(REPLY.pack(0x67446698, error, handle) + out)
