#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause-Patent
# Runs the benchmarks and puts their rows into one list.
#
# usage: tests/bench.sh MAKE TARGET...
set -eu
make=$1
shift
build=${B:-build}
rm -rf "$build/bench"
for target in "$@"; do
    echo "--- $target"
    "$make" --no-print-directory "$target"
done
exec /usr/bin/python3 tests/bench/merge.py "$build/bench.json" "$build"/bench/*.json
