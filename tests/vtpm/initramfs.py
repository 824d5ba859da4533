#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""The small userland with Debian's own tpm2-tools and openssl, as this machine has them installed; with
redoubt-agent, and Debian's modules for the disk that it writes to.

usage: initramfs.py [--volumes] BASE.cpio AGENT OUTPUT.cpio

What they are linked with goes along, and the TPM's device as a transport, which is loaded at run time.
With --volumes it is cryptsetup and systemd's tools instead, for volumes of LUKS2 that a TPM opens.
"""

import argparse
import os
import re
import subprocess
import sys

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path[:0] = [os.path.join(TOP, "tests", "emu")]

import linux  # noqa: E402

LIBRARIES = "/usr/lib/x86_64-linux-gnu"
PROGRAMS = {"/usr/bin/tpm2": "usr/bin/tpm2", "/usr/bin/openssl": "usr/bin/openssl"}
LOADED = ("libtss2-tcti-device.so.0",)
# For the disk and the file system, on all machines that tests have.
MODULES = ("scsi_common", "scsi_mod", "libata", "libahci", "ahci", "ata_piix", "crct10dif_common", "crc-t10dif", "crc64",
           "crc64-rocksoft", "t10-pi", "sd_mod", "fat", "vfat", "nls_cp437", "nls_ascii")
# cryptsetup looks for its plugin where it is installed, and systemd loads the TPM's libraries by these names.
VOLUME_PROGRAMS = {"/usr/sbin/cryptsetup": "usr/bin/cryptsetup", "/usr/bin/systemd-cryptenroll": "usr/bin/systemd-cryptenroll",
                   "/lib/systemd/systemd-cryptsetup": "usr/bin/systemd-cryptsetup",
                   "/lib/x86_64-linux-gnu/cryptsetup/libcryptsetup-token-systemd-tpm2.so":
                   "lib/x86_64-linux-gnu/cryptsetup/libcryptsetup-token-systemd-tpm2.so"}
VOLUME_LOADED = ("libtss2-esys.so.0", "libtss2-rc.so.0", "libtss2-mu.so.0")
VOLUME_MODULES = ("nvme-core", "nvme", "dm-mod", "dm-crypt", "xts", "ecb")
LOADER = "/lib64/ld-linux-x86-64.so.2"


def needed(path):
    text = subprocess.run(["ldd", path], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"=> (/\S+)", text))


def modules(kernel, names):
    """Those of `names`, numbered as they are to be loaded."""
    with open(os.path.join(kernel, "modules"), encoding="ascii") as f:
        there = [path for path in f.read().split("\n")[1:-1] if os.path.basename(path)[:-len(".ko")] in names]
    return [f"{os.path.join(kernel, path)}=lib/storage/{i:02}-{os.path.basename(path)}" for i, path in enumerate(there)]


def parse():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--volumes", action="store_true")
    parser.add_argument("base")
    parser.add_argument("agent")
    parser.add_argument("output")
    return parser.parse_args()


def entries(args):
    programs = VOLUME_PROGRAMS if args.volumes else PROGRAMS
    loaded = [os.path.join(LIBRARIES, name) for name in LOADED + (VOLUME_LOADED if args.volumes else ())]
    libraries = set(loaded).union(*(needed(path) for path in [*programs, *loaded]))
    # ldd names one library by several folders.
    by_name = {os.path.basename(path): os.path.realpath(path) for path in libraries}
    found = [f"{by_name[name]}=lib/{name}" for name in sorted(by_name)]
    found += [f"{os.path.realpath(source)}={name}" for source, name in programs.items()]
    names = MODULES + (VOLUME_MODULES if args.volumes else ())
    return [*found, f"{os.path.realpath(LOADER)}={LOADER[1:]}", f"{args.agent}=bin/redoubt-agent", *modules(linux.kernel_dir("stock"), names)]


def main():
    args = parse()
    more = args.output + ".more"
    subprocess.run([sys.executable, os.path.join(TOP, "guest/linux/mkinitramfs.py"), more, *entries(args)], check=True)
    with open(args.output, "wb") as to:
        for part in (args.base, more):
            with open(part, "rb") as f:
                to.write(f.read())
    os.unlink(more)


if __name__ == "__main__":
    main()
