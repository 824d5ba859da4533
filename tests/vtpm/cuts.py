#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Power cuts."""
import argparse
import os
import pickle
import re
import sys
import tempfile

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [TESTS, os.path.join(TESTS, "emu")]

import choose  # noqa: E402
import linux  # noqa: E402
import mkdisk  # noqa: E402
import nbd  # noqa: E402
import steps  # noqa: E402
from machine import Failure, Machine, Spec, load_engine  # noqa: E402
from spec import BUILD  # noqa: E402

PROMPT = re.escape(linux.PROMPT)
LOADER = os.path.join(BUILD, "boot", "redoubt-vtpm.efi")
INITRAMFS = os.path.join(BUILD, "tests", "vtpm", "initramfs.cpio")
READY = ("stty cols 1000; dmesg -n 1; export PATH=$PATH:/usr/bin TPM2TOOLS_TCTI=device:/dev/tpmrm0 LD_LIBRARY_PATH=/lib; "
         "mkdir -p /tmp /esp; for m in /lib/storage/*.ko; do insmod $m; done; mount -t vfat /dev/sda /esp && "
         "redoubt-agent /esp/EFI/redoubt; echo status=$?")


def boot(machine, disk, steps_now, name):
    machine.wait_for(PROMPT, source="serial", fail="Kernel panic")
    disk.note("prompt")
    said = linux.command(machine, READY)
    if "status=0" not in said:
        raise Failure(said)
    disk.note("keeper")
    machine.send(f"sh /esp/{name}.sh\n")
    for k in steps_now:
        disk.note(f"try {k}")
        machine.send("\n")
        machine.wait_for(rf"^acked {k}$", 60, "serial", fail=rf"^failed {k}$")
        disk.note(f"ack {k}")
    machine.wait_for(PROMPT, source="serial")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--count", type=int, default=25)
    parser.add_argument("--time", type=float, default=400)
    choose.add_arguments(parser)
    args = choose.settle(parser.parse_args())
    path = os.path.join(BUILD, "tests", "vtpm", args.name + ".img")
    linux.disk(path, "stock", LOADER, initramfs=INITRAMFS, acpi=not load_engine(args.engine).HAS_ACPI)
    script = steps.Script(args.count)
    half = args.count * 2 // 3
    parts = {"one": range(1, half + 1), "two": range(half + 1, args.count + 1)}
    with tempfile.TemporaryDirectory() as folder:
        for name, part in parts.items():
            with open(f"{folder}/{name}.sh", "w", encoding="ascii") as f:
                f.write(script.text(part[0], part[-1]))
            mkdisk.tool("mcopy", "-i", path, f"{folder}/{name}.sh", "::")
    with open(path, "rb") as f:
        image = f.read()
    with nbd.Disk(path) as disk:
        log = path + ".blklog"
        open(log, "wb").close()
        words = ",".join("file." + word for word in disk.options().split(","))
        drive = f"driver=blklogwrites,{words},log.driver=file,log.filename={log}"
        spec = Spec(name=args.name, disk=path, mem=512, options={"drive": drive})
        with Machine(spec, args.engine, args.time) as machine:
            try:
                boot(machine, disk, parts["one"], "one")
                disk.note("reset")
                machine.send("echo b > /proc/sysrq-trigger\n")
                boot(machine, disk, parts["two"], "two")
            except Failure as why:
                print(machine.tail(), why)
        print(disk.error)
    with open(path + ".pickle", "wb") as f:
        pickle.dump((image, disk.events), f)
    for e in disk.events:
        print(e.kind, e.number, e.offset, len(e.data) if e.kind != "note" else e.data)


if __name__ == "__main__":
    main()
