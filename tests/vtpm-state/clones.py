#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""redoubt-state clone (T65): a copy has the same EK and says so in its lineage; a replacement has new seeds
in all hierarchies and nothing of the first one's, asked of stock swtpm and not of the vTPM that made it.
"""
import importlib.util
import subprocess
import sys

from bench import ROOT, TOP, VTPM, Bench

SPEC = importlib.util.spec_from_file_location("exchange", TOP / "tests/vtpm/swtpm.py")
exchange = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(exchange)
UNROOTED = ("--root-key", "root.key", "--image", "sample.img")
PASS = ("--passphrase", "pass")
EK_CERTIFICATE, EK = 0x01C00002, 0x81010001
OWNER, ENDORSEMENT, PLATFORM, LOCKOUT = 0x40000001, 0x4000000B, 0x4000000C, 0x4000000A
command, pack, AUTH, sized = exchange.command, exchange.pack, exchange.AUTH, exchange.sized


def primary(hierarchy):
    """A signing key of P-256: another template than the tool's."""
    return exchange.ecc_primary(3).replace(pack("I", OWNER), pack("I", hierarchy), 1)


def primaries():
    out = []
    for hierarchy in (ENDORSEMENT, OWNER, PLATFORM):
        out += [primary(hierarchy), exchange.flush(0x80000000)]
    return out


READ_EK = command(0x173, pack("I", EK))
READ_NV = command(0x169, pack("I", EK_CERTIFICATE))
READ_OWN = command(0x169, pack("I", exchange.NV_INDEX))


def ask(bench, folder):
    """(public areas of the three primaries, code of the persistent EK, of the EK certificate, of the owner's NV)"""
    said = exchange.Swtpm(bench.path(folder)).send([exchange.STARTUP, *primaries(), READ_EK, READ_NV, READ_OWN])[1:]
    publics = []
    for answer in said[0:6:2]:
        size = int.from_bytes(answer[18:20], "big")
        publics.append(answer[20:20 + size] if exchange.code_of(answer) == 0 else None)
    return publics, [exchange.code_of(answer) for answer in said[6:]]


def make_source(bench):
    """A TPM of swtpm_setup's with EK, certificate, and something of its owner's."""
    bench.path("source").mkdir()
    (bench.path("config")).mkdir()
    subprocess.run(["swtpm_setup", "--tpm2", "--tpmstate", bench.path("source"), "--createek"], check=True,
                   stdout=subprocess.DEVNULL)
    certificate = command(0x12a, pack("I", PLATFORM) + AUTH + sized(b"") +
                          sized(pack("IHI", EK_CERTIFICATE, 0xb, 0x42072001) + sized(b"") + pack("H", 64)), exchange.SESSIONS)
    said = exchange.Swtpm(bench.path("source")).send([exchange.STARTUP, certificate, *exchange.NV])
    bench.tap.check(not any(exchange.code_of(r) for r in said), "a TPM with a certificate's index and an owner's",
                    str([f"{exchange.code_of(r):x}" for r in said]))
    bench.path("source/tpm2-00.volatilestate").unlink()


def check_replaced(bench):
    was, codes = ask(bench, "source")
    bench.path("source/tpm2-00.volatilestate").unlink()
    bench.tap.check(all(was) and codes == [0, 0, 0], "it has keys, EK, certificate's index and NV", str(codes))
    before = bench.snapshot()
    told = bench.done("clone", "--replace", "swtpm:source", "new.pkg", *PASS, "--vtpm", VTPM)
    after = bench.snapshot()
    after.pop("new.pkg")
    bench.tap.check(before == after, "the source is as it was")
    bench.tap.check(told["seeds_seen_to_differ"] == ["endorsement", "owner", "platform"] and told["purpose"] == "replace" and
                    told["lineage"] != told["origin_lineage"], "T65: a replacement has a lineage of its own", str(told))
    bench.path("new").mkdir()
    bench.done("import", "new.pkg", "swtpm:new", *PASS)
    now, codes = ask(bench, "new")
    for name, old, new in zip(("EPS", "SPS", "PPS"), was, now):
        bench.tap.check(new and new != old, f"T65: another {name}: another primary key, says swtpm")
    bench.tap.check(codes[0] & 0xbf == 0x8b and codes[1] & 0xbf == 0x8b, "T65: EK and its certificate are gone",
                    str([f"{c:x}" for c in codes]))
    bench.tap.check(codes[2] & 0xbf == 0x8b, "T65: so is what the owner had")
    bench.done("clone", "--replace", "swtpm:source", "new2.pkg", *PASS, "--vtpm", VTPM)
    bench.path("new2").mkdir()
    bench.done("import", "new2.pkg", "swtpm:new2", *PASS)
    again, _ = ask(bench, "new2")
    bench.tap.check(all(a != b for a, b in zip(again, now)), "T65: two replacements differ too")
    return was


