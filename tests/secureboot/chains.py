#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Debian under Secure Boot with the monitor below it, started in each of the ways that are supported.

usage: chains.py NAME [--kernel stock|cloud] [--cpus N] [--once] [--aside]

  firmware-stub   firmware starts redoubt.efi, firmware's keys say yes to Debian's kernel
  firmware-shim   firmware starts redoubt.efi, which starts Debian's shim, and that GRUB and the kernel
  shim-stub       Debian's shim starts redoubt.efi, and says yes to Debian's kernel
  shim-grub       Debian's shim starts redoubt.efi, and says yes to GRUB
  shim-shim       Debian's shim starts redoubt.efi, and says yes to Debian's shim
  off-stub        Secure Boot off: as firmware-stub, with nothing signed; the kernel starts and is not locked down

  --once          without the reboot
  --aside         the loader steps aside: the same without a monitor, for comparison; implies --once

The kernel must know that Secure Boot is on (or off) and be locked down (or not); variables that it sets, each of which takes
an SMI in this firmware, must be there after a reboot, and in the flash seen from outside. Speaks TAP.
"""

import argparse
import os
import re
import sys

import keys
from refusals import bare, own_variables, signed, source

import linux
import mkdisk
from machine import Failure, Machine, Spec
from tap import Tap

PROMPT = re.escape(linux.PROMPT)
GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
VARIABLE = "RedoubtTest{}-6fa5a0b1-6d7f-4d0c-8a39-0c6d3a3f5a11"
EFIVARS = "/sys/firmware/efi/efivars"
COUNTER = "RedoubtAttempts-dade1552-6eda-488e-9f96-12cc6f92dca1"
MOUNT = f"insmod /lib/efivarfs.ko; mount -t efivarfs efivarfs {EFIVARS}"
CONTENT = "of CPU {}, still there"
COMPLAINT = re.compile(r"BUG:|Oops|WARNING: CPU|Call Trace|general protection|soft lockup")
MONITOR_TROUBLE = re.compile(r"^\[[^]]* error\].*|.*PANIC.*|.*CHECK failed.*", re.M)
NEXT = {"firmware-stub": ("vmlinuz", "initrd"), "firmware-shim": ("shimx64.efi", None),
        "shim-stub": ("vmlinuz", "initrd"), "shim-grub": ("grubx64.efi", None),
        "shim-shim": ("shimx64.efi", None), "off-stub": ("vmlinuz", "initrd")}


def initrd(kernel):
    """The test initramfs, behind it the kernel's own efivarfs module and our driver, each with another signature."""
    path = os.path.join(keys.WORK, f"initramfs-{kernel}.cpio")
    module = os.path.join(linux.kernel_dir(kernel), "efivarfs.ko")
    drivers = [f"{keys.sign_module(key, kernel, os.path.join(keys.WORK, f'{kernel}-{key}.ko'))}=lib/{key}.ko"
               for key in ("db", "mok", "other")]
    keys.run(os.path.join(keys.TOP, "guest/linux/mkinitramfs.py"), path, f"{module}=lib/efivarfs.ko",
             f"{keys.unsigned_module(kernel)}=lib/unsigned.ko", *drivers)
    with open(linux.INITRAMFS, "rb") as base, open(path, "rb") as more:
        both = base.read() + more.read()
    with open(path, "wb") as out:
        out.write(both)
    return path


def config(name):
    following, ramdisk = NEXT[name]
    text = f"next = \\EFI\\debian\\{following}\nconsole = debugcon\n"
    if ramdisk:
        text += f"initrd = \\EFI\\debian\\{ramdisk}\noptions = {linux.OPTIONS}\n"
    return text


