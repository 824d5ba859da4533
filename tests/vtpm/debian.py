#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Debian's kernel and tpm2-tools with the vTPM as the machine's TPM.

usage: debian.py --name NAME [--vendor V] [--engine E] [--cpus N] [--time S] [--tpm DEVICE]

The unmodified kernel binds tpm_crb to it, and the tools use it by /dev/tpmrm0. Signatures and quotes are judged by
OpenSSL and tpm2_checkquote, not by the TPM. Two boots: what the first has made persistent the second finds, and
there the agent is killed and its disk goes away. With --tpm the machine has a TPM of its own beside it, swtpm behind
QEMU's tpm-crb or tpm-tis, to which the states are bound, and from whose registers those of the vTPM go on: what
these are is what swtpm says that it has answered. Speaks TAP.
"""

import argparse
import base64
import contextlib
import dataclasses
import hashlib
import json
import os
import re
import shutil
import sys

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [TESTS, os.path.join(TESTS, "emu"), os.path.join(TESTS, "tpm")]

import choose  # noqa: E402
import eventlog  # noqa: E402
import linux  # noqa: E402
from machine import Failure, Machine, Spec, load_engine  # noqa: E402
from spec import BUILD  # noqa: E402
from swtpm import Swtpm  # noqa: E402
from tap import Tap  # noqa: E402

PROMPT = re.escape(linux.PROMPT)
LOADER = os.path.join(BUILD, "boot", "redoubt-vtpm.efi")
INITRAMFS = os.path.join(BUILD, "tests", "vtpm", "initramfs.cpio")
COMPLAINT = r"BUG:|Oops|WARNING: CPU|Call Trace|soft lockup|tpm.*(?:[Tt]imeout|failed|bad)"

COMMANDS = "commands"  # swtpm's log
READ_8 = bytes.fromhex("0000017e00000001000b03ff0000")  # TPM2_PCR_Read of the bank of SHA-256, from the code on

SHUTDOWN = bytes.fromhex("000001450000")  # and its code of TPM2_Shutdown(CLEAR)

GUESSED = r"LOCKOUT_COUNTER: 0x1\s[\s\S]*MAX_AUTH_FAIL: 0x3\s[\s\S]*LOCKOUT_INTERVAL: 0x186A0\s"


def certificate(index, kind):
    """The steps that show that a certificate is of the key which tpm2_createek makes."""
    return (f"nvread -Q {index} -C o -o {kind}.crt", f"=openssl x509 -inform DER -in {kind}.crt -out {kind}.cert.pem",
            f"=openssl x509 -in {kind}.cert.pem -noout -pubkey > {kind}.cert.key",
            f"createek -Q -c {kind}.ek -G {kind} -f pem -u {kind}.ek.key",
            "flushcontext -t", f"cmp {kind}.cert.key {kind}.ek.key")


# (what it shows, commands, what the last one prints). Each must succeed but those with `!`.
STEPS = (
    ("all of it tested, by its own account", ("selftest --fulltest", "gettestresult"), r"status:\s+success"),
    ("random numbers, two differ", ("getrandom --hex 32 > a", "getrandom --hex 32 > b", "!cmp -s a b"), None),
    ("the bank of SHA-256 has 24 registers, and there is no other", ("getcap pcrs",),
     r"sha1: \[ \]\s+- sha256: \[ 0, 1, .* 23 \]\s+- sha384: \[ \]\s+- sha512: \[ \]"),
    ("a primary key of ECC, and one of RSA",
     ("createprimary -Q -C o -G ecc -c ecc", "createprimary -Q -C e -G rsa2048 -c rsa", "flushcontext -t"), None),
    # At a time of our own: a machine's clock may be before that of certificates (2026), Bochs's is.
    ("the endorsement keys have certificates by a CA of the machine's, says OpenSSL: of RSA",
     (*certificate("0x1c00002", "rsa"), "nvread -Q 0x1c00100 -C o -o ca.crt", "=openssl x509 -inform DER -in ca.crt -out ca.pem",
      "=openssl verify -attime 1800000000 -x509_strict -CAfile ca.pem rsa.cert.pem"), "rsa.cert.pem: OK"),
    ("and of ECC", (*certificate("0x1c0000a", "ecc"), "=openssl verify -attime 1800000000 -x509_strict -CAfile ca.pem ecc.cert.pem"), "ecc.cert.pem: OK"),
    ("a key is made, loaded and signs; OpenSSL finds the signature right",
     ("create -Q -C ecc -G ecc256:ecdsa-sha256 -u k.pub -r k.priv -a sign|fixedtpm|fixedparent|sensitivedataorigin|userwithauth",
      "load -Q -C ecc -u k.pub -r k.priv -c k", "sign -Q -c k -g sha256 -f plain -o k.sig /init",
      "readpublic -Q -c k -f pem -o k.pem", "=openssl dgst -sha256 -verify k.pem -signature k.sig /init"), "Verified OK"),
    ("what OpenSSL encrypts to it the TPM decrypts",
     ("create -Q -C rsa -G rsa2048 -u d.pub -r d.priv -a decrypt|fixedtpm|fixedparent|sensitivedataorigin|userwithauth",
      "load -Q -C rsa -u d.pub -r d.priv -c d", "readpublic -Q -c d -f pem -o d.pem", "=echo secret4711 > plain",
      "=openssl pkeyutl -encrypt -pubin -inkey d.pem -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -in plain -out cipher",
      "flushcontext -t", "rsadecrypt -c d -s oaep cipher"), "secret4711"),
    ("a quote; tpm2_checkquote finds it right, and another nonce wrong",
     ("createek -Q -c ek -G ecc -u ek.pub", "createak -Q -C ek -c ak -G ecc -g sha256 -s ecdsa -u ak.pub -f pem",
      "flushcontext -t", "quote -Q -c ak -l sha256:0,1,10 -q 00112233 -m q.msg -s q.sig -o q.pcrs -g sha256",
      "!checkquote -Q -u ak.pub -m q.msg -s q.sig -f q.pcrs -g sha256 -q 00112234",
      "checkquote -u ak.pub -m q.msg -s q.sig -f q.pcrs -g sha256 -q 00112233"), r"sig: [0-9a-f]+"),
    ("a secret sealed to a register comes back, and does not once that has changed",
     ("flushcontext -t", "flushcontext -l", "createpolicy -Q --policy-pcr -l sha256:16 -L pcr.policy",
      "=echo sealed0815 > s", "create -Q -C ecc -i s -u s.pub -r s.priv -L pcr.policy",
      "load -Q -C ecc -u s.pub -r s.priv -c s.ctx", "unseal -c s.ctx -p pcr:sha256:16 > s.out", "=cmp s s.out",
      "pcrextend 16:sha256=0000000000000000000000000000000000000000000000000000000000000001",
      "!unseal -Q -c s.ctx -p pcr:sha256:16", "pcrreset 16", "unseal -c s.ctx -p pcr:sha256:16"), "sealed0815"),
    ("an index of NV memory with a password: written, read, refused without",
     ("nvdefine -Q 0x1500001 -C o -s 32 -a ownerwrite|authread|policywrite -p nvpass", "=printf 0123456789abcdef > n",
      "nvwrite -Q 0x1500001 -C o -i n", "!nvread -Q 0x1500001 -C 0x1500001 -P wrong -s 16",
      "nvread 0x1500001 -C 0x1500001 -P nvpass -s 16"), "0123456789abcdef"),
    ("a session that encrypts parameters",
     ("flushcontext -t", "startauthsession -Q -S session --hmac-session -c ecc", "sessionconfig -Q session --enable-encrypt --enable-decrypt",
      "create -Q -C ecc -P session:session -i s -u e.pub -r e.priv", "flushcontext session", "load -Q -C ecc -u e.pub -r e.priv -c e",
      "unseal -c e"), "sealed0815"),
    ("wrong guesses lock the TPM, and time unlocks it",
     # A file named `l` would be taken for the lockout hierarchy by dictionarylockout.
     ("flushcontext -t", "dictionarylockout -Q -s -n 3 -t 100000 -l 30", "create -Q -C ecc -i s -p right -u g.pub -r g.priv",
      "load -Q -C ecc -u g.pub -r g.priv -c guess", "!unseal -Q -c guess -p a", "!unseal -Q -c guess -p b", "!unseal -Q -c guess -p c",
      "!unseal -Q -c guess -p right", "dictionarylockout -Q -s -n 3 -t 5 -l 30",
      "=for i in `seq 100`; do tpm2 unseal -c guess -p right && break; sleep 1; done"), "sealed0815"),
    ("a key is made persistent and is found by its handle",
     ("evictcontrol -Q -C o -c ecc 0x81000001", "flushcontext -t", "getcap handles-persistent"), "0x81000001"),
    ("the owner puts a key of their own where the endorsement key is looked for",
     ("evictcontrol -Q -C o -c ecc 0x81010001", "flushcontext -t", "getcap handles-persistent"), "0x81010001"),
    ("a wrong guess is counted",
     ("dictionarylockout -Q -c", "dictionarylockout -Q -s -n 3 -t 100000 -l 30", "!unseal -Q -c guess -p a",
      "getcap properties-variable"), GUESSED),
    ("the platform's hierarchy is closed", ("!changeauth -c p mine",), r"hierarchy"),
    ("a counter of NV memory counts",
     ("nvdefine -Q 0x1500002 -C o -a nt=counter|ownerwrite|ownerread", "nvincrement -Q -C o 0x1500002", "nvincrement -Q -C o 0x1500002",
      "=cp s.pub s.priv pcr.policy rsa.crt ecc.crt ca.crt k /esp", "=sync", "nvread -C o 0x1500002 > counter", "=od -An -tx1 counter"), r"00 00 00 02"),
)

# Before anybody keeps the state: what has to change it is refused, and nothing else.
NOBODY = (
    ("without a keeper NV memory is said to be unavailable",
     ("!nvdefine 0x1500003 -C o -s 8 -a ownerwrite|ownerread",), r"0x0*923\b"),
    ("and what changes nothing is carried out",
     ("getrandom --hex 8", "pcrextend 23:sha256=" + "22" * 32, "createprimary -Q -C o -G ecc -c ecc", "flushcontext -t"), None),
)

# After the machine was off.
AGAIN = (
    ("the lockout's numbers, and the try that was wrong", ("getcap properties-variable",), GUESSED),
    ("the same key by its handle, and what was sealed below it",
     ("load -Q -C 0x81000001 -u /esp/s.pub -r /esp/s.priv -c s.ctx", "unseal -c s.ctx -p pcr:sha256:16"), "sealed0815"),
    ("the index with its password and what was in it",
     ("flushcontext -t", "!nvread -Q 0x1500001 -C 0x1500001 -P wrong -s 16", "nvread 0x1500001 -C 0x1500001 -P nvpass -s 16"), "0123456789abcdef"),
    ("the counter, which goes on counting",
     ("nvincrement -Q -C o 0x1500002", "nvread -C o 0x1500002 > counter", "=od -An -tx1 counter"), r"00 00 00 03"),
    ("the same certificates of the endorsement keys, and of their CA",
     tuple(step for name, index in (("rsa", "0x1c00002"), ("ecc", "0x1c0000a"), ("ca", "0x1c00100"))
           for step in (f"nvread -Q {index} -C o -o {name}.crt", f"cmp {name}.crt /esp/{name}.crt")), None),
    ("T61 the key in the endorsement key's place is in no certificate, and there are no other certificates",
     ("readpublic -Q -c 0x81010001 -f pem -o own.key",
      *(step for name in ("rsa", "ecc", "ca") for step in (f"=openssl x509 -inform DER -in {name}.crt -noout -pubkey > {name}.key",
                                                          f"!cmp -s own.key {name}.key")),
      "=tpm2 getcap handles-nv-index | grep -ic 0x1c0"), r"^3\s"),
    ("registers begin anew", ("pcrread sha256:16 -o pcr16", "=od -An -tx1 pcr16"), r"^\s*(00 ){15}00\s"),
)



def tpm_folder(args):
    return os.path.join(BUILD, "tests", "vtpm", args.name + ".tpm")


def swtpm_talk(path):
    """Commands and answers, from swtpm's own log."""
    with open(path, encoding="ascii", errors="replace") as file:
        said = re.findall(r"SWTPM_IO_(Read|Write): length \d+\n((?: (?:[0-9A-F]{2} )+\n)+)", file.read())
    return [(what, bytes.fromhex(text)) for what, text in said]


