#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""The anchor in a real TPM (swtpm) by vtpm/ptpm/anchor.c: anchor.py PROGRAM. Speaks TAP."""

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../emu")]

from swtpm import Swtpm  # noqa: E402
from tap import Tap  # noqa: E402

PROGRAM = os.path.abspath(sys.argv[1])
INDEX, SECOND = "0x1805244", "0x1805245"
AUTH = "".join(f"{(7 * i + 3) % 256:02x}" for i in range(32))
OTHER = "".join(f"{(11 * i + 5) % 256:02x}" for i in range(32))
# Ends in zeros, which a TPM takes off: the key of an HMAC is the same.
ZEROS = OTHER[:48] + 16 * "0"
ONE, TWO = ("".join(f"{(k * i + k) % 256:02x}" for i in range(32)) for k in (13, 17))
RIGHT = "authread|authwrite|ownerread|no_da"
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

    def ask(self, *args, auth=AUTH):
        done = subprocess.run([PROGRAM, self.tpm.socket, auth, *args], stdout=subprocess.PIPE, check=False)
        if done.returncode not in (0, 1):
            return f"status {done.returncode}"
        return done.stdout.decode().strip()

    def ask_all(self, auth=AUTH):
        """What each of the three says."""
        return [self.ask(*verb, auth=auth) for verb in (("read",), ("write", ONE), ("define",))]

    def tool(self, *command):
        env = {**os.environ, "TPM2TOOLS_TCTI": f"cmd:{PROGRAM} {self.tpm.socket} relay"}
        done = subprocess.run(command, cwd=self.folder, env=env, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout

    def define(self, attributes, index=INDEX, size="32", auth=AUTH):
        return self.tool("tpm2_nvdefine", "-C", "o", "-s", size, "-a", attributes, "-p", f"hex:{auth}", index)

    def write(self, who, index=INDEX, value=TWO):
        """With tpm2_nvwrite."""
        path = os.path.join(self.folder, "value")
        with open(path, "wb") as file:
            file.write(bytes.fromhex(value))
        return self.tool("tpm2_nvwrite", *who, "-i", path, index)

    def delete(self, index=INDEX, *more):
        return self.tool("tpm2_nvundefine", "-C", "o", *more, index)


def check_define(case, check):
    with case.on():
        said = [case.ask("read"), case.ask("write", ONE)]
        check(said == ["ABSENT", "ABSENT"], "before it is defined it is not there", said)
        said = [case.ask("cut", "0", "define"), case.ask("read")]
        check(said == ["NO_ANSWER", "ABSENT"], "no answer when it is defined: said", said)
        said = case.ask("define")
        check(said == "OK", "it is defined", said)
        said = case.tool("tpm2_nvreadpublic", INDEX)[1].decode()
        check("friendly: authwrite|ownerread|authread|no_da\n" in said and "friendly: sha256" in said and
              "size: 32\n" in said and "policy" not in said, "tpm2_nvreadpublic: its attributes, and no others", said)
        said = case.ask("define")
        check(said == "PRESENT", "again: it is there", said)
        said = case.ask("define", auth=OTHER)
        check(said == "PRESENT", "and so with another authorization", said)
    with case.on():
        said = [case.ask("read"), case.ask("write", ONE, auth=OTHER), case.ask("read")]
        check(said == ["UNWRITTEN", "REFUSED", "UNWRITTEN"], "defined and never written: said, after a power cut", said)
        said = [case.ask("read", auth=OTHER), case.ask("undefine"), case.ask("read", auth=OTHER), case.ask("undefine"),
                case.ask("define", auth=OTHER), case.ask("read")]
        check(said == ["STALE", "OK", "ABSENT", "ABSENT", "OK", "STALE"], "with another authorization: said, and made anew", said)
        said = [case.ask("undefine"), case.ask("define"), case.tool("tpm2_getcap", "handles-loaded-session")[1]]
        check(said == ["OK", "OK", b""], "made anew again, and no session is left", said)


def check_value(case, check):
    with case.on():
        said = [case.ask("write", ONE), case.ask("read")]
        check(said == ["OK", f"OK {ONE}"], "it is written for the first time, and reads so", said)
        said = case.ask("define")
        check(said == "PRESENT", "and is there", said)
    with case.on():
        said = case.ask("read")
        check(said == f"OK {ONE}", "after a power cut: the same", said)
        said = case.ask("write", TWO)
    with case.on():
        said = [said, case.ask("read")]
        check(said == ["OK", f"OK {TWO}"], "written again, and a power cut: the new one", said)
        said = [case.ask("write", 64 * "0"), case.ask("read"), case.ask("write", TWO)]
        check(said == ["OK", f"OK {64 * '0'}", "OK"], "zeros are a value", said)
        status, said = case.tool("tpm2_nvread", "-C", "o", INDEX)
        check(status == 0 and said[-32:].hex() == TWO, "tpm2_nvread as owner: the same", said)
        status, said = case.write(("-C", "o"), value=ONE)
        check(status != 0 and case.ask("read") == f"OK {TWO}", "the owner cannot write it", said)
        said = case.ask("writes", str(TIMES))
        check(said.startswith("OK ") and said == case.ask("read"), f"{TIMES} values, one after the other", said)


def check_authorization(case, check):
    bad = AUTH[:-1] + f"{int(AUTH[-1], 16) ^ 1:x}"
    with case.on():
        case.ask("write", ONE)
        wrong = {case.ask(*verb, auth=OTHER) for verb in (("read",), ("write", TWO)) for _ in range(40)}
        check(wrong == {"REFUSED"}, "another authorization, 80 times: refused", wrong)
        said = [case.ask("read", auth=bad), case.ask("write", TWO, auth=bad)]
        check(said == ["REFUSED", "REFUSED"], "one bit of it: refused", said)
        said = case.ask("read")
        check(said == f"OK {ONE}", "nothing is changed, nothing is locked out", said)
    with case.on(case.state + ".zeros"):
        said = [*case.ask_all(ZEROS)[::-1], *case.ask_all(ZEROS)]
        check(said == ["OK", "ABSENT", "ABSENT", "UNWRITTEN", "OK", "PRESENT"], "one that ends in zeros: defines", said)
        said = [case.ask("read", auth=ZEROS), case.ask("read", auth=OTHER)]
        check(said == [f"OK {ONE}", "REFUSED"], "and reads, and is another one than without", said)


def check_redirect(case, check):
    """To another index."""
    with case.on():
        case.ask("write", ONE)
        for auth, what in ((OTHER, "another authorization"), (AUTH, "the same: its name differs")):
            case.define(RIGHT, SECOND, auth=auth)
            done = case.write(("-C", SECOND, "-P", f"hex:{auth}"), SECOND)
            said = [case.ask("redirect", SECOND, "read"), case.ask("redirect", SECOND, "write", ONE)]
            kept = case.tool("tpm2_nvread", "-C", "o", SECOND)[1][-32:].hex()
            check(done[0] == 0 and said == ["REFUSED", "REFUSED"] and kept == TWO,
                  f"commands sent on to another index, {what}: refused", f"{done} {said} {kept}")
            case.delete(SECOND)
        check(case.ask("read") == f"OK {ONE}", "nothing is changed", case.ask("read"))


def check_flips(case, check):
    with case.on():
        for verb, bits in (("read", 8 * 117), ("write", 8 * 83)):
            said = case.ask("flips", verb)
            parts = [part.split(":") for part in said.split() if ":" in part]
            results = {part for part in said.split() if ":" not in part}
            right = len(parts) == 3
            # Of the first answer the name with its size is not used, and may be another.
            check(right and parts[0] == ["496", str(8 * 36)], f"flips in {verb}'s TPM2_NV_ReadPublic: nothing else", said)
            check(right and parts[1] == ["384", "0"], "in TPM2_StartAuthSession: refused", said)
            check(right and parts[2] == [str(bits), "0"], f"in TPM2_NV_{verb.capitalize()}: refused", said)
            wanted = {"OK", "FOREIGN", "REFUSED", "ERROR", "FORGED", "MALFORMED"} | ({"STALE"} if verb == "read" else set())
            check(results == wanted, "in each way", said)


def check_bus(case, check):
    with case.on():
        said = {f"{verb} {what}": case.ask("replay", verb, what) for verb in ("read", "write") for what in ("last", "all")}
        check(set(said.values()) == {"FORGED"}, "old answers, without the TPM: refused", said)
        case.ask("write", ONE)
        verbs = (("read",), ("write", TWO))
        said = [case.ask("cut", str(i), *verb) for verb in verbs for i in range(3)] + [case.ask("read")]
        check(said == [*6 * ["NO_ANSWER"], f"OK {ONE}"], "each command lost: no answer, nothing is changed", said)
        said = case.tool("tpm2_getcap", "handles-loaded-session")[1]
        check(said == b"", "no session is left in the TPM", said)
        said = [case.ask("lost", str(i), *verb) for verb in verbs for i in range(3)] + [case.ask("read")]
        check(said == [*6 * ["NO_ANSWER"], f"OK {TWO}"], "each answer lost: no answer, the last one was written", said)
        said = [*(case.ask("lost", "1", "read") for _ in range(8)), case.ask("read")]
        check(said == [*8 * ["NO_ANSWER"], f"OK {TWO}"], "eight sessions of which nobody knows: they are ended", said)
    with case.on():
        said = [case.ask("held", ONE, TWO), case.ask("read")]
        check(said == [f"NO_ANSWER OK OK {ONE}", f"OK {ONE}"], "a write kept, and brought after a later one: carried out, "
              "which is a limit", said)


def check_busy(case, check):
    with case.on():
        case.ask("write", ONE)
        for times, right in (("99", {f"OK {ONE}", "OK"}), ("100", {"BUSY"})):
            said = {f"{code} {verb[0]}": case.ask("busy", code, times, *verb)
                    for code in WARNINGS for verb in (("read",), ("write", ONE))}
            check(set(said.values()) == right, f"patience, {times} times at each command", said)
        said = [case.ask("busy", code, "1", "read") for code in ("0x921", "0x923", "0x101", "0x14b", "0x500")]
        check(said == ["LOCKED", "ERROR 0x923", "ERROR 0x101", "NO_ROOM", "ERROR 0x500"], "other codes: at once", said)


def check_anew(case, check):
    """The owner deletes it and defines one of that index."""
    with case.on():
        case.delete()
        said = [case.ask("read"), case.ask("write", ONE)]
        check(said == ["ABSENT", "ABSENT"], "deleted by the owner: not there", said)
        said = [case.ask("define", auth=OTHER), case.ask("write", TWO, auth=OTHER)]
        check(said == ["OK", "OK"], "defined anew with another authorization", said)
        said = [case.ask("read"), case.ask("write", ONE)]
        check(said == ["REFUSED", "REFUSED"], "with the old one it is refused", said)
        said = [case.ask("look"), case.ask("cut", "0", "look"), case.ask("lost", "0", "look")]
        check(said == [f"OK {TWO}", "NO_ANSWER", "NO_ANSWER"], "and looked at by the owner", said)
        case.delete()
        said = [case.define(RIGHT)[0], *case.ask_all(), case.ask("read")]
        check(said == [0, "UNWRITTEN", "OK", "PRESENT", f"OK {ONE}"], "by tpm2_nvdefine with the right one: as ours", said)


def check_undefine(case, check):
    """Deleted by the partition: whoever defined it, unless the owner has a password."""
    with case.on(case.state + ".undefine"):
        said = [case.ask("undefine"), case.ask("define", auth=OTHER), case.ask("write", TWO, auth=OTHER), case.ask("cut", "0", "undefine"), case.ask("read")]
        check(said == ["ABSENT", "OK", "OK", "NO_ANSWER", "REFUSED"], "another one's, that is there", said)
        said = [case.ask("undefine"), case.ask("read"), case.ask("undefine"), case.ask("define"), case.ask("read")]
        check(said == ["OK", "ABSENT", "ABSENT", "OK", "UNWRITTEN"], "it is deleted, and can be defined anew", said)
        said = [case.ask("look"), case.ask("undefine"), case.ask("look"), case.ask("define")]
        check(said == ["UNWRITTEN", "OK", "ABSENT", "OK"], "before it is written, and without it, there is nothing to look at", said)
        case.tool("tpm2_changeauth", "-c", "owner", "a password")
        said = [case.ask("undefine"), case.ask("look"), case.ask("read")]
        check(said == ["OWNED", "OWNED", "UNWRITTEN"], "the owner has a password: it is not deleted, nor looked at", said)


def check_foreign(case, check):
    kinds = [(RIGHT + more, "32") for more in ("|ownerwrite", "|policyread", "|policywrite", "|orderly", "|writeall", "|writedefine")]
    kinds += [(RIGHT.replace("|no_da", ""), "32"), (RIGHT.replace("|ownerread", ""), "32"), (RIGHT, "31"), (RIGHT, "33"),
              (RIGHT + "|nt=counter", "8"), (RIGHT + "|nt=bits", "8"), (RIGHT + "|nt=extend", "32")]
    with case.on():
        for attributes, size in kinds:
            case.delete()
            status, why = case.define(attributes, size=size)
            said = case.ask_all()
            check(status == 0 and said == ["FOREIGN", "FOREIGN", "PRESENT"], f"{attributes}, {size} bytes: another thing",
                  f"{said} {why}")
        case.delete()
        case.ask("define")
        case.ask("write", ONE)


def check_owner(case, check):
    with case.on():
        case.tool("tpm2_changeauth", "-c", "owner", "a password")
        said = [case.ask("read"), case.ask("write", TWO), case.ask("read")]
        check(said == [f"OK {ONE}", "OK", f"OK {TWO}"], "the owner has a password: it is used all the same", said)
        case.delete(INDEX, "-P", "a password")
        said = case.ask("define")
        check(said == "OWNED", "but not defined", said)
        said = case.ask("read")
        check(said == "ABSENT", "and is not there", said)


def check_room(case, check):
    with case.on(case.state + ".full"):
        index = 0x1800000
        for size in ("2000", "1"):
            while case.define("ownerread|ownerwrite", hex(index), size)[0] == 0 and index < 0x1800200:
                index += 1
        said = [case.ask("define"), case.ask("read")]
        check(said == ["NO_ROOM", "ABSENT"], "no room in the TPM: said", said)


def check_other(case, check):
    """Another TPM with such an index."""
    with case.on(case.state + ".other"):
        case.ask("define", auth=OTHER)
        case.ask("write", ONE, auth=OTHER)
        said = [case.ask("read"), case.ask("write", ONE)]
        check(said == ["REFUSED", "REFUSED"], "another TPM with such an index: refused", said)


CHECKS = ((check_define, 9), (check_value, 8), (check_authorization, 5), (check_redirect, 3), (check_flips, 8), (check_bus, 6),
          (check_busy, 3), (check_anew, 5), (check_undefine, 4), (check_foreign, 13), (check_owner, 3), (check_room, 1), (check_other, 1))


def main():
    tap = Tap(sum(count for _, count in CHECKS))
    with tempfile.TemporaryDirectory(prefix="anchor-") as folder:
        case = Case(folder)
        for run, _ in CHECKS:
            run(case, tap.check)
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
