#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Debian above the monitor on a machine with a TPM (QEMU, swtpm): debian.py. Speaks TAP.

A trustlet seals at the first start and opens it at the second. In the operating system the claim is
root=tpm, and the TPM refuses what the loader's root key is sealed in: PCR 4 is capped, behind what was measured of
monitor and partitions. Once Secure Boot's
PCR has changed there is no key, the file stays, and the claim is root=unrooted. With another root key what was sealed
does not open.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../emu"), os.path.join(HERE, "../../tools/lint")]

import check_pe  # noqa: E402
import eventlog  # noqa: E402
import linux  # noqa: E402
from machine import Failure, Machine, Spec  # noqa: E402
from spec import BUILD  # noqa: E402
from swtpm import Swtpm  # noqa: E402
from tap import Tap  # noqa: E402

WORK = os.path.join(BUILD, "tests/tpm")
LOADER = os.path.join(BUILD, "boot/redoubt-partitions.efi")
FOLDER = "EFI/redoubt"
SEALED = "opened 0123456789abcdef fedcba9876543210"
CONF = f"{FOLDER}/redoubt.conf"
CARRIED = (".monsvm", ".part0", ".part1", ".part2")
# The probe's statuses.
NO_KEY = 0x110 + 5  # SEAL_NO_KEY
FORGED = 0x110 + 7  # SEAL_NOT_GENUINE
OTHER_KEY = "another key, of 32 bytes, text.."