def check_copied(bench, was):
    told = bench.done("clone", "--copy", "swtpm:source", "copy.pkg", *PASS)
    bench.path("copy").mkdir()
    bench.done("import", "copy.pkg", "swtpm:copy", *PASS)
    now, _ = ask(bench, "copy")
    bench.tap.check(now == was, "a copy has the same keys")
    bench.done("import", "copy.pkg", "slots:a,b", *UNROOTED, *PASS)
    header = bench.done("inspect", "a")
    bench.tap.check(header["kind"] == "copied" and header["lineage"] == told["lineage"] != header["origin_lineage"] ==
                    told["origin_lineage"], "T65: and says in its lineage that it is one, and of what", str(header))
    bench.done("import", "new.pkg", "slots:c,d", *UNROOTED, *PASS)
    header = bench.done("inspect", "c")
    bench.tap.check(header["kind"] == "replaced" and header["origin_lineage"] != header["lineage"],
                    "T65: a replacement says that it is one", str(header))


def check_slots(bench, env):
    """A clone of a machine's own TPM keeps that one's lineage as its origin."""
    bench.path("plain").mkdir()
    bench.done("convert", "swtpm:source", "host:plain")
    bench.nvfile(env, "seal", "m", 3, 1, 1, 7, "-", "plain/permanent")
    for how, more in (("--copy", ()), ("--replace", ("--vtpm", VTPM))):
        told = bench.done("clone", how, "slots:m,m2", *UNROOTED, f"m{how}.pkg", *PASS, *more)
        bench.tap.check(told["origin_lineage"] == "07" * 32 != told["lineage"] and told["generation"] == 3 and
                        told["parts"] == ["permanent"], f"T65: {how} of a machine's TPM names it", str(told))


def indices(bench, folder):
    """NV indices of the TPM in a folder of the program's."""
    done = subprocess.run([VTPM, "--state", bench.path(folder)], input=command(0x17a, pack("III", 1, 0x01000000, 64)),
                          stdout=subprocess.PIPE, check=True).stdout
    return [int.from_bytes(done[at:at + 4], "big") for at in range(19, len(done), 4)]


def check_certified(bench, env):
    """A TPM as it leaves manufacture: with seeds of its own a clone has none of its certificates; the CA's key stays."""
    bench.tap.check(indices(bench, "made") == [EK_CERTIFICATE, 0x01C0000A, 0x01C00100], "a TPM with the certificates of its manufacture")
    bench.nvfile(env, "seal", "e", 3, 1, 1, 7, "-", "made/permanent", "made/ca-key")
    for how, left, more in (("--copy", 3, ()), ("--replace", 0, ("--vtpm", VTPM))):
        told = bench.done("clone", how, "slots:e,e2", *UNROOTED, f"e{how}.pkg", *PASS, *more)
        bench.path(f"e{how}").mkdir()
        bench.done("import", f"e{how}.pkg", f"host:e{how}", *PASS)
        found = indices(bench, f"e{how}")
        bench.tap.check(told["parts"] == ["permanent"] and len(found) == left, f"T65: {how}: {left} certificates, and no CA", f"{told} {found}")


def check_refused(bench):
    out = ("x.pkg", *PASS)
    bench.refuses("T65: new seeds without a TPM to make them", "the TPM's own work", "clone", "--replace", "swtpm:source", *out)
    bench.put("false", b"#!/bin/sh\nexit 1\n")
    bench.path("false").chmod(0o755)
    bench.refuses("a TPM that does not work", "does not take the state", "clone", "--replace", "swtpm:source", *out, "--vtpm",
                  bench.path("false"))
    bench.refuses("a TPM that is not there", "nothing", "clone", "--replace", "swtpm:source", *out, "--vtpm", "nothing")
    bench.put("junk/permanent", b"no state")
    bench.refuses("what is no state", "does not take the state", "clone", "--replace", "host:junk", *out, "--vtpm", VTPM)
    # A TPM that answers, and does a self test where its seeds should change.
    bench.put("same", b"""#!/usr/bin/python3
import subprocess, sys
data = sys.stdin.buffer.read()
for code in (0x124, 0x125):
    at = data.find(b"\\x80\\2\\0\\0\\0\\x1b" + code.to_bytes(4, "big"))
    if at >= 0:
        data = data[:at] + b"\\x80\\1\\0\\0\\0\\x0b\\0\\0\\1\\x43\\0" + data[at + 27:]
sys.exit(subprocess.run(["PROGRAM", *sys.argv[1:]], input=data).returncode)
""".replace(b"PROGRAM", str(VTPM).encode()))
    bench.path("same").chmod(0o755)
    bench.refuses("T65: a TPM that kept its seeds", "its seed was not replaced", "clone", "--replace", "swtpm:source", *out,
                  "--vtpm", bench.path("same"))
    ran = bench.run("clone", "swtpm:source", *out)
    bench.tap.check(ran.returncode == 2, "a clone is a copy or a replacement, and somebody must say which", ran.stderr)


def main():
    with Bench(24) as bench:
        env = bench.environment(bench.image(), ROOT)
        bench.put("pass", b"correct horse battery\n")
        make_source(bench)
        was = check_replaced(bench)
        check_copied(bench, was)
        check_slots(bench, env)
        check_certified(bench, env)
        check_refused(bench)
        return bench.tap.status()


if __name__ == "__main__":
    sys.exit(main())
