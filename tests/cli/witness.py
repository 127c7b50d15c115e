#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what a visit could change in a process that rests, as text for diff(1).

  witness.py PID…

From status: VmRSS, VmPTE, VmSwap.  From smaps: all of each mapping that is the
process's own doing.  From pagemap: which pages are present, swapped, soft-dirty; the
only place where a read of an untouched page shows, since the zero page it maps in is
not counted as RSS.
"""

import hashlib
import os
import re
import struct
import sys
import time

PAGE = os.sysconf("SC_PAGE_SIZE")
PRESENT, SWAPPED, FILE_OR_SHARED, SOFT_DIRTY = 1 << 63, 1 << 62, 1 << 61, 1 << 55
STATUS = ("VmSize", "VmRSS", "RssAnon", "RssFile", "RssShmem", "VmPTE", "VmSwap", "Threads")
# Other processes map the same files: their coming and going moves these.
OTHERS_DOING = ("Pss", "Pss_Dirty", "Pss_Anon", "Pss_File", "Pss_Shmem", "SwapPss")
SHARED_OR_NOT = re.compile(r"(Shared|Private)_(Clean|Dirty)")


def wait_until_asleep(pid):
    """A thread on its way into its last system call may still bring pages in."""
    for _ in range(1000):
        states = set()
        for tid in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{tid}/stat", encoding="utf-8", errors="replace") as stat:
                states.add(stat.read().rpartition(")")[2].split()[0])
        if states == {"S"}:
            return
        time.sleep(0.01)
    sys.exit(f"witness: process {pid} does not rest: {states}")


def status_lines(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as status:
        return [line for line in status if line.split(":")[0] in STATUS]


def own_fields(fields):
    """A mapping's fields but for what others do; shared and private pages as one sum."""
    sums = {"Clean": 0, "Dirty": 0}
    for key, value in fields:
        split = SHARED_OR_NOT.fullmatch(key)
        if split:
            sums[split.group(2)] += int(value.split()[0])
        elif key not in OTHERS_DOING:
            yield f"  {key}: {value}\n"
    yield f"  Clean+Dirty: {sum(sums.values())} kB\n"


def mappings(pid):
    """(heading line, fields) of each mapping in smaps."""
    heading, fields = None, []
    with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="replace") as smaps:
        for line in smaps:
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                if heading:
                    yield heading, fields
                heading, fields = line, []
            else:
                key, _, value = line.partition(":")
                fields.append((key, value.strip()))
    if heading:
        yield heading, fields


def page_line(pagemap, heading):
    start, end = (int(part, 16) for part in heading.split()[0].split("-"))
    pages = (end - start) // PAGE
    raw = os.pread(pagemap, pages * 8, start // PAGE * 8) if start < 1 << 63 else b""
    entries = [e & (PRESENT | SWAPPED | FILE_OR_SHARED | SOFT_DIRTY) for e in struct.unpack(f"{len(raw) // 8}Q", raw)]
    present = sum(1 for e in entries if e & PRESENT)
    swapped = sum(1 for e in entries if e & SWAPPED)
    digest = hashlib.sha256(repr(entries).encode()).hexdigest()[:16]
    return f"  pages: {pages}, present {present}, swapped {swapped}, which {digest}\n"


def witness(pid, out):
    wait_until_asleep(pid)
    out.writelines(status_lines(pid))
    pagemap = os.open(f"/proc/{pid}/pagemap", os.O_RDONLY)
    for heading, fields in mappings(pid):
        out.write(heading)
        out.writelines(own_fields(fields))
        out.write(page_line(pagemap, heading))
    os.close(pagemap)


def main():
    for pid in sys.argv[1:]:
        witness(int(pid), sys.stdout)


if __name__ == "__main__":
    main()
