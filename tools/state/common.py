# SPDX-License-Identifier: BSD-2-Clause-Patent
"""What the parts of redoubt-state share: refusals, files, facts out of the tree's headers."""
import hashlib
import os
import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[2]
FILE_MOST = 1 << 20  # of anything that is read


class Refused(Exception):
    """What is wrong, and why that is a reason."""


def need(good, text):
    if not good:
        raise Refused(text)


def read(path):
    try:
        with open(path, "rb") as file:
            data = file.read(FILE_MOST + 1)
    except OSError as why:
        raise Refused(f"{path}: {why.strerror}") from why
    need(len(data) <= FILE_MOST, f"{path}: is longer than anything that this program reads")
    return data


def sha256(data):
    return hashlib.sha256(data).digest()


def flush_folder(path):
    handle = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_all(files, first_gone=()):
    """{path: bytes}: all are on the disk beside their places before the first takes its place. Those of `first_gone` that
    are there go before that, for good."""
    scratch = {}
    try:
        for path, data in files.items():
            name = f"{path}.{os.getpid()}.new"
            handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            scratch[name] = path
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        for path in filter(os.path.lexists, first_gone):
            os.unlink(path)
            flush_folder(path)
        for name, path in list(scratch.items()):
            os.replace(name, path)
            del scratch[name]
            flush_folder(path)
    except OSError as why:
        raise Refused(f"{why.filename}: {why.strerror}") from why
    finally:
        for name in scratch:
            os.unlink(name)


def write_new(path, data):
    need(not os.path.exists(path), f"{path}: is there already, and is not overwritten")
    write_all({path: data})


def fact(path, pattern):
    """A number that a header of the tree owns."""
    found = re.search(pattern, (TOP / path).read_text())
    need(found, f"{path}: has no {pattern}")
    return int(found.group(1), 0)


def hex_of(text, size, what):
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    need(len(value) == size, f"{what}: is {size} bytes in hexadecimal")
    return value
