#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""redoubt.efi on an emulated machine: what it refuses, what it says, what it leaves behind.

usage: loader.py NAME       one of the scenarios below; speaks TAP

A scenario is a machine, files for its disk, lines for the starter (tests/acpi), and what must
appear on port 0xE9, in this order; on firmware's console where it starts with CONSOLE. Each line of
`seen` is one check. After what makes the loader wait for a reader, a key is pressed. The probe
(probe.c) prepares what the loader is to meet.
"""
import hashlib
import os
import re
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../../emu"), os.path.join(HERE, "../../../tools/lint")]

import check_pe  # noqa: E402
import mkdisk  # noqa: E402
import partition  # noqa: E402
from machine import Failure, Machine, Spec  # noqa: E402
from spec import BUILD  # noqa: E402
from tap import Tap  # noqa: E402

LOADER = os.path.join(BUILD, "boot/redoubt.efi")
VTD_LOADER = os.path.join(BUILD, "boot/redoubt-vtd.efi")  # drives VT-d beside SVM
FAKE = os.path.join(BUILD, "tests/boot/loader/fake.efi")
PARTITIONS = os.path.join(BUILD, "tests/boot/loader/partitions.efi")
FAKE_PARTITIONS = os.path.join(BUILD, "tests/boot/loader/fake-partitions.efi")
QEMU = "qemu-tcg"
PROBE = os.path.join(BUILD, "tests/boot/loader/probe.efi")
STARTER = os.path.join(BUILD, "tests/acpi/starter.efi")
CONSOLE = "(console)"
PAUSE = re.compile(r"refused: |going back|initrd .*nowhere")
CONF = "console = debugcon\nlog_level = debug\n"
NEXT = CONF + "next = \\probe.efi\n"
UNSUPPORTED, INVALID, ALREADY = (1 << 63 | code for code in (3, 2, 20))
NOT_FOUND, ABORTED = (1 << 63 | code for code in (14, 21))


def ended(status):
    """The starter's line when a program has ended."""
    return f"^starter: ended -> 0x{status:016x}$"


def refused(text):
    return [f"^redoubt: refused: {text}$", ended(UNSUPPORTED)]


def start(*options):
    """A loader in a folder of its own, with the configuration of that folder."""
    return [f"start \\{folder}\\redoubt.efi" for folder in options]


def probe(command):
    return f"start \\probe.efi {command}"


def loader_and_payload():
    """The loader's bytes, and where in them its monitor image starts."""
    with open(LOADER, "rb") as file:
        data = bytearray(file.read())
    return data, check_pe.Pe(bytes(data)).named(".monvmx").raw


def damaged(path):
    """A copy of the loader with one bit of the monitor's text flipped."""
    data, at = loader_and_payload()
    data[at + 5000] ^= 4
    with open(path, "wb") as file:
        file.write(data)
    return path


def other_vendor(path):
    """A copy of the loader whose monitor is whole, but made for CPUs of another vendor."""
    data, at = loader_and_payload()
    struct.pack_into("<I", data, at + 12, 2)
    size, = struct.unpack_from("<I", data, at + 16)
    relocs, = struct.unpack_from("<I", data, at + 28)
    data[at + 64:at + 96] = bytes(32)
    data[at + 64:at + 96] = hashlib.sha256(data[at:at + size + 4 * relocs]).digest()
    with open(path, "wb") as file:
        file.write(data)
    return path


def fake(path):
    """The loader with a monitor that fails on purpose."""
    return FAKE


def with_partitions(path):
    return PARTITIONS


def fake_with_partitions(path):
    return FAKE_PARTITIONS


def changed_partitions(path, *changes):
    """The fake monitor's loader with words of partitions' headers changed: (number, offset, value)."""
    with open(FAKE_PARTITIONS, "rb") as file:
        data = bytearray(file.read())
    pe = check_pe.Pe(bytes(data))
    for number, offset, value in changes:
        struct.pack_into("<I", data, pe.named(f".part{number}").raw + offset, value)
    with open(path, "wb") as file:
        file.write(data)
    return path


def damaged_partition(path):
    return changed_partitions(path, (1, partition.TEXT_PAGES_AT, 2))


