# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Bad examples for style.py: each rule must find its own, and nothing in the good one."""
import subprocess

import lintlib
import style

HEAD = "/* SPDX-License-Identifier: BSD-2-Clause-Patent */\n/*\n * An example.\n */\n"


def function(lines, name="f", params="void"):
    """A function of exactly that many lines."""
    return f"int {name}({params})\n{{\n" + "\tg();\n" * (lines - 3) + "}\n"


GOOD = HEAD + """#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <stdint.h>

struct __attribute__((packed)) pair {
	int (*call)(int a, int b, int c, int d, int e, int f, int g);
	char brace; /* } and a { in a comment */
};

#define MANY(a, b, c, d, e, f, g) \\
	do { \\
		call(a, b, c, d, e, f, g); \\
	} while (0)

static const struct pair pairs[] = { { 0, '{' }, { 0, '}' } };

static inline __attribute__((const)) struct pair *first(int a, int b, int (*c)(int, int), int d,
	int e)
{
	const char *text = "} #if { \\" ";

	if (a) {
		return 0;
	}
	return (struct pair *)text;
}

#endif
"""


def bad(rule):
    """{path: text} that breaks the one rule."""
    return {
        "function-length": {"boot/a.c": HEAD + function(61) + function(3, "g") + function(3, "h")},
        "median": {"boot/a.c": HEAD + function(13)},
        "file-length": {"boot/a.c": HEAD + "int x;\n" * 597},
        "parameters": {"boot/a.c": HEAD + function(3, "f", "int a, int b, int c, int d, int e, "
                                                   "int (*f)(int, int)")},
        "conditionals": {"monitor/a.c": HEAD + "#ifdef X\n#endif\n"},
        "license": {"boot/a.c": "/* none */\n/*\n * An example.\n */\n"},
        "file-comment": {"boot/a.c": HEAD.split("\n", 1)[0] + "\n#include <stdint.h>\n"},
        "formats": {"arch/a.h": HEAD + '#define F panic("%s: " \\\n\t"%d", t, n);\n'},
        "tabs": {"boot/a.c": HEAD + "int f(void)\n{\n        g();\n}\n"},
        "columns": {"boot/a.c": HEAD + "\t/* " + "x" * 90 + "*/\n"},
        "whitespace": {"boot/a.c": HEAD + "int x; \n"},
        "unfinished": {"boot/a.c": HEAD + "/* " + "TO" + "DO: all */\n"},
    }[rule]


def edge():
    """At the limits, not over them."""
    return {
        "boot/a.c": HEAD + function(60) + function(12, "b") + function(3, "c"),
        "boot/b.c": HEAD + "int x;\n" * 596,
        "boot/c.c": HEAD + function(3, "d", "int a, int b, int c, int d, int e"),
        "boot/e.c": HEAD + "/* " + "x" * 94 + "*/\n",
        "arch/a.c": HEAD + "#ifdef X\n#endif\n" + "int x;\n" * 500,
        "arch/b.c": HEAD + "int x;\n" * 500,
    }


def more_bad():
    """(rule, files): second ways to break a rule."""
    yield "median", {"monitor/a.c": HEAD + function(13), "tests/a.c": HEAD + function(3)
                     + function(3, "g")}
    yield "parameters", {"boot/a.h": HEAD + "int f(int a, int b, int c, int d, int e, int f);\n"}
    yield "conditionals", {"arch/a.c": HEAD + "int x;\n" * 500 + "#if X\n#endif\n"}
    yield "conditionals", {"arch/a.c": HEAD + "int x;\n" * 590 + "#if X\n#elif Y\n#endif\n",
                           "arch/b.c": HEAD + "int x;\n" * 590}
    yield "conditionals", {"boot/a.h": HEAD + "#ifndef A\n#define A\n#ifdef B\n#endif\n#endif\n"}
    yield "whitespace", {"boot/a.c": HEAD + "int x;"}
    yield "whitespace", {"boot/a.c": HEAD + "int x;\r\n"}
    yield "license", {"boot/a.py": '#!/usr/bin/python3\n# none\n"""Text."""\n'}
    yield "license", {"boot/a.c": HEAD.replace("BSD-2-Clause-Patent", "GPL-2.0")}


def test_exceptions(tap):
    found = style.check(bad("function-length"))
    good = style.parse_exceptions("ceiling 1\nfunction-length boot/a.c:f 61 -- why\n")
    tap.ok(not style.apply_exceptions(found, good[1]), "self: an exception covers its finding")
    low = style.parse_exceptions("ceiling 1\nfunction-length boot/a.c:f 60 -- why\n")
    tap.ok(style.apply_exceptions(found, low[1]), "self: a finding beyond the exception's limit")
    tap.ok(style.apply_exceptions([], good[1]), "self: an exception that covers nothing")
    tap.ok(not list(style.check_growth(good, [good])), "self: the list of exceptions as before")
    tap.ok(list(style.check_growth(good, [(0, {})])), "self: a raised ceiling")
    tap.ok(list(style.check_growth((0, good[1]), [])), "self: more exceptions than the ceiling")
    tap.ok(list(style.check_growth(good, [low])), "self: a raised limit")
    for text in ("", "ceiling 1\nfunction-length boot/a.c:f 61\n", "ceiling 1\nother a 1 -- why\n"):
        try:
            style.parse_exceptions(text)
            tap.ok(False, f"self: malformed exceptions {text!r}")
        except ValueError:
            tap.ok(True, f"self: malformed exceptions {text!r}")


def test_tracked(tap, scratch):
    """The list of files and the history of exceptions come from version control."""
    git = ["git", "-C", scratch, "-c", "user.name=x", "-c", "user.email=x@example.org"]
    lintlib.write_tree(scratch, {"boot/a.c": HEAD, "untracked.c": "",
                                 style.EXCEPTIONS: "ceiling 1\n"})
    for command in (["init", "-q"], ["add", "boot", "tools"], ["commit", "-q", "-m", "x"]):
        subprocess.run(git + command, check=True, capture_output=True)
    tap.ok(lintlib.tracked(scratch, ".c") == ["boot/a.c"], "self: tracked files only")
    tap.ok(style.history(scratch) == [(1, {})], "self: older exceptions are found")


def run(tap, scratch):
    found = style.check({"monitor/good.h": GOOD})
    tap.findings("self: nothing in the good example", found)
    names = [(f.name, f.params, f.lines) for f in lintlib.functions(GOOD)]
    tap.ok(names == [("first", 5, 10)], "self: the one function of the good example is seen", names)
    tap.findings("self: nothing at the limits", style.check(edge()))
    for rule, files in [(rule, bad(rule)) for rule in style.RULES] + list(more_bad()):
        rules = {f.rule for f in style.check(files)}
        tap.ok(rules == {rule}, f"self: {rule} is found, alone", [f"found: {sorted(rules)}"])
    test_exceptions(tap)
    test_tracked(tap, scratch)
