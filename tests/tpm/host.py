#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""The loader's sealed root key against a real TPM (swtpm): host.py PROGRAM. Speaks TAP."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../emu")]

from swtpm import Swtpm  # noqa: E402
from tap import Tap  # noqa: E402

PROGRAM = os.path.abspath(sys.argv[1])
KEY = "".join(f"{7 * i % 256:02x}" for i in range(32))
OTHER = "".join(f"{11 * i % 256:02x}" for i in range(32))
MADE, FILE = "1", "2"
FIRMWARE, DRIVERS, PROGRAMS, SECURE_BOOT = 0, 2, 4, 7
PRIMARY = ("tpm2_createprimary", "-Q", "-C", "o", "-g", "sha256", "-G", "ecc", "-c", "primary", "-a",
           "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt")
# Every byte in make soak.
STEP = 1 if os.environ.get("SOAK") else 4
LAYOUT = 8 + 4 * 32  # magic and PCR values, then the parts


class Case:
    """A TPM's folder and a file; each method is one process against one power cycle."""

    def __init__(self, folder):
        self.folder = folder
        self.state = os.path.join(folder, "state")
        self.blob = os.path.join(folder, "root.tpm")
        self.tpm = None

    def ask(self, *args):
        done = subprocess.run([PROGRAM, self.tpm.socket, *args], stdout=subprocess.PIPE, check=False)
        if done.returncode not in (0, 1):
            return f"status {done.returncode}"
        return done.stdout.decode().strip()

    def power_on(self, measured=((PROGRAMS, "redoubt"), (SECURE_BOOT, "on")), **options):
        """What firmware measures, then whatever the caller does in the with block."""
        case = self

        class On(Swtpm):
            def __enter__(self):
                case.tpm = super().__enter__()
                for pcr, text in measured:
                    if case.ask("extend", str(pcr), text) != "extended":
                        raise RuntimeError("PCR not extended")
                return case.tpm
        return On(options.get("state", self.state))

    def tool(self, *command):
        """A program of tpm2-tools against this TPM."""
        env = {**os.environ, "TPM2TOOLS_TCTI": f"cmd:{PROGRAM} {self.tpm.socket} relay"}
        return subprocess.run(command, cwd=self.folder, env=env, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)

    def parts(self):
        """The private and public part for tpm2_load."""
        with open(self.blob, "rb") as file:
            data = file.read()
        at = LAYOUT
        for name in ("private", "public"):
            size = 2 + int.from_bytes(data[at:at + 2], "big")
            with open(os.path.join(self.folder, name), "wb") as out:
                out.write(data[at:at + size])
            at += size

    def tools_unseal(self):
        """What tpm2_unseal says, with the policy that the object wants."""
        self.parts()
        steps = [PRIMARY,
                 ("tpm2_flushcontext", "-t"),
                 ("tpm2_load", "-Q", "-C", "primary", "-u", "public", "-r", "private", "-c", "object"),
                 ("tpm2_flushcontext", "-t"),
                 ("tpm2_startauthsession", "--policy-session", "-S", "session"),
                 ("tpm2_policypcr", "-Q", "-S", "session", "-l", "sha256:0,2,4,7")]
        for step in steps:
            done = self.tool(*step)
            if done.returncode:
                return f"{step[0]}: {done.stdout.decode()}"
        done = self.tool("tpm2_unseal", "-c", "object", "-p", "session:session")
        self.tool("tpm2_flushcontext", "session")
        self.tool("tpm2_flushcontext", "-t")
        return done.stdout.hex() if done.returncode == 0 else f"tpm2_unseal: {done.stdout.decode()}"


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def opened(key, origin=MADE):
    return f"ok {origin} {key} washed 1"


def check_round_trip(case, check):
    with case.power_on():
        said = case.ask("seal", case.blob, KEY, MADE)
        check(said.startswith("ok ") and said.endswith("washed 1"), "a key is sealed", said)
        said = case.ask("unseal", case.blob)
        check(said == opened(KEY), "and opened in the same start", said)
    for i in range(2):
        with case.power_on():
            said = case.ask("unseal", case.blob)
            check(said == opened(KEY), f"and after restart {i + 1}", said)
    with case.power_on():
        for _ in range(8):
            said = case.ask("unseal", case.blob)
        check(said == opened(KEY), "often: nothing stays in the TPM's memory", said)


def check_origin(case, check):
    other = case.blob + ".file"
    with case.power_on():
        case.ask("seal", other, OTHER, FILE)
        said = case.ask("unseal", other)
        check(said == opened(OTHER, FILE), "the key's origin is sealed with it", said)
        case.ask("seal", other, OTHER, "3")
        said = case.ask("unseal", other)
        check(said == "forged", "an origin that means nothing is refused", said)


