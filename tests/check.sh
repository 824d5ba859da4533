#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause-Patent
# Runs test targets one after the other, goes on after a failure, and sums their results.
#
# usage: tests/check.sh MAKE TARGET...
set -u
make=$1
shift
results=${B:-build}/results
rm -rf "$results"
mkdir -p "$results"
broken=()
for target in "$@"; do
    echo "--- $target"
    "$make" --no-print-directory "$target" || broken+=("$target")
done
exec /usr/bin/python3 tests/tapsum.py "$results" "${broken[@]}"
