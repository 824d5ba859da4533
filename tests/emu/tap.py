#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""TAP for test drivers: one check a line, nothing passes that was not checked."""

import sys


class Tap:
    """Counts checks; `plan` is printed first, so that a driver that stops short has failed."""

    def __init__(self, plan):
        self.plan = plan
        self.done = 0
        self.failed = 0
        print(f"1..{plan}", flush=True)

    def check(self, good, text, why=""):
        """One check; `why` goes to the log where it failed. Returns `good`."""
        self.done += 1
        print(f"{'ok' if good else 'not ok'} {self.done} - {text}", flush=True)
        if not good:
            self.failed += 1
            print(f"{text}: {why}", file=sys.stderr, flush=True)
        return good

    def give_up(self, why):
        """The rest of the plan cannot be checked: each is a failure."""
        print(why, file=sys.stderr, flush=True)
        while self.done < self.plan:
            self.check(False, "not reached", "the machine did not get there")

    def status(self):
        return 0 if self.done == self.plan and not self.failed else 1
