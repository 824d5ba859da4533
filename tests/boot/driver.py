# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Checks of redoubt.ko and of what redoubtctl asks it, at the prompt of a machine that has booted."""

import json
import os
import re
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/build"))

import linux  # noqa: E402
import mkimage  # noqa: E402
from spec import BUILD  # noqa: E402

INSMOD = "insmod /lib/modules/$(uname -r)/redoubt.ko; echo insmod status $?"
RMMOD = "rmmod redoubt; echo rmmod status $?"
SYSFS = "/sys/class/misc/redoubt"
VERIFY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/audit/verify.py")
CALLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../monitor/abi/calls.def")


def build_id(vendor):
    """First eight bytes of the monitor image's digest, as the image on the host has it."""
    with open(os.path.join(BUILD, "monitor", f"redoubt-{vendor}.img"), "rb") as f:
        header = f.read(mkimage.DIGEST_AT + 8)
    return f"{struct.unpack_from('<Q', header, mkimage.DIGEST_AT)[0]:016x}"


def has_call(name):
    """Whether the monitor that was built has this row in its call table."""
    with open(CALLS, encoding="ascii") as f:
        return re.search(rf"^CALL\(\d+, {name},", f.read(), re.M) is not None


class Driver:
    """Steps for boot.py; each makes exactly one check."""

    def __init__(self, args, machine, ask):
        self.args = args
        self.machine = machine
        self.ask = ask
        self.tap = None

    def lines(self, command):
        return [line.strip() for line in self.ask(command).split("\n")]

    def steps(self):
        if self.args.bare:
            return [self.not_without_monitor, self.device_without_monitor]
        if not self.args.driver:
            return []
        return [self.load, self.kernel_log, self.sysfs, self.log, self.log_json, self.partitions, self.restart, self.audit, self.chain,
                *([self.requests] if self.args.partitions else []), self.ioctls,
                self.status, self.unload, self.device_without_module]

    def not_without_monitor(self):
        text = self.ask(INSMOD)
        said = self.ask("dmesg | grep redoubt:")
        good = "No such device" in text and "no Redoubt monitor below this kernel" in said
        self.tap.check(good, "without the monitor insmod says ENODEV and the kernel's log says why", text + said)

    def device_without_monitor(self):
        text = self.ask("redoubtctl log; echo exit status $?")
        self.tap.check("not running below" in text and "exit status 3" in text,
                       "without the monitor redoubtctl log says so", text)

    def load(self):
        text = self.ask(f"{RMMOD}; {INSMOD}; stat -c '%a %u %g %F' /dev/redoubt")
        good = "rmmod status 0" in text and "insmod status 0" in text and "600 0 0 character special" in text
        self.tap.check(good, "the module that init loaded leaves and is loaded again; its device is mode 0600", text)

    def kernel_log(self):
        text = self.ask("dmesg | grep redoubt:")
        wanted = f"redoubt: monitor {build_id(self.args.vendor)}, ABI 1."
        self.tap.check(wanted in text, "the kernel's log names the image that was built", f"{wanted} not in {text}")

    def sysfs(self):
        got = dict(line.split("=", 1) for line in self.lines(
            f"cd {SYSFS}; for f in *; do [ -f $f ] && echo $f=$(cat $f); done; cd /") if "=" in line)
        state = json.loads(self.ask("redoubtctl status --json"))
        wanted = {"abi": state["abi"], "build": build_id(self.args.vendor), "vendor": self.args.vendor,
                  "cpus": str(self.args.cpus), "features": " ".join(state["protected"]),
                  "degraded": " ".join(state["not_protected"])}
        wrong = {k: (v, got.get(k)) for k, v in wanted.items() if got.get(k) != v}
        self.tap.check(not wrong and ("partitions" in got) == has_call("partition_info"),
                       "sysfs tells the build, the CPUs, the features and the claims", f"{wrong} in {got}")

    def log(self):
        """What the guest reads is what the monitor wrote to port 0xE9, but for the debug lines, which stay inside."""
        got = [line for line in self.lines("redoubtctl log") if line and linux.PROMPT.strip() not in line]
        outside = {line.strip() for line in self.machine.e9.split("\n")}
        strange = [line for line in got if line not in outside and " debug] " not in line]
        self.tap.check(len(got) >= 3 and not strange, "redoubtctl log prints the monitor's log",
                       f"{len(got)} lines; not on port 0xE9: {strange}")

    def log_json(self):
        text = [line for line in self.lines("redoubtctl log --json") if line.startswith("{")]
        plain = [line for line in self.lines("redoubtctl log") if line and linux.PROMPT.strip() not in line]
        try:
            objects = [json.loads(line)["line"].strip() for line in text]
        except (ValueError, KeyError) as why:
            objects = [str(why)]
        self.tap.check(objects == plain, "redoubtctl log --json has the same lines", f"{objects} {plain}")

    def ctl(self, command, row, there, what):
        """One check of a command that needs a row of the call table: what it says with it, or that there is none."""
        text = self.ask(f"redoubtctl {command}; echo exit status $?")
        wanted = there if has_call(row) else ("this monitor has no", "exit status 3")
        self.tap.check(all(word in text for word in wanted),
                       what if has_call(row) else f"redoubtctl {command}: this monitor has no such thing", text)

    def partitions(self):
        self.ctl("partitions --json", "partition_info", ('{"partitions":[', "exit status 0"),
                 "redoubtctl partitions lists them")

    def restart(self):
        self.ctl("restart 64", "partition_restart", ("refused: The object is not in the state", "exit status 1"),
                 "redoubtctl restart of no partition is refused")

    def audit(self):
        self.ctl("audit --json", "audit_read", ('"event":"', "exit status 0"), "redoubtctl audit prints the audit ring")

    def chain(self):
        text = "".join(line + "\n" for line in self.lines("redoubtctl audit --json") if line.startswith("{"))
        done = subprocess.run([VERIFY], input=text, capture_output=True, text=True, check=False)
        self.tap.check(done.returncode == 0 and " records, whole" in done.stdout,
                       "tools/audit/verify.py finds the chain of its records whole", done.stdout + done.stderr + text)

    def ioctls(self):
        text = self.ask("/tests/ioctls")
        self.tap.check("36 good, 0 bad" in text, "wrong ioctls, rights and sizes are refused", text)

    def requests(self):
        """The monitor's time limit is of cycles: Bochs takes minutes to get there."""
        slow = self.args.engine == "bochs"
        # One of them has no end but the monitor's limit, of 2^36 cycles.
        text = self.ask("/tests/requests" + (" quick" if slow else ""), 240)
        self.tap.check(("8" if slow else "12") + " good, 0 bad" in text,
                       "requests are answered, resumed, cancelled, ended by their limit", text)

    def status(self):
        text = self.ask("redoubtctl status; redoubtctl status --json")
        self.tap.check("The driver is loaded." in text and '"driver":true' in text,
                       "redoubtctl status says that the driver is loaded", text)

    def unload(self):
        text = self.ask(f"{RMMOD}; ls /dev/redoubt {SYSFS}")
        self.tap.check("rmmod status 0" in text and text.count("No such file") == 2,
                       "rmmod takes the module, the device and sysfs away", text)

    def device_without_module(self):
        text = self.ask("redoubtctl log; echo exit status $?")
        self.tap.check("module is not loaded" in text and "exit status 4" in text,
                       "without the module redoubtctl log says so", text)