def same_partition(path):
    """The first with the id of the third."""
    return changed_partitions(path, *((0, partition.ID_AT + 4 * i, value)
                                      for i, value in enumerate((ord("0"), 0))))


def large_partitions(path):
    """Each with as much private memory as it may want."""
    return changed_partitions(path, *((i, partition.DATA_PAGES_AT, 16384) for i in range(4)))


def told_of_partitions():
    """What the fake monitor must tell of the images that partitions.efi carries."""
    for image in partition.IMAGES.values():
        yield (rf"^fake: {image.id}: {image.text} \+ {image.rodata} \+ {image.data} pages, "
               f"SVN {image.svn}, flags {int(image.debug)}, reserved 0$")
        yield f"^fake: {image.id}: told {image.measurement()}$"
        yield f"^fake: {image.id}: found {image.measurement()}$"
        yield f"^fake: {image.id}: signer {'0' * 64}$"


def placed_partitions():
    """The loader's line for each of them."""
    for image in partition.IMAGES.values():
        size = 4096 * (1 + image.text + image.rodata + image.data)
        yield f"^redoubt: partition {image.id} at 0x[0-9a-f]+ size 0x{size:x}$"


def dmar(*structures):
    """A DMAR for QEMU, which puts its length and checksum right."""
    return (struct.pack("<4sI28x", b"DMAR", 0) + struct.pack("<BB10x", 38, 0) +
            b"".join(struct.pack("<HH", kind, 4 + len(body)) + body for kind, body in structures))


def drhd(flags, base):
    return 0, struct.pack("<BxHQ", flags, 0, base)


def rmrr(base, limit):
    return 1, struct.pack("<4xQQ", base, limit)


def tables(**found):
    """What the probe tells of tables; those not named are absent."""
    return [f"^probe: table {name}: {found.get(name, 'absent')}$" for name in ("DMAR", "IVRS", "XMAR", "XVRS")]


