# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Where state comes from and goes to: slots:A,B of an unrooted machine, swtpm:FOLDER, host:FOLDER
(the vTPM as a program).
"""
import contextlib
import fcntl
import os

import common
import statefile
import swtpm
from common import Refused, need, sha256

ZERO = bytes(32)


class State:
    """State as it was read. `foreign`: another program's, which knows no lineage; the digest stands for it."""

    def __init__(self, parts, digest, lineage=None, generation=0):
        self.parts, self.digest, self.generation = parts, digest, generation
        self.foreign = lineage is None
        self.lineage = lineage or digest


def under(header, parts, digest):
    """The part of a state that comes behind this one, on its machine: the anchor is this one's, unless it is one that only
    a keeper has kept who may not flush (vtpm/binding.h)."""
    part = parts["anchor"]
    return part if header["flags"] & statefile.LOOSE else part[:-len(digest)] + digest


class Plain:
    """A folder with a file for each kind of state."""

    kept = ("permanent", "volatile")

    def __init__(self, folder):
        self.folder = folder

    def path(self, part):
        return os.path.join(self.folder, self.names[part])

    def is_there(self):
        return [self.path(part) for part in self.kept if os.path.exists(self.path(part))]

    def read(self):
        with self.locked():
            return self.as_it_is()

    def as_it_is(self):
        parts, raw = {}, b""
        for part in self.kept:
            path = self.path(part)
            if part == "permanent" or os.path.exists(path):
                data = common.read(path)
                parts[part] = self.decode(data, path)
                raw += sha256(data)
        statefile.compose(parts)
        return State(parts, sha256(raw))

    def write(self, state, accept, **_):
        """A volatile state that belongs to what was there before is never beside another TPM, wherever this is cut off."""
        need(os.path.isdir(self.folder), f"{self.folder}: is no folder")
        with self.locked():
            there = self.is_there()
            need(not there or "replace-tpm" in accept, f"{', '.join(there)}: there is a TPM already, which would be lost "
                 "(--accept replace-tpm)")
            common.write_all({self.path(part): self.encode(state.parts[part]) for part in self.kept if part in state.parts},
                             first_gone=[self.path("volatile")])
        return {"written": self.folder, "left_out": sorted(set(state.parts) - set(self.kept))}

    def retire(self, state):
        """Refused unless it still is what was read; an OSError comes from the overwriting itself."""
        with self.locked():
            unchanged(self.as_it_is(), state, self.folder)
            for path in self.is_there():
                overwrite(path)
                os.unlink(path)
                common.flush_folder(path)

    def locked(self):
        return contextlib.nullcontext()


class Host(Plain):
    names = {"permanent": "permanent", "volatile": "volatile"}

    @staticmethod
    def decode(data, path):
        return data

    @staticmethod
    def encode(data):
        return data


class Swtpm(Plain):
    names = swtpm.NAMES

    def __init__(self, folder, key):
        super().__init__(folder)
        self.key = key

    def decode(self, data, path):
        return swtpm.unwrap(data, self.key, path)

    def encode(self, data):
        return swtpm.wrap(data, self.key)

    @contextlib.contextmanager
    def locked(self):
        """As swtpm does it; where no lock is, none was ever at work."""
        try:
            file = open(os.path.join(self.folder, ".lock"), "r+b")
        except FileNotFoundError:
            need(os.path.isdir(self.folder), f"{self.folder}: No such file or directory")
            yield
            return
        except OSError as why:
            raise Refused(f"{self.folder}: {why.strerror}") from why
        with file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as why:
                raise Refused(f"{self.folder}: swtpm is at work there, and its state would change meanwhile") from why
            yield


def unchanged(now, state, where):
    need(now.digest == state.digest, f"{where}: the state has changed since it was read: it was in use. It stays as it is, and "
         "there is no package")


def overwrite(path):
    with open(path, "r+b") as file:
        file.write(bytes(os.path.getsize(path)))
        file.flush()
        os.fsync(file.fileno())


class Slots:
    """The two slots of a machine whose root key is in a file."""

    def __init__(self, paths, keys, floor=None):
        need(len(paths) == 2 and paths[0] != paths[1], "slots: are two files, with a comma between them")
        need(keys, "slots: the state is encrypted for the vTPM's partition alone. Of a machine whose root key is a file, that "
             "file and the image open it (--root-key root.key --image vtpm.img); where a TPM has sealed the root key nobody "
             "but the partition can: `redoubtctl backup` on that machine has it make a package")
        self.paths, self.keys, self.floor = paths, keys, floor

    def choose(self):
        return statefile.Choice([statefile.read_slot(path) for path in self.paths], self.keys, self.floor)

    def why(self, choice):
        return "; ".join(f"{path}: {statefile.SENTENCES[verdict]}" for path, verdict in zip(self.paths, choice.verdicts))

    def read(self):
        choice = self.choose()
        need(choice.current is not None, self.why(choice))
        h, parts, digest = choice.found[choice.current]
        # To what in the platform's TPM it is bound is worth nothing elsewhere; and what was asked of who is at this
        # machine is nobody's else.
        return State({name: part for name, part in parts.items() if name not in ("anchor", "ppi")}, digest, h["lineage"], h["generation"])

    def allowed(self, choice, state, accept, kind):
        """What is in the slots now must be allowed to go."""
        need(choice.outcome != "UNUSABLE" or "unusable" in accept, "neither slot can be used, and what is there would be "
             f"overwritten: {self.why(choice)} (--accept unusable)")
        if choice.current is None:
            return
        now = choice.found[choice.current][0]
        if kind == statefile.RESTORED and now["lineage"] == state.lineage:
            need(now["generation"] <= state.generation or "older" in accept, f"the backup is of generation {state.generation} "
                 f"and the machine has {now['generation']}: counters, and wrong passwords counted, would go back "
                 "(--accept older)")
        else:
            need("replace-tpm" in accept, f"the machine has a TPM already, of lineage {now['lineage'].hex()}, which would be "
                 "lost (--accept replace-tpm)")

    def write(self, state, accept, kind=statefile.IMPORTED, origin=ZERO):
        choice = self.choose()
        self.allowed(choice, state, accept, kind)
        generation = max(choice.highest(), self.floor or 0, state.generation) + 1
        header = {"generation": generation, "first": generation, "kind": kind, "lineage": state.lineage,
                  "parent": state.digest, "origin_lineage": origin, "origin_digest": state.digest}
        parts = dict(state.parts)
        if choice.current is not None and "anchor" in choice.found[choice.current][1]:
            parts["anchor"] = under(*choice.found[choice.current])
        data = statefile.seal_file(header, parts, self.keys)
        to = 0 if choice.current is None else 1 - choice.current
        files = {self.paths[to]: self.filled(data, self.paths[to])}
        if choice.current is None:  # nothing unusable is left beside it, which could be of a newer program
            files[self.paths[1 - to]] = self.filled(b"", self.paths[1 - to])
        common.write_all(files)
        return {"written": self.paths[to], "generation": generation, "lineage": state.lineage.hex(),
                "kind": statefile.KINDS[kind], "left_out": []}

    @staticmethod
    def filled(data, path):
        """A slot keeps its size."""
        size = os.path.getsize(path) if os.path.exists(path) else 0
        return data + bytes(statefile.FILE_MAX - len(data)) if size == statefile.FILE_MAX else data

    def retire(self, state):
        unchanged(self.read(), state, ",".join(self.paths))
        for path in self.paths:
            if os.path.exists(path):
                overwrite(path)
