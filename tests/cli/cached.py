#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what arenainspect says of threads' caches with what the target cached put there.

  cached.py TRUTH.json TOOL.json

Class by class in each arena, whosever cache it is; in all of each thread; and the chunks
that a thread's arena has in use are those that it holds, and one more: a cache itself.
Of main only the classes count that the target emptied before it filled them.
"""

import sys
from collections import Counter

from compare import Differences, load

SMALL_TO = 1040  # the largest size that every release may cache


def row_of(rows, size):
    for row in rows:
        if row["from_bytes"] <= size and (row["to_bytes"] is None or size <= row["to_bytes"]):
            return row["from_bytes"]
    return f"no row for {size}"


def by_row(truth, arena, rows):
    """Chunks and bytes of an arena, by the row of its sizes that they belong to."""
    chunks, size = Counter(), Counter()
    for entry in truth:
        if entry["arena"] == arena and entry["chunks"] > 0:
            row = row_of(rows, entry["bytes"])
            chunks[row] += entry["chunks"]
            size[row] += entry["chunks"] * entry["bytes"]
    return chunks, size


def compare_cached(name, arena, truth, diff):
    chunks, size = by_row(truth["cached"], name, arena["sizes"])
    for row in arena["sizes"]:
        start = row["from_bytes"]
        if name != "main" or start <= SMALL_TO:
            diff.equal(f"arena {name} cached from {start}", (row["tcache_chunks"], row["tcache_bytes"]),
                       (chunks[start], size[start]))
    for start in set(chunks) - {row["from_bytes"] for row in arena["sizes"]}:
        diff.say(f"arena {name}: {start}")
    diff.equal(f"arena {name} tcache", (arena["tcache"]["chunks"], arena["tcache"]["bytes"]),
               tuple(sum(row[key] or 0 for row in arena["sizes"]) for key in ("tcache_chunks", "tcache_bytes")))
    compare_resident(name, arena, diff)


def compare_resident(name, arena, diff):
    """Of small chunks every page is written to; of large ones only the ends are."""
    resident, cached = arena["resident"]["tcache_bytes"], arena["tcache"]["bytes"]
    small = sum(row["tcache_bytes"] or 0 for row in arena["sizes"] if row["from_bytes"] <= SMALL_TO)
    diff.compared += 1
    if resident is not None and (resident > cached or resident < small):
        diff.say(f"arena {name}: {resident} bytes of caches are resident, {cached} are cached, {small} of them small")


def compare_held(name, arena, truth, diff):
    held, _ = by_row(truth["held"], name, arena["sizes"])
    more = {row["from_bytes"]: row["in_use_chunks"] - held[row["from_bytes"]] for row in arena["sizes"]}
    odd = {start: count for start, count in more.items() if count != 0}
    diff.compared += len(more)
    if list(odd.values()) != [1]:
        diff.say(f"arena {name}: chunks in use that nobody holds: {odd}")


def compare_threads(document, truth, diff):
    threads = {t["tid"]: t["tcache"] for t in document["threads"]}
    for thread in truth["threads"]:
        mine = [c for c in truth["cached"] if c["tid"] == thread["tid"]]
        if thread["arena"] == "main" and any(c["bytes"] > SMALL_TO for c in truth["cached"]):
            continue
        diff.equal(f"thread {thread['tid']} tcache", threads.get(thread["tid"]),
                   {"chunks": sum(c["chunks"] for c in mine), "bytes": sum(c["chunks"] * c["bytes"] for c in mine)})


def main():
    truth, document = load(sys.argv[1]), load(sys.argv[2])
    diff = Differences()
    for arena in document["arenas"]:
        name = "main" if arena["kind"] == "main" else arena["address"]
        compare_cached(name, arena, truth, diff)
        if name != "main":
            compare_held(name, arena, truth, diff)
    compare_threads(document, truth, diff)
    diff.equal("totals tcache_bytes", document["totals"]["tcache_bytes"],
               sum(arena["tcache"]["bytes"] or 0 for arena in document["arenas"]))
    for line in diff.lines:
        print(line)
    if not diff.lines:
        print(f"{diff.compared} values agree")
    return 1 if diff.lines else 0


if __name__ == "__main__":
    sys.exit(main())