class Debian:
    """A machine, start after start."""

    def __init__(self, tap, folder):
        self.tap = tap
        self.folder = folder
        self.disk = os.path.join(folder, "disk.img")
        self.state = os.path.join(folder, "tpm")
        self.initramfs = os.path.join(folder, "initramfs.cpio")
        self.blob = os.path.join(folder, "root.tpm")
        self.machine = None

    def make_disk(self):
        """With the programs of this test in the initramfs, and root.tpm as it was, if there is one."""
        more = self.initramfs + ".more"
        files = [f"{WORK}/root-guest=tests/root", f"{WORK}/sealed=tests/sealed"]
        files += [f"{self.blob}=tests/root.tpm"] if os.path.exists(self.blob) else []
        subprocess.run([os.path.join(HERE, "../../guest/linux/mkinitramfs.py"), more, *files], check=True)
        with open(self.initramfs, "wb") as out:
            for name in (linux.INITRAMFS, more):
                with open(name, "rb") as part:
                    out.write(part.read())
        linux.disk(self.disk, "cloud", LOADER, initramfs=self.initramfs, acpi=False)
        if os.path.exists(self.blob):
            self.mtools("mcopy", self.blob, f"::{FOLDER}/root.tpm")

    def mtools(self, program, *args):
        subprocess.run([program, "-i", self.disk, *args], check=True, env={**os.environ, "MTOOLS_SKIP_CHECK": "1"})

    def ask(self, line):
        return linux.command(self.machine, line, 90).strip()

    def start(self, steps):
        with Swtpm(self.state, emulator=True) as chip:
            spec = Spec(name="tpm-debian", disk=self.disk, options={"more": chip.qemu()})
            with Machine(spec, "qemu-tcg", 200) as self.machine:
                self.machine.wait_for(re.escape(linux.PROMPT), source="serial", fail="Kernel panic|UiApp")
                self.ask("dmesg -n 1")
                steps()
                self.machine.send("poweroff\n")
                self.machine.wait_end(60)

    def said(self, pattern, text):
        self.tap.check(re.search(pattern, self.machine.e9, re.M) is not None, text, self.machine.e9)

    def claim(self, wanted):
        text = self.ask("redoubtctl status --json")
        state = json.loads(text)
        good = state["root"] == wanted and ("root=unrooted" in state["not_protected"]) == (wanted == "unrooted")
        self.tap.check(good, f"the claim is root={wanted}", text)

    def first(self):
        self.said("^redoubt: root key: made, and sealed by the TPM$", "the first start makes a root key")
        self.claim("tpm")
        said = self.ask("/tests/sealed seal")
        self.tap.check(said.startswith("blob "), "a trustlet seals", said)
        self.sealed = said.split()[-1]

    def second(self):
        self.said("^redoubt: root key: unsealed by the TPM$", "the second start unseals it")
        self.claim("tpm")
        said = self.ask(f"/tests/sealed unseal {self.sealed}")
        self.tap.check(said.endswith(SEALED), "what the trustlet sealed opens", said)
        said = self.ask("/tests/root /dev/tpm0 force /tests/root.tpm")
        self.tap.check(said == "failed TPM2_Unseal 0x99d",
                       "the TPM refuses the operating system: the policy fails", said)
        said = self.ask("/tests/root /dev/tpm0 unseal /tests/root.tpm")
        self.tap.check(said == "changed 4", "for PCR 4 is another than it was", said)
        said = self.ask("ls /dev/tpm0")
        self.tap.check(said == "/dev/tpm0", "which the kernel has found", said)
        self.capped()

    def capped(self):
        """Firmware's event log fits PCR 4, what the loader carries is in it, and then the cap, before the kernel."""
        self.ask("mount -t securityfs securityfs /sys/kernel/security")
        self.ask("cd /sys/kernel/security/tpm0")  # the terminal wraps a long line
        text = self.ask("base64 binary*")
        self.ask("cd /sys/class/tpm/tpm0/pcr-sha256")
        now, settings = self.ask("cat 4"), self.ask("cat 5")
        events = eventlog.events(base64.b64decode("".join(re.findall(r"^[A-Za-z0-9+/=]+$", text, re.M))))
        self.tap.check([eventlog.replay(events, pcr).hex() for pcr in (4, 5)] == [now.lower(), settings.lower()],
                       "the event log fits PCRs 4 and 5", f"{now}\n{settings}\n{text}")
        kinds = [eventlog.kind(e) for e in events if e.pcr == 4]
        wanted = ["image", *["blob"] * len(CARRIED), eventlog.CAP, "image"]
        self.tap.check(kinds[-len(wanted):] == wanted and kinds.count(eventlog.CAP) == 1,
                       "PCR 4 is capped behind redoubt.efi and what it carries, and before the kernel", f"{kinds}")
        self.measured(events)

    def measured(self, events):
        """Of what is in the file and on the disk, before the cap."""
        with open(LOADER, "rb") as file:
            pe = check_pe.Pe(file.read())
        kinds = [eventlog.kind(event) for event in events]
        before = events[:kinds.index(eventlog.CAP) if eventlog.CAP in kinds else 0]
        blobs = [event.sha256 for event in before if (event.pcr, eventlog.kind(event)) == (4, "blob")]
        self.tap.check(blobs == [hashlib.sha256(pe.named(name).content).digest() for name in CARRIED],
                       "PCR 4 has the digests of the monitor's image and of each partition's", f"{before}")
        self.mtools("mcopy", "-o", f"::{CONF}", os.path.join(self.folder, "conf"))
        with open(os.path.join(self.folder, "conf"), "rb") as file:
            digest = hashlib.sha256(file.read()).digest()
        tags = [event for event in before if (event.pcr, eventlog.kind(event)) == (5, "tag")]
        self.tap.check([event.sha256 for event in tags] == [digest] and tags[0].data[8:] == digest, "PCR 5 has that of redoubt.conf", f"{before}")

    def third(self):
        self.said(r"^redoubt: note: root.tpm cannot be opened: not as when it was sealed: what was started, "
                  r"redoubt.efi included \(PCR 4\)$", "started by another program: refused, and said")
        self.claim("unrooted")
        said = self.ask(f"/tests/sealed unseal {self.sealed}")
        self.tap.check(said.endswith(f"\nstatus {NO_KEY}"), "the trustlet has no key", said)

    def fourth(self):
        said = self.ask(f"/tests/sealed unseal {self.sealed}")
        self.tap.check(said.endswith(SEALED), "started as before: what was sealed opens again", said)

    def fifth(self):
        said = self.ask(f"/tests/sealed unseal {self.sealed}")
        self.tap.check(re.search(rf"^status {FORGED}$", said, re.M) is not None,
                       "with another root key it does not open: keys follow from it", said)

    def run(self):
        self.make_disk()
        self.start(self.first)
        self.mtools("mcopy", f"::{FOLDER}/root.tpm", self.blob)
        self.make_disk()
        self.start(self.second)
        # The starter starts itself once more, which firmware measures, and that one the loader.
        self.mtools("mcopy", "-o", self.text("start \\EFI\\BOOT\\BOOTX64.EFI \\again.txt\n"), "::start.txt")
        self.mtools("mcopy", self.text("start \\EFI\\redoubt\\redoubt.efi\n"), "::again.txt")
        self.start(self.third)
        with open(self.blob, "rb") as was:
            self.mtools("mcopy", "-o", f"::{FOLDER}/root.tpm", self.blob + ".now")
            with open(self.blob + ".now", "rb") as now:
                self.tap.check(was.read() == now.read(), "root.tpm is as it was")
        self.make_disk()
        self.start(self.fourth)
        os.unlink(self.blob)
        self.make_disk()
        self.mtools("mcopy", self.text(OTHER_KEY), f"::{FOLDER}/root.key")
        self.start(self.fifth)

    def text(self, content):
        path = os.path.join(self.folder, "text")
        with open(path, "w", encoding="ascii") as file:
            file.write(content)
        return path


def main():
    tap = Tap(19)
    folder = tempfile.mkdtemp(prefix="debian-", dir=WORK)
    debian = Debian(tap, folder)
    try:
        debian.run()
    except (Failure, ValueError, subprocess.CalledProcessError) as why:
        tap.give_up(debian.machine.tail() + f"\n{why}")
    shutil.rmtree(folder)
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
