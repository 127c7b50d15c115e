#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds arenas[].heaps[].runs of a document against its own sums and the page map.

  runs.py PID TOOL.json

PID must rest.  Of each heap that has runs: they cover it, their pages are present, absent
or in swap as /proc/PID/pagemap says, and the resident ones add up to what is resident;
of each arena, those that are trimmable to what it would give back.

Lists every difference; exit 0 without any, 1 with some.
"""

import json
import os
import struct
import sys

PAGE = os.sysconf("SC_PAGE_SIZE")
RESIDENT = ("in-use", "cached", "trimmable", "retained-top", "pinned-free", "metadata", "unwalked")
PRESENT, SWAPPED = 1 << 63, 1 << 62


def pages_of(runs):
    return [state for pages, state in runs for _ in range(pages)]


def of_kernel(entry):
    if entry & PRESENT:
        return "present"
    return "swapped" if entry & SWAPPED else "absent"


def of_tool(state):
    return "present" if state in RESIDENT + ("zero", "free", "hugetlb") else state


def differences(document, pagemap):
    for arena in document["arenas"]:
        trimmable = 0
        for heap in arena["heaps"]:
            name = f"arena {arena['index']}, heap {heap['address']}"
            if heap["runs"] is None:
                yield f"{name} has no runs"
                continue
            pages = pages_of(heap["runs"])
            trimmable += pages.count("trimmable") * PAGE
            if len(pages) * PAGE != heap["mprotect_bytes"]:
                yield f"{name}: {len(pages)} pages, it has {heap['mprotect_bytes']} bytes"
            if any(a[1] == b[1] for a, b in zip(heap["runs"], heap["runs"][1:])):
                yield f"{name}: runs side by side are in one state"
            resident = sum(page in RESIDENT for page in pages) * PAGE
            if resident != heap["resident_bytes"]:
                yield f"{name}: runs have {resident} bytes resident, it has {heap['resident_bytes']}"
            if pages.count("swapped") * PAGE != heap["swapped_bytes"]:
                yield f"{name}: runs have other pages swapped than {heap['swapped_bytes']} bytes"
            raw = os.pread(pagemap, len(pages) * 8, int(heap["address"], 16) // PAGE * 8)
            entries = struct.unpack(f"{len(pages)}Q", raw)
            wrong = [i for i, page in enumerate(pages) if of_tool(page) != of_kernel(entries[i])]
            if wrong:
                yield f"{name}: {len(wrong)} pages differ from pagemap, the first is {wrong[0]}"
        if trimmable != arena["resident"]["trimmable_bytes"]:
            yield f"arena {arena['index']}: {trimmable} bytes of runs are trimmable, {arena['resident']['trimmable_bytes']} of the arena"


def main():
    with open(sys.argv[2], encoding="utf-8") as file:
        document = json.load(file)
    pagemap = os.open(f"/proc/{sys.argv[1]}/pagemap", os.O_RDONLY)
    found = list(differences(document, pagemap))
    print("\n".join(found))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
