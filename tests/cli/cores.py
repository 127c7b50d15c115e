#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Core files that are not what they should be.

  cores.py cut CORE ADDRESS OUT     of the part that holds ADDRESS only what is before it
  cores.py shrink CORE ADDRESS OUT  the part that holds ADDRESS ends some bytes earlier
  cores.py unname CORE OUT          without the note of the files that were mapped
  cores.py hostile CORE SEED COUNT SECONDS COMMAND…

hostile     runs COMMAND COUNT times, or for that many seconds, on CORE with bytes of its
            headers, notes and memory changed; the answer must be 0, 5, 6 or 7, in time,
            with a message or a document.  CORE is changed in place.
"""

import json
import random
import struct
import subprocess
import sys
import time

HEADER, PHDR = 64, struct.Struct("<IIQQQQQQ")
PT_LOAD, PT_NOTE, NT_FILE = 1, 4, 0x46494C45
ANSWERS = (0, 5, 6, 7)
HANGS = 60  # seconds


class Core:
    def __init__(self, path):
        self.file = open(path, "rb")
        self.header = self.file.read(HEADER)
        self.at, = struct.unpack_from("<Q", self.header, 32)
        count, = struct.unpack_from("<H", self.header, 56)
        self.phdrs = [list(PHDR.unpack(self.read(self.at + i * PHDR.size, PHDR.size))) for i in range(count)]

    def read(self, offset, length):
        self.file.seek(offset)
        return self.file.read(length)

    def write(self, out, keep, change=lambda phdr, data: data):
        """keep(phdr): how many bytes of a part are kept; change(phdr, data): what becomes of them."""
        offset = HEADER + PHDR.size * len(self.phdrs)
        with open(out, "wb") as new:
            for i, phdr in enumerate(self.phdrs):
                phdr = phdr[:]
                data = change(phdr, self.read(phdr[2], keep(phdr)))
                offset = -(-offset // 4096) * 4096
                phdr[2], phdr[5] = offset, len(data)
                new.seek(HEADER + PHDR.size * i)
                new.write(PHDR.pack(*phdr))
                new.seek(offset)
                new.write(data)
                offset += len(data)
            new.seek(0)
            new.write(self.header[:32] + struct.pack("<QQ", HEADER, 0) + self.header[48:58] + bytes(6))


def cut(core, address, out):
    address = int(address, 0)

    def keep(phdr):
        holds = phdr[0] == PT_LOAD and phdr[3] <= address < phdr[3] + phdr[6]
        return min(phdr[5], address - phdr[3]) if holds else phdr[5]

    Core(core).write(out, keep)


def shrink(core, address, out):
    whole = Core(core)
    for phdr in whole.phdrs:
        if phdr[0] == PT_LOAD and phdr[3] <= int(address, 0) < phdr[3] + phdr[6]:
            phdr[6] -= 24
    whole.write(out, lambda phdr: min(phdr[5], phdr[6]) if phdr[0] == PT_LOAD else phdr[5])


def notes(data):
    at = 0
    while at + 12 <= len(data):
        name, desc, kind = struct.unpack_from("<III", data, at)
        end = at + 12 + (name + 3) // 4 * 4 + (desc + 3) // 4 * 4
        yield kind, data[at:end]
        at = end


def unname(core, out):
    def change(phdr, data):
        if phdr[0] != PT_NOTE:
            return data
        return b"".join(note for kind, note in notes(data) if kind != NT_FILE)

    Core(core).write(out, lambda phdr: phdr[5], change)


# ---- hostile ones ----

ODD = (0, 1, 7, 8, 0xFFF, 0x1000, 1 << 31, (1 << 32) - 1, 1 << 47, 1 << 63, (1 << 64) - 4096, (1 << 64) - 1)


def odd_word(chance, old):
    pick = chance.randrange(4)
    if pick == 0:
        return chance.choice(ODD)
    if pick == 1:
        return old ^ (1 << chance.randrange(64))
    return chance.getrandbits(64) if pick == 2 else (old + chance.choice((-4096, -16, -1, 1, 16, 4096))) % (1 << 64)


def places(core, chance):
    """(offset, length) of bytes that are changed this time."""
    pick = chance.randrange(10)
    if pick == 0:
        return [(chance.randrange(HEADER), 1)]
    if pick < 4:
        one = core.at + PHDR.size * chance.randrange(len(core.phdrs))
        return [(one + chance.choice((0, 4, 8, 16, 32, 40)), 8) for _ in range(chance.choice((1, 1, 3)))]
    if pick < 6:
        note = next(phdr for phdr in core.phdrs if phdr[0] == PT_NOTE)
        return [(note[2] + chance.randrange(note[5] - 8) // 4 * 4, 8) for _ in range(chance.choice((1, 4)))]
    # Writable memory: malloc's own is there.
    full = [phdr for phdr in core.phdrs if phdr[0] == PT_LOAD and phdr[5] >= 4096 and phdr[1] & 2]
    part = chance.choice(full)
    return [(part[2] + chance.randrange(part[5] - 8) // 8 * 8, 8) for _ in range(chance.choice((1, 8, 64, 512)))]


def change_bytes(path, where, chance):
    """Returns what was there."""
    before = []
    with open(path, "r+b") as file:
        for offset, length in where:
            file.seek(offset)
            old = file.read(length)
            before.append((offset, old))
            new = odd_word(chance, int.from_bytes(old, "little")).to_bytes(8, "little")
            file.seek(offset)
            file.write(new[:len(old)])
    return before


def restore(path, before):
    with open(path, "r+b") as file:
        for offset, old in reversed(before):
            file.seek(offset)
            file.write(old)


def wrong(command):
    """What is wrong with the answer, or None; and its exit code."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=HANGS)
    except subprocess.TimeoutExpired:
        return f"hangs: more than {HANGS} s", None
    code, said = done.returncode, done.stderr.decode(errors="replace")
    if code not in ANSWERS:
        return f"exit {code}: {said[-2000:]}", code
    if code != 0 and not said.startswith("arenainspect: "):
        return f"exit {code} without a word", code
    if code == 0:
        json.loads(done.stdout)
    return None, code


def hostile(path, seed, count, seconds, *command):
    end, codes, core = time.monotonic() + float(seconds), {}, Core(path)
    for turn in range(int(count)):
        if time.monotonic() > end:
            break
        chance = random.Random(f"{seed} {turn}")
        before = change_bytes(path, places(core, chance), chance)
        what, code = wrong(command)
        restore(path, before)
        if what:
            sys.exit(f"seed {seed}, turn {turn}: {what}\nbytes changed at: {[hex(o) for o, _ in before]}")
        codes[code] = codes.get(code, 0) + 1
    print(", ".join(f"{codes[c]} times exit {c}" for c in sorted(codes)))
    return codes


def main():
    commands = {"cut": cut, "shrink": shrink, "unname": unname, "hostile": hostile}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    main()
