#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Who starts what under Secure Boot, and who is refused by whom, in one boot of firmware each.

usage: refusals.py NAME       one of the scenarios below; speaks TAP

A scenario is a file of variables (enroll.py), what firmware starts, files for the disk, lines for the
starter (tests/acpi), and what must appear, in this order, on port 0xE9, or on firmware's console where it
starts with CONSOLE. Each line of `seen` is one check, named by itself or by the text beside it; `never` must
not have appeared at the end, and whenever the loader ran it must have said that Secure Boot is on, or what
`state` says. For each refusal stands, in the same scenario or in one that differs in its variables alone,
the same thing signed well, which starts. Firmware and shim refuse with statuses of their own, so a message
tells who it was.

In most of these the loader of Redoubt steps aside (`failed`), so that it can be started several times in
one boot.
"""

import os
import re
import shutil
import sys

import keys

import linux
import mkdisk
from machine import Failure, Machine, Spec
from tap import Tap

CONSOLE = "(console)"
PAUSE = re.compile(r"going back")
ACCESS_DENIED, SECURITY_VIOLATION = (1 << 63 | code for code in (15, 26))
FIRMWARE_REFUSES = r"access denied \(Secure Boot does not trust its signature\?\)"
SHIM_REFUSES = "Secure Boot does not trust its signature"
STATE = re.compile(r"^redoubt: loader at .*, Secure Boot (.*)$", re.M)
LOADER = re.compile(r"^redoubt: loader at ", re.M)
OURS = ("starter", "probe", "probe-old", "probe-refused", "probe-unstarted", "probe-deleted", "resident",
        "double", "redoubt-next")


def source(name):
    """The file that a scenario calls by a short name, as the build or Debian made it."""
    if name in OURS:
        return os.path.join(keys.WORK, name + ".efi")
    return {"redoubt": linux.LOADER, "shim": keys.SHIM,
            "kernel": os.path.join(linux.kernel_dir("cloud"), "vmlinuz")}[name]


def made(name):
    path = os.path.join(keys.WORK, "signed", name + ".efi")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path


def signed(key, name):
    return keys.sign(key, source(name), made(f"{name}-{key}"))


def modified(key, name):
    return keys.modified(signed(key, name), made(f"{name}-{key}-modified"))


def bare(name, path_signed=None):
    """What came signed, without its signature."""
    path = made(f"{name}-bare")
    shutil.copyfile(path_signed or source(name), path)
    keys.run("sbattach", "--remove", path)
    return path


def loaded(status):
    return f"^starter: loaded -> 0x{status:016x}$"


def starts(*folders):
    """Lines for the starter: the loader in each folder."""
    return [f"start \\{folder}\\redoubt.efi" for folder in folders]


GOES_BACK = "^redoubt: going back to firmware, without the monitor$"


def goes_on(path, complaint=FIRMWARE_REFUSES):
    """The loader cannot load `path`, says why, and gives the machine back."""
    return [f"^redoubt: next loader {re.escape(path)}: {complaint}$", GOES_BACK]


def named(text, lines):
    """The same lines, the first of them named."""
    return [(lines[0], text), *lines[1:]]


def fails(path):
    """Started, it returns what firmware says of what it refuses, and is unloaded by who loaded it."""
    return [f"^redoubt: starting {re.escape(path)}$", "^probe: started$",
            f"^redoubt: next loader {re.escape(path)} returned: {SHIM_REFUSES}$", GOES_BACK]


def starts_probe(path):
    return [f"^redoubt: starting {re.escape(path)}$", "^probe: started$",
            f"^redoubt: next loader {re.escape(path)} returned: success$", GOES_BACK]


def firmware():
    """Started by firmware, the next image by LoadImage(): firmware's keys alone count."""
    redoubt = signed("db", "redoubt")
    return dict(
        vars="firmware", boot=signed("db", "starter"),
        files=[(source("redoubt"), "plain/redoubt.efi"), (signed("other", "redoubt"), "other/redoubt.efi"),
               (signed("mok", "redoubt"), "mok/redoubt.efi"),
               (modified("db", "redoubt"), "modified/redoubt.efi"),
               (source("probe"), "plain.efi"), (signed("other", "probe"), "other.efi"),
               (modified("db", "probe"), "modified.efi"), (bare("kernel"), "bare.efi"),
               (signed("db", "probe"), "good.efi"), (signed("db", "resident"), "resident.efi"),
               *[(redoubt, f"{f}/redoubt.efi") for f in "abcdefg"]],
        conf=dict(a="plain", b="other", c="modified", d="bare", e="good fail", f="resident stay here",
                  g="good"),
        script=["failed", *starts("plain", "other", "mok", "modified", *"abcdefg")],
        seen=[(loaded(ACCESS_DENIED), "T55 an unsigned redoubt.efi: refused"),
              *[loaded(ACCESS_DENIED)] * 3, loaded(0),
              *named("T55 an unsigned next loader: refused", goes_on(r"\plain.efi")),
              *goes_on(r"\other.efi"), *goes_on(r"\modified.efi"),
              *goes_on(r"\bare.efi"), *fails(r"\good.efi"),
              "^resident: stays$", r"^redoubt: next loader \\resident\.efi returned: success$",
              r"^resident: options stay here\.$", *starts_probe(r"\good.efi")],
        never=r"^resident: options (?!stay here\.$)")


