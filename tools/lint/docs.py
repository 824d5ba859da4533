#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""lint-docs: the top level, a README.md in each folder that must have one, links that lead somewhere,
and no name of a package host or path of one machine in any tracked file.
"""
import pathlib
import posixpath
import re
import subprocess
import sys
import tempfile

import lintlib
from lintlib import Finding

TOP = {"Makefile", "README.md", "LICENSE", "boot", "monitor", "vtpm", "guest", "arch", "tests",
       "tools"}
README = ("boot", "monitor", "monitor/abi", "monitor/lib", "vtpm", "guest", "guest/lib", "guest/tiny",
          "guest/suite", "guest/linux", "guest/trustlets", "arch", "arch/include/arch", "arch/x86",
          "arch/x86/iommu", "arch/x86/vmx", "arch/x86/svm", "arch/host", "tests", "tests/unit",
          "tests/fuzz", "tests/model", "tests/emu", "tests/boot", "tests/attack", "tools",
          "tools/setup", "tools/lint", "tools/build")
BINARY = (".png", ".jpg", ".gz", ".xz", ".bin", ".der", ".fd")

# In pieces, so that this file does not find itself.
HOSTS = re.compile(r"\b(" + "|".join((
    r"[\w.]+\." "debian" r"\.org", r"[\w.]+\." "ubuntu" r"\.com", "pypi" r"\.org",
    "pythonhosted" r"\.org", r"[\w.]*" "npmjs" r"\.\w+", "crates" r"\.io", "docker" r"\.(io|com)",
    "quay" r"\.io", "ghcr" r"\.io", "proxy" r"\.golang\.org")) + r")\b", re.I)
MACHINE = re.compile(r"(?<![\w.$}/~*-])/(" + "|".join((
    "wo" r"rk/\w", "ro" r"ot/\w", "ho" r"me/\w", "Us" r"ers/\w")) + ")")

_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.S | re.M)


def check_top(paths):
    for name in sorted({path.split("/", 1)[0] for path in paths}):
        if name not in TOP and not name.startswith("."):
            yield Finding("top", name, 0, "design.md does not name this at the top level")


def check_readme(paths):
    for folder in README:
        used = any(path.startswith(folder + "/") for path in paths)
        if used and f"{folder}/README.md" not in paths:
            yield Finding("readme", folder, 0, "no README.md")
    for path in paths:
        if "/" not in path and path == "README.md":
            return
    yield Finding("readme", ".", 0, "no README.md")


def anchors(text):
    """Names that a link may point to, by the usual rule for headings."""
    heads = re.findall(r"^#+ +(.*?) *$", _CODE.sub(lambda m: m[0] if m[0][0:3] != "```" else "", text),
                       re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def check_links(path, files):
    text = files[path]
    body = _CODE.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)
    for match in _LINK.finditer(body):
        if re.match(r"\w+:", match[1]):
            continue
        line = body.count("\n", 0, match.start()) + 1
        name, _, anchor = match[1].partition("#")
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(path), name)) if name else path
        folder = any(other.startswith(wanted + "/") for other in files)
        if wanted not in files and not folder:
            yield Finding("links", path, line, f"{match[1]} leads nowhere")
        elif anchor and anchor not in anchors(files.get(wanted, "")):
            yield Finding("links", path, line, f"{match[1]}: no such heading")


def check_names(path, text):
    for pattern, what in ((HOSTS, "the name of a package host"), (MACHINE, "a path of one machine")):
        for match in pattern.finditer(text):
            yield Finding("names", path, text.count("\n", 0, match.start()) + 1,
                          f"{match[0]}: {what}")


def check(files):
    found = [*check_top(files), *check_readme(files)]
    for path, text in files.items():
        if path.endswith(".md"):
            found += check_links(path, files)
        found += check_names(path, text)
    return found


def load(root):
    return {path: lintlib.read(root, path) for path in lintlib.tracked(root)
            if not path.endswith(BINARY)}


README_OK = {"README.md": "# Top\n[a](boot/README.md#one-two) [b](boot) [c](#top) `[d](no)`\n"
                          "```\n[e](no)\n```\n",
             "boot/README.md": "## One, two\n[up](../README.md) [out](mailto:a@example.org)\n"
                               "a/ro" "ot/b, $B/ho" "me/x and https://example.org/wo" "rk/x\n"}
EXAMPLES = (
    (None, {}),
    ("top", {"other/a.c": ""}),
    ("top", {"NOTES": ""}),
    ("readme", {"monitor/a.c": ""}),
    ("readme", {"arch/README.md": "", "arch/x86/README.md": "", "arch/x86/vmx/a.c": ""}),
    ("links", {"boot/a.md": "[x](gone.md)\n"}),
    ("links", {"boot/a.md": "[x](README.md#three)\n"}),
    ("links", {"boot/a.md": "[x](#three)\n"}),
    ("names", {"boot/a.sh": "wget deb" ".debian" ".org\n"}),
    ("names", {"boot/a.sh": "cd /ro" "ot/x\n"}),
    ("names", {"boot/a.md": "in `/wo" "rk/main`\n"}),
)


def selftest(tap, scratch):
    for number, (rule, files) in enumerate(EXAMPLES, 1):
        rules = {f.rule for f in check({**README_OK, **files})}
        tap.ok(rules == ({rule} if rule else set()),
               f"self: example {number}: {rule or 'nothing'} is found", [f"found: {sorted(rules)}"])
    rules = {f.rule for f in check({"boot/README.md": ""})}
    tap.ok(rules == {"readme"}, "self: a missing README.md at the top is found")
    lintlib.write_tree(scratch, README_OK)
    subprocess.run(["git", "-C", scratch, "init", "-q"], check=True)
    subprocess.run(["git", "-C", scratch, "add", "README.md"], check=True)
    tap.ok(list(load(scratch)) == ["README.md"], "self: what is not tracked is not read")
    tap.ok(pathlib.Path(scratch, "boot/README.md").exists(), "self: though it is there")


def main():
    tap = lintlib.Tap()
    with tempfile.TemporaryDirectory() as scratch:
        selftest(tap, scratch)
    found = check(load("."))
    for rule in ("top", "readme", "links", "names"):
        tap.findings(f"docs: {rule}", [f for f in found if f.rule == rule])
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
