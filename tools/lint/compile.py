# SPDX-License-Identifier: BSD-2-Clause-Patent
"""With which flags a file is compiled. The flags come from the Makefile, through the environment."""
import concurrent.futures
import os
import re
import shlex

import lintlib

# What gcc knows and clang does not, or clang spells otherwise.
GCC_ONLY = re.compile(r"-mindirect-branch|-mfunction-return|-mrecord|-maccumulate-outgoing-args"
                      r"|-gno-record-gcc-switches|-mpreferred-stack-boundary|-ftrivial-auto-var-init|-MMD|-MP")
# Kernel code is built by the kernel's own build; the emulator's by the emulator's.
FOREIGN = ("guest/linux/driver/", "tests/attack/linux/", "tests/emu/bochs-probe/")
_EFI = re.compile(r"^[ \t]*#[ \t]*include[ \t]*<efi(lib)?\.h>", re.M)
_LOCAL = re.compile(r"^[ \t]*#[ \t]*include[ \t]*\"([^\"\n]+)\"", re.M)


def _uses_efi(path, root, seen):
    """Whether a file includes gnu-efi's headers, itself or through its own headers."""
    if path in seen or not os.path.isfile(os.path.join(root, path)):
        return False
    seen.add(path)
    text = lintlib.read(root, path)
    if _EFI.search(text):
        return True
    return any(_uses_efi(candidate, root, seen)
               for name in _LOCAL.findall(text)
               for candidate in (name, os.path.join(os.path.dirname(path), name)))


def sets_of(path, root="."):
    """Names of the flag sets a file is compiled with; none for what other builds compile."""
    if path.startswith(FOREIGN):
        return []
    if path.startswith("monitor/abi/"):
        return ["MON_CFLAGS", "EFI_CFLAGS", "HOST_CFLAGS"]
    if path.startswith(("monitor/", "arch/include/")):
        return ["MON_CFLAGS", "HOST_CFLAGS"]
    if path.startswith("arch/host/"):
        return ["HOST_CFLAGS"]
    if path.startswith(("arch/", "guest/trustlets/")):
        return ["MON_CFLAGS"]
    if path.startswith(("boot/", "guest/lib/", "guest/tiny/", "guest/suite/")):
        return ["EFI_CFLAGS"]
    return ["EFI_CFLAGS"] if _uses_efi(path, root, set()) else ["HOST_CFLAGS"]


def flags(name, compiler="gcc"):
    """The flags of a set; a set that the Makefile did not pass is an error, not an empty list."""
    words = shlex.split(os.environ[name])
    if not words:
        raise KeyError(f"{name} is empty")
    words.append("-I" + os.environ.get("B", "build"))
    return [w for w in words if compiler == "gcc" or not GCC_ONLY.match(w)]


def in_parallel(jobs):
    """Calls each function, two at a time or more, and gives the results in order."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        return [future.result() for future in [pool.submit(job) for job in jobs]]