def check_changes(case, check):
    """Bits of the answer are places in the list of PCRs."""
    was = read(case.blob)
    for pcr, bit in ((FIRMWARE, 1), (DRIVERS, 2), (PROGRAMS, 4), (SECURE_BOOT, 8)):
        with case.power_on():
            case.ask("extend", str(pcr), "something else")
            said = case.ask("unseal", case.blob)
            check(said == f"changed {bit}", f"PCR {pcr} extended: refused, and named", said)
    with case.power_on(((PROGRAMS, "another"), (SECURE_BOOT, "off"))):
        said = case.ask("unseal", case.blob)
        check(said == "changed 12", "another program, Secure Boot off: refused, both named", said)
    for pcr in (1, 3, 5, 6, 8, 23):
        with case.power_on():
            case.ask("extend", str(pcr), "a setting")
            said = case.ask("unseal", case.blob)
            check(said == opened(KEY), f"PCR {pcr} extended: opened", said)
    check(read(case.blob) == was, "the file is as it was")


def check_hints(case, check):
    """The values in the file are for people: that they lie changes nothing."""
    data = bytearray(read(case.blob))
    mutated = case.blob + ".hint"
    data[8:8 + 128] = bytes(128)
    write(mutated, with_digest(data))
    with case.power_on():
        said = case.ask("unseal", mutated)
        check(said == opened(KEY), "other values in the file: opened all the same", said)
        case.ask("extend", str(PROGRAMS), "cap")
        said = case.ask("unseal", mutated)
        check(said.startswith("changed"), "and refused all the same", said)


def with_digest(data):
    return bytes(data[:-32]) + hashlib.sha256(data[:-32]).digest()


def check_mutations(case, check):
    data = read(case.blob)
    mutated = case.blob + ".mutated"
    with case.power_on():
        wrong = []
        for size in list(range(0, len(data), 37)) + [len(data) - 1]:
            write(mutated, data[:size])
            wrong += [size] * (case.ask("unseal", mutated) != "damaged")
        write(mutated, data + b"\0")
        wrong += ["longer"] * (case.ask("unseal", mutated) != "damaged")
        write(mutated, data + bytes(1500))
        wrong += ["much longer"] * (case.ask("unseal", mutated) != "damaged")
        check(not wrong, "cut or lengthened: damaged", f"{wrong}")
        wrong = []
        for at in range(0, len(data), 2 * STEP):
            write(mutated, data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1:])
            wrong += [at] * (case.ask("unseal", mutated) != "damaged")
        check(not wrong, "a bit flipped: damaged", f"{wrong}")
        said = {}
        for at in range(LAYOUT, len(data) - 32, STEP):
            changed = bytearray(data)
            changed[at] ^= 0x10
            write(mutated, with_digest(changed))
            answer = case.ask("unseal", mutated)
            said.setdefault(answer.split(" 0x")[0], []).append(at)
        bad = {k: v for k, v in said.items()
               if k not in ("damaged", "foreign", "forged", "changed 0") and not k.startswith("failed TPM2_")}
        check(not bad and "foreign" in said and "forged" in said,
              f"a byte changed, the digest made anew: refused ({', '.join(sorted(said))})", f"{bad}")
        said = case.ask("unseal", case.blob)
        check(said == opened(KEY), "the file itself still opens", said)


def check_forged(case, check):
    """What an operating system can do: seal a key of its own to the policy of the loader's PCRs."""
    forged = case.blob + ".forged"
    with case.power_on():
        case.ask("extend", str(PROGRAMS), "cap")
        case.ask("seal", forged, OTHER, MADE)  # creation data of now; policy of now
    with case.power_on():
        said = case.ask("unseal", forged)
        check(said.startswith("changed"), "sealed after the cap: refused", said)
    ours = read(case.blob)
    private, public, *its_own = policy_forgery(case)
    for name, (creation, ticket) in (("its own", its_own), ("ours", split(ours)[2:])):
        mixed = bytes(ours[:LAYOUT]) + private + public + creation + ticket + bytes(32)
        write(forged, with_digest(mixed))
        with case.power_on():
            said = case.ask("unseal", forged)
            check(said == "forged",
                  f"the right policy, creation data {name}: refused", said)


def policy_forgery(case):
    """A data object of an attacker's with the loader's policy, made while the PCRs are others."""
    policy = split(read(case.blob))[1]
    at = 2 + 2 + 2 + 4
    size = int.from_bytes(policy[at:at + 2], "big")
    write(os.path.join(case.folder, "policy"), bytes(policy[at + 2:at + 2 + size]))
    write(os.path.join(case.folder, "secret"), bytes.fromhex(OTHER) + b"\1")
    with case.power_on():
        case.ask("extend", str(PROGRAMS), "cap")
        for step in (PRIMARY,
                     ("tpm2_flushcontext", "-t"),
                     ("tpm2_create", "-Q", "-C", "primary", "-L", "policy", "-i", "secret", "-a",
                      "fixedtpm|fixedparent|adminwithpolicy|noda", "-u", "public", "-r", "private",
                      "-l", "sha256:0,2,4,7", "--creation-data", "creation", "-t", "ticket")):
            done = case.tool(*step)
            if done.returncode:
                raise RuntimeError(f"{step}: {done.stdout.decode()}")
    return [read(os.path.join(case.folder, name)) for name in ("private", "public", "creation", "ticket")]


