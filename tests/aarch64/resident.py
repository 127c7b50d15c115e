#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares resident bytes with what the kernel says of the same process at rest.

  resident.py SMAPS TOOL.json

Each heap's resident_bytes is the Rss of its mappings.  Where the kernel has one mapping
for several heaps, their sum is; a mapping that is not all malloc's is left out.  The
lines of memory are all that is resident.  Lists every difference; exit 0 without any,
1 with some.
"""

import json
import re
import sys

HEADER = re.compile(r"([0-9a-f]+)-([0-9a-f]+) ")


def read_smaps(path):
    """[start, end, Rss] of each mapping."""
    mappings = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            header = HEADER.match(line)
            if header:
                mappings.append([int(header[1], 16), int(header[2], 16), 0])
            elif line.startswith("Rss:"):
                mappings[-1][2] = int(line.split()[1]) * 1024
    return mappings


def heaps_of(document):
    for arena in document["arenas"]:
        for heap in arena["heaps"]:
            start = int(heap["address"], 16)
            yield start, start + (heap["mprotect_bytes"] or heap["bytes"]), heap["resident_bytes"]


def groups(heaps, mappings):
    """Heaps and mappings that overlap, each heap and each mapping once."""
    mappings, heaps = sorted(mappings), sorted(heaps)
    at = 0
    while at < len(heaps):
        low, high, count = heaps[at][0], heaps[at][1], -1
        mine, mapped = [], []
        while count != len(mine) + len(mapped):
            count = len(mine) + len(mapped)
            mine = [h for h in heaps if h[0] < high and h[1] > low]
            mapped = [m for m in mappings if m[0] < high and m[1] > low]
            low = min(x[0] for x in mine + mapped)
            high = max(x[1] for x in mine + mapped)
        yield mine, mapped
        at += len(mine)


def main():
    mappings = read_smaps(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as file:
        document = json.load(file)
    wrong = compared = alone = 0
    for heaps, mapped in groups(list(heaps_of(document)), mappings):
        if sum(h[1] - h[0] for h in heaps) != sum(m[1] - m[0] for m in mapped):
            alone += 1
            continue
        compared += len(heaps)
        ours = [h[2] for h in heaps]
        rss = sum(m[2] for m in mapped)
        if None in ours or sum(ours) != rss:
            wrong += 1
            print(f"heaps at {[hex(h[0]) for h in heaps]}: arenainspect says {ours}, smaps says {rss}")
    if compared == 0:
        wrong += 1
        print(f"no heap could be compared, {alone} groups could not")
    lines = [line["resident_bytes"] for line in document["memory"]]
    rss = sum(m[2] for m in mappings)
    if None in lines or sum(lines) != rss:
        wrong += 1
        print(f"memory: arenainspect says {lines}, smaps says {rss}")
    if not wrong:
        print(f"{compared} heaps agree")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