def told_at_last(path):
    """Whether the last command was TPM2_Shutdown(CLEAR), and was answered with success."""
    talk = swtpm_talk(path)[-2:]
    return [what for what, _ in talk] == ["Read", "Write"] and talk[0][1][6:] == SHUTDOWN and talk[1][1][6:10] == bytes(4)


def swtpm_read(path):
    """PCRs 0 to 7 as swtpm has answered who asked for these; the last time."""
    talk = swtpm_talk(path)
    found = []
    for (_, command), (what, answer) in zip(talk, talk[1:]):
        if command[6:] == READ_8 and what == "Write" and answer[6:10] == bytes(4):
            found = [answer[28 + 34 * i + 2:28 + 34 * (i + 1)] for i in range(8)]
    return found


class Debian:
    """One boot; `before` is the boot that went before it."""

    def __init__(self, args, machine, tap, before=None):
        self.args, self.machine, self.tap, self.before = args, machine, tap, before
        self.resets = self.restarts = 0

    def ask(self, line, timeout=None):
        return linux.command(self.machine, line, timeout or self.args.time / 4)

    def bound(self):
        found = self.ask("readlink /sys/class/tpm/tpm0/device/driver; ls /dev/tpmrm0; dmesg | grep -i tpm")
        self.tap.check("/tpm_crb" in found and "/dev/tpmrm0" in found and not re.search("No such file|TPM error", found),
                       "the kernel's own tpm_crb has it, with a resource manager, started up", found)

    def claims(self):
        state = json.loads(self.ask("redoubtctl status --json"))
        told = "the platform's tells" if self.args.tpm else "nothing tells"
        self.tap.check("VTPM" in state["protected"] and ("vtpm=unbound" in state["not_protected"]) == (not self.args.tpm),
                       f"the monitor says that there is a TPM, and that {told} an older state", str(state))

    def measured(self):
        """IMA extends PCR 10 with the digest of PCRs 0 to 9 at its start."""
        values = self.ask("cd /sys/class/tpm/tpm0/pcr-sha256; for i in 0 1 2 3 4 5 6 7 8 9 10; do echo \"pcr $i `cat $i`\"; done; cd /tmp")
        pcr = {int(n): bytes.fromhex(v) for n, v in re.findall(r"pcr (\d+) ([0-9A-Fa-f]{64})", values)}
        aggregate = hashlib.sha256(b"".join(pcr.get(i, b"") for i in range(10))).digest()
        name = b"boot_aggregate\0"
        # ima-sig: digest with its algorithm, name, and no signature, each behind its length.
        fields = (b"sha256:\0" + aggregate, name, b"")
        data = b"".join(len(field).to_bytes(4, "little") + field for field in fields)
        want = hashlib.sha256(bytes(32) + hashlib.sha256(data).digest()).digest()
        self.tap.check(pcr.get(10) == want, "PCR 10 is what IMA measures of PCRs 0 to 9", values)

    def logged(self):
        """The log that the kernel found, replayed by tpm2_eventlog, against the registers; 10 is the kernel's own."""
        said = self.ask("mount -t securityfs none /sys/kernel/security; tpm2 eventlog /sys/kernel/security/tpm0/binary_bios_measurements > log; "
                        "echo status=$?; sed -n '/^pcrs:/,$p' log; echo ---; tpm2 pcrread sha256:0,1,2,3,4,5,6,7,9", 60)
        replayed, _, read = said.partition("---")
        digests = [dict(re.findall(r"^\s+(\d+)\s*: 0x([0-9A-Fa-f]{64})", text, re.M)) for text in (replayed, read)]
        wanted = {str(pcr) for pcr in (0, 1, 2, 3, 4, 5, 6, 7, 9)}
        same = all(digests[0].get(pcr, "").lower() == digests[1].get(pcr, "-").lower() for pcr in wanted)
        self.tap.check("status=0" in said and wanted <= set(digests[1]) and same, "tpm2_eventlog replays the log to what the registers are", said)
        types = self.ask("grep -E 'PCRIndex|EventType' log | sed 's/.*: //' | paste -d ' ' - -", 60)
        kinds = [(0, "EV_S_CRTM_VERSION"), (0, "EV_EFI_PLATFORM_FIRMWARE_BLOB"), (7, "EV_EFI_VARIABLE_DRIVER_CONFIG"),
                 (4, "EV_EFI_BOOT_SERVICES_APPLICATION"), (5, "EV_EVENT_TAG"), (5, "EV_EFI_ACTION"), (9, "EV_EVENT_TAG")]
        kinds += [(1, "EV_EFI_VARIABLE_BOOT"), (4, "EV_EFI_PLATFORM_FIRMWARE_BLOB")] if self.args.tpm else []
        missing = [kind for kind in kinds if f"{kind[0]} {kind[1]}" not in types]
        images = types.count("4 EV_EFI_BOOT_SERVICES_APPLICATION")
        self.tap.check(not missing and images == (3 if self.args.tpm else 2),  # firmware has measured the starter, too
                       "in it: code, policy, loader and kernel once each, settings, the end of boot services, the initrd",
                       f"{missing} {images} {types}")

    def goes_on(self):
        """The log up to the cap is of what swtpm had; registers that nobody has extended since are still that."""
        text = self.ask("base64 /sys/kernel/security/tpm0/binary_bios_measurements", 60)
        log = eventlog.events(base64.b64decode("".join(re.findall(r"^[A-Za-z0-9+/=]+\s*$", text, re.M))))
        kinds = [eventlog.kind(event) for event in log]
        before = log[:kinds.index(eventlog.CAP) + 1] if eventlog.CAP in kinds else []
        had = swtpm_read(os.path.join(tpm_folder(self.args), COMMANDS))
        self.tap.check(len(had) == 8 and all(eventlog.replay(before, pcr) == had[pcr] for pcr in range(8)) and "image" in kinds[:len(before)],
                       "the log up to the cap replays to what the platform's registers were", f"{kinds} {had}")
        said = self.ask("cd /sys/class/tpm/tpm0/pcr-sha256; for i in 0 1 2 3 6 7; do echo \"pcr $i `cat $i`\"; done; cd /tmp")
        now = {int(pcr): bytes.fromhex(value) for pcr, value in re.findall(r"pcr (\d+) ([0-9A-Fa-f]{64})", said)}
        self.tap.check(len(now) == 6 and len(had) == 8 and all(had[pcr] == value for pcr, value in now.items()),
                       "PCRs 0 to 3, 6 and 7 are the platform's", f"{said} {had}")
        told = re.search(r"^redoubt: vtpm: begins as the platform's TPM, (\d+) events$", self.machine.e9, re.M)
        self.tap.check(told is not None and int(told.group(1)) == len(before), "that is how many events the loader has taken over", self.machine.e9)

    def command(self, step):
        """One command; what it printed, whether it ended as it should."""
        refused = step.startswith("!")
        step = step.lstrip("!")
        line = step[1:] if step.startswith("=") else step if step.startswith("cmp ") else "tpm2 " + step.replace("|", "'|'")
        said = self.ask(f"{line}; echo status=$?")
        status = re.search(r"status=(\d+)", said)
        return said, bool(status) and (status.group(1) != "0") == refused

    def step(self, name, commands, wanted):
        said = ""
        for command in commands:
            said, good = self.command(command)
            if not good:
                self.tap.check(False, name, f"{command}: {said}")
                return
        self.tap.check(wanted is None or re.search(wanted, said) is not None, name, said)

    def steps(self, steps):
        for step in steps:
            self.step(*step)

    def to_prompt(self):
        self.machine.wait_for(PROMPT, source="serial", fail="Kernel panic")
        self.ask("stty cols 1000; dmesg -n 1; export PATH=$PATH:/usr/bin TPM2TOOLS_TCTI=device:/dev/tpmrm0 LD_LIBRARY_PATH=/lib; mkdir -p /tmp /esp; cd /tmp")

    def keeper(self):
        said = self.ask("for m in /lib/storage/*.ko; do insmod $m; done; mount -t vfat -o sync /dev/sda /esp && "
                        "redoubt-agent /esp/EFI/redoubt; echo status=$?; ps | grep edoubt-agent | grep -v grep")
        self.tap.check("status=0" in said and "@edoubt-agent" in said, "the agent keeps the state from now on", said)

    def count_resets(self):
        found = dict(re.findall(r"(reset|restart)_count: (\d+)", self.ask("tpm2 readclock")))
        self.resets, self.restarts = int(found.get("reset", -1)), int(found.get("restart", -1))

    def complaints(self):
        found = [line for line in self.ask("dmesg").split("\n") if re.search(COMPLAINT, line)]
        self.tap.check(not found, "the kernel complains of nothing", "\n".join(found))

    def power_off(self):
        """By the kernel, which sends Shutdown(CLEAR); or at once behind Shutdown(STATE)."""
        if self.args.tpm:
            self.ask("umount -l /esp; sync")
            self.machine.send("poweroff\n")
            self.machine.wait_end(60)
            return
        said = self.ask("tpm2 shutdown; echo status=$?; umount -l /esp; sync")
        if "status=0" not in said:
            raise Failure(f"TPM2_Shutdown(STATE): {said}")