def disk(name, kernel):
    vmlinuz = os.path.join(linux.kernel_dir(kernel), "vmlinuz")
    if name.startswith("off"):
        vmlinuz = bare("kernel", vmlinuz)
        files = [(source("redoubt"), "EFI/BOOT/BOOTX64.EFI")]
    elif name.startswith("firmware"):
        files = [(signed("db", "redoubt"), "EFI/BOOT/BOOTX64.EFI")]
    else:
        files = [(keys.SHIM, "EFI/BOOT/BOOTX64.EFI"), (signed("mok", "redoubt"), "EFI/BOOT/grubx64.efi")]
    files += [(vmlinuz, "EFI/debian/vmlinuz"), (initrd(kernel), "EFI/debian/initrd"),
              (keys.SHIM, "EFI/debian/shimx64.efi"),
              (os.path.join(linux.CACHE, linux.GRUB), "EFI/debian/grubx64.efi")]
    texts = [(config(name), "EFI/BOOT/redoubt.conf"),
             (linux.GRUB_CONFIG.format(options=linux.OPTIONS), "EFI/debian/grub.cfg")]
    path = os.path.join(keys.WORK, f"chain-{name}.img")
    mkdisk.make_with_text(path, files, texts)
    return path


class Chain:
    """One machine; every step makes exactly one check."""

    def __init__(self, args, spec, tap):
        self.args = args
        self.spec = spec
        self.on = not args.name.startswith("off")
        self.word = "on" if self.on else "off"
        self.machine = Machine(spec, "qemu-tcg", args.time)
        self.tap = tap

    def ask(self, line):
        return linux.command(self.machine, line, 60)

    def last_line(self, line):
        """Of what a command says; a long command's echo takes lines of its own."""
        return self.ask(line).rstrip().split("\n")[-1].strip()

    def steps(self):
        again = [self.reboot, self.covered, self.locked_down, self.get_variables]
        return [self.to_prompt, self.online, self.covered, self.secure_boot, self.kernel_log,
                self.locked_down, self.memory_closed, self.driver_refused, self.driver_loaded, self.set_variables,
                self.counter_closed,
                *([] if self.args.once else again), self.no_trouble, self.power_off, self.in_flash]

    def to_prompt(self):
        self.machine.wait_for(PROMPT, source="serial", fail="Kernel panic|Access Denied")
        self.tap.check(True, f"{self.args.name}: Debian comes up to a prompt")
        self.ask("dmesg -n 1")

    def online(self):
        wanted = "0" if self.args.cpus == 1 else f"0-{self.args.cpus - 1}"
        text = self.ask("cat /sys/devices/system/cpu/online").strip()
        self.tap.check(text == wanted, f"{self.args.cpus} CPUs are online", text)

    def covered(self):
        text = self.ask("redoubtctl status; echo exit status $?")
        wanted = f"exit status {int(self.args.aside)}"
        self.tap.check(wanted in text.split("\n"), f"redoubtctl status ends with {wanted}", text)

    def secure_boot(self):
        self.ask(MOUNT)
        text = self.last_line(f"hexdump -ve '1/1 \"%02x \"' {EFIVARS}/SecureBoot-{GLOBAL}")
        self.tap.check(text == f"06 00 00 00 {int(self.on):02x}",
                       f"firmware's variable says that it is {self.word}", text)

    def kernel_log(self):
        text = self.ask("dmesg | grep -i 'secure boot'")
        wanted = "Secure boot enabled" if self.on else "Secure boot disabled"
        self.tap.check(wanted in text, f"the kernel says that Secure Boot is {self.word}", text)

    def locked_down(self):
        text = self.ask("mount -t securityfs securityfs /sys/kernel/security 2>/dev/null; "
                        "cat /sys/kernel/security/lockdown")
        wanted = "[integrity]" if self.on else "[none]"
        self.tap.check(wanted in text, f"the kernel's lockdown is {wanted}", text)

    def memory_closed(self):
        text = self.ask("dd if=/dev/mem of=/dev/null bs=1 count=1 2>&1")
        wanted = "not permitted" if self.on else "1+0 records out"
        self.tap.check(wanted in text, f"reading /dev/mem gives: {wanted}", text)

    def insmod(self, name):
        return self.ask(f"insmod /lib/{name}.ko; echo insmod status $?")

    def driver_refused(self):
        """init has tried the one that the build's own key signs, which neither firmware nor shim knows."""
        if not self.on:
            text = self.ask("ls /dev/redoubt; rmmod redoubt")
            self.tap.check("No such file" not in text, "the driver is loaded with a key that nobody knows", text)
            return
        texts = [self.insmod(name) for name in ("unsigned", "other")] + [self.ask("ls /dev/redoubt")]
        good = all("insmod status 1" in text for text in texts[:2]) and "No such file" in texts[2]
        self.tap.check(good, "the driver is refused without a signature and with a key that nobody knows", f"{texts}")

    def driver_loaded(self):
        key = "mok" if self.args.name.startswith("shim") else "db"
        text = self.insmod(key) + self.ask("redoubtctl log; echo log status $?")
        good = "insmod status 0" in text and "log status 0" in text
        self.tap.check(good, f"the driver signed with {key}'s key is loaded, and asks the monitor", text)

    def values(self):
        """The variables of all CPUs, as the guest reads them, one a line."""
        names = f"{EFIVARS}/{VARIABLE.format('*')}"
        return self.last_line(f"for f in {names}; do tail -c +5 $f; echo -n '. '; done")

    def wanted(self):
        return " ".join(CONTENT.format(i) + "." for i in range(self.args.cpus))

    def set_variables(self):
        """One from each CPU; an SMI takes all of them."""
        for i in range(self.args.cpus):
            self.ask(f"taskset -c {i} printf '\\007\\000\\000\\000{CONTENT.format(i)}' > "
                     f"{EFIVARS}/{VARIABLE.format(i)}")
        text = self.values()
        self.tap.check(text == self.wanted(), "each CPU sets a variable and reads it", text)

    def counter_closed(self):
        """Three would let the next start go on without the monitor (seen after the reboot)."""
        path = f"{EFIVARS}/{COUNTER}"
        said = [self.last_line(f"printf '\\{attributes:03o}\\000\\000\\000\\003\\000\\000\\000' > {path} "
                               "2>&1 && echo taken || echo refused") for attributes in (3, 7)]
        self.tap.check(said == ["refused"] * 2,
                       "T55 the counter of starts, set by the guest: refused", f"{said}")

    def reboot(self):
        self.machine.send("reboot\n")
        self.machine.wait_for("Linux version", source="serial", fail="Access Denied|did not end")
        self.machine.wait_for(PROMPT, source="serial", fail="Kernel panic")
        self.tap.check(True, "the machine comes up again after reboot")
        self.ask("dmesg -n 1")

    def get_variables(self):
        self.ask(MOUNT)
        text = self.values()
        self.tap.check(text == self.wanted(), "the variables are still there", text)

    def no_trouble(self):
        text = self.ask("dmesg") + self.machine.serial
        trouble = COMPLAINT.findall(text) + MONITOR_TROUBLE.findall(self.machine.e9)
        self.tap.check(not trouble, "neither the kernel nor the monitor complains", "\n".join(trouble))

    def power_off(self):
        self.machine.send("poweroff\n")
        self.machine.wait_end(60)
        self.tap.check(True, "power-off ends the machine")

    def in_flash(self):
        with open(self.spec.vars, "rb") as file:
            flash = file.read()
        missing = [i for i in range(self.args.cpus)
                   if VARIABLE.format(i).split("-", maxsplit=1)[0].encode("utf-16-le") not in flash
                   or CONTENT.format(i).encode() not in flash]
        self.tap.check(not missing, "the variables are in the flash", f"not those of {missing}")


def parse():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("name", choices=sorted(NEXT))
    parser.add_argument("--kernel", default="cloud", choices=["stock", "cloud"])
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--time", type=float, default=240)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--aside", action="store_true")
    args = parser.parse_args()
    # Having reached the operating system the loader does not step aside again.
    args.once |= args.aside
    return args


def main():
    args = parse()
    variant = args.name.split("-", maxsplit=1)[0] + ("-aside" if args.aside else "")
    spec = Spec(name="secureboot-" + args.name, disk=disk(args.name, args.kernel), cpus=args.cpus,
                firmware="secboot", vars=own_variables(variant, args.name))
    print(f"# {linux.kernel_version(args.kernel)}", flush=True)
    chain = Chain(args, spec, None)
    steps = chain.steps()
    chain.tap = Tap(len(steps))
    with chain.machine:
        try:
            for step in steps:
                step()
        except Failure as why:
            chain.tap.give_up(chain.machine.tail() + f"\n{args.name}: {why}")
    return chain.tap.status()


if __name__ == "__main__":
    sys.exit(main())
