#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Counters in a real TPM (swtpm) by vtpm/ptpm/counter.c: counter.py PROGRAM. Speaks TAP."""

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../emu")]

from swtpm import Swtpm  # noqa: E402
from tap import Tap  # noqa: E402

PROGRAM = os.path.abspath(sys.argv[1])
FIRST, SECOND = "0x1805244", "0x1805245"
AUTH = "".join(f"{(7 * i + 3) % 256:02x}" for i in range(32))
OTHER = "".join(f"{(11 * i + 5) % 256:02x}" for i in range(32))
# Ends in zeros, which a TPM takes off: the key of an HMAC is the same.
ZEROS = OTHER[:48] + 16 * "0"
RIGHT = "authread|authwrite|ownerread|no_da|nt=counter"
TIMES = 1000
WARNINGS = ("0x908", "0x90a", "0x920", "0x922")


class Case:
    """A TPM's folder; each question is one process."""

    def __init__(self, folder):
        self.state = os.path.join(folder, "state")
        self.folder = folder
        self.tpm = None

    def on(self, state=None):
        """The TPM after power-on; it is never told that power goes."""
        case = self

        class On(Swtpm):
            def __enter__(self):
                case.tpm = super().__enter__()
                return case.tpm
        return On(state or self.state)

    def ask(self, *args):
        done = subprocess.run([PROGRAM, self.tpm.socket, *args], stdout=subprocess.PIPE, check=False)
        if done.returncode not in (0, 1):
            return f"status {done.returncode}"
        return done.stdout.decode().strip()

    def value(self, index=FIRST, auth=AUTH):
        said = self.ask("read", index, auth)
        return int(said[3:]) if said.startswith("OK ") else said

    def tool(self, *command):
        env = {**os.environ, "TPM2TOOLS_TCTI": f"cmd:{PROGRAM} {self.tpm.socket} relay"}
        done = subprocess.run(command, cwd=self.folder, env=env, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout

    def define(self, attributes, index=FIRST, size="8", auth=AUTH):
        return self.tool("tpm2_nvdefine", "-C", "o", "-s", size, "-a", attributes, "-p", f"hex:{auth}", index)

    def delete(self, index=FIRST, *more):
        return self.tool("tpm2_nvundefine", "-C", "o", *more, index)


def check_define(case, check):
    with case.on():
        said = case.ask("read", FIRST, AUTH)
        check(said == "ABSENT", "before it is defined it is not there", said)
        said = case.ask("increment", FIRST, AUTH, "1")
        check(said == "ABSENT", "nor does it count", said)
        said = case.ask("define", FIRST, AUTH)
        check(said.startswith("OK"), "it is defined", said)
        said = case.tool("tpm2_nvreadpublic", FIRST)[1].decode()
        wanted = "authwrite|nt=0x1|ownerread|authread|no_da|written"
        check(f"friendly: {wanted}\n" in said and "friendly: sha256" in said and "size: 8\n" in said,
              "tpm2_nvreadpublic: its attributes, and no others", said)
        said = case.ask("define", FIRST, AUTH)
        check(said == "PRESENT", "again: it is there", said)
        said = case.ask("define", FIRST, OTHER)
        check(said == "PRESENT", "and so with another authorization", said)


def check_count(case, check):
    with case.on():
        first = case.value()
        check(isinstance(first, int), "it is read", first)
        said = case.ask("increment", FIRST, AUTH, str(TIMES))
        check(said == f"OK {first + TIMES}", f"it counts {TIMES} times, by one each time", said)
        said = case.value()
        check(said == first + TIMES, "and reads so", said)
        status, said = case.tool("tpm2_nvread", "-C", "o", FIRST)
        check(status == 0 and int.from_bytes(said[-8:], "big") == first + TIMES, "tpm2_nvread as owner: the same", said)
        status, said = case.tool("tpm2_nvincrement", "-C", "o", FIRST)
        check(status != 0 and case.value() == first + TIMES, "the owner cannot make it count", said)
    with case.on():
        said = case.value()
        check(said == first + TIMES, "after a power cut: the same", said)
        said = case.ask("define", SECOND, ZEROS)
        check(said.startswith("OK"), "a second one, whose authorization ends in zeros", said)
        said = case.ask("increment", SECOND, ZEROS, "3")
        check(said.startswith("OK") and case.value() == first + TIMES, "counts alone", said)


def check_authorization(case, check):
    with case.on():
        right = case.value()
        wrong = {case.ask(verb, FIRST, OTHER, *more) for verb, more in (("read", ()), ("increment", ("1",)))
                 for _ in range(40)}
        check(wrong == {"REFUSED"}, "another authorization, 80 times: refused", wrong)
        bad = AUTH[:-1] + f"{int(AUTH[-1], 16) ^ 1:x}"
        said = case.ask("read", FIRST, bad)
        check(said == "REFUSED", "one bit of it: refused", said)
        check(case.value() == right, "nothing counted, nothing is locked out", case.value())
        said = case.ask("redirect", SECOND, ZEROS, FIRST)
        check(said == "REFUSED", "the command sent on to the other counter: refused", said)
        case.delete(SECOND)
        case.ask("define", SECOND, AUTH)
        said = case.ask("redirect", SECOND, AUTH, FIRST)
        check(said == "REFUSED", "even if both have one authorization: the name differs", said)


def check_bus(case, check):
    with case.on():
        said = case.ask("flips", FIRST, AUTH)
        parts = dict(enumerate(part.split(":") for part in said.split() if ":" in part))
        results = set(said.split()) - {":".join(part) for part in parts.values()}
        # Of the first answer the name with its size is not used, and may be another.
        check(len(parts) == 3 and int(parts[0][1]) == 8 * 36, "flips in TPM2_NV_ReadPublic: no other value", said)
        check(parts.get(1, [0, 1])[1] == "0" and int(parts[1][0]) >= 8 * 48, "in TPM2_StartAuthSession: refused", said)
        check(parts.get(2, [0, 1])[1] == "0" and int(parts[2][0]) >= 8 * 93, "in TPM2_NV_Read: refused", said)
        check({"FORGED", "REFUSED", "MALFORMED", "FOREIGN", "OK"} <= results, "in each way", said)
        said = [case.ask("replay", FIRST, AUTH, what) for what in ("last", "all")]
        check(said == ["FORGED", "FORGED"], "old answers: refused", said)
        before = case.value()
        said = case.ask("meddle", FIRST, AUTH)
        check(said == "MISCOUNTED" and case.value() == before + 2, "someone else who has it counts too: noticed", said)
        said = {f"{verb} {i}": case.ask("cut", FIRST, AUTH, verb, str(i))
                for verb, most in (("read", 3), ("increment", 5)) for i in range(most)}
        check(set(said.values()) == {"NO_ANSWER"}, "no answer at each command: said", said)
        said = case.tool("tpm2_getcap", "handles-loaded-session")[1]
        check(said == b"", "no session is left in the TPM", said)


def check_busy(case, check):
    with case.on():
        right = f"OK {case.value()}"
        said = {code: case.ask("busy", FIRST, AUTH, code, "99") for code in WARNINGS}
        check(set(said.values()) == {right}, "patience, 99 times at each command: it has it", said)
        said = {code: case.ask("busy", FIRST, AUTH, code, "100") for code in WARNINGS}
        check(set(said.values()) == {"BUSY"}, "a hundred times: it has not", said)
        said = [case.ask("busy", FIRST, AUTH, code, "1") for code in ("0x921", "0x923", "0x101", "0x14b", "0x500")]
        check(said == ["LOCKED", "ERROR 0x923", "ERROR 0x101", "NO_ROOM", "ERROR 0x500"], "other codes: at once", said)


def check_anew(case, check):
    """The owner deletes it and defines one of that index."""
    with case.on():
        before = case.value()
        case.delete()
        said = case.ask("read", FIRST, AUTH)
        check(said == "ABSENT", "deleted by the owner: not there", said)
        said = case.ask("define", FIRST, OTHER)
        check(said.startswith("OK"), "defined anew with another authorization", said)
        said = case.ask("read", FIRST, AUTH)
        check(said == "REFUSED", "with the old one it is refused", said)
        said = case.value(FIRST, OTHER)
        check(isinstance(said, int) and said > before, "its value is above the one before", f"{before} {said}")


def check_foreign(case, check):
    with case.on():
        kinds = ("authread|authwrite|no_da|nt=counter", RIGHT + "|orderly", RIGHT + "|ownerwrite",
                 RIGHT + "|policyread", RIGHT.replace("|no_da", ""), RIGHT.replace("counter", "ordinary"),
                 RIGHT.replace("counter", "bits"))
        for attributes in kinds:
            case.delete()
            status, why = case.define(attributes)
            said = [case.ask("read", FIRST, AUTH), case.ask("increment", FIRST, AUTH, "1"), case.ask("define", FIRST, AUTH)]
            check(status == 0 and said == ["FOREIGN", "FOREIGN", "PRESENT"], f"{attributes}: another thing", f"{said} {why}")
        case.delete()
        case.define(RIGHT)
        said = [case.ask("read", FIRST, AUTH), case.ask("increment", FIRST, OTHER, "1")]
        check(said == ["UNWRITTEN", "REFUSED"], "defined and never counted: said", said)
        said = case.ask("increment", FIRST, AUTH, "1")
        check(said.startswith("OK") and case.ask("read", FIRST, AUTH) == said, "it is made to count", said)


def check_owner(case, check):
    with case.on():
        case.tool("tpm2_changeauth", "-c", "owner", "a password")
        right = case.value()
        check(isinstance(right, int), "the owner has a password: it is read all the same", right)
        case.delete(FIRST, "-P", "a password")
        said = case.ask("define", FIRST, AUTH)
        check(said == "OWNED", "but not defined", said)
        said = case.ask("read", FIRST, AUTH)
        check(said == "ABSENT", "and is not there", said)


def check_room(case, check):
    state = case.state + ".full"
    with case.on(state):
        index = 0x1800000
        # The last one takes the room that a TPM keeps for counters.
        for attributes, size in (("ownerread|ownerwrite", "2000"), ("ownerread|ownerwrite", "1"), (RIGHT, "8")):
            while case.define(attributes, hex(index), size)[0] == 0 and index < 0x1800200:
                index += 1
        said = case.ask("define", FIRST, AUTH)
        check(said == "NO_ROOM", "no room in the TPM: said", said)


def check_other(case, check):
    """Another TPM with a counter of that index."""
    with case.on(case.state + ".other"):
        case.ask("define", FIRST, OTHER)
        said = case.ask("read", FIRST, AUTH)
        check(said == "REFUSED", "another TPM with such a counter: refused", said)


CHECKS = ((check_define, 6), (check_count, 8), (check_authorization, 5), (check_bus, 8), (check_busy, 3), (check_anew, 4),
          (check_foreign, 9), (check_owner, 3), (check_room, 1), (check_other, 1))


def main():
    tap = Tap(sum(count for _, count in CHECKS))
    with tempfile.TemporaryDirectory(prefix="counter-") as folder:
        case = Case(folder)
        for run, _ in CHECKS:
            run(case, tap.check)
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