NO_SHIM = r"\EFI\debian\shimx64.efi".replace("\\", r"\\")
SCENARIOS = {
    # A CPU that cannot carry the monitor, one model each.
    "no-vmx": dict(cpu="p4_prescott_celeron_336", script=start("a"), seen=refused(
        r"CPU 0 \(APIC id 0\): This CPU has no hardware virtualization \(VT-x or SVM\)\.")),
    "no-ept": dict(cpu="core2_penryn_t9600", script=start("a"), seen=refused(
        r"CPU 0 \(APIC id 0\): This CPU (has no second-stage|lacks a secondary VT-x).*")),
    "no-unrestricted": dict(cpu="corei5_lynnfield_750", script=start("a"), seen=refused(
        r"CPU 0 \(APIC id 0\): This CPU cannot run real-mode code.*")),
    "other-maker": dict(engine=QEMU, cpu="EPYC,vendor=CentaurHauls", script=start("a"), seen=refused(
        r"This loader carries no monitor for CPUs of CentaurHauls\.")),
    "no-svm": dict(engine=QEMU, cpu="EPYC,-svm", script=start("a"), seen=refused(
        r"CPU 0 \(APIC id 0\): This CPU has no hardware virtualization \(VT-x or SVM\)\.")),
    "no-npt": dict(engine=QEMU, cpu="EPYC,-npt", script=start("a"), seen=refused(
        r"CPU 0 \(APIC id 0\): This CPU has no second-stage .*")),
    # What firmware, another hypervisor or a CPU in use leave no room for; nothing may be left behind.
    "locked": dict(
        cpus=2, script=[probe("attempts 1"), probe("lock 1"), *start("a"), probe("lock 0"),
                        *start("a"), probe("attempts"), probe("covered")],
        seen=[*refused(r"CPU 1 \(APIC id 1\): Firmware has switched hardware.*"),
              *refused(r"CPU 0 \(APIC id 0\): Firmware has switched hardware.*"),
              "^probe: attempts 1$", "^probe: covered: signature 0, 0 CPUs$"]),
    "in-use": dict(
        cpus=2, script=[probe("vmxe"), *start("a")],
        seen=refused(r"CPU 0 \(APIC id 0\): A hypervisor already owns.*")),
    "svm-in-use": dict(
        engine=QEMU, cpus=2, script=[probe("svme"), *start("a")],
        seen=refused(r"CPU 0 \(APIC id 0\): A hypervisor already owns.*")),
    # A CPU that does not come back, or refuses at each step: monitors of tests/boot/loader/fake.c.
    "timeout": dict(
        cpus=2, script=[probe("attempts 0"), *start("hang", "init"), probe("attempts")],
        files=[(fake, "hang"), (fake, "init")],
        conf={"hang": CONF.replace("debug\n", "error\n"), "init": CONF.replace("debug\n", "warn\n")},
        seen=[*refused(r"CPU 1 \(APIC id 1\): Firmware cannot run it \(timeout\)\."),
              *refused(r"CPU 0 \(APIC id 0\): The memory reserved for the monitor is too small.*"),
              "^probe: attempts 0$"]),
    "half-covered": dict(
        cpus=2, script=start("half"), files=[(fake, "half")],
        conf={"half": "console = debugcon\npanic = halt\n"},
        seen=[r"^redoubt: refused: CPU 0 \(APIC id 0\): The monitor was started twice.*",
              "^redoubt: the machine cannot go on like this and is halted$"]),
    # None is covered: the monitor gives back what it took, its memory is free again.
    "given-up": dict(
        script=[probe("reserved"), *start("given"), probe("reserved"), probe("covered")], files=[(fake, "given")],
        conf={"given": "console = debugcon\n"},
        seen=["^probe: [0-9]+ pages reserved$",
              r"^redoubt: refused: CPU 0 \(APIC id 0\): The monitor was started twice.*", "^fake: the end$",
              ended(UNSUPPORTED), "^probe: [0-9]+ pages reserved$", "^probe: covered: signature 0, 0 CPUs$"],
        same="^probe: ([0-9]+) pages reserved$"),
    "not-covered": dict(
        script=start("no"), files=[(fake, "no")], conf={"no": CONF + "panic = halt\n"},
        seen=[r"^redoubt: CPU 0 \(APIC id 0\) is not under the monitor as it should be .*",
              "^redoubt: the machine cannot go on like this and is halted$"]),
    # Files.
    "files": dict(
        script=[*start("damaged", "vendor", "bad", "dir"),
                "nameless \\dir\\redoubt.efi"],
        conf={"bad": CONF + "bogus = 1\nnext = a\n" + "x" * 3000 + "\npanic = halt\npanic = halt\n"},
        files=[(damaged, "damaged"), (other_vendor, "vendor")], texts={"dir/redoubt.conf/x": "x"},
        seen=[*refused("The monitor's image is damaged: .*"),
              *refused("The monitor's image is for CPUs of another vendor.*"),
              r"^redoubt: redoubt\.conf:3: bogus: no such key$",
              r"^redoubt: redoubt\.conf:4: next: a path starts with \\$",
              r"^redoubt: redoubt\.conf:5: longer than 2047 characters$",
              r"^redoubt: redoubt\.conf:7: panic: is given twice$",
              r"^redoubt: refused: redoubt\.conf has errors \(4\)\.$", ended(INVALID),
              CONSOLE + r"^redoubt: refused: redoubt\.conf cannot be read.*", ended(INVALID),
              CONSOLE + r"^redoubt: refused: The loader's own path is unknown .*", ended(INVALID)]),
    # Stepping aside, the panic record, the next loader with options and initrd: all without monitor.
    "aside": dict(
        script=[probe("attempts 3"), *start("next"), probe("record it broke"), *start("next"),
                probe("mark"), *start("next"), probe("attempts"), *start("none"), *start("os")],
        conf={"next": NEXT + "options = next a  b\ninitrd = \\initrd\n",
              "none": CONF + "initrd = \\nowhere\n",
              "os": NEXT + "options = os\n"},
        texts={"initrd": "the initrd"},
        seen=["^redoubt: the last 3 starts did not reach the operating system$",
              "^redoubt: stepping aside: this start goes on WITHOUT the monitor$",
              "^probe: next, options 'a  b'$", r"^probe: initrd of 10 bytes \(as expected\)$",
              "^probe: initrd status 0: the initrd$", "^probe: initrd as boot file: unsupported$",
              r"^redoubt: next loader \\probe.efi returned: success$",
              "^redoubt: going back to firmware, without the monitor$", ended(0),
              "^redoubt: the last run of the monitor ended with a panic:$", r"^  \| it broke$",
              r"^  \| \.\[2J$", ended(0),
              "^redoubt: the last run of the monitor ended with a panic "
              r"\(mark 0807060504034452\), but its record is lost$", ended(0),
              "^probe: attempts 3$", r"^redoubt: initrd \\nowhere: not found$", ended(NOT_FOUND),
              "^probe: os, options ''$", "^probe: no initrd$",
              "^probe: attempts set to 0: 0$", "^probe: the end$"]),
    # The launch, a next loader that fails, a second start, the operating system.
    "launch": dict(
        cpus=2, script=["acpi", probe("attempts 2"), *start("fail"), probe("attempts"),
                        probe("covered"), *start("fail"), probe("os 1")],
        conf={"fail": NEXT + "options = fail\n"},
        seen=["^redoubt: loader at 0x[0-9a-f]+, linked for 0x140000000, Secure Boot is off$",
              "^redoubt: power: PM1 control 0x[0-9a-f]+ 0x0, S5 type 0x[0-7], reset 0x[0-9a-f]+=",
              "^redoubt: 2 CPUs covered$", r"^redoubt: starting \\probe.efi$",
              f"^probe: fail ends with {ABORTED:x}$",
              r"^redoubt: next loader \\probe.efi returned: aborted$",
              "^redoubt: going back to firmware, still under the monitor$", ended(ABORTED),
              "^probe: attempts 3$", "^probe: covered: signature 1, 2 CPUs$",
              CONSOLE + "^redoubt: refused: Redoubt already runs.$", ended(ALREADY),
              "^probe: os, options '1'$",
              # Announced as newer firmware does it, but refused; then when boot services end.
              "^probe: attempts set to 0: 8000000000000006$", "^probe: attempts set to 0: 0$",
              "^probe: boot_done again: status 9$", "^probe: the end$"],
        unmoved="0x140000000"),
    "svm-launch": dict(
        engine=QEMU, cpus=2, script=[*start("fail"), probe("covered"), *start("fail"), probe("os")],
        conf={"fail": NEXT + "options = fail\n"},
        seen=["^redoubt: power: PM1 control 0x[0-9a-f]+ 0x0, S5 type 0x[0-7], reset 0x[0-9a-f]+=",
              "^redoubt: 2 CPUs covered$", f"^probe: fail ends with {ABORTED:x}$",
              r"^redoubt: next loader \\probe.efi returned: aborted$", ended(ABORTED),
              "^probe: covered: signature 1, 2 CPUs$",
              CONSOLE + "^redoubt: refused: Redoubt already runs.$", ended(ALREADY),
              "^probe: attempts set to 0: 0$", "^probe: boot_done again: status 9$",
              "^probe: the end$"]),
    # Secure partitions: what the monitor is told of them, what is refused; nothing stays reserved.
    "partitions": dict(
        mem=256, script=[probe("reserved"), *start("tell"), probe("reserved"),
                         *start("damaged", "same", "large"), probe("reserved")],
        files=[(fake_with_partitions, "tell"), (damaged_partition, "damaged"),
               (same_partition, "same"), (large_partitions, "large")],
        conf={"tell": CONF.replace("debug\n", "warn\n")},
        seen=["^probe: [0-9]+ pages reserved$", *told_of_partitions(), "^fake: 10 blocks, 0 faults$",
              *refused(r"CPU 0 \(APIC id 0\): The memory reserved for the monitor is too small.*"),
              "^probe: [0-9]+ pages reserved$",
              *refused(r"The image of secure partition signed \(\.part1\) is damaged or built wrong: "
                       r"its parts do not fit together\."),
              *refused(r"Two secure partitions have the id 0; \.part2 is the second\."),
              "^redoubt: partition plain at ",
              *refused(r"There is no room for secure partition .*: it needs 65[0-9]{3} KiB \(.*\)\."),
              "^probe: [0-9]+ pages reserved$"],
        same="^probe: ([0-9]+) pages reserved$"),
    # The monitor takes them; they are no memory of the operating system's.
    "partitions-launch": dict(
        cpus=2, script=[*start("fail"), probe("covered"), probe("reserved")],
        conf={"fail": NEXT + "options = fail\n"}, files=[(with_partitions, "fail")],
        seen=[*placed_partitions(), "^redoubt: 2 CPUs covered$", ended(ABORTED),
              "^probe: covered: signature 1, 2 CPUs$", "^probe: [0-9]+ pages reserved$"],
        reserved=5),
    "svm-partitions": dict(
        engine=QEMU, cpus=2, script=[*start("fail"), probe("covered"), probe("reserved")],
        conf={"fail": NEXT + "options = fail\n"}, files=[(with_partitions, "fail")],
        seen=[*placed_partitions(), "^redoubt: 2 CPUs covered$", ended(ABORTED),
              "^probe: covered: signature 1, 2 CPUs$", "^probe: [0-9]+ pages reserved$"],
        reserved=5),
    # Defaults; a CPU that firmware has disabled could be started by a guest.
    "disabled-cpu": dict(
        cpus=2, script=[probe("disable 1"), *start("plain")], conf={"plain": None},
        seen=[CONSOLE + line for line in (
            "^redoubt: no redoubt.conf beside the loader: the defaults hold$",
            "^redoubt: refused: The CPU with APIC id 1 is disabled or unhealthy: .*")]),
    # ACPI tables that tell the operating system of a CPU that MP services do not have (I14).
    "listed-cpu": dict(
        script=["acpi enabled", *start("a"), "acpi later", *start("a"), "acpi", *start("go"),
                probe("covered")],
        conf={"a": CONF, "go": NEXT + "options = fail\n"},
        seen=[*refused(r"The CPU with APIC id 126 could not be covered: the ACPI tables list it.*"),
              *refused(r"The CPU with APIC id 126 could not be covered: the ACPI tables say that.*"),
              "^redoubt: 1 CPUs covered$", "^probe: covered: signature 1, 1 CPUs$"]),
    # IOMMUs: found and their tables hidden, once all CPUs are covered; a table that is wrong; memory
    # that firmware keeps for a device.
    "vtd-found": dict(
        engine=QEMU, vtd=True, more="-device intel-iommu",
        script=[probe("tables"), *start("fail"), probe("tables")],
        conf={"fail": NEXT + "options = fail\n"},
        seen=[*tables(DMAR="whole"), "^redoubt: iommu: vtd at 0xfed90000 segment 0 listed devices$",
              "^redoubt: 1 CPUs covered$", "^redoubt: iommu: the tables are hidden$", ended(ABORTED),
              *tables(XMAR="whole")]),
    "amdvi-found": dict(
        engine=QEMU, more="-device amd-iommu", script=[*start("fail"), probe("tables")],
        conf={"fail": NEXT + "options = fail\n"},
        seen=["^redoubt: iommu: amdvi at 0xfed80000 segment 0 device 0x[0-9a-f]+$",
              "^redoubt: 1 CPUs covered$", "^redoubt: iommu: the tables are hidden$", ended(ABORTED),
              *tables(XVRS="whole")]),
    "wrong-table": dict(
        engine=QEMU, table=dmar(drhd(1, 0xfed90000), drhd(0, 0xfed91000)),
        script=[*start("fail"), probe("tables")], conf={"fail": NEXT + "options = fail\n"},
        seen=["^redoubt: note: no IOMMU is used, devices reach all memory: DMAR, offset 0x40: a unit comes "
              "behind the one for all devices of its segment$",
              "^redoubt: 1 CPUs covered$", ended(ABORTED), *tables(DMAR="whole")]),
    "kept-memory": dict(
        engine=QEMU, table=dmar(drhd(1, 0xfed90000), rmrr(0, (1 << 30) - 1)),
        script=[probe("reserved"), *start("a"), probe("reserved"), probe("covered"), probe("tables")],
        seen=["^probe: [0-9]+ pages reserved$", "^redoubt: iommu: reserved range at 0x0 size 0x40000000$",
              *refused("Firmware keeps 0x40000 pages at 0x0 for a device, where the monitor would be."),
              "^probe: [0-9]+ pages reserved$", "^probe: covered: signature 0, 0 CPUs$",
              *tables(DMAR="whole")],
        same="^probe: ([0-9]+) pages reserved$"),
}


