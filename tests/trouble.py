# SPDX-License-Identifier: BSD-2-Clause-Patent
"""What the monitor writes to port 0xE9 when something is wrong with it."""

import re

STARTED = re.compile(r"^redoubt: monitor at 0x", re.M)
TROUBLE = re.compile(r"^\[[^]]* error\].*|.*monitor panic.*|.*CHECK failed.*|"
                     r"^.*\d in root mode.*|.*ended with a panic.*", re.M)


def trouble(text, starts):
    """Lines in which the monitor complains, one more if it did not start `starts` times: a panic whose
    report went unprinted shows as a start too many."""
    lines = TROUBLE.findall(text)
    seen = len(STARTED.findall(text))
    if seen != starts:
        lines.append(f"the monitor started {seen} times, not {starts}")
    return lines
