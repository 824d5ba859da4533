#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Makes a disk image that UEFI firmware starts from: FAT32, no partition table.

usage: mkdisk.py [--mib N] [--text DEST=TEXT]... IMAGE [SOURCE=DEST]...

DEST is a path with forward slashes. The same content gives the same image, byte for byte. The
size is a whole number of cylinders of 16 heads and 63 sectors, as Bochs wants it.
"""

import argparse
import os
import subprocess
import sys
import tempfile

CYLINDER = 16 * 63 * 512
SMALLEST = 36 << 20  # FAT32 with 512-byte clusters begins at 65525 clusters
STAMP = "315532800"  # 1980-01-01, the first day FAT knows


def folders(dests):
    """Every folder that holds one of `dests`, parents first."""
    found = []
    for dest in dests:
        parts = dest.strip("/").split("/")[:-1]
        for i in range(len(parts)):
            folder = "/".join(parts[:i + 1])
            if folder not in found:
                found.append(folder)
    return found


def size_for(sources, mib):
    used = sum(os.path.getsize(s) + 4096 for s in sources)
    wanted = mib << 20 if mib else max(SMALLEST, used * 9 // 8 + (8 << 20))
    return (wanted + CYLINDER - 1) // CYLINDER * CYLINDER


def tool(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          env={**os.environ, "SOURCE_DATE_EPOCH": STAMP, "MTOOLS_SKIP_CHECK": "1",
                               "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"})
    if done.returncode:
        sys.stderr.write(done.stdout.decode(errors="replace"))
        sys.exit(f"mkdisk: {command[0]} failed")


def make(image, pairs, mib=0):
    """Writes `image` with `pairs` of (source file, destination path)."""
    work = image + ".new"
    os.makedirs(os.path.dirname(os.path.abspath(image)), exist_ok=True)
    if os.path.exists(work):
        os.unlink(work)
    with open(work, "wb") as f:
        f.truncate(size_for([s for s, _ in pairs], mib))
    tool("mkfs.vfat", "--invariant", "-F", "32", "-s", "1", work)
    made = folders([d for _, d in pairs])
    if made:
        tool("mmd", "-i", work, *["::" + f for f in made])
    for source, dest in pairs:
        tool("mcopy", "-i", work, source, "::" + dest.strip("/"))
    os.replace(work, image)


def make_with_text(image, pairs, texts, mib=0):
    """As make(); `texts` are pairs of (text, destination path)."""
    with tempfile.TemporaryDirectory() as folder:
        extra = []
        for i, (text, dest) in enumerate(texts):
            path = os.path.join(folder, str(i))
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            extra.append((path, dest))
        make(image, pairs + extra, mib)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--mib", type=int, default=0)
    parser.add_argument("--text", action="append", default=[])
    parser.add_argument("image")
    parser.add_argument("files", nargs="*")
    args = parser.parse_args()
    pairs = [tuple(f.rsplit("=", 1)) for f in args.files]
    texts = [(t.split("=", 1)[1].replace("\\n", "\n"), t.split("=", 1)[0]) for t in args.text]
    if any(len(p) != 2 for p in pairs):
        parser.error("files are given as SOURCE=DEST")
    make_with_text(args.image, pairs, texts, args.mib)


if __name__ == "__main__":
    main()