def unsigned():
    """Firmware finds an unsigned redoubt.efi where it looks for what to boot."""
    return dict(vars="firmware", boot=source("redoubt"), seen=[CONSOLE + "failed to load Boot.*Access Denied"],
                never="^redoubt:")


def shim():
    """Started by Debian's shim with our key as the owner's: shim judges what comes next."""
    redoubt = signed("mok", "redoubt")
    return dict(
        vars="shim", boot=source("shim"),
        files=[(signed("mok", "starter"), "EFI/BOOT/grubx64.efi"),
               (source("redoubt"), "plain/redoubt.efi"), (signed("other", "redoubt"), "other/redoubt.efi"),
               (modified("mok", "redoubt"), "modified/redoubt.efi"),
               (source("probe"), "plain.efi"), (signed("other", "probe"), "other.efi"),
               (modified("mok", "probe"), "modified.efi"), (bare("kernel"), "bare.efi"),
               (signed("mok", "probe"), "good.efi"),
               *[(redoubt, f"{f}/redoubt.efi") for f in "abcdefg"]],
        texts=[("", "empty.efi")],
        conf=dict(a="plain", b="other", c="modified", d="bare", e="empty", f="good fail", g="good"),
        script=["failed", *starts("plain", "other", "modified", *"abcdefg")],
        seen=[*[loaded(SECURITY_VIOLATION)] * 3, loaded(0),
              *shim_refuses(r"\plain.efi"), *shim_refuses(r"\other.efi"), *shim_refuses(r"\modified.efi"),
              *shim_refuses(r"\bare.efi"), *goes_on(r"\empty.efi", "not a program that firmware can load"),
              *fails(r"\good.efi"), *starts_probe(r"\good.efi")])


def off():
    """Secure Boot off: what is refused in the scenario `firmware` starts."""
    return dict(
        vars="off", state="is off", boot=source("starter"),
        files=[(source("redoubt"), "a/redoubt.efi"), (source("probe"), "plain.efi")],
        conf=dict(a="plain"), script=["failed", *starts("a")],
        seen=[(loaded(0), "T55 an unsigned redoubt.efi: succeeds with Secure Boot off"),
              *named("T55 an unsigned next loader: succeeds with Secure Boot off",
                     starts_probe(r"\plain.efi"))])


