#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""A volume of LUKS2 that systemd has the vTPM open: Debian's kernel, cryptsetup and systemd, four boots of one machine.

usage: enroll.py --name NAME [--vendor V] [--engine E] [--time S] [--pcrs 4+7]

The first boot makes the volume, enrols the TPM with systemd-cryptenroll and writes a file there. The second opens it
without a passphrase. Before the third, 16 bytes are added to the kernel: it runs as before, but it is another one, and
the TPM must not open the volume for it; the passphrase does. systemd compares policies before it asks the TPM, so it is
asked once more with the volume's word for the policy replaced. With the old kernel put back the volume opens again.
With --pcrs 7, which does not hold what was started, the third boot's refusals must fail. Speaks TAP.
"""

import argparse
import hashlib
import json
import os
import re
import secrets
import sys

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [TESTS, os.path.join(TESTS, "emu")]

import choose  # noqa: E402
import debian  # noqa: E402
import linux  # noqa: E402
import mkdisk  # noqa: E402
from machine import Failure, Machine, Spec, load_engine  # noqa: E402
from spec import BUILD  # noqa: E402
from tap import Tap  # noqa: E402

FOLDER = os.path.join(BUILD, "tests", "vtpm")
INITRAMFS = os.path.join(FOLDER, "volumes.cpio")
SIZE = 32 << 20  # LUKS2 takes 16 MiB for itself
VOLUME = "/dev/nvme0n1"
KERNEL = "::EFI/debian/vmlinuz"
# Without headless it would ask for a passphrase when the TPM has refused.
ATTACH = f"systemd-cryptsetup attach vol {VOLUME} - tpm2-device=/dev/tpmrm0,headless=1"
TOKEN = f"cryptsetup open --token-only {VOLUME} vol"
SYSTEMD = r"policy (?:digest|hash) does not match"
THE_TPM = r"Failed to unseal.*policy check failed"
POLICY_PCR = (0x17F).to_bytes(4, "big")
SHA256 = 0xB


def policy(values, pcrs):
    """The digest of a policy that asks for these registers, as TPM2_PolicyPCR makes it (TPM 2.0 part 3, 23.7)."""
    selected = sum(1 << int(pcr) for pcr in pcrs).to_bytes(3, "little")
    selection = (1).to_bytes(4, "big") + SHA256.to_bytes(2, "big") + bytes([len(selected)]) + selected
    registers = hashlib.sha256(b"".join(bytes.fromhex(values.get(pcr, "")) for pcr in pcrs)).digest()
    return hashlib.sha256(bytes(32) + POLICY_PCR + selection + registers).hexdigest()


class Boot(debian.Debian):
    """One boot. `secret` is what the volume holds, `before` the registers that it was enrolled with."""

    def __init__(self, args, machine, tap, before, passphrase, secret):
        super().__init__(args, machine, tap)
        self.enrolled, self.passphrase, self.secret = before, passphrase, secret
        self.values = {}

    def ready(self):
        self.to_prompt()
        self.ask("mkdir -p /run /vol")
        self.keeper()
        said = self.ask("cd /sys/class/tpm/tpm0/pcr-sha256; for i in 4 7; do echo pcr $i `cat $i`; done; cd /tmp")
        self.values = dict(re.findall(r"^pcr (\d) ([0-9A-F]{64})$", said, re.M))

    def done(self, line):
        """What a command said, and whether it succeeded."""
        said = self.ask(f"{line}; echo status=$?")
        return said, "status=0" in said

    def works(self, line, name):
        said, good = self.done(line)
        self.tap.check(good, name, said)

    def policy(self):
        return policy(self.values, self.args.pcrs.split("+"))

    def give_passphrase(self):
        self.ask(f"printf {self.passphrase} > /tmp/pass")

    def close(self):
        self.ask("umount /vol; cryptsetup close vol")

    def opens(self, line, name):
        """The volume opens, and what the first boot wrote is there; closed again."""
        said, good = self.done(f"{line} && mount -t vfat -o ro /dev/mapper/vol /vol && cat /vol/secret")
        self.tap.check(good and self.secret in said, name, said)
        self.close()

    def refused(self, line, name, wanted):
        said, opened = self.done(line)
        there = self.ask("ls /dev/mapper")
        self.tap.check(not opened and re.search(wanted, said) and "vol" not in there, name, said + there)
        print("# " + said.strip().replace("\n", "\n# "), flush=True)
        self.close()

    def same_registers(self):
        self.tap.check(len(self.values) == 2 and self.values == self.enrolled, "registers 4 and 7 are those that it was enrolled with",
                       f"{self.enrolled} {self.values}")

    def power_off(self):
        self.ask("umount /esp; sync")
        self.machine.send("poweroff\n")
        self.machine.wait_end(60)
        self.tap.check(True, "it goes off")


class Enrol(Boot):
    POINTS = 7

    def described(self):
        said = self.ask(f"cryptsetup token export --token-id 0 {VOLUME}")
        found = re.search(r"^\{.*\}", said, re.M)
        token = json.loads(found.group(0)) if found else {}
        self.tap.check(token.get("type") == "systemd-tpm2" and token.get("tpm2-policy-hash") == self.policy(),
                       "the volume says so, with the policy that these registers make", f"{said} {self.policy()}")

    def run(self):
        self.ready()
        self.give_passphrase()
        # Few iterations: what the passphrase is worth is not in question, and the machine is slow.
        self.works("cryptsetup luksFormat --type luks2 --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "
                   f"--key-file /tmp/pass {VOLUME}", "a volume of LUKS2, with a passphrase")
        self.works(f"systemd-cryptenroll --unlock-key-file=/tmp/pass --tpm2-device=/dev/tpmrm0 --tpm2-pcrs={self.args.pcrs} {VOLUME}",
                   f"systemd-cryptenroll enrols the TPM, with registers {self.args.pcrs}")
        self.described()
        self.works(f"{ATTACH} && mkdosfs /dev/mapper/vol && mount -t vfat /dev/mapper/vol /vol && echo {self.secret} > /vol/secret && sync",
                   "the TPM opens it, and a file system with a file is made in it")
        self.close()
        self.complaints()
        self.power_off()


class Same(Boot):
    POINTS = 5

    def run(self):
        self.ready()
        self.same_registers()
        self.opens(ATTACH, "systemd-cryptsetup opens the volume by the TPM, without a passphrase; the file is there")
        self.opens(TOKEN, "so does cryptsetup, by systemd's plugin")
        self.power_off()


class Changed(Boot):
    POINTS = 8

    def replace_policy(self, old, new):
        return self.done(f"cryptsetup token export --token-id 0 {VOLUME} > token && sed -i s/{old}/{new}/ token && grep -q {new} token && "
                         f"cryptsetup token remove --token-id 0 {VOLUME} && cryptsetup token import --token-id 0 --json-file token {VOLUME}")

    def refused_by_tpm(self):
        """systemd believes that its policy is met; the TPM does not, since the key is bound to another one."""
        old, new = policy(self.enrolled, self.args.pcrs.split("+")), self.policy()
        said, good = self.replace_policy(old, new)
        self.tap.check(good, "the volume's word for the policy is replaced by what would be met", said)
        self.refused(ATTACH, "the TPM itself refuses", THE_TPM)
        self.replace_policy(new, old)

    def run(self):
        self.ready()
        same = [register for register, value in self.enrolled.items() if self.values.get(register) == value]
        self.tap.check(len(self.values) == 2 and same == ["7"], "with another kernel register 4 differs, 7 does not", f"{self.enrolled} {self.values}")
        self.refused(ATTACH, "systemd-cryptsetup does not open the volume: another kernel was measured", SYSTEMD)
        self.refused(TOKEN, "nor does cryptsetup", SYSTEMD)
        self.refused_by_tpm()
        self.give_passphrase()
        self.opens(f"cryptsetup open --key-file /tmp/pass {VOLUME} vol", "the passphrase opens it")
        self.power_off()


def parse():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--time", type=float, default=680)
    parser.add_argument("--pcrs", default="4+7")
    choose.add_arguments(parser)
    args = choose.settle(parser.parse_args())
    args.cpus = 1
    return args


class Tests:
    """The machine's two disks and what is done to them between boots."""

    def __init__(self, args, tap):
        self.args, self.tap = args, tap
        self.disk, self.volume = (os.path.join(FOLDER, args.name + kind) for kind in (".img", "-volume.img"))
        self.passphrase, self.secret = secrets.token_hex(16), secrets.token_hex(16)
        self.registers = {}
        self.ended = False
        linux.disk(self.disk, "stock", debian.LOADER, initramfs=INITRAMFS, acpi=not load_engine(args.engine).HAS_ACPI)
        with open(self.volume, "wb") as f:
            f.truncate(SIZE)

    def boot(self, number, kind):
        if self.ended:
            return
        more = f"-drive if=none,id=volume,format=raw,cache=unsafe,file={self.volume} -device nvme,drive=volume,serial=redoubt"
        spec = Spec(name=f"{self.args.name}-{number}", disk=self.disk, cpus=1, mem=512, options={"more": more})
        with Machine(spec, self.args.engine, self.args.time / 2) as machine:
            try:
                this = kind(self.args, machine, self.tap, self.registers, self.passphrase, self.secret)
                this.run()
                self.registers = self.registers or this.values
            except Failure as why:
                self.ended = True
                self.tap.give_up(machine.tail() + f"\n{self.args.name}: {why}")

    def kernel(self, more):
        """Debian's kernel on the disk, with `more` at its end."""
        path = os.path.join(FOLDER, self.args.name + "-vmlinuz")
        with open(os.path.join(linux.kernel_dir("stock"), "vmlinuz"), "rb") as f, open(path, "wb") as changed:
            changed.write(f.read() + more)
        mkdisk.tool("mcopy", "-o", "-i", self.disk, path, KERNEL)
        os.unlink(path)

    def encrypted(self):
        if self.ended:
            return
        with open(self.volume, "rb") as f:
            raw = f.read()
        self.tap.check(raw.startswith(b"LUKS\xba\xbe") and self.secret.encode() not in raw, "on the disk the file cannot be read")

    def run(self):
        self.boot(1, Enrol)
        self.encrypted()
        self.boot(2, Same)
        self.kernel(bytes(16))
        self.boot(3, Changed)
        self.kernel(b"")
        self.boot(4, Same)


def main():
    args = parse()
    tap = Tap(Enrol.POINTS + 1 + 2 * Same.POINTS + Changed.POINTS)
    tests = Tests(args, tap)
    tests.run()
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