class First(Debian):
    POINTS = 8 + len(NOBODY) + len(STEPS)

    def run(self):
        self.to_prompt()
        self.bound()
        self.claims()
        self.measured()
        self.logged()
        if self.args.tpm:
            self.goes_on()
        self.steps(NOBODY)
        self.keeper()
        self.steps(STEPS)
        self.count_resets()
        self.complaints()
        self.power_off()
        self.tap.check(True, "it goes off")


class Again(Debian):
    POINTS = 10 + len(AGAIN)

    def resets_counted(self):
        """A reset behind Shutdown(CLEAR); behind Shutdown(STATE) a restart, over which contexts that were saved are good."""
        self.count_resets()
        told = f"{self.before.resets} {self.before.restarts} {self.resets} {self.restarts}"
        loads = "flushcontext -t", ("!" if self.args.tpm else "") + "sign -Q -c /esp/k -g sha256 -f plain -o k.sig /init"
        if self.args.tpm:
            self.tap.check((self.resets, self.restarts) == (self.before.resets + 1, 0), "the TPM counts its resets", told)
            self.step("a key's context that was saved before is refused", loads, None)
        else:
            self.tap.check((self.resets, self.restarts) == (self.before.resets, self.before.restarts + 1), "the TPM counts its restarts", told)
            self.step("a key's context that was saved before is good", loads, None)

    def killed(self):
        self.ask("kill -9 `pidof redoubt-agent || ps | grep edoubt-agent | grep -v grep | (read pid rest; echo $pid)`; sleep 1")
        self.step("with the agent killed NV memory is not available", ("!nvincrement -C o 0x1500002",), NOBODY[0][2])
        said = self.ask("redoubt-agent /esp/EFI/redoubt; echo status=$?")
        self.tap.check("status=0" in said, "another agent takes its place", said)
        self.step("and it is available", ("nvincrement -Q -C o 0x1500002",), None)

    def storage_gone(self):
        said = self.ask("sync; echo offline > /sys/block/sda/device/state; (tpm2 nvincrement -C o 0x1500002; echo ended=$? ) > /tmp/held 2>&1 & "
                        "sleep 8; cat /tmp/held; echo looked; dmesg | grep -c redoubt-agent")
        self.tap.check("looked" in said and "ended=" not in said, "with the disk gone the command waits", said)
        said = self.ask("echo running > /sys/block/sda/device/state; for i in `seq 60`; do grep -q ended= /tmp/held && break; sleep 1; done; cat /tmp/held")
        self.tap.check("ended=0" in said, "and ends when it is back", said)

    def counted(self, want):
        self.step("each increment that was acknowledged is there, and no other", ("nvread -C o 0x1500002 > counter", "=od -An -tx1 counter"),
                  f"00 00 00 {want:02x}")

    def run(self):
        self.to_prompt()
        self.bound()
        self.keeper()
        self.resets_counted()
        self.steps(AGAIN)
        self.killed()
        self.storage_gone()
        self.counted(5)
        self.ask("sync")