def not_revoked():
    """Without SbatLevel: what is refused in the scenario `sbat` starts."""
    return dict(
        vars="shim", boot=source("shim"),
        files=[(signed("mok", "starter"), "EFI/BOOT/grubx64.efi"),
               (signed("mok", "redoubt"), "a/redoubt.efi"), (signed("mok", "probe-old"), "old.efi")],
        conf=dict(a="old"), script=["failed", *starts("a")],
        seen=[(loaded(0), "T55 a revoked redoubt.efi: succeeds with SbatLevel left out"),
              *named("T55 a revoked next loader: succeeds with SbatLevel left out",
                     starts_probe(r"\old.efi"))])


def shim_refuses(path):
    return [f"^redoubt: shim does not accept {re.escape(path)}$", *goes_on(path, SHIM_REFUSES)]


def sbat():
    """A generation revoked by SbatLevel: redoubt.efi itself, and a next image that calls itself so."""
    return dict(
        vars="revoked", boot=source("shim"),
        files=[(signed("mok", "starter"), "EFI/BOOT/grubx64.efi"),
               (signed("mok", "redoubt"), "old/redoubt.efi"),
               (signed("mok", "probe-old"), "old.efi"), (signed("mok", "probe"), "good.efi"),
               *[(signed("mok", "redoubt-next"), f"{f}/redoubt.efi") for f in "ab"]],
        conf=dict(a="old", b="good"),
        script=["failed", *starts("old", "a", "b")],
        seen=[(loaded(SECURITY_VIOLATION), "T55 a revoked redoubt.efi: refused"), loaded(0),
              *named("T55 a revoked next loader: refused", shim_refuses(r"\old.efi")),
              *starts_probe(r"\good.efi")])


def sbat_direct():
    """Shim finds a revoked redoubt.efi where it looks for its second stage."""
    return dict(vars="revoked", boot=source("shim"),
                files=[(signed("mok", "redoubt"), "EFI/BOOT/grubx64.efi")],
                seen=[CONSOLE + "Verification failed.*Security"], never="^redoubt:")


def old_shim():
    """A shim that leaves LoadImage() to firmware: both must accept, and shim can only refuse.

    What it judged is what is started, though the file is gone. And firmware that loads an image and does
    not start it: the loader unloads that one, and no other.
    """
    redoubt = signed("db", "redoubt")
    return dict(
        vars="firmware", boot=signed("db", "starter"),
        files=[(signed("db", "double"), "double.efi"), (signed("db", "starter"), "inner.efi"),
               (signed("db", "probe-refused"), "refused.efi"), (source("probe"), "plain.efi"),
               (signed("db", "probe-unstarted"), "unstart.efi"), (signed("db", "probe"), "good.efi"),
               (signed("db", "probe-deleted"), "delete.efi"),
               *[(redoubt, f"{f}/redoubt.efi") for f in "abcdef"]],
        conf=dict(a="refused", b="plain", c="unstart", d="good fail", e="delete", f="good"),
        texts=[("\n".join(starts(*"abcdef")) + "\n", "inner.txt")],
        script=["failed", r"start \double.efi \inner.txt"],
        seen=["^double: refused$", *shim_refuses(r"\refused.efi"),
              "^double: accepted$", *goes_on(r"\plain.efi"),
              "^double: accepted$", "^double: not started$",
              rf"^redoubt: next loader \\unstart\.efi was not started: {SHIM_REFUSES}$",
              "^double: unloaded -> 0x0000000000000000$", GOES_BACK,
              "^double: accepted$", *fails(r"\good.efi"),
              "^double: deleted -> 0x0000000000000000$", *starts_probe(r"\delete.efi"),
              "^double: accepted$", *starts_probe(r"\good.efi")],
        never=r"^double: unloaded(.|\n)*^double: unloaded")