def split(blob):
    """Private part, public part, creation data, ticket."""
    at, found = LAYOUT, []
    for head in (0, 0, 0, 6):
        size = head + 2 + int.from_bytes(blob[at + head:at + head + 2], "big")
        found.append(bytes(blob[at:at + size]))
        at += size
    return found


def check_tools(case, check):
    """The same by tpm2-tools: who meets the policy gets the key, and after the cap nobody does."""
    with case.power_on():
        said = case.tools_unseal()
        check(said == KEY + "01", "tpm2_unseal opens it while the PCRs are right", said)
        case.ask("extend", str(PROGRAMS), "cap")
        said = case.tools_unseal()
        check("tpm2_unseal: " in said and "policy check failed" in said,
              "capped: tpm2_unseal is refused", said)
    for text, wanted in ((None, "ok"), ("cap", "failed TPM2_Unseal 0x99d")):
        with case.power_on():
            if text:
                case.ask("extend", str(PROGRAMS), text)
            said = case.ask("force", case.blob)
            check(said == wanted, f"asked without the loader's checks, {text}: the TPM says {wanted}", said)
    with case.power_on():
        said = case.tool("tpm2_getcap", "handles-transient").stdout + case.tool(
            "tpm2_getcap", "handles-persistent").stdout
        case.ask("unseal", case.blob)
        after = case.tool("tpm2_getcap", "handles-transient").stdout + case.tool(
            "tpm2_getcap", "handles-persistent").stdout
        check(said == after == b"", "nothing stays in the TPM", f"{said} {after}")


def check_other_tpm(case, check):
    with case.power_on(state=case.state + ".other"):
        said = case.ask("unseal", case.blob)
        check(said == "foreign", "another TPM: refused", said)
    shutil.copytree(case.state, case.state + ".cleared")
    with case.power_on(state=case.state + ".cleared"):
        case.tool("tpm2_clear", "-Q")
        said = case.ask("unseal", case.blob)
        check(said == "foreign", "the TPM cleared: refused", said)
        case.tool("tpm2_changeauth", "-Q", "-c", "owner", "a password")
        said = case.ask("unseal", case.blob)
        check(said.startswith("failed TPM2_CreatePrimary 0x9a2"),
              "a password of the owner hierarchy: that command is named", said)
        said = case.ask("seal", case.blob + ".x", KEY, MADE)
        check(said.startswith("failed TPM2_CreatePrimary"), "nor is anything sealed then", said)


def check_lockout(case, check):
    """Wrong passwords of others, until the TPM refuses whatever is protected against guessing."""
    with case.power_on():
        case.tool("tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc", "-p", "right", "-c", "guarded")
        case.tool("tpm2_flushcontext", "-t")
        for _ in range(80):
            said = case.tool("tpm2_create", "-Q", "-C", "guarded", "-P", "wrong", "-u", "p", "-r", "q").stdout.decode()
            case.tool("tpm2_flushcontext", "-t")
            if "0x921" in said:
                break
        check("0x921" in said, "the TPM is in lockout", said)
        said = case.ask("unseal", case.blob)
        check(said == opened(KEY), "it opens the key all the same", said)


def check_cut(case, check):
    """Firmware fails at each command; the first that is not reached ends the list."""
    for what, args in (("seal", ("seal", case.blob + ".cut", KEY, MADE)), ("unseal", ("unseal", case.blob))):
        said = []
        with case.power_on():
            while len(said) < 20:
                said.append(case.ask(*args, f"cut={len(said)}"))
                if not said[-1].endswith("0x10000"):
                    break
        check(len(said) > 5 and said[-1].startswith("ok") and all(s.startswith("failed TPM2_") for s in said[:-4]),
              f"no answer at each command of {what}: said, and the next time is well", f"{said}")


def check_bank(case, check):
    """A TPM whose SHA-256 bank is off."""
    state = case.state + ".sha1"
    with case.power_on(state=state):
        case.tool("tpm2_pcrallocate", "-Q", "sha1:all+sha256:none")
    with Swtpm(state) as case.tpm:
        said = case.ask("seal", case.blob + ".x", KEY, MADE)
        check(said == "failed TPM2_PCR_Read 0x10001", "no SHA-256 bank: said", said)


CHECKS = ((check_round_trip, 5), (check_origin, 2), (check_changes, 12), (check_hints, 2), (check_mutations, 4),
          (check_forged, 3), (check_tools, 5), (check_lockout, 2), (check_other_tpm, 4), (check_cut, 2), (check_bank, 1))


def main():
    tap = Tap(sum(count for _, count in CHECKS))
    with tempfile.TemporaryDirectory(prefix="root-") as folder:
        case = Case(folder)
        for run, _ in CHECKS:
            run(case, tap.check)
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
