#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""redoubt-state and vtpm/nv.c judge the same files alike (T63): files that the C code wrote by keys of the
monitor's own derivation, files that the tool wrote, and each pair of slots out of both.
"""
import hashlib
import itertools
import struct
import sys

from bench import ROOT, Bench

STATE = b"a permanent state, or what passes for one"
UNROOTED = ("--root-key", "root.key", "--image", "sample.img")
OUTCOMES = ("current", "never", "lost", "unusable")


def mended(data):
    return data[:-32] + hashlib.sha256(data[:-32]).digest()


def make_files(bench, env, other, newer):
    """Files by vtpm/nv.c."""
    bench.put("state", STATE)
    bench.put("away", STATE + b", and another one")

    def seal(out, generation, first, kind, tag, parent, environment=env, state="state"):
        bench.nvfile(environment, "seal", out, generation, first, kind, tag, parent, state)

    seal("g4", 4, 1, 1, 7, "-")
    seal("g5", 5, 1, 1, 7, "g4")
    seal("g5away", 5, 1, 1, 7, "g4", state="away")
    seal("g6", 6, 1, 1, 7, "g5")
    seal("b6", 6, 1, 1, 8, "-")
    seal("c6", 6, 6, 4, 9, "-")
    seal("c7", 7, 6, 4, 9, "c6")
    seal("r7", 7, 7, 5, 7, "-")
    seal("foreign", 9, 1, 1, 7, "-", other)
    seal("newer", 9, 1, 1, 7, "-", newer)
    good = bench.get("g6")
    bench.put("flipped", good[:230] + bytes((good[230] ^ 4,)) + good[231:])
    bench.put("forged", mended(bench.get("flipped")))
    bench.put("cut", good[:-1])
    bench.put("torn", good[:200] + bytes(len(good) - 200))
    bench.put("version", mended(good[:8] + b"\2" + good[9:]))
    bench.put("kind", mended(good[:48] + b"\6" + good[49:]))
    bench.put("slot", good + b"left over".ljust((256 << 10) - len(good), b"!"))
    bench.put("garbage", b"x" * 600)
    bench.put("blank", bytes(4096))
    bench.put("long", bench.get("slot") + b"!")
    bench.path("folder").mkdir()


NAMES = ("g4", "g5", "g5away", "g6", "b6", "c6", "c7", "r7", "foreign", "newer", "flipped", "forged", "cut", "torn", "version",
         "kind", "slot", "garbage", "blank")


def check_pairs(bench, env):
    """Each pair, without and with a floor; "?" cannot be read."""
    import common
    import form
    import statefile
    image = form.load(str(bench.path("sample.img")))
    keys = statefile.Keys(ROOT, {"svn": image.header["svn"], "flags": image.header["flags"], "id": image.header["id"],
                                 "signer": bytes.fromhex(image.signer())})
    pairs = [("-", *pair) for pair in itertools.product((*NAMES, "-", "?"), repeat=2)]
    pairs += [("6", *pair) for pair in (("g5", "g4"), ("g6", "g5"), ("-", "-"), ("c7", "c6"), ("torn", "g5"), ("-", "blank"), ("?", "g6"))]
    lines = bench.nvfile(env, "choose", *(word for pair in pairs for word in pair)).splitlines()
    wrong, seen, special = [], set(), {"-": None, "?": statefile.UNREADABLE}
    for number, (floor, *names) in enumerate(pairs):
        slots = [special[name] if name in special else common.read(bench.path(name)) for name in names]
        mine = statefile.Choice(slots, keys, None if floor == "-" else int(floor))
        state = "" if mine.current is None else mine.found[mine.current][1]["permanent"].hex()
        said = [str(OUTCOMES.index(mine.outcome.lower())), *(statefile.SENTENCES[v] for v in mine.verdicts), state]
        seen.update(mine.verdicts)
        if lines[4 * number:4 * number + 4] != said:
            wrong.append((floor, names, lines[4 * number:4 * number + 4], said))
    bench.tap.check(not wrong, "T63: each pair of slots is judged as vtpm/nv.c does", str(wrong[:3]))
    # From BEFORE on they are the platform's TPM's to say, and of packages.
    named = list(statefile.SENTENCES)
    missing = set(named[:named.index("BEFORE")]) - {"NO_KEY", "BAD_CONTENT"} - seen
    bench.tap.check(not missing, "and each verdict came up", str(missing))


def check_unreadable(bench):
    """A slot that is there and cannot be read, as the loader has it: what is beside it is not used, and nothing is lost."""
    for name in ("long", "folder"):
        told = bench.run("verify", "g6", name, *UNROOTED)
        bench.tap.check(told.returncode == 1 and "g6: is genuine, but the other one cannot be read" in told.stderr and
                        f"{name}: cannot be read" in told.stderr, f"T63: beside one that cannot be read: {name}", told.stderr)
    bench.put("pass", b"correct horse battery\n")
    wrap = ("--passphrase", "pass")
    bench.refuses("T63: nor does it leave the machine", "cannot be read", "move", "slots:g6,long", *UNROOTED, "x", *wrap)
    bench.does("a backup that there is", "backup", "slots:g6,gone", *UNROOTED, "b.pkg", *wrap)
    bench.put("u", bench.get("g6"))
    slots = ("slots:u,long", *UNROOTED, *wrap)
    bench.refuses("T63: a backup onto it", "neither slot can be used", "restore", "b.pkg", *slots)
    bench.does("T63: unless it is said", "restore", "b.pkg", *slots, "--accept", "unusable")
    bench.does("and then there is a current one", "verify", "u", "long", *UNROOTED)
    bench.does("as there is where that file was deleted", "verify", "g6", "gone", *UNROOTED)


def check_inspect(bench):
    told = bench.done("inspect", "g6")
    header = struct.unpack("<8sIIIIQQQII32s32s32s32s32s", bench.get("g6")[:216])
    bench.tap.check(told["generation"] == 6 and told["kind"] == "manufactured" and told["lineage"] == "07" * 32 and
                    told["parent"] == hashlib.sha256(bench.get("g5")).hexdigest() == header[11].hex() and
                    told["image_svn"] == 1 and told["monitor_svn"] == 1 and told["authenticated"] is False and
                    told["digest"] == hashlib.sha256(bench.get("g6")).hexdigest(), "inspect tells what stands there", str(told))
    bench.does("inspect prints for a person", "inspect", "g6")
    slot = bench.done("inspect", "slot")
    bench.tap.check(slot == told, "a slot is told as the state in it", str(slot))
    for name, why in (("cut", "not as long as it says"), ("torn", "cut off"), ("version", "does not know"),
                      ("kind", "what cannot be"), ("garbage", "is no state"), ("blank", "never written")):
        bench.refuses(f"inspect: {name}", why, "inspect", name)
    bench.refuses("inspect: a file that there is not", "No such file", "inspect", "nothing")


def check_verify(bench):
    told = bench.done("verify", "g6", "g5", *UNROOTED)
    bench.tap.check(told["current"] == "g6" and told["parts"] == {"permanent": len(STATE)} and
                    told["verdicts"]["g5"]["verdict"] == "OLDER", "verify opens the current one", str(told))
    bench.does("verify prints for a person", "verify", "g6", *UNROOTED)
    bench.does("verify finds the lineage that is wanted", "verify", "g6", *UNROOTED, "--lineage", "07" * 32)
    bench.does("the floor is reached", "verify", "g6", "g5", *UNROOTED, "--floor", "6")
    bench.refuses("T63: below the floor", "a generation that was reached", "verify", "g6", "g5", *UNROOTED, "--floor", "7")
    bench.refuses("T63: another lineage than the one wanted", "of another TPM", "verify", "g6", *UNROOTED, "--lineage", "08" * 32)
    bench.refuses("T63: another machine's", "not written on this machine", "verify", "foreign", *UNROOTED)
    bench.refuses("T63: a bit of it", "damaged", "verify", "flipped", *UNROOTED)
    bench.refuses("T63: a bit of it by who knows SHA-256", "or was changed", "verify", "forged", *UNROOTED)
    bench.refuses("T63: cut", "not as long", "verify", "cut", *UNROOTED)
    bench.refuses("T63: a newer image's", "higher security version", "verify", "newer", *UNROOTED)
    bench.refuses("T63: the same generation twice", "and not the same", "verify", "g5", "g5away", *UNROOTED)
    bench.refuses("T63: two branches", "do not follow", "verify", "g6", "g5away", *UNROOTED)
    bench.refuses("T63: a state beside a newer image's", "of a newer program", "verify", "g6", "newer", *UNROOTED)
    bench.refuses("T63: two of no use", "no state is to be used", "verify", "garbage", "torn", *UNROOTED)
    bench.refuses("without the root key", "the partition's alone", "verify", "g6")
    bench.refuses("the root key alone", "go together", "verify", "g6", "--root-key", "root.key")
    bench.put("short.key", b"short")
    bench.refuses("a root key that is none", "is 32 bytes", "verify", "g6", "--root-key", "short.key", "--image", "sample.img")
    bench.put("other.key", bytes(32))
    bench.refuses("another root key", "not written on this machine", "verify", "g6", "--root-key", "other.key", "--image",
                  "sample.img")
    bench.image("resigned.img", "other")
    bench.refuses("an image of another signer", "not written on this machine", "verify", "g6", "--root-key", "root.key",
                  "--image", "resigned.img")
    ran = bench.run("verify", "g6", "g5", "g4", *UNROOTED)
    bench.tap.check(ran.returncode == 2, "three slots are wrong usage", ran.stderr)


def check_written(bench, env):
    """What the tool writes, the partition opens."""
    bench.put("tpm/permanent", STATE)
    bench.put("a", bytes(256 << 10))
    told = bench.done("convert", "host:tpm", "slots:a,b", *UNROOTED)
    c = bench.nvfile(env, "choose", "-", "a", "-").splitlines()
    bench.tap.check(c[0] == "0" and c[3] == STATE.hex() and told["kind"] == "imported" and told["generation"] == 1 and
                    len(bench.get("a")) == 256 << 10, "vtpm/nv.c opens what the tool has sealed", str((c, told)))
    told = bench.done("convert", "host:tpm", "slots:a,b", *UNROOTED, "--accept", "replace-tpm", "--floor", "1")
    c = bench.nvfile(env, "choose", "-", "a", "b").splitlines()
    bench.tap.check(c[:3] == ["0", "is of another TPM than the one wanted", "is genuine"] and told["generation"] == 2,
                    "a second TPM goes to the other slot, and takes the first one's place", str((c, told)))


def main():
    with Bench(43) as bench:
        image = bench.image()
        env = bench.environment(image)
        make_files(bench, env, bench.environment(image, bytes(32)), bench.environment(image, svn=2))
        check_pairs(bench, env)
        check_inspect(bench)
        check_verify(bench)
        check_written(bench, env)
        check_unreadable(bench)
        return bench.tap.status()


if __name__ == "__main__":
    sys.exit(main())
