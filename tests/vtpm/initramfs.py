#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""The small userland with Debian's own tpm2-tools and openssl, as this machine has them installed; with
redoubt-agent, and Debian's modules for the disk that it writes to.

usage: initramfs.py BASE.cpio AGENT OUTPUT.cpio

What they are linked with goes along, and the TPM's device as a transport, which is loaded at run time.
"""

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
LOADER = "/lib64/ld-linux-x86-64.so.2"


def needed(path):
    text = subprocess.run(["ldd", path], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"=> (/\S+)", text))


def modules(kernel):
    """Those of MODULES, numbered as they are to be loaded."""
    with open(os.path.join(kernel, "modules"), encoding="ascii") as f:
        there = [path for path in f.read().split("\n")[1:-1] if os.path.basename(path)[:-len(".ko")] in MODULES]
    return [f"{os.path.join(kernel, path)}=lib/storage/{i:02}-{os.path.basename(path)}" for i, path in enumerate(there)]


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    base, agent, output = sys.argv[1:]
    loaded = [os.path.join(LIBRARIES, name) for name in LOADED]
    libraries = set(loaded).union(*(needed(path) for path in [*PROGRAMS, *loaded]))
    entries = [f"{os.path.realpath(path)}=lib/{os.path.basename(path)}" for path in sorted(libraries)]
    entries += [f"{os.path.realpath(source)}={name}" for source, name in PROGRAMS.items()]
    entries += [f"{os.path.realpath(LOADER)}={LOADER[1:]}", f"{agent}=bin/redoubt-agent", *modules(linux.kernel_dir("stock"))]
    more = output + ".more"
    subprocess.run([sys.executable, os.path.join(TOP, "guest/linux/mkinitramfs.py"), more, *entries], check=True)
    with open(output, "wb") as to:
        for part in (base, more):
            with open(part, "rb") as f:
                to.write(f.read())
    os.unlink(more)


if __name__ == "__main__":
    main()
