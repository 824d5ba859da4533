#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause-Patent
# Runs test targets, goes on after a failure, and sums their results.
#
# usage: tests/check.sh MAKE TARGET... [-- TARGET... [-- TARGET...]]
#
# The first group, one target after the other. The second, which are tests that need no emulator, beside
# it with less of the CPUs: its output comes when the first is done. The third behind both.
set -u
make=$1
shift
results=${B:-build}/results
rm -rf "$results"
mkdir -p "$results"
groups=("" "" "")
group=0
for target in "$@"; do
    if [[ $target == -- ]]; then
        group=$((group + 1))
    else
        groups[group]+=" $target"
    fi
done

# run TARGET...: each, and the names of those that failed into a file of the results.
run() {
    local target
    for target in "$@"; do
        echo "--- $target"
        "$make" --no-print-directory "$target" || echo "$target" >>"$results/broken"
    done
}

read -ra first <<<"${groups[0]}"
read -ra beside <<<"${groups[1]}"
read -ra behind <<<"${groups[2]}"
if [[ ${#beside[@]} -gt 0 ]]; then
    # Both need these; two makes must not build one file at once.
    "$make" --no-print-directory all setup-suite setup-attack || echo "all" >>"$results/broken"
    (nice -n 5 bash -c "$(declare -f run); make=$make; results=$results; run ${beside[*]}") >"$results/beside.out" 2>&1 &
    lane=$!
fi
run "${first[@]}"
if [[ ${#beside[@]} -gt 0 ]]; then
    echo "--- beside it"
    # Its output as it comes from here on, so that a long rest does not look like a hang.
    tail -n +1 -f --pid="$lane" "$results/beside.out"
    wait "$lane"
fi
run "${behind[@]}"
broken=()
[[ -f $results/broken ]] && mapfile -t broken <"$results/broken"
exec /usr/bin/python3 tests/tapsum.py "$results" "${broken[@]}"
