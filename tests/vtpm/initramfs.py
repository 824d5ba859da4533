#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""The small userland with Debian's own tpm2-tools and openssl, as this machine has them installed.

usage: initramfs.py BASE.cpio OUTPUT.cpio

What they are linked with goes along, and the TPM's device as a transport, which is loaded at run time.
"""

import os
import re
import subprocess
import sys

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
LIBRARIES = "/usr/lib/x86_64-linux-gnu"
PROGRAMS = {"/usr/bin/tpm2": "usr/bin/tpm2", "/usr/bin/openssl": "usr/bin/openssl"}
LOADED = ("libtss2-tcti-device.so.0",)
LOADER = "/lib64/ld-linux-x86-64.so.2"


def needed(path):
    text = subprocess.run(["ldd", path], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"=> (/\S+)", text))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    base, output = sys.argv[1:]
    loaded = [os.path.join(LIBRARIES, name) for name in LOADED]
    libraries = set(loaded).union(*(needed(path) for path in [*PROGRAMS, *loaded]))
    entries = [f"{os.path.realpath(path)}=lib/{os.path.basename(path)}" for path in sorted(libraries)]
    entries += [f"{os.path.realpath(source)}={name}" for source, name in PROGRAMS.items()]
    entries.append(f"{os.path.realpath(LOADER)}={LOADER[1:]}")
    more = output + ".more"
    subprocess.run([sys.executable, os.path.join(TOP, "guest/linux/mkinitramfs.py"), more, *entries], check=True)
    with open(output, "wb") as to:
        for part in (base, more):
            with open(part, "rb") as f:
                to.write(f.read())
    os.unlink(more)


if __name__ == "__main__":
    main()
