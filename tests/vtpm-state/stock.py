#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""redoubt-state and stock swtpm: state that swtpm_setup made and swtpm wrote, with each way of its --key,
to the vTPM and back; and files that swtpm would not write.
"""
import importlib.util
import shutil
import struct
import subprocess
import sys

from bench import TOP, VTPM, Bench

SPEC = importlib.util.spec_from_file_location("exchange", TOP / "tests/vtpm/swtpm.py")
exchange = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(exchange)
KEY = bytes(range(1, 33))

# Name, the tool's options, swtpm's --key.
WAYS = [("plain", (), ()),
        ("128-bit binary", ("key", "k16"), ("file={}/k16,format=binary",)),
        ("128-bit hexadecimal", ("key", "h16"), ("file={}/h16",)),
        ("256-bit", ("key", "k32", 256), ("file={}/k32,mode=aes-256-cbc,format=binary",)),
        ("password", ("password", "pw"), ("pwdfile={}/pw",)),
        ("password, 256-bit", ("password", "pw", 256), ("pwdfile={}/pw,mode=aes-256-cbc",))]


def options(way, prefix):
    if not way:
        return ()
    return (f"--{prefix}-{way[0]}", way[1]) + ((f"--{prefix}-bits", way[2]) if len(way) > 2 else ())


class Keyed(exchange.Swtpm):
    """Stock swtpm with a --key."""

    def __init__(self, bench, name, key):
        super().__init__(bench.path(name))
        self.more = ["--key", *(one.format(bench.folder) for one in key)] if key else []

    def send(self, commands):
        data, control = self.folder / "data", self.folder / "control"
        process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder}", "--server", f"type=unixio,path={data}",
             "--ctrl", f"type=unixio,path={control}", "--flags", "not-need-init", *self.more],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            out = b"".join(self.talk(data, commands))
            subprocess.run(["swtpm_ioctl", "--unix", control, "-v"], check=True)
            subprocess.run(["swtpm_ioctl", "--unix", control, "-s"], check=True)
            process.wait(timeout=20)
        finally:
            process.kill()
        return exchange.responses(out)


def check_way(bench, number, way):
    """swtpm begins, the vTPM goes on, swtpm ends: keys, NV, PCRs and hash sequences in flight."""
    name, mine, theirs = way
    first, last, host = (f"{part}{number}" for part in ("first", "last", "host"))
    for folder in (last, host):
        bench.path(folder).mkdir()
    begun = Keyed(bench, first, theirs).send([exchange.STARTUP, *exchange.BEGIN])[1:]
    bench.done("convert", f"swtpm:{first}", f"host:{host}", *options(mine, "swtpm"))
    ours = exchange.Host(VTPM, bench.path("run" + str(number)))
    shutil.rmtree(ours.state, ignore_errors=True)
    shutil.copytree(bench.path(host), ours.state)
    said = ours.send([exchange.PCR_READ])
    bench.tap.check(said and exchange.code_of(said[0]) == 0, f"{name}: the vTPM takes what swtpm wrote", ours.error)
    shutil.copytree(ours.state, bench.path(host), dirs_exist_ok=True)
    bench.done("convert", f"host:{host}", f"swtpm:{last}", *options(mine, "to"))
    said = Keyed(bench, last, theirs).send(exchange.FINISH)
    bench.tap.check({exchange.code_of(r) for r in said} == {0} and said[0][16:48] == exchange.hashlib.sha256(
        exchange.FIRST + exchange.REST).digest() and said[3][16:116] == exchange.FIRST[:100] and
        said[5] == begun[exchange.BEGIN.index(exchange.READ_EVICTED)], f"{name}: and swtpm goes on with all of it", str(said))


def check_setup(bench):
    """What a manufacturer's tool made, encrypted."""
    bench.path("made").mkdir()
    subprocess.run(["swtpm_setup", "--tpm2", "--tpmstate", bench.path("made"), "--createek", "--cipher", "aes-256-cbc",
                    "--keyfile", bench.path("h32")], check=True, stdout=subprocess.DEVNULL)
    told = bench.done("inspect", "made/tpm2-00.permall")
    bench.tap.check(told["encrypted"] and told["key_bits"] == 256, "swtpm_setup's file is told", str(told))
    bench.path("set").mkdir()
    bench.done("convert", "swtpm:made", "host:set", "--swtpm-key", "k32", "--swtpm-bits", "256")
    ours = exchange.Host(VTPM, bench.path("setrun"))
    shutil.copytree(bench.path("set"), ours.state)
    said = ours.send([exchange.command(0x173, struct.pack(">I", 0x81010001))])
    bench.tap.check(said and exchange.code_of(said[0]) == 0, "the vTPM has the EK that swtpm_setup made", ours.error)


