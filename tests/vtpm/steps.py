# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Commands that each change the persistent state so that it shows, what must be seen after each, and how it is seen."""
import dataclasses
import struct

import host

BLOCK, COUNTER, FIRST_KEY = 0x1500010, 0x1500011, 0x81000100
ABSENT, UNWRITTEN = "absent", "unwritten"
TRIES = 100  # the script allows more wrong guesses than a TPM that was not told how many
PERIOD = 40  # of steps from one clear to the next

# The guest's: a step waits for a line, is done, and says so. FILE has the number as eight digits.
PREAMBLE = """\
step() { k=$1; shift; read -r go; "$@" && echo "acked $k" || echo "failed $k"; }
put() { printf %08d $1 > number; tpm2 nvwrite -Q 0x1500010 -C o -i number; }
key() { tpm2 createprimary -Q -C o -G ecc -c key.ctx; tpm2 evictcontrol -Q -C o -c key.ctx $1; s=$?; tpm2 flushcontext -t; return $s; }
cd /tmp
"""


@dataclasses.dataclass(frozen=True)
class Seen:
    """What a state shows: the block's number, the counter, handles of keys, wrong guesses that are allowed."""

    block: object = ABSENT
    counter: object = ABSENT
    keys: tuple = ()
    tries: int = 0  # the script's, or none of it


class Script:
    """`lines[k]` is step k's command, `after[k]` what is seen behind it; number 0 is before the first."""

    def __init__(self, count):
        self.lines, self.after, self.most = [""], [Seen()], 0
        while len(self.lines) <= count:
            self._add(len(self.lines))

    def _add(self, k):
        now, place = self.after[-1], (k - 1) % PERIOD
        if place < 2:
            self._define(now, place)
        elif place == PERIOD - 1 or k == 18:
            self._append("tpm2 clear -Q -c l", Seen())
        elif ABSENT in (now.block, now.counter):
            self._define(now, 0 if now.block == ABSENT else 1)
        elif place % 8 == 4 and not now.keys:
            self._append(f"key {FIRST_KEY + k:#x}", dataclasses.replace(now, keys=(FIRST_KEY + k,)))
        elif place % 8 == 7 and now.keys:
            self._append(f"tpm2 evictcontrol -Q -C o -c {now.keys[0]:#x}", dataclasses.replace(now, keys=()))
        elif place % 8 == 6:
            self._append(f"tpm2 dictionarylockout -Q -s -n {TRIES + k} -t 1000 -l 1000", dataclasses.replace(now, tries=TRIES + k))
        elif place % 2:
            self._count(now)
        else:
            self._append(f"put {k}", dataclasses.replace(now, block=k))

    def _define(self, now, which):
        if which == 0:
            self._append(f"tpm2 nvdefine -Q {BLOCK:#x} -C o -s 2048 -a ownerwrite|ownerread", dataclasses.replace(now, block=UNWRITTEN))
        else:
            self._append(f"tpm2 nvdefine -Q {COUNTER:#x} -C o -a nt=counter|ownerwrite|ownerread",
                         dataclasses.replace(now, counter=UNWRITTEN))

    def _count(self, now):
        """A counter that is new begins above all that there ever were (TPM 2.0, part 3, TPM2_NV_Increment)."""
        self.most += 1
        self._append(f"tpm2 nvincrement -Q -C o {COUNTER:#x}", dataclasses.replace(now, counter=self.most))

    def _append(self, line, seen):
        self.lines.append(line)
        self.after.append(seen)

    def text(self, first, last):
        """The guest's script of some steps."""
        return PREAMBLE + "".join(f"step {k} {self.lines[k]}\n".replace("|", "'|'") for k in range(first, last + 1))


# ---- What a state shows, by the vTPM as a program ----

OWNER, SUCCESS = 0x40000001, 0
NO_INDEX, NOT_WRITTEN = (0x18b, 0x28b), 0x14a
READ, GET_CAPABILITY = 0x14e, 0x17a
HANDLES, PROPERTIES, MAX_TRIES, PERSISTENT = 1, 6, 0x20f, 0x81000000
PASSWORD = struct.pack(">IIHBH", 9, 0x40000009, 0, 0, 0)


def nv_read(index):
    return host.command(READ, struct.pack(">II", OWNER, index) + PASSWORD + struct.pack(">HH", 8, 0), host.SESSIONS)


def capability(what, first, count):
    return host.command(GET_CAPABILITY, struct.pack(">III", what, first, count))


def value(response, read):
    """What an index holds; None: the response is none that there may be."""
    code = host.code_of(response)
    if code == SUCCESS:
        return read(response[16:24])
    return ABSENT if code in NO_INDEX else UNWRITTEN if code == NOT_WRITTEN else None


def look(tpm):
    """What the state in `tpm`, a host.Host that was switched off, shows; None: it does not start."""
    said = tpm.send([nv_read(BLOCK), nv_read(COUNTER), capability(HANDLES, PERSISTENT, 64), capability(PROPERTIES, MAX_TRIES, 1)])
    if said is None or len(said) != 4 or any(host.code_of(r) for r in said[2:]):
        return None
    count, tries = struct.unpack_from(">I", said[2], 15)[0], struct.unpack_from(">I", said[3], 23)[0]
    return Seen(value(said[0], int), value(said[1], lambda data: int.from_bytes(data, "big")),
                struct.unpack_from(f">{count}I", said[2], 19), tries if tries > TRIES else 0)
