#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""redoubt.efi and its root key on QEMU, with swtpm as the platform's TPM and without: boots.py NAME

A scenario is a list of starts of one machine, with one disk and one TPM; between them files on the
disk change. The monitor in the loader tells the root key's digest (told.c) and refuses. Speaks TAP.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../emu")]

import mkdisk  # noqa: E402
from machine import Failure, Machine, Spec  # noqa: E402
from spec import BUILD  # noqa: E402
from swtpm import Swtpm  # noqa: E402
from tap import Tap  # noqa: E402

WORK = os.path.join(BUILD, "tests/tpm")
LOADER = os.path.join(WORK, "told.efi")
OTHER = os.path.join(WORK, "told-other.efi")  # the same with another .sbat: measured as another
STARTER = os.path.join(BUILD, "tests/acpi/starter.efi")
CONF = "console = debugcon\nlog_level = debug\n"
START = "start \\a\\redoubt.efi\n"
TOLD = re.compile(r"^told: key (\d), by the TPM (\d), zero (\d), ([0-9a-f]{64})$", re.M)
SVN_END, SVN = 64, 1
MEM = 256
CRB, CRB_SIZE = 0xfed40000, 0x1000
NO_KEY = hashlib.sha256(bytes(32)).hexdigest()
LOOKED_FOR = b"told: key %u, by the TPM"  # in the loader, where firmware has loaded it
KNOWN = hashlib.sha256(b"a root key that this test knows").digest()


def told_of(key):
    """The digest of what the monitor gets of a root key: the hash of the next SVN's, down to ours."""
    return hashlib.sha256(hash_down(key)).hexdigest()


def hash_down(key):
    for _ in range(SVN_END - SVN):
        key = hashlib.sha256(key).digest()
    return key


def memory(machine):
    """All of the machine's RAM below 4 GiB, and the buffer of a TPM with that interface."""
    found = b""
    for at, size in ((0, MEM << 20), (CRB, CRB_SIZE)):
        path = os.path.join(machine.spec.log_dir, "memory")
        machine.engine.qmp.do("pmemsave", val=at, size=size, filename=path)
        with open(path, "rb") as file:
            found += file.read()
        os.unlink(path)
    return found


class Box:
    """One machine with its disk and, perhaps, its TPM; each method is one start or one look."""

    def __init__(self, name, tap):
        self.name = name
        self.tap = tap
        self.folder = tempfile.mkdtemp(prefix="boots-", dir=WORK)
        self.disk = os.path.join(self.folder, "disk.img")
        self.state = os.path.join(self.folder, "tpm")
        self.device = "tpm-crb"
        self.said = ""

    def make_disk(self, script=START, loader=LOADER):
        mkdisk.make_with_text(self.disk, [(STARTER, "EFI/BOOT/BOOTX64.EFI"), (loader, "a/redoubt.efi")],
                              [(script, "start.txt"), (CONF, "a/redoubt.conf")])

    def mtools(self, *command):
        done = subprocess.run([command[0], "-i", self.disk, *command[1:]], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False, env={**os.environ, "MTOOLS_SKIP_CHECK": "1"})
        return done.stdout if done.returncode == 0 else None

    def get(self, name):
        return self.mtools("mtype", "::a/" + name)

    def put(self, name, data):
        path = os.path.join(self.folder, "put")
        with open(path, "wb") as file:
            file.write(data)
        if self.mtools("mcopy", "-o", path, "::a/" + name) is None:
            raise RuntimeError("mcopy failed")

    def delete(self, name):
        self.mtools("mdel", "::a/" + name)

    def start(self, tpm=True, wanted=1, look=None):
        """A power-on; returns what the monitor was told, the last of `wanted` times."""
        if not tpm:
            return self.run("", wanted, look)
        with Swtpm(self.state, emulator=True) as chip:
            return self.run(chip.qemu(self.device), wanted, look)

    def run(self, more, wanted, look):
        spec = Spec(name=f"tpm-{self.name}", disk=self.disk, mem=MEM, options={"more": more})
        with Machine(spec, "qemu-tcg", 120) as machine:
            for _ in range(wanted):
                machine.wait_for("^redoubt: refused: ", source="e9")
                if look:
                    time.sleep(2)  # it has nothing left to do but wait for a key
                    look(machine)
                machine.send(" ")
                machine.wait_for("^starter: ended", source="e9")
            self.said = machine.e9
        return TOLD.findall(self.said)[-1]

    def check(self, good, text, why=""):
        self.tap.check(good, text, f"{why}\n{self.said}")

    def check_told(self, told, key, by_tpm, digest, text):
        """What the monitor was told: 1 or 0, 1 or 0, and the digest if it is known."""
        zero = 0 if key else 1
        wanted = (str(key), str(by_tpm), str(zero), digest or told[3])
        self.check(told == wanted and (told[3] == NO_KEY) == (not key), text, f"{told}, not {wanted}")

    def check_said(self, pattern, text):
        self.check(re.search(pattern, self.said, re.M) is not None, text, pattern)

    def check_refused(self, why, blob, text):
        """A start after which there is no key and the file is as it was."""
        told = self.start()
        self.check_told(told, 0, 0, NO_KEY, f"{text}: no key")
        self.check_said(f"^redoubt: note: root.tpm cannot be opened: {why}", f"{text}: said")
        self.check(self.get("root.tpm") == blob and self.get("root.key") is None, f"{text}: nothing is overwritten")