def parse():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--time", type=float, default=400)
    parser.add_argument("--tpm", choices=("tpm-crb", "tpm-tis"))
    choose.add_arguments(parser)
    return choose.settle(parser.parse_args())


def boot(args, spec, tap, kind, before=None):
    with contextlib.ExitStack() as stack:
        if args.tpm:
            logs = () if before else ("--log", f"file={os.path.join(tpm_folder(args), COMMANDS)},level=20")
            chip = stack.enter_context(Swtpm(tpm_folder(args), emulator=True, more=logs))
            spec = dataclasses.replace(spec, options={**spec.options, "more": chip.qemu(args.tpm)})
        machine = stack.enter_context(Machine(spec, args.engine, args.time / 2))
        try:
            this = kind(args, machine, tap, before)
            this.run()
            return this
        except Failure as why:
            tap.give_up(machine.tail() + f"\n{args.name}: {why}")
            return None


def main():
    args = parse()
    tap = Tap(First.POINTS + Again.POINTS + (4 if args.tpm else 0))
    disk = os.path.join(BUILD, "tests", "vtpm", args.name + ".img")
    spec = Spec(name=args.name, disk=disk, cpus=args.cpus, mem=512)
    linux.disk(disk, "stock", LOADER, initramfs=INITRAMFS, acpi=not load_engine(args.engine).HAS_ACPI)
    shutil.rmtree(tpm_folder(args), ignore_errors=True)
    first = boot(args, spec, tap, First)
    if first and args.tpm:
        tap.check(told_at_last(os.path.join(tpm_folder(args), COMMANDS)), "the platform's TPM was told at last that the machine goes off")
    if first:
        boot(args, dataclasses.replace(spec, name=args.name + "-again"), tap, Again, first)
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
