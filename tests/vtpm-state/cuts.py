#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""redoubt-state between its steps: a source that changes while its package is made, and a program that ends at any of
its changes to a folder (T65: one TPM's volatile state beside another one's permanent state).
"""
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import subprocess
import sys

from bench import ROOT, TOOL, Bench

PASS = ("--passphrase", "pass")
UNROOTED = ("--root-key", "root.key", "--image", "sample.img")
LOADER = importlib.machinery.SourceFileLoader("tool", str(TOOL))
SPEC = importlib.util.spec_from_loader("tool", LOADER)
tool = importlib.util.module_from_spec(SPEC)
LOADER.exec_module(tool)
HOLDS = "import fcntl,sys; f=open(sys.argv[1],'r+b'); fcntl.lockf(f,fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"


# ---- Meanwhile ----

@contextlib.contextmanager
def instead(module, name, function):
    was = getattr(module, name)
    setattr(module, name, function)
    try:
        yield was
    finally:
        setattr(module, name, was)


def move(source, *more):
    """(status, what it said); in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = tool.main(["move", source, "x.pkg", *PASS, *more])
    return status, out.getvalue() + err.getvalue()


def refuses_meanwhile(bench, name, why, happens, source, *more):
    """`happens` while the package is made: nothing of the source is overwritten, and there is no package."""
    after = {}

    def make(*args):
        happens()
        after.update(bench.snapshot())
        return was(*args)

    with instead(tool.package, "make", make) as was:
        status, said = move(source, *more)
    bench.tap.check(status == 1 and why in said and after and bench.snapshot() == after, name, f"{status}: {said}")


def check_changed(bench):
    for kind, permanent, volatile in (("host", "permanent", "volatile"), ("swtpm", *tool.swtpm.NAMES.values())):
        place = tool.places.Host("") if kind == "host" else tool.places.Swtpm("", None)
        bench.put(f"{kind}/{permanent}", place.encode(b"a state"))
        for part in (permanent, volatile):
            refuses_meanwhile(bench, f"T63: a move of {kind}: whose {part} changes is refused", "has changed since",
                              lambda at=f"{kind}/{part}": bench.put(at, place.encode(b"a later one")), f"{kind}:{kind}")
        refuses_meanwhile(bench, f"T63: or is gone: {kind}", "has changed since", bench.path(f"{kind}/{volatile}").unlink,
                          f"{kind}:{kind}")
    status, said = move("host:host")
    bench.tap.check(status == 0 and not bench.path("host/permanent").exists() and "digest" in said,
                    "one that does not change is moved", said)
    bench.path("x.pkg").unlink()


def check_slots(bench, env):
    bench.put("state", b"a state")
    bench.nvfile(env, "seal", "a", 5, 1, 1, 7, "-", "state")
    refuses_meanwhile(bench, "T63: nor are slots that have a newer state", "has changed since",
                      lambda: bench.nvfile(env, "seal", "b", 6, 1, 1, 7, "a", "state"), "slots:a,b", *UNROOTED)
    refuses_meanwhile(bench, "T63: or one that cannot be read", "cannot be read",
                      lambda: bench.put("a", bytes((256 << 10) + 1)), "slots:a,b", *UNROOTED)


def check_at_work(bench):
    """swtpm has begun meanwhile."""
    bench.put("swtpm/.lock", b"")
    held = []

    def begin():
        held.append(subprocess.Popen([sys.executable, "-c", HOLDS, bench.path("swtpm/.lock")], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE))
        held[0].stdout.readline()

    refuses_meanwhile(bench, "T63: nor a folder that swtpm has by then", "swtpm is at work there", begin, "swtpm:swtpm")
    held[0].communicate()


def check_failing(bench):
    """The disk fails in the overwriting: the package may be all that there is."""
    def fails(path):
        raise OSError(5, "Input/output error", path)

    with instead(tool.places, "overwrite", fails):
        status, said = move("swtpm:swtpm")
    bench.tap.check(status == 1 and "Input/output error" in said and bench.path("x.pkg").exists(),
                    "a move that fails behind that keeps the package", said)


# ---- Cuts ----

def cut_at(number, run):
    """In a child: ends before its change of a name `number`, from 0; false: it had fewer."""
    child = os.fork()
    if child == 0:
        left = number

        def counted(function):
            def call(*args, **more):
                nonlocal left
                if left == 0:
                    os._exit(9)
                left -= 1
                return function(*args, **more)
            return call

        os.replace, os.unlink = counted(os.replace), counted(os.unlink)
        try:
            run()
        except BaseException:
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status not in (0, 9):
        raise RuntimeError(f"the child: {status}")
    return status == 9


def check_cuts(bench, kind, names, parts):
    """Where there was a TPM with volatile state: what is there at each cut was there before or is new, and of one TPM."""
    place = tool.places.Host("f") if kind == "host" else tool.places.Swtpm("f", None)
    state = tool.places.State(parts, bytes(32))
    old = {"permanent": b"the old one", "volatile": b"its volatile state"}
    seen, number, more = [], 0, True
    while more:
        for part in old:
            bench.put(f"f/{names[part]}", place.encode(old[part]))
        more = cut_at(number, lambda: place.write(state, ("replace-tpm",)))
        seen.append(dict(place.as_it_is().parts))
        number += 1
    good = [now["permanent"] in (old["permanent"], parts["permanent"]) and now.get("volatile") in (
        None, (old if now["permanent"] == old["permanent"] else parts).get("volatile")) for now in seen]
    bench.tap.check(all(good) and len(seen) > len(parts) + 1 and seen[0] == old and seen[-1] == parts,
                    f"T65: a cut leaves no two TPMs' states together: {kind}, {' and '.join(parts)}", str(seen))


def main():
    with Bench(15) as bench:
        image = bench.image()
        bench.put("pass", b"correct horse battery\n")
        os.chdir(bench.folder)
        check_changed(bench)
        check_slots(bench, bench.environment(image, ROOT))
        check_at_work(bench)
        check_failing(bench)
        for kind, names in (("host", tool.places.Host.names), ("swtpm", tool.places.Swtpm.names)):
            check_cuts(bench, kind, names, {"permanent": b"the new one"})
            check_cuts(bench, kind, names, {"permanent": b"the new one", "volatile": b"and its own"})
        os.chdir("/")
        return bench.tap.status()


if __name__ == "__main__":
    sys.exit(main())
