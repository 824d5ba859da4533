#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause-Patent
# Runs test targets, goes on after a failure, and sums their results.
#
# usage: tests/check.sh MAKE TARGET... [-- TARGET... [-- TARGET... [-- TARGET...]]]
#
# The first group, one target after the other. The second, which are tests that need no emulator, beside
# it with less of the CPUs, and behind them what is left of the first one from its end; their output comes
# when the first lane is done. The third behind both. The fourth is made in front of all: two makes must not
# build one file at once.
set -u
make=$1
shift
results=${B:-build}/results
rm -rf "$results"
mkdir -p "$results"
groups=("" "" "" "")
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

# take 1|\$: the first or the last target of the queue, which it leaves; false: there is none.
take() {
    (
        flock 9
        [[ -s $results/queue ]] || exit 1
        sed -n "$1p" "$results/queue"
        sed -i "$1d" "$results/queue"
    ) 9>"$results/queue.lock"
}

lane() {
    local target
    while target=$(take "$1"); do
        run "$target"
    done
}

read -ra first <<<"${groups[0]}"
read -ra beside <<<"${groups[1]}"
read -ra behind <<<"${groups[2]}"
read -ra before <<<"${groups[3]}"
printf '%s\n' "${first[@]}" >"$results/queue"
if [[ ${#beside[@]} -gt 0 ]]; then
    "$make" --no-print-directory "${before[@]}" || echo "${before[*]}" >>"$results/broken"
    {
        nice -n 5 bash -c "$(declare -f run); make=$make; results=$results; run ${beside[*]}"
        lane \$
    } >"$results/beside.out" 2>&1 &
    other=$!
fi
lane 1
if [[ ${#beside[@]} -gt 0 ]]; then
    echo "--- beside it"
    # Its output as it comes from here on, so that a long rest does not look like a hang.
    tail -n +1 -f --pid="$other" "$results/beside.out"
    wait "$other"
fi
run "${behind[@]}"
rm -f "$results/queue" "$results/queue.lock"
broken=()
[[ -f $results/broken ]] && mapfile -t broken <"$results/broken"
exec /usr/bin/python3 tests/tapsum.py "$results" "${broken[@]}"
