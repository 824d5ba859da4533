# SPDX-License-Identifier: BSD-2-Clause-Patent
"""The vTPM as a host program under Debian's tpm2-tools, in a folder of its own; commands by hand."""
import os
import pathlib
import struct
import subprocess

NO_SESSIONS, SESSIONS = 0x8001, 0x8002
RC_RETRY = 0x922


class Host:
    """A state folder and the program that works on it."""

    def __init__(self, program, folder, tcti=None):
        self.program, self.folder = os.path.abspath(program), pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.state = self.folder / "state"
        self.tcti = tcti or f"cmd:{self.program} --state {self.state}"
        self.environment = dict(os.environ, TPM2TOOLS_TCTI=self.tcti)
        self.said = ""

    def tool(self, command, good=True):
        """Runs tpm2_COMMAND in the folder; whether it did what it must (end well, or not)."""
        done = subprocess.run("tpm2_" + command, shell=True, cwd=self.folder, env=self.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=120, check=False)
        self.said = done.stdout.decode("ascii", "replace")
        error = done.stderr.decode("ascii", "replace")
        self.flush()
        self.error = error
        if (done.returncode == 0) != good:
            self.error += f"tpm2_{command}: exit status {done.returncode}"
            return False
        return True

    def flush(self):
        """A TPM has room for three objects, and tools leave theirs behind: there is no resource manager here."""
        if self.tcti.startswith("cmd:"):
            self.send([command(0x165, struct.pack(">I", 0x80000000 + i)) for i in range(3)])

    def tools(self, text):
        """Runs a line each; the first that fails, or ''."""
        for line in text.strip().splitlines():
            if not self.tool(line.strip()):
                return f"{line.strip()}: {self.error}"
        return ""

    def power_cut(self):
        subprocess.run([self.program, "--state", self.state, "--off"], check=True)

    def send(self, commands, *arguments):
        """Raw commands to one run of the program; their responses, None if it did not end well."""
        done = subprocess.run([self.program, "--state", self.state, *arguments], input=b"".join(commands),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment, timeout=300,
                              check=False)
        self.error = done.stderr.decode("ascii", "replace")
        return responses(done.stdout) if done.returncode == 0 else None


def responses(data):
    out = []
    while data:
        length = struct.unpack_from(">I", data, 2)[0]
        out.append(data[:length])
        data = data[length:]
    return out


def command(code, body=b"", tag=NO_SESSIONS):
    return struct.pack(">HII", tag, 10 + len(body), code) + body


def code_of(response):
    return struct.unpack_from(">I", response, 6)[0]
