# SPDX-License-Identifier: BSD-2-Clause-Patent
"""A scratch folder, redoubt-state in it, and what must hold of each refusal."""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = TOP / os.environ.get("B", "build")
sys.path[:0] = [str(TOP / name) for name in ("tests/emu", "tests/vtpm", "tools/state", "tools/image")]
from tap import Tap  # noqa: E402

TOOL = TOP / "tools/redoubt-state"
VTPM = BUILD / "vtpm/host/vtpm"
ROOT = bytes(range(32))


class Bench:
    """`with Bench(plan) as bench`; paths are relative to the folder."""

    def __init__(self, plan):
        self.tap = Tap(plan)
        self.scratch = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.scratch.name)

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.scratch.cleanup()

    def path(self, name):
        return self.folder / name

    def put(self, name, data):
        self.path(name).parent.mkdir(exist_ok=True)
        self.path(name).write_bytes(data)
        return name

    def get(self, name):
        return self.path(name).read_bytes()

    def snapshot(self):
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in sorted(self.folder.rglob("*"))
                if path.is_file()}

    def run(self, *args, **more):
        return subprocess.run([TOOL, *map(str, args)], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=300, check=False, **more)

    def done(self, *args):
        """The tool's JSON; it must do it."""
        ran = self.run(*args, "--json")
        if ran.returncode:
            raise RuntimeError(f"{args}: {ran.returncode}: {ran.stderr}")
        return json.loads(ran.stdout)

    def does(self, text, *args):
        ran = self.run(*args)
        return self.tap.check(ran.returncode == 0 and not ran.stderr, text, f"{args}: {ran.stderr}")

    def refuses(self, text, why, *args):
        """Exit status 1, the reason in one line, nothing else said, and each file as it was."""
        before = self.snapshot()
        ran = self.run(*args)
        good = ran.returncode == 1 and why in ran.stderr and ran.stderr.count("\n") == 1 and \
            (not ran.stdout or args[0] == "verify") and self.snapshot() == before
        return self.tap.check(good, text, f"{args}: {ran.returncode}: {ran.stdout}{ran.stderr}")

    # ---- An unrooted machine ----

    def image(self, name="sample.img", key="ec"):
        """A signed image; the facts a key follows from."""
        shutil.copy(BUILD / "guest/trustlets/sample/sample.img", self.path(name))
        key = BUILD / f"guest/trustlets/keys/{key}.key"
        subprocess.run([TOP / "tools/trustlet", "sign", "--key", key, self.path(name)], check=True,
                       stdout=subprocess.DEVNULL)
        self.put("root.key", ROOT)
        import form
        return form.load(str(self.path(name)))

    def environment(self, image, root=ROOT, svn=None, monitor=1):
        return dict(os.environ, KEYS=str(BUILD / "tests/vtpm-state/keys"), ROOT=root.hex(), ID=image.id,
                    SIGNER=image.signer(), FLAGS=str(image.header["flags"]), MONITOR_SVN=str(monitor),
                    IMAGE_SVN=str(image.header["svn"] if svn is None else svn))

    def nvfile(self, environment, *args):
        """vtpm/nv.c; what it prints, but for the seed of the fake generator."""
        said = subprocess.run([BUILD / "tests/vtpm-state/nvfile", *map(str, args)], cwd=self.folder, env=environment,
                              stdout=subprocess.PIPE, check=True, text=True, timeout=120).stdout
        return "".join(line for line in said.splitlines(True) if not line.startswith("seed "))

    # ---- Keys ----

    def keys(self, name, *how):
        subprocess.run(["openssl", "genpkey", *how, "-out", self.path(name + ".key")], check=True, stderr=subprocess.DEVNULL)
        subprocess.run(["openssl", "pkey", "-in", self.path(name + ".key"), "-pubout", "-out", self.path(name + ".pub")],
                       check=True)

    def fingerprint(self, name):
        """As OpenSSL sees the key."""
        der = subprocess.run(["openssl", "pkey", "-pubin", "-in", self.path(name), "-outform", "DER"], check=True,
                             stdout=subprocess.PIPE).stdout
        return hashlib.sha256(der).hexdigest()


RSA = ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072")
P256 = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1")
