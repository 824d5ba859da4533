#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Run one libFuzzer program for a number of inputs and report in TAP.

usage: run_fuzz.py --runs N --seed S --floor PERCENT --source FILE [--source FILE]
                   [--max-len BYTES] [--dict FILE] [--seeds FOLDER] PROGRAM

Two tests: no input was found that fails; the line coverage of each source is at least the floor.
PROGRAM is built with -fsanitize=fuzzer and clang's source coverage.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile


def coverage(program, folder, sources):
    """Percent of lines of each source that ran."""
    raw, merged = os.path.join(folder, "raw"), os.path.join(folder, "merged")
    subprocess.run(["llvm-profdata", "merge", "-o", merged, raw], check=True)
    command = ["llvm-cov", "export", "-summary-only", "-instr-profile", merged, program]
    report = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    percents = {}
    for entry in json.loads(report)["data"][0]["files"]:
        for source in sources:
            if entry["filename"].endswith(source):
                percents[source] = entry["summary"]["lines"]["percent"]
    return percents


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", default="100000")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--floor", type=float, default=90)
    parser.add_argument("--source", action="append", default=[])
    parser.add_argument("--max-len", default="24")
    parser.add_argument("--dict")
    parser.add_argument("--seeds")
    parser.add_argument("program")
    args = parser.parse_args()
    name = os.path.basename(args.program)
    print("1..2", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, LLVM_PROFILE_FILE=os.path.join(folder, "raw"))
        corpus = os.path.join(folder, "corpus")
        os.mkdir(corpus)
        command = [args.program, "-runs=" + args.runs, "-seed=" + args.seed, "-max_len=" + args.max_len,
                   "-artifact_prefix=" + os.path.dirname(args.program) + "/", corpus]
        command += [args.seeds] if args.seeds else []
        command += ["-dict=" + args.dict] if args.dict else []
        status = subprocess.run(command, env=environment, stdout=sys.stderr).returncode
        verdict = "not ok" if status else "ok"
        print(f"{verdict} 1 - {name}: {args.runs} inputs, seed {args.seed}", flush=True)
        percents = {}
        if status == 0:
            percents = coverage(os.path.abspath(args.program), folder, args.source)
    low = len(percents) != len(args.source) or min(percents.values(), default=0) < args.floor
    text = ", ".join(f"{source} {percent:.1f} %" for source, percent in sorted(percents.items()))
    verdict = "not ok" if low else "ok"
    print(f"{verdict} 2 - {name}: lines covered: {text or 'none'} (floor {args.floor:.0f} %)")
    return int(status != 0 or low)


sys.exit(main())
