#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""What this host's KVM can do for a guest that is itself a hypervisor."""

FLAG = {"vmx": "vmx", "svm": "svm"}


def vendor():
    """"vmx" or "svm": what the host's CPU has; None if neither."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        flags = next((line.split() for line in f if line.startswith("flags")), [])
    return next((name for name, flag in FLAG.items() if flag in flags), None)