def make_disk(name, scenario):
    """A disk with the starter, its script, the probe, and a folder for each loader."""
    folder = os.path.join(BUILD, "tests/boot/loader")
    pairs = [(STARTER, "EFI/BOOT/BOOTX64.EFI"), (PROBE, "probe.efi")]
    texts = [("\n".join(scenario["script"]) + "\n", "start.txt")]
    special = {place: make(os.path.join(folder, f"{name}-{place}.efi"))
               for make, place in scenario.get("files", [])}
    places = dict.fromkeys(re.findall(r"start \\(\w+)\\redoubt", texts[0][0]))
    for place in places:
        loader = VTD_LOADER if scenario.get("vtd") else LOADER
        pairs.append((special.get(place, loader), f"{place}/redoubt.efi"))
        conf = scenario.get("conf", {}).get(place, CONF)
        if conf and f"{place}/redoubt.conf/x" not in scenario.get("texts", {}):
            texts.append((conf, f"{place}/redoubt.conf"))
    texts += [(text, dest) for dest, text in scenario.get("texts", {}).items()]
    disk = os.path.join(folder, name + ".img")
    mkdisk.make_with_text(disk, pairs, texts)
    return disk


def options(name, scenario):
    """QEMU's options: devices, an ACPI table of ours."""
    more = scenario.get("more", "")
    if "table" in scenario:
        path = os.path.join(BUILD, "tests/boot/loader", name + ".table")
        with open(path, "wb") as file:
            file.write(scenario["table"])
        more += f" -acpitable file={path}"
    return {"more": more}


