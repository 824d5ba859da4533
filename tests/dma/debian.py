#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Debian above the monitor behind an IOMMU: a file that comes by the network goes to a disk on AHCI and to one on NVMe.

usage: debian.py --name NAME --unit vtd|amdvi [--nic e1000e|virtio] [--cpus N] [--mem MIB] [--time S] [--bare]
                 [--vendor V] [--engine E]

The stock kernel has drivers of both kinds of unit and must see none; its devices must work as if there were none.
With --bare there is no monitor, and the same kernel must find the unit and put it to use. QEMU alone has such machines.
Speaks TAP.
"""

import argparse
import hashlib
import http.server
import json
import os
import re
import sys
import threading

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [os.path.join(TESTS, part) for part in ("", "emu", "boot")]
sys.path.append(os.path.join(TESTS, "../guest/linux"))

import boot  # noqa: E402
import choose  # noqa: E402
import linux  # noqa: E402
import mkinitramfs  # noqa: E402
from machine import Failure, Machine, Spec, load_engine  # noqa: E402
from spec import BUILD  # noqa: E402
from tap import Tap  # noqa: E402

SIZE = 100 << 20
HOST = "10.0.2.2"  # as QEMU's own network has it
# The device, firmware's table of it, and the build that drives it.
UNITS = {"vtd": ("intel-iommu", "DMAR", os.path.join(BUILD, "boot", "redoubt-vtd.efi")),
         "amdvi": ("amd-iommu", "IVRS", linux.LOADER)}
NICS = {"e1000e": "e1000e,netdev=net,romfile=",
        "virtio": "virtio-net-pci,netdev=net,romfile=,disable-legacy=on,iommu_platform=on"}
DISKS = {"AHCI": "ide-hd,bus=ide.1,drive=ahci", "NVMe": "nvme,drive=nvme,serial=redoubt"}
# The boot disk is on the first port of AHCI.
DISK_NODES = {"AHCI": "/sys/bus/scsi/devices/1:*/block/*", "NVMe": "/sys/class/nvme/*/nvme*n*"}
LOSSES = "I/O error|timeout|timed out|Hang|Call Trace|frozen|failed command"


def content():
    """The file: the same in each run."""
    return hashlib.shake_128(b"redoubt").digest(SIZE)


class Handler(http.server.BaseHTTPRequestHandler):
    """The file to whoever asks; of what is put here, the digest."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(SIZE))
        self.end_headers()
        self.wfile.write(self.server.file)

    def do_PUT(self):
        digest, left = hashlib.sha256(), int(self.headers["Content-Length"])
        while left and (part := self.rfile.read(min(left, 1 << 20))):
            digest.update(part)
            left -= len(part)
        self.server.digests.append(digest.hexdigest())
        self.send_response(200)
        self.end_headers()

    def log_message(self, format, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    """On a port of its own, while the machine runs."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.file = content()
        self.digest = hashlib.sha256(self.file).hexdigest()
        self.digests = []

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Debian(boot.Boot):
    """Every check_ method makes exactly one check, as there."""

    def __init__(self, args, machine, server):
        super().__init__(args, machine, None)
        self.server = server
        self.nodes = {}
        self.url = f"http://{HOST}:{server.server_port}/"

    def to_prompt(self):
        super().to_prompt()
        self.ask("stty cols 1000")

    def check_claims(self):
        state = json.loads(self.ask("redoubtctl status --json"))
        listed = self.args.unit == "vtd"  # QEMU's DMAR names each device
        good = ("DMA" in state["protected"] and "dma=unprotected" not in state["not_protected"]
                and ("dma=listed" in state["not_protected"]) == listed)
        self.tap.check(good, f"devices are claimed to be kept away{', those that are listed' * listed}", str(state))

    def check_unit(self):
        tables = self.ask("ls /sys/firmware/acpi/tables").split()
        units = self.ask("ls /sys/class/iommu").split()
        table = UNITS[self.args.unit][1]
        seen = (table in tables, bool(units))
        self.tap.check("FACP" in tables and seen == (self.args.bare, self.args.bare),
                       f"the kernel sees {'an' if self.args.bare else 'no'} IOMMU and {'a' if self.args.bare else 'no'} table {table}",
                       f"{tables} {units}")

    def load(self):
        text = self.ask("for m in /lib/dma/*.ko; do insmod $m; done")
        self.ask("ifconfig lo up; ifconfig eth0 10.0.2.15 up; for i in $(seq 20); do "
                 f"ping -c 1 -W 1 {HOST} >/dev/null && break; done; ls /sys/class/net /sys/block")
        for disk, look in DISK_NODES.items():
            found = re.search(r"^/sys/.*/(\w+)$", self.ask(f"ls -d {look}"), re.M)
            self.nodes[disk] = "/dev/" + (found.group(1) if found else "null")
        self.tap.check("insmod" not in text and "/dev/null" not in self.nodes.values(),
                       "the kernel's own drivers find both disks", f"{text} {self.nodes}")

    def timed(self, command):
        """What a command said, after the line that tells how long it took."""
        text = self.ask(f"time {command}; echo status $?", 200)
        print(f"# {command.split()[0]}: {' '.join(re.findall(r'^real.*|^user.*|^sys.*', text, re.M))}", flush=True)
        return text

    def forget(self):
        self.ask("sync; echo 3 >/proc/sys/vm/drop_caches")

    def check_from_network(self):
        text = self.timed(f"wget -q -O {self.nodes['NVMe']} {self.url}")
        self.forget()
        self.tap.check("status 0" in text, f"{SIZE} bytes come by {self.args.nic} and go to the disk on NVMe", text)

    def check_disk_to_disk(self):
        text = self.timed(f"dd if={self.nodes['NVMe']} of={self.nodes['AHCI']} bs=1M iflag=direct oflag=direct")
        self.forget()
        self.tap.check("status 0" in text, "they go from there to the disk on AHCI", text)

    def check_content(self):
        text = self.timed(f"dd if={self.nodes['AHCI']} bs=1M iflag=direct | sha256sum")
        self.tap.check(self.server.digest in text, "they are what was sent", text)

    def check_to_network(self):
        # wget sends texts only, and nc by itself a kilobyte at a time.
        text = self.timed(f"nc {HOST} {self.server.server_port} -e sh -c '"
                          f'printf "PUT / HTTP/1.0\\r\\nContent-Length: {SIZE}\\r\\n\\r\\n"; '
                          f"dd if={self.nodes['AHCI']} bs=1M iflag=direct; head -n 1 >&2'")
        self.tap.check(self.server.digests == [self.server.digest], f"they go back from AHCI by {self.args.nic} as they were",
                       f"{self.server.digests} {text}")

    def check_losses(self):
        text = self.ask("dmesg")
        found = [line for line in text.split("\n") if re.search(LOSSES, line)] + boot.complaints(text)
        self.tap.check(not found, "the kernel complains of no device, nor of anything else", "\n".join(found))

    def check_audit(self):
        text = self.ask("redoubtctl audit --json | grep -c '\"event\"'; redoubtctl audit --json | grep -i dma")
        self.tap.check(re.match(r"[1-9]\d*\s*$", text), "the audit ring has no access by a device that was refused", text)

    def steps(self):
        only = [] if self.args.bare else [self.check_status_exit, self.check_claims]
        behind = [] if self.args.bare else [self.check_audit]
        return [self.to_prompt, self.check_online, *only, self.check_unit, self.load, self.check_from_network,
                self.check_disk_to_disk, self.check_content, self.check_to_network, self.check_losses, *behind, self.check_monitor_log, self.power_off]


def initramfs(path):
    """The small userland with the kernel's own modules in it, numbered as they are to be loaded."""
    folder = linux.kernel_dir("stock")
    archive = mkinitramfs.Archive()
    with open(os.path.join(folder, "modules"), encoding="ascii") as f:
        modules = f.read().split("\n")[1:-1]
    for i, module in enumerate(modules):
        mkinitramfs.add_entry(archive, f"{os.path.join(folder, module)}=lib/dma/{i:02}-{os.path.basename(module)}")
    with open(linux.INITRAMFS, "rb") as f, open(path, "wb") as out:
        out.write(f.read() + archive.pack())
    return path


def data_path(args, name):
    return os.path.join(BUILD, "tests", "dma", f"{args.name}-{name}.img")


def data_disk(args, name):
    """An empty disk of the file's size, and QEMU's words for it."""
    path = data_path(args, name)
    with open(path, "wb") as f:
        f.truncate(SIZE)
    return f"-drive if=none,id={name.lower()},format=raw,cache=unsafe,file={path} -device {DISKS[name]}"


def machine_of(args):
    base = os.path.join(BUILD, "tests", "dma", args.name)
    os.makedirs(os.path.dirname(base), exist_ok=True)
    more = " ".join([f"-device {UNITS[args.unit][0]}", *(data_disk(args, name) for name in DISKS),
                     f"-netdev user,id=net -device {NICS[args.nic]}"])
    spec = Spec(name=args.name, disk=base + ".img", cpus=args.cpus, mem=args.mem, options={"more": more})
    linux.disk(spec.disk, "stock", None if args.bare else UNITS[args.unit][2], initramfs=initramfs(base + ".cpio"),
               acpi=not load_engine(args.engine).HAS_ACPI)
    return Machine(spec, args.engine, args.time)


def parse():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--unit", required=True, choices=sorted(UNITS))
    parser.add_argument("--nic", default="e1000e", choices=sorted(NICS))
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--mem", type=int, default=512)
    parser.add_argument("--time", type=float, default=240)
    parser.add_argument("--bare", action="store_true")
    choose.add_arguments(parser)
    return choose.settle(parser.parse_args())


def main():
    args = parse()
    args.reboot = False
    print(f"# {linux.kernel_version('stock')}", flush=True)
    machine = machine_of(args)
    with Server() as server, machine:
        debian = Debian(args, machine, server)
        steps = debian.steps()
        debian.tap = Tap(len(steps))
        try:
            for step in steps:
                step()
        except Failure as why:
            debian.tap.give_up(machine.tail() + f"\n{args.name}: {why}")
    for name in DISKS:
        os.unlink(data_path(args, name))
    return debian.tap.status()


if __name__ == "__main__":
    sys.exit(main())
