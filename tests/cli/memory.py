#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds `memory` and `mmapped` of a document against the kernel and the target.

  memory.py PID TOOL.json [TRUTH.json]

PID must rest.  From smaps: what is resident and in swap, in all and of the kinds that
the kernel tells from each other.  TRUTH.json is what tests/targets/mmapped.c says: then
every chunk of malloc's must be there, with the pages that pagemap shows of it.

Lists every difference; exit 0 without any, 1 with some.
"""

import json
import os
import re
import struct
import sys

PAGE = os.sysconf("SC_PAGE_SIZE")
KERNEL_HALF = 1 << 63
ANONYMOUS_FILES = ("/dev/zero", "/anon_hugepage (deleted)")
MALLOC_AND_OTHERS = ("malloc-heaps", "malloc-mmapped", "stacks", "anonymous")
LISTED_MAX = 1000
HEADING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ (\d+) *(.*)\n")


def kind_of(rights, inode, path):
    if rights[3] == "s":
        return "shared"
    if inode != "0" and path not in ANONYMOUS_FILES:
        return "files"
    if path.startswith("[v") or path in ("[uprobes]", "[sigpage]"):
        return "files"
    return "private"


def smaps(pid):
    """{kind: [mappings, virtual, resident, swapped]}"""
    kinds = {"shared": [0] * 4, "files": [0] * 4, "private": [0] * 4}
    row = None
    with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            heading = HEADING.fullmatch(line)
            if heading:
                start, end, rights, inode, path = heading.groups()
                row = [0] * 4 if int(start, 16) >= KERNEL_HALF else kinds[kind_of(rights, inode, path)]
                row[0] += 1
                row[1] += int(end, 16) - int(start, 16)
                shared = rights[3] == "s"
            elif line.startswith("Rss:"):
                row[2] += int(line.split()[1]) << 10
            elif line.startswith("Swap:") and not shared:
                row[3] += int(line.split()[1]) << 10
    return kinds


def present(pagemap, start, length):
    raw = os.pread(pagemap, length // PAGE * 8, start // PAGE * 8)
    return PAGE * sum(entry >> 63 for entry in struct.unpack(f"{len(raw) // 8}Q", raw))


class Differences:
    def __init__(self):
        self.lines = []

    def equal(self, what, ours, truth):
        if ours != truth:
            self.lines.append(f"{what}: arenainspect says {ours}, truth is {truth}")


def compare_lines(differences, document, kinds):
    rows = {row["kind"]: row for row in document["memory"]}
    keys = ("virtual_bytes", "resident_bytes", "swapped_bytes")
    for kind in ("shared", "files"):
        differences.equal(f"{kind} mappings", rows[kind]["mappings"], kinds[kind][0])
        for i, key in enumerate(keys, 1):
            differences.equal(f"{kind} {key}", rows[kind][key], kinds[kind][i])
    for i, key in enumerate(keys, 1):
        ours = sum(rows[kind][key] for kind in MALLOC_AND_OTHERS)
        differences.equal(f"all the others' {key}", ours, kinds["private"][i])
    process, resident = document["process"], sum(kind[2] for kind in kinds.values())
    differences.equal("virtual_bytes of the process", sum(row["virtual_bytes"] for row in rows.values()),
                      process["virtual_bytes"])
    differences.equal("rss_difference_bytes", document["quality"]["rss_difference_bytes"],
                      resident - process["rss_bytes"])
    differences.equal("malloc-heaps and the arenas' own", rows["malloc-heaps"]["resident_bytes"],
                      document["totals"]["resident"]["total_bytes"])


def compare_chunks(differences, pid, document, truth):
    """truth: [[address, bytes], …]; a chunk's pages are all in use that are present."""
    pagemap = os.open(f"/proc/{pid}/pagemap", os.O_RDONLY)
    memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    mmapped = document["mmapped"]
    row = next(row for row in document["memory"] if row["kind"] == "malloc-mmapped")
    sizes = {int(address, 16): length for address, length in truth}
    resident = {}
    for at, length in sizes.items():
        padding = struct.unpack("Q", os.pread(memory, 8, at))[0] & ~7  # prev_size
        resident[at] = present(pagemap, at - padding, length)
    listed = {int(chunk["address"], 16): chunk for chunk in mmapped["listed"]}
    differences.equal("listed", len(listed), min(len(sizes), LISTED_MAX))
    differences.equal("the largest", sorted(chunk["bytes"] for chunk in listed.values()),
                      sorted(sizes.values())[-LISTED_MAX:])
    for at, chunk in listed.items():
        differences.equal(f"bytes at {at:#x}", chunk["bytes"], sizes.get(at))
        differences.equal(f"resident at {at:#x}", chunk["resident_bytes"], resident.get(at))
    differences.equal("more_chunks", mmapped["more_chunks"], len(sizes) - len(listed))
    differences.equal("more_bytes", mmapped["more_bytes"],
                      sum(sizes.values()) - sum(chunk["bytes"] for chunk in listed.values()))
    differences.equal("malloc-mmapped virtual_bytes", row["virtual_bytes"], sum(sizes.values()))
    differences.equal("malloc-mmapped resident_bytes", row["resident_bytes"], sum(resident.values()))


def main():
    pid, differences = int(sys.argv[1]), Differences()
    with open(sys.argv[2], encoding="utf-8") as file:
        document = json.load(file)
    compare_lines(differences, document, smaps(pid))
    if len(sys.argv) > 3:
        with open(sys.argv[3], encoding="utf-8") as file:
            compare_chunks(differences, pid, document, json.load(file))
    print("\n".join(differences.lines))
    sys.exit(1 if differences.lines else 0)


if __name__ == "__main__":
    main()