def check_unmoved(tap, e9, linked):
    at = re.search(r"loader at (0x[0-9a-f]+)", e9).group(1)
    tap.check(at != linked, f"it ran at {at}, not where it is linked")


def check_same(tap, e9, pattern):
    values = re.findall(pattern, e9, re.M)
    tap.check(len(values) > 1 and len(set(values)) == 1, f"the same each time: {values}")


def spans(lines, e9):
    return [(int(at, 16), int(at, 16) + int(size, 16)) for at, size in
            re.findall(rf"^{lines} at (0x[0-9a-f]+) size (0x[0-9a-f]+)$", e9, re.M)]


def check_reserved(tap, e9, count):
    """Every block that the loader tells of is in what firmware's map has as reserved."""
    blocks = spans(r"redoubt: (?:monitor|partition \S+)", e9)
    reserved = spans("probe: reserved", e9)
    held = [b for b in blocks if any(r[0] <= b[0] and b[1] <= r[1] for r in reserved)]
    tap.check(len(held) == len(blocks) == count, f"{len(held)} of {count} blocks are reserved",
              f"{blocks} in {reserved}")


# Of all that was said, once the last line of `seen` has come.
WHOLE = {"unmoved": check_unmoved, "same": check_same, "reserved": check_reserved}


def main():
    name = sys.argv[1]
    scenario = SCENARIOS[name]
    whole = [key for key in WHOLE if key in scenario]
    tap = Tap(len(scenario["seen"]) + len(whole))
    spec = Spec(name="loader-" + name, disk=make_disk(name, scenario), mem=scenario.get("mem", 512),
                cpus=scenario.get("cpus", 1), cpu=scenario.get("cpu", ""), options=options(name, scenario))
    with Machine(spec, scenario.get("engine", "bochs"), 150) as machine:
        try:
            for pattern in scenario["seen"]:
                source = "serial" if pattern.startswith(CONSOLE) else "e9"
                machine.wait_for(pattern.removeprefix(CONSOLE), source=source)
                tap.check(True, pattern)
                if PAUSE.search(pattern):
                    machine.send(" ")
            for key in whole:
                WHOLE[key](tap, machine.e9, scenario[key])
        except Failure as failure:
            tap.give_up(str(failure))
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
