#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""A machine under an emulator, as a test drives it.

    with Machine(Spec(name="boot-1", disk="build/x.img", cpus=2), time=120) as m:
        m.wait_for("login:")
        m.send("poweroff\\n")
        m.wait_end()

Output is live and kept in build/logs/NAME: `serial` (COM1), `e9` (port 0xE9), `stderr`, `marks`
(each line of both with instruction counts), the engine's own log and configuration. A machine
that outlives its time is stopped; only the child started here is ever signalled.
"""

import codecs
import ctypes
import importlib
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import threading
import time as clock

from spec import Spec, setup

__all__ = ["Failure", "Machine", "Spec", "load_engine"]

ESCAPES = re.compile(r"\x1b(?:\[[0-9;?=]*[A-Za-z]|[()][A-Z0-9]|[=>78cDEHM])")
PARTIAL = re.compile(r"\x1b(?:\[[0-9;?=]*|[()])?$")
FIRMWARE_CRASH = re.compile(r"!!!! X64 Exception Type.*")
PR_SET_PDEATHSIG = 1


def load_engine(name):
    """The module of an engine: Engine, GROUPS (what to set up), HAS_ACPI (of its firmware)."""
    return importlib.import_module("engine_" + name.replace("-", "_"))


class Failure(Exception):
    """The machine did not do what the test waited for."""


class Channel:
    """One stream of text from the machine, terminal escapes removed, and the log it goes to."""

    def __init__(self, path):
        self.log = open(path, "wb", buffering=0)
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.text = ""
        self.held = ""

    def feed(self, data):
        self.log.write(data)
        text = self.held + self.decoder.decode(data).replace("\r", "").replace("\0", "")
        partial = PARTIAL.search(text)
        self.held = text[partial.start():] if partial else ""
        self.text += ESCAPES.sub("", text[:partial.start()] if partial else text)


class Machine:
    """See the module's text. `time` is the wall time in seconds after which it is stopped."""

    def __init__(self, spec, engine="bochs", time=300.0, on_output=None):
        self.spec = spec
        self.time = time
        self.on_output = on_output
        self.module = load_engine(engine)
        self.engine = self.module.Engine(spec)
        self.cond = threading.Condition()
        self.child = None
        self.timed_out = False
        self.ended = False
        self.positions = {}
        self.where = []

    # -- start and end

    def start(self):
        setup(*self.module.GROUPS)
        shutil.rmtree(self.spec.log_dir, ignore_errors=True)
        os.makedirs(self.spec.log_dir)
        self.channels = {name: Channel(os.path.join(self.spec.log_dir, name))
                         for name in ("serial", "e9")}
        self.master, slave = pty.openpty()
        variables, fds = self.engine.environment()
        with open(os.path.join(self.spec.log_dir, "stderr"), "wb") as err:
            self.child = subprocess.Popen(
                self.engine.argv(os.ttyname(slave)), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=err, env={**os.environ, **variables},
                pass_fds=fds, start_new_session=True, preexec_fn=_die_with_parent)
        for fd in fds:
            os.close(fd)
        self.slave = slave  # kept open: the master must not see a hang-up
        self.deadline = clock.monotonic() + self.time
        self.thread = threading.Thread(target=self._pump, daemon=True)
        self.thread.start()
        while not self.engine.ready() and self.child.poll() is None:
            clock.sleep(0.01)
        return self

    def stop(self):
        """Ends the child if it still runs, and closes everything. May be called twice."""
        if not self.child:
            return
        self._kill()
        self.thread.join()
        self.child.wait()
        self.child = None
        for fd in (self.master, self.slave):
            os.close(fd)
        self.engine.clean_up()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def _kill(self):
        if self.child.poll() is None:
            self.child.kill()

    def _pump(self):
        out = self.child.stdout.fileno()
        names = {self.master: "serial", out: "e9"}
        while names.keys() - {self.master}:
            ready, _, _ = select.select(list(names), [], [], 0.2)
            for fd in ready:
                self._take(fd, names)
            if clock.monotonic() > self.deadline and not self.timed_out:
                self.timed_out = True
                self._note_cpus()
                self._kill()
        self._drain_serial()
        self.child.stdout.close()
        with self.cond:
            self.ended = True
            self.cond.notify_all()

    def _note_cpus(self):
        """Where the CPUs are, for tail(): twice, so that standing still shows."""
        if self.child.poll() is not None or not hasattr(self.engine, "cpus"):
            return
        try:
            for _ in range(2):
                ticks, cpus = self.cpus()
                self.where.append(f"--- machine time {ticks}")
                self.where += [f"    CPU {i}: {cpu}" for i, cpu in enumerate(cpus)]
                clock.sleep(0.2)
        except (EOFError, OSError):
            self.where.append("--- the emulator did not say where its CPUs are")

    def _take(self, fd, names):
        try:
            data = os.read(fd, 65536)
        except OSError:
            data = b""
        if not data:
            del names[fd]
            return
        with self.cond:
            self.channels[names[fd]].feed(data)
            self.cond.notify_all()
        if self.on_output:
            self.on_output(names[fd], data)

    def _drain_serial(self):
        while select.select([self.master], [], [], 0)[0]:
            names = {self.master: "serial"}
            self._take(self.master, names)
            if not names:
                return

    # -- what it says, and what it is told

    @property
    def serial(self):
        return self.channels["serial"].text

    @property
    def e9(self):
        return self.channels["e9"].text

    def send(self, text):
        """Types `text` on the serial console, slowly enough for a UART without flow control."""
        data = text.encode()
        for i in range(0, len(data), 8):
            os.write(self.master, data[i:i + 8])
            clock.sleep(0.02)

    def wait_for(self, pattern, timeout=None, source=None, fail=None):
        """Waits until `pattern` matches text not yet matched; returns the match.

        `source` is "serial", "e9" or None for both. `fail` is a pattern that ends the wait at
        once. Raises Failure on that, on time-out and when the machine ends first.
        """
        sources = [source] if source else ["serial", "e9"]
        wanted = re.compile(pattern, re.M)
        bad = re.compile(fail, re.M) if fail else None
        end = clock.monotonic() + (self.time if timeout is None else timeout)
        with self.cond:
            while True:
                match = self._search(wanted, sources)
                if match:
                    return match
                if bad and (match := self._search(bad, sources)):
                    raise Failure(f"saw {match.group(0)!r} while waiting for /{pattern}/")
                if (match := FIRMWARE_CRASH.search(self.serial)):
                    raise Failure(f"firmware crashed: {match.group(0)}")
                if self.ended:
                    what = "ran out of time" if self.timed_out else "ended"
                    raise Failure(f"the machine {what} before /{pattern}/ was seen")
                if clock.monotonic() > end:
                    raise Failure(f"/{pattern}/ not seen in time")
                self.cond.wait(0.2)

    def _search(self, pattern, sources):
        for name in sources:
            match = pattern.search(self.channels[name].text, self.positions.get(name, 0))
            if match:
                self.positions[name] = match.end()
                return match
        return None

    def wait_end(self, timeout=None):
        """Waits until the machine has switched itself off; Failure if it had to be stopped."""
        end = clock.monotonic() + (self.time if timeout is None else timeout)
        with self.cond:
            while not self.ended and clock.monotonic() < end:
                self.cond.wait(0.2)
        if not self.ended or self.timed_out:
            raise Failure("the machine did not switch itself off")
        if self.child.wait() < 0:
            raise Failure(f"the emulator died of signal {-self.child.returncode}")

    @property
    def running(self):
        return not self.ended

    # -- seen from outside

    def dump(self, addr, length):
        """RAM at physical address `addr`, while no CPU moves."""
        return self.engine.dump(self.child.pid, addr, length)

    def cpus(self):
        """(machine time in ticks, [where each CPU is, with the instructions it has retired])"""
        return self.engine.cpus(self.child.pid)

    def pause(self):
        """All CPUs stand still (dump() needs them running)."""
        self.child.send_signal(signal.SIGSTOP)

    def cont(self):
        self.child.send_signal(signal.SIGCONT)

    def marks(self):
        """Lines seen so far: (source, ticks, [instructions of each CPU, QEMU's VMRUNs behind them], text)."""
        found = []
        with open(os.path.join(self.spec.log_dir, "marks"), encoding="utf-8",
                  errors="replace") as f:
            for line in f:
                source, ticks, counts, text = (line.rstrip("\n").split(" ", 3) + [""])[:4]
                found.append((source, int(ticks), [int(c) for c in counts.split(",")], text))
        return found

    def tail(self, lines=30):
        """The last lines of every log, for a person to see why it failed."""
        if self.running and not self.where:
            self._note_cpus()
        parts = list(self.where)
        for name in sorted(os.listdir(self.spec.log_dir)):
            if name in ("marks", "bochs.cfg", "vars.fd") or name.startswith("dump-"):
                continue
            path = os.path.join(self.spec.log_dir, name)
            with open(path, encoding="utf-8", errors="replace") as f:
                text = ESCAPES.sub("", f.read().replace("\r", "")).rstrip("\n")
            if text:
                last = text.split("\n")[-lines:]
                parts.append(f"--- last lines of {os.path.relpath(path)}\n" + "\n".join(last))
        return "\n".join(parts)


def _die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
