#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Debian's swtpm as a test's own TPM 2.0: its state in a folder, its sockets beside it.

    with Swtpm(folder) as tpm:          # as after power-on: PCRs as they start
        ...                             # tpm.socket takes commands, one client at a time
    with Swtpm(folder, emulator=True) as tpm:
        ... tpm.qemu()                  # options of QEMU, which starts it itself

The folder of another Swtpm, copied, is the same TPM.
"""

import os
import shutil
import subprocess
import tempfile
import time


class Swtpm:
    """One power cycle of a TPM. Only the child started here is ever ended."""

    def __init__(self, state, emulator=False, more=()):
        self.state = os.path.abspath(state)
        self.emulator = emulator
        self.more = list(more)
        self.child = None

    def __enter__(self):
        os.makedirs(self.state, exist_ok=True)
        self.folder = tempfile.mkdtemp(prefix="swtpm-")  # a socket's path has at most 107 bytes
        self.socket = os.path.join(self.folder, "data")
        self.control = self.socket + ".ctrl"  # where tpm2-tools look for it
        argv = ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.state}",
                "--ctrl", f"type=unixio,path={self.control}", *self.more]
        if not self.emulator:
            argv += ["--server", f"type=unixio,path={self.socket}",
                     "--flags", "not-need-init,startup-clear"]
        with open(os.path.join(self.state, "swtpm.log"), "ab") as log:
            self.child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wanted = self.control if self.emulator else self.socket
        deadline = time.monotonic() + 20
        while not os.path.exists(wanted):
            if self.child.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("swtpm does not start")
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.terminate()
        self.child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def qemu(self, device="tpm-crb"):
        """Options that give a machine of QEMU's this TPM."""
        return (f"-chardev socket,id=tpm,path={self.control} -tpmdev emulator,id=tpm0,chardev=tpm "
                f"-device {device},tpmdev=tpm0")
