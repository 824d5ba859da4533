#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""What the vTPM knows of who vouched for the next image, and of the disk that it came from: measured.py [--all]

One boot a chain, all of the same disk but for who is started and who signed it. The next image is tests/tcg2's probe, which
gives out registers and log; the machine has no TPM of its own. Speaks TAP.

  firmware   firmware starts redoubt.efi and judges the next image, both signed with `db`
  second     the next image is signed with `second` instead, another entry of db
  shim       Debian's shim starts redoubt.efi and judges the next image, both signed with `mok`

and with --all

  shim-second  the next image is signed with `second` instead, another MOK
  below        firmware judges Debian's shim, which judges the image behind it, signed with `db`
"""

import os
import struct
import sys

import keys
from refusals import made, own_variables

sys.path.insert(0, os.path.join(keys.HERE, "..", "tcg2"))

import gpt  # noqa: E402
import mkdisk  # noqa: E402
import tcg2  # noqa: E402
from machine import Failure, Machine, Spec  # noqa: E402
from tap import Tap  # noqa: E402

AUTHORITY, TABLE = 0x800000e0, 0x80000006
SEPARATOR = 4
CONFIG = "console = debugcon\nlog_level = debug\nnext = \\next.efi\noptions = tell\n"
BY_LOADER = "the disk's partition table is measured by the loader"
DISK_MIB = 48  # the same for all, whatever is on it
COMMON = 4  # checks of each


def signed(key, path):
    return keys.sign(key, path, made(f"{os.path.basename(path)}-{key}"))


def certificate(name):
    with open(keys.certificate(name), "rb") as file:
        return file.read()


def firmware(key):
    return "firmware", signed("db", tcg2.LOADER), [(signed(key, tcg2.PROBE), "next.efi")]


def below():
    return "firmware", signed("db", tcg2.LOADER), [(keys.SHIM, "next.efi"), (signed("db", tcg2.PROBE), "grubx64.efi")]


def shim(key):
    return "shim", keys.SHIM, [(signed("mok", tcg2.LOADER), "EFI/BOOT/grubx64.efi"), (signed(key, tcg2.PROBE), "next.efi")]


class Chain:
    """One boot: what the probe and the loader have said, and the disk."""

    def __init__(self, name, variables, boot, files):
        self.name = name
        self.disk = os.path.join(keys.WORK, f"measured-{name}.img")
        mkdisk.make_with_text(self.disk, [(boot, "EFI/BOOT/BOOTX64.EFI"), *files], [(CONFIG, "EFI/BOOT/redoubt.conf")], DISK_MIB)
        gpt.wrap(self.disk)
        self.table = gpt.measured(self.disk)
        spec = Spec(name="secureboot-measured-" + name, disk=self.disk, mem=256, firmware="secboot",
                    vars=own_variables(variables, f"measured-{name}"))
        with Machine(spec, "qemu-tcg", time=120) as machine:
            try:
                machine.wait_for(r"^tcg2: end, \d+ checks$", source="e9")
            except Failure as why:
                raise Failure(f"{machine.tail()}\n{name}: {why}") from why
            self.said = machine.e9
        self.given = tcg2.Given(self.said)

    def authorities(self):
        """(variable, what is in it) behind the separator of PCR 7, in order."""
        events = [event for event in self.given.events if event.pcr == 7]
        behind = [event.type for event in events].index(SEPARATOR) + 1
        found = []
        for event in events[behind:]:
            chars, size = struct.unpack_from("<QQ", event.data, 16)
            text = event.data[32:32 + 2 * chars].decode("utf-16-le")
            found.append((text if event.type == AUTHORITY else hex(event.type), event.data[32 + 2 * chars:]))
            assert len(found[-1][1]) == size
        return found

    def check(self, tap):
        tcg2.check_replay(tap, self.given, self.name + ": ")
        events = self.given.of(5, TABLE)
        loader = BY_LOADER in self.said
        tap.check([event.data for event in events] == [self.table] and events[0].digest == tcg2.sha256(self.table) and
                  loader == self.name.startswith("shim"),
                  f"{self.name}: PCR 5 has the disk's partition table, once, by {'the loader' if loader else 'firmware'}", str(events))


def names(chain, *wanted):
    """Each a variable and the key whose certificate is at its end; None: any."""
    found = chain.authorities()
    return len(found) == len(wanted) and all(
        variable == text and (key is None or data.endswith(certificate(key)))
        for (variable, key), (text, data) in zip(wanted, found))


def same(one, other, pcrs):
    return all(one.given.pcrs[pcr] == other.given.pcrs[pcr] for pcr in pcrs)


def boot(tap, **plans):
    chain = {}
    for name, plan in plans.items():
        chain[name] = Chain(name.replace("_", "-"), *plan)
        chain[name].check(tap)
    return chain


def checker(tap, chain):
    def check(good, text, *which):
        tap.check(good, text, "\n".join(f"{name}: {chain[name].authorities()} {chain[name].given.pcrs}" for name in which))
    return check


def judge(tap):
    """The chains of a check; returns them."""
    chain = boot(tap, firmware=firmware("db"), second=firmware("second"), shim=shim("mok"))
    check = checker(tap, chain)
    check(names(chain["firmware"], ("db", "db")), "PCR 7 names the entry of db that vouched for the next image", "firmware")
    check(names(chain["second"], ("db", "second")), "and another one where that did", "second")
    one, other = chain["firmware"], chain["second"]
    check(one.given.pcrs[7] != other.given.pcrs[7] and same(one, other, (0, 1, 2, 3, 4, 5, 6)),
          "the same image signed by another: PCR 7 differs, PCRs 0 to 6 do not", "firmware", "second")
    check(same(one, chain["shim"], (5,)), "PCR 5: the loader measures the table as firmware does", "firmware", "shim")
    check(names(chain["shim"]), "above shim: it has named this MOK before there was a TPM, and does not again", "shim")
    return chain


def judge_more(tap, chain):
    chain.update(boot(tap, shim_second=shim("second"), below=below()))
    check = checker(tap, chain)
    check(names(chain["shim_second"], ("MokListRT", "second")), "above shim: another MOK is named", "shim_second")
    check(chain["shim"].given.pcrs[7] != chain["shim_second"].given.pcrs[7], "and PCR 7 differs", "shim", "shim_second")
    check(names(chain["below"], ("db", None), ("SbatLevel", None), ("db", "db")),
          "below shim: who vouched for shim, and by shim's own hand who did for what it starts", "below")


def main():
    everything = "--all" in sys.argv[1:]
    tap = Tap(3 * COMMON + 5 + (2 * COMMON + 3 if everything else 0))
    try:
        chain = judge(tap)
        if everything:
            judge_more(tap, chain)
    except (Failure, ValueError, IndexError, KeyError) as failure:
        tap.give_up(f"{failure!r} {failure}")
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
