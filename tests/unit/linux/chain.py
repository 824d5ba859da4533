#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""tools/audit/verify.py on chains made here, record by record, by the layout that monitor/abi/audit.h tells."""
import hashlib
import json
import pathlib
import subprocess
import sys

VERIFY = pathlib.Path(__file__).resolve().parents[3] / "tools/audit/verify.py"
NUMBERS = (("number", 8), ("cycles", 8), ("id", 4), ("cpu", 4), ("subject", 8), ("fact", 8), ("count", 8), ("total", 8),
           ("unrecorded", 8))


def digest(record):
    raw = bytes.fromhex(record["chain"]) + b"".join(record[name].to_bytes(size, "little") for name, size in NUMBERS)
    assert len(raw) == 96
    return hashlib.sha256(raw).hexdigest()


def chain(count, first=0, head="00" * 32):
    """`count` records, and the head behind them."""
    records = []
    for number in range(first, first + count):
        record = {"number": number, "cycles": number << 40, "cpu": number % 4, "id": 8, "event": "CALL_REFUSED",
                  "subject": 2**64 - 1 - number, "fact": 3, "count": 1, "total": number + 1, "unrecorded": 0,
                  "chain": head}
        head = digest(record)
        records.append(record)
    return records, head


def run(lines, *options):
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    done = subprocess.run([VERIFY, *options], input=text, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def changed(records, at, **fields):
    return [dict(record, **fields) if n == at else record for n, record in enumerate(records)]


def cases():
    """What is given, the options, the exit status, and what is said."""
    whole, head = chain(6)
    late, late_head = chain(3, 40, "ab" * 32)
    yield "a whole chain", whole, (), 0, f"6 records, whole; head {head}"
    yield "no record", [], (), 0, f"0 records, whole; head {'00' * 32}"
    yield "the head told", whole, ("--head", head), 0, "whole"
    yield "another head", whole, ("--head", "11" * 32), 1, "the head is another"
    yield "the last record left out", whole[:-1], ("--head", head), 1, "the head is another"
    yield "records lost before the first", [{"lost": 40}] + late, (), 0, f"3 records, whole; head {late_head}"
    yield "nothing behind what was lost", [{"lost": 40}], (), 0, "0 records, whole; head unknown"
    yield "a record left out", whole[:2] + whole[3:], (), 1, "line 3: record 3 where 2 was due"
    yield "two records exchanged", [whole[0], whole[2], whole[1]], (), 1, "line 2: record 2 where 1 was due"
    yield "a first record with a chain", chain(2, 0, "01" + "00" * 31)[0], (), 1, "does not begin the chain"
    for field, _ in NUMBERS[1:]:
        yield f"{field} changed", changed(whole, 3, **{field: 77}), (), 1, "line 5: record 4: the record before it"
    yield "chain changed", changed(whole, 3, chain="22" * 32), (), 1, "line 4: record 3: the record before it"
    yield "a field missing", [{k: v for k, v in whole[0].items() if k != "fact"}], (), 2, "line 1: no record"
    yield "a number too large", changed(whole, 0, cpu=2**32), (), 2, "line 1: no record"
    yield "a number below zero", changed(whole, 0, fact=-1), (), 2, "line 1: no record"
    yield "text for a number", changed(whole, 0, fact="3"), (), 2, "line 1: no record"
    yield "a short chain", changed(whole, 0, chain="00"), (), 2, "line 1: no record"
    yield "no JSON", ["redoubtctl: no"], (), 2, "line 1: "
    yield "no object", ["[]"], (), 2, "line 1: no object"
    yield "nothing lost", [{"lost": 0}], (), 2, "the number of lost records is none"


def main():
    bad = 0
    number = 0
    for number, (what, lines, options, status, said) in enumerate(cases(), 1):
        got, text = run(lines, *options)
        good = got == status and said in text
        bad += not good
        print(f"{'ok' if good else 'not ok'} {number} - {what}")
        if not good:
            print(f"# status {got}, not {status}: {text}")
    print(f"1..{number}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