def covered_then_refused(key, complaints, cover="^redoubt: 1 CPUs? covered$"):
    """The monitor runs, the next image is refused, and firmware goes on above the monitor."""
    return dict(
        files=[(signed(key, "redoubt"), "a/redoubt.efi"), (source("probe"), "plain.efi"),
               (signed(key, "probe"), "good.efi")],
        conf=dict(a="plain"), script=[*starts("a"), r"start \good.efi"],
        seen=[cover, *complaints, "^redoubt: going back to firmware, still under the monitor$",
              "^probe: started$"])


def covered():
    """Here a guest has made the counter of starts before the loader did, of a kind that only a guest makes."""
    cover = ("^redoubt: 1 CPUs? covered$", "T55 a counter of starts made by the guest: not believed")
    scenario = covered_then_refused(
        "db", [rf"^redoubt: next loader \\plain\.efi: {FIRMWARE_REFUSES}$"], cover)
    return dict(scenario, script=["failed runtime", *scenario["script"]], vars="firmware",
                boot=signed("db", "starter"), never="stepping aside")


def covered_shim():
    scenario = covered_then_refused(
        "mok", [r"^redoubt: shim does not accept \\plain\.efi$",
                rf"^redoubt: next loader \\plain\.efi: {SHIM_REFUSES}$"])
    scenario["files"].append((signed("mok", "starter"), "EFI/BOOT/grubx64.efi"))
    return dict(scenario, vars="shim", boot=source("shim"))


SCENARIOS = {f.__name__.replace("_", "-"): f
             for f in (firmware, off, unsigned, shim, sbat, not_revoked, sbat_direct, old_shim, covered,
                       covered_shim)}


def make_disk(name, scenario):
    files = [(scenario["boot"], "EFI/BOOT/BOOTX64.EFI"), *scenario.get("files", [])]
    texts = list(scenario.get("texts", []))
    texts.append(("\n".join(scenario.get("script", [])) + "\n", "start.txt"))
    for folder, following in scenario.get("conf", {}).items():
        program, _, options = following.partition(" ")
        lines = ["console = debugcon", f"next = \\{program}.efi", *([f"options = {options}"] if options else [])]
        texts.append(("\n".join(lines) + "\n", f"{folder}/redoubt.conf"))
    disk = os.path.join(keys.WORK, f"refusals-{name}.img")
    mkdisk.make_with_text(disk, files, texts)
    return disk


def own_variables(variant, name):
    """A copy that this run may write to."""
    path = os.path.join(keys.WORK, f"{name}.run.vars")
    shutil.copyfile(os.path.join(keys.WORK, variant + ".vars"), path)
    return path


def watch(machine, scenario, tap):
    for entry in scenario["seen"]:
        pattern, text = entry if isinstance(entry, tuple) else (entry, entry)
        source_name = "serial" if pattern.startswith(CONSOLE) else "e9"
        machine.wait_for(pattern.removeprefix(CONSOLE), source=source_name, timeout=60)
        tap.check(True, text)
        if PAUSE.search(pattern):
            machine.send(" ")
    if "never" in scenario:
        found = re.search(scenario["never"], machine.e9, re.M)
        tap.check(not found, f"never {scenario['never']}", machine.e9)
    if "script" in scenario:
        said = STATE.findall(machine.e9)
        wanted = [scenario.get("state", "is on")] * len(LOADER.findall(machine.e9))
        tap.check(said and said == wanted, "the loader says whether Secure Boot is on", f"{said}")


def main():
    name = sys.argv[1]
    scenario = SCENARIOS[name]()
    tap = Tap(len(scenario["seen"]) + ("never" in scenario) + ("script" in scenario))
    spec = Spec(name="secureboot-" + name, disk=make_disk(name, scenario), mem=256, firmware="secboot",
                vars=own_variables(scenario["vars"], name))
    with Machine(spec, "qemu-tcg", time=150) as machine:
        try:
            watch(machine, scenario, tap)
        except Failure as why:
            tap.give_up(machine.tail() + f"\n{name}: {why}")
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