def sealed(box):
    """Made at the first start, the same at the next; closed for whoever comes later."""
    box.make_disk(START + START)
    first = box.start(wanted=2)
    blob = box.get("root.tpm")
    box.check_told(first, 0, 0, NO_KEY, "started again in the same boot: no key, for PCR 4 is capped")
    box.check_said(r"cannot be opened: not as when it was sealed: what was started, .*\(PCR 4\)$", "and that is said")
    made = TOLD.findall(box.said)[0]
    box.check_told(made, 1, 1, None, "the first start makes a key")
    box.check_said("^redoubt: root key: made, and sealed by the TPM$", "and says so")
    box.check(blob is not None and box.get("root.key") is None, "in root.tpm, and in no other file")
    box.make_disk()
    box.put("root.tpm", blob)
    box.check_told(box.start(), 1, 1, made[3], "the next start has the same key")
    box.check(box.get("root.tpm") == blob, "and leaves the file as it was")
    box.device = "tpm-tis"
    box.check_told(box.start(), 1, 1, made[3], "as it has through the other interface of a TPM")


def changed(box):
    """Another loader, a damaged file, another TPM, none: refused, and well again afterwards."""
    box.make_disk()
    made = box.start()
    blob = box.get("root.tpm")
    box.make_disk(loader=OTHER)
    box.put("root.tpm", blob)
    box.check_refused(r"not as when it was sealed: what was started, redoubt\.efi included \(PCR 4\)$", blob,
                      "a changed redoubt.efi")
    box.make_disk()
    for name, data in (("a file cut short", blob[:-1]), ("an empty file", b""),
                       ("a flipped bit", blob[:300] + bytes([blob[300] ^ 4]) + blob[301:]),
                       ("a file too long", blob + bytes(1024))):
        box.put("root.tpm", data)
        box.check_refused("it is damaged$", data, name)
    box.put("root.tpm", blob)
    state, box.state = box.state, box.state + "-other"
    box.check_refused("it is of another TPM, or of this one before it was cleared$", blob, "another TPM")
    told = box.start(tpm=False)
    box.check_told(told, 0, 0, NO_KEY, "no TPM: no key")
    box.check_said("^redoubt: note: root.tpm is there, and no TPM to open it", "no TPM: said")
    box.check(box.get("root.key") is None, "no TPM: no other key is made")
    box.state = state
    box.check_told(box.start(), 1, 1, made[3], "as it was before: the same key again")


def check_left(box, left, text):
    """What is found in memory when the loader has ended; the disk is there to be found."""
    box.check(LOOKED_FOR in left, f"{text}: memory is looked through")
    found = [name for name, key in (("itself", KNOWN), ("that of this SVN", hash_down(KNOWN))) if key in left]
    box.check(not found, f"{text}: no copy of the key is left", f"{found}")


def recovered(box):
    """root.key from a safe place is sealed where there is none, or one that cannot be opened."""
    box.make_disk()
    box.put("root.key", KNOWN)
    box.check_told(box.start(), 1, 0, told_of(KNOWN), "root.key is the key, and not claimed to be the TPM's")
    box.check_said("^redoubt: root key: root.key is sealed by the TPM; keep it elsewhere", "which is said")
    box.check(box.get("root.key") == KNOWN, "the file is left to its owner")
    blob = box.get("root.tpm")
    box.make_disk()  # anew: firmware reads what a deleted file leaves on a disk
    box.put("root.tpm", blob)
    left = []
    told = box.start(look=lambda machine: left.append(memory(machine)))
    box.check_told(told, 1, 0, told_of(KNOWN), "the file gone: the TPM has it, with its origin")
    check_left(box, left[0], "opened by the TPM")
    box.make_disk(loader=OTHER)
    box.put("root.tpm", blob)
    box.check_refused("not as when it was sealed: what was started", blob, "after an update")
    box.put("root.key", KNOWN)
    box.check_told(box.start(), 1, 0, told_of(KNOWN), "root.key put back: the same key")
    box.check(box.get("root.old") == blob, "the old file is kept")
    box.delete("root.key")
    box.check_told(box.start(), 1, 0, told_of(KNOWN), "and it opens from then on")
    box.put("root.key", bytes(32))
    box.check_told(box.start(), 1, 0, told_of(KNOWN), "a root.key beside one that opens is not used")


def unrooted(box):
    """Without a TPM: as before there was any."""
    box.make_disk()
    first = box.start(tpm=False)
    key = box.get("root.key")
    box.check(key is not None and len(key) == 32 and len(set(key)) > 8, "root.key is made", f"{key}")
    box.check_told(first, 1, 0, told_of(key), "and is the key")
    box.check(box.get("root.tpm") is None, "and nothing else is written")
    left = []
    told = box.start(tpm=False, look=lambda machine: left.append(memory(machine)))
    box.check_told(told, 1, 0, told_of(key), "and the next time")
    print(f"# {left[0].count(key)} copies of root.key are in memory, {left[0].count(hash_down(key))} of this SVN's")
    box.put("root.key", key[:31])
    box.check_told(box.start(tpm=False), 0, 0, NO_KEY, "another size: no key")
    box.check(box.get("root.key") == key[:31], "and it is left as it is")


SCENARIOS = {"sealed": (sealed, 8), "changed": (changed, 22), "recovered": (recovered, 13), "unrooted": (unrooted, 6)}


def main():
    run, count = SCENARIOS[sys.argv[1]]
    tap = Tap(count)
    box = Box(sys.argv[1], tap)
    try:
        run(box)
    except (Failure, IndexError) as why:
        tap.give_up(f"{why!r}\n{box.said}")
    shutil.rmtree(box.folder)
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