def tlvs(*fields, flags=0, more=b""):
    body = b"".join(struct.pack(">HI", tag, len(value)) + value for tag, value in fields) + more
    return struct.pack(">BBHHI", 2, 1, 10, flags, 10 + len(body)) + body


def check_refused(bench):
    good = bench.get("made/tpm2-00.permall")
    bench.path("t").mkdir()
    encrypted = ("--swtpm-key", "k32", "--swtpm-bits", "256")
    cases = [
        ("an encrypted file without a key", good, (), "swtpm's key is needed"),
        ("another key", good, ("--swtpm-key", "other32", "--swtpm-bits", "256"), "is not by this key"),
        ("a key of another length", good, ("--swtpm-key", "k16"), "by a key of 256 bits"),
        ("T63: a bit of it", good[:60] + bytes((good[60] ^ 1,)) + good[61:], encrypted, "or was changed"),
        ("T63: cut", good[:-1], encrypted, "it was cut off"),
        ("T63: longer", good + b"\0", encrypted, "added to"),
        ("T63: nothing", b"", encrypted, "too short"),
        ("a plain file, though there is a key", tlvs((1, b"state")), encrypted, "is not encrypted"),
        ("a field twice", tlvs((1, b"a"), (1, b"b")), (), "is there twice"),
        ("a field beyond the end", tlvs(more=struct.pack(">HI", 1, 99) + b"x"), (), "longer than the file"),
        ("a field that ends early", tlvs((1, b"a"), more=b"xy"), (), "within a field"),
        ("a field more", tlvs((1, b"a"), (9, b"b")), (), "not the fields"),
        ("no field", tlvs(), (), "not the fields"),
        ("a blob for migration", tlvs((5, b"a"), flags=4), (), "for migration"),
        ("a later version", b"\3\3" + tlvs((1, b"a"))[2:], (), "of a version"),
        ("a state of no bytes", tlvs((1, b"")), (), "has 0 bytes"),
        ("a state that is too long", tlvs((1, bytes(200000))), (), "there may be"),
    ]
    for name, data, more, why in cases:
        bench.put("bad/tpm2-00.permall", data)
        bench.refuses(name, why, "convert", "swtpm:bad", "host:t", *more)
    bench.refuses("no state at all", "No such file", "convert", "swtpm:t", "host:made")
    bench.refuses("a key that is none", "no AES key", "convert", "swtpm:made", "host:t", "--swtpm-key", "pw")
    bench.refuses("a folder that there is not", "No such file", "convert", "swtpm:nowhere", "host:t")


def check_at_work(bench):
    """swtpm has the folder."""
    busy = Keyed(bench, "first0", ())
    process = subprocess.Popen(["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={busy.folder}", "--server",
                                f"type=unixio,path={busy.folder / 'data'}", "--flags", "not-need-init"])
    try:
        for one in busy.talk(busy.folder / "data", [exchange.PCR_READ]):
            bench.tap.check(exchange.code_of(one) == 0, "swtpm is at work")
        ran = bench.run("convert", "swtpm:first0", "host:t")
        bench.tap.check(ran.returncode == 1 and "swtpm is at work there" in ran.stderr and not list(bench.path("t").iterdir()),
                        "and then its state is left alone", ran.stderr)
    finally:
        process.kill()
        process.wait()


def main():
    with Bench(2 * len(WAYS) + 24) as bench:
        for size in (16, 32):
            bench.put(f"k{size}", KEY[:size])
            bench.put(f"h{size}", KEY[:size].hex().encode() + b"\n")
        bench.put("other32", KEY[::-1])
        bench.put("pw", b"a password\n")
        for number, way in enumerate(WAYS):
            check_way(bench, number, way)
        check_setup(bench)
        check_refused(bench)
        check_at_work(bench)
        return bench.tap.status()


if __name__ == "__main__":
    sys.exit(main())
