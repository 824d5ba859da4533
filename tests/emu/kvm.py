#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""What this host's KVM can do for a guest that is itself a hypervisor.

A /dev/kvm that exists proves nothing: it may be of a software back end, or refuse nesting. So KVM is
asked which CPUID bits it gives to guests (KVM_GET_SUPPORTED_CPUID); VMX or SVM among them is the answer.
"""

import fcntl
import functools
import os
import struct

FLAG = {"vmx": "vmx", "svm": "svm"}
MODULE = {"vmx": "kvm_intel", "svm": "kvm_amd"}
BIT = {"vmx": (1, 5), "svm": (0x80000001, 2)}  # leaf, bit of ECX
GET_SUPPORTED_CPUID = 0xc008ae05
ENTRIES = 256


def vendor():
    """"vmx" or "svm": what the host's CPU has; None if neither."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        flags = next((line.split() for line in f if line.startswith("flags")), [])
    return next((name for name, flag in FLAG.items() if flag in flags), None)


def supported(device):
    """{leaf: ECX} that KVM gives to guests."""
    answer = bytearray(struct.pack("<II", ENTRIES, 0) + bytes(40 * ENTRIES))
    fcntl.ioctl(device, GET_SUPPORTED_CPUID, answer)
    count, = struct.unpack_from("<I", answer)
    entries = (struct.unpack_from("<10I", answer, 8 + 40 * i) for i in range(count))
    return {entry[0]: entry[5] for entry in entries if entry[1] == 0}


@functools.lru_cache(None)
def _asked():
    """(vendor that nests, None) or (None, why none does)."""
    name = vendor()
    if not name:
        return None, "this host's CPU shows neither VT-x nor SVM"
    try:
        device = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        return None, f"/dev/kvm: {error.strerror}"
    try:
        leaf, bit = BIT[name]
        given = supported(device).get(leaf, 0) >> bit & 1
    except OSError as error:
        return None, f"/dev/kvm does not answer: {error.strerror}"
    finally:
        os.close(device)
    if given:
        return name, None
    return None, (f"this host's KVM gives no {name} to its guests (nested virtualization is off: "
                  f"module {MODULE[name]}, parameter nested)")


def nested():
    """The vendor whose virtualization KVM gives to guests here; None if there is none."""
    return _asked()[0]


def why_not():
    return _asked()[1]
