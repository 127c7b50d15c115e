#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what arenainspect says of a process with what the process says of itself.

  compare.py [--chunks] [--heaps N] [--untold] INFO.xml TRUTH.json TOOL.json
  compare.py [--chunks] --last N INFO.xml TRUTH.json TOOL.json
  compare.py [--chunks] --damaged INDEX,… INFO.xml TRUTH.json TOOL.json
  compare.py --gdb GDB.json TOOL.json

INFO.xml    malloc_info(3), written by the process at rest
TRUTH.json  what its threads know (tests/targets/truth.h)
GDB.json    what gdb read of it (gdb_arenas.py)
TOOL.json   arenainspect --json

--chunks    every bin and the ledger of bytes too, not the arenas alone
--heaps N   the process must have an arena of N heaps, or the test shows too little
--untold    of threads and of what they cache nothing need be known (a core may lack it):
            what is known must be right, and chunks of a cache are in use else
--last N    only the last N arenas of the ring rested; the process is noisy elsewhere
--damaged … these arenas were damaged after malloc_info: what is said of them must only
            be possible (nothing negative, no more than there is, together system_bytes
            where all is known); of the others, as many as were found, it must be right
--odd       with --damaged: the damage changes no number
--unread    with --damaged: no damage, but part of them cannot be read; no bin has more
            than it has, and nearly all it lacks is unread
--gap N     bytes of main_arena that are not malloc's, and so unwalked

Lists every difference; exit 0 without any, 1 with some.
"""

import argparse
import json
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter


class Differences:
    """Collects them, and counts what was compared."""

    def __init__(self):
        self.lines = []
        self.compared = 0

    def say(self, line):
        self.lines.append(line)

    def equal(self, what, ours, truth):
        self.compared += 1
        if ours != truth:
            self.say(f"{what}: arenainspect says {ours}, truth is {truth}")


# ---- malloc_info ----

# Facts of malloc_info, glibc 2.31 to 2.43 (malloc/malloc.c, __malloc_info):
#  - a row of a fastbin has from = to - 15, and to is the chunks' size;
#  - rows of other bins, and <unsorted>, add up size fields without masking
#    PREV_INUSE, which every free chunk has set: from, to and each chunk of total are
#    one too large;
#  - a fastbin's row comes first and cannot be taken for a small bin's, as sizes are
#    multiples of 16: its `to` is even; 2.43 has no fastbins, and no total of them;
#  - "rest" begins with top: one chunk, its size masked.


def bin_of(size):
    """(kind, index) of a free chunk, as largebin_index_64 and smallbin_index have it."""
    if size < 1024:
        return "small", size >> 4
    for shift, last, base in ((6, 48, 48), (9, 20, 91), (12, 10, 110), (15, 4, 119), (18, 2, 124)):
        if size >> shift <= last:
            return "large", base + (size >> shift)
    return "large", 126


def fast_index(size):
    return (size >> 4) - 2


def number(element, name):
    return int(element.get(name))


def bin_row(row):
    """One <size> or <unsorted> as (kind, index) and a dict of what it holds."""
    count, total = number(row, "count"), number(row, "total")
    low, high = number(row, "from"), number(row, "to")
    if row.tag == "size" and high % 2 == 0:
        return ("fast", fast_index(high)), {"chunks": count, "bytes": total, "low": high, "high": high}
    holds = {"chunks": count, "bytes": total - count, "low": low & ~7, "high": high & ~7}
    if row.tag == "unsorted":
        return ("unsorted", 1), holds
    return bin_of(low & ~7), holds


def sized(parent, tag, kind, attribute="size"):
    for element in parent.findall(tag):
        if element.get("type") == kind:
            return number(element, attribute)
    return None


def read_info(path):
    """The arenas of a malloc_info document, in its own order: the ring's."""
    root = ElementTree.parse(path).getroot()
    arenas = []
    for heap in root.findall("heap"):
        bins = dict(bin_row(row) for row in heap.find("sizes"))
        free = [held for (kind, _), held in bins.items() if kind != "fast"]
        rest = sized(heap, "total", "rest", "count"), sized(heap, "total", "rest")
        arenas.append({
            "bins": bins,
            "fast": (sized(heap, "total", "fast", "count") or 0, sized(heap, "total", "fast") or 0),
            # without its one top, and without a byte for each chunk in a bin
            "rest_chunks": rest[0] - 1,
            "rest_bytes": rest[1] - (rest[0] - 1),
            "free_bytes": sum(held["bytes"] for held in free),
            "system": sized(heap, "system", "current"),
            "max_system": sized(heap, "system", "max"),
            "aspace": sized(heap, "aspace", "total"),
            "mprotect": sized(heap, "aspace", "mprotect"),
            "subheaps": sized(heap, "aspace", "subheaps"),  # None: main_arena
        })
    mmapped = sized(root, "total", "mmap", "count"), sized(root, "total", "mmap")
    return arenas, mmapped


# ---- arenas ----


def total(rows, key):
    """The sum of a column; None as soon as one value is unknown."""
    values = [row[key] for row in rows]
    return None if None in values else sum(values)


def compare_heaps(name, arena, info, diff):
    heaps = arena["heaps"] or []
    if info["subheaps"] is not None:
        diff.equal(f"{name} heaps", len(heaps), info["subheaps"])
        diff.equal(f"{name} heaps' mprotect_bytes", total(heaps, "mprotect_bytes"), info["mprotect"])
    diff.equal(f"{name} heaps' bytes", total(heaps, "bytes"), info["aspace"])


def compare_arena(index, arena, info, diff):
    name = f"arenas[{index}]"
    diff.equal(f"{name} index", arena["index"], index)
    diff.equal(f"{name} kind", arena["kind"], "main" if index == 0 else "thread")
    diff.equal(f"{name} system_bytes", arena["system_bytes"], info["system"])
    diff.equal(f"{name} max_system_bytes", arena["max_system_bytes"], info["max_system"])
    diff.equal(f"{name} state", arena["state"], "steady")
    diff.equal(f"{name} damage", arena["damage"], [])
    compare_heaps(name, arena, info, diff)


def compare_totals(totals, infos, mmapped, truth, diff):
    diff.equal("totals arenas", totals["arenas"], len(infos))
    diff.equal("totals system_bytes", totals["system_bytes"], sum(i["system"] for i in infos))
    diff.equal("totals max_system_bytes", totals["max_system_bytes"], sum(i["max_system"] for i in infos))
    diff.equal("totals mmapped_chunks", totals["mmapped_chunks"], mmapped[0])
    diff.equal("totals mmapped_bytes", totals["mmapped_bytes"], mmapped[1])
    diff.equal("mallinfo2 hblks", totals["mmapped_chunks"], truth["mmapped_chunks"])
    diff.equal("mallinfo2 hblkhd", totals["mmapped_bytes"], truth["mmapped_bytes"])


def compare_threads(document, truth, diff):
    """attached_threads, by the arena that each living thread knows to be its own."""
    attached = Counter(t["arena"] for t in truth["threads"] if t["arena"] is not None)
    attached["main"] += truth["gone_from_main"]
    by_name = {"main" if a["kind"] == "main" else a["address"]: a for a in document["arenas"]}
    for name, arena in by_name.items():
        diff.equal(f"arena {name} attached_threads", arena["attached_threads"], attached[name])
        diff.equal(f"arena {name} idle", arena["idle"], attached[name] == 0)
    for name in attached:
        if attached[name] and name not in by_name:
            diff.say(f"arena {name}: a thread of the process uses it, arenainspect does not have it")
    diff.equal("totals idle_arenas", document["totals"]["idle_arenas"],
               sum(1 for name in by_name if attached[name] == 0))


def compare_each_thread(document, truth, untold, diff):
    """Each says which arena is its own; who is not asked (it ended, it is not glibc's) has none."""
    by_name = {"main" if a["kind"] == "main" else a["address"]: a for a in document["arenas"]}
    index = {name: arena["index"] for name, arena in by_name.items()}
    known = {t["tid"]: index.get(t["arena"]) for t in truth["threads"]}
    ours = {t["ns_tid"] or t["tid"]: t["arena"] for t in document["threads"] or []}
    if untold:
        ours = {tid: arena for tid, arena in ours.items() if arena is not None}
        known = {tid: arena for tid, arena in known.items() if tid in ours}
    else:
        diff.equal("threads listed once", len(document["threads"] or []), len(ours))
    for tid in sorted(known.keys() | ours.keys()):
        if tid not in ours:
            diff.say(f"thread {tid}: arenainspect does not have it")
        else:
            diff.equal(f"thread {tid} arena", ours[tid], known.get(tid))


# ---- chunks ----


def pair(arena, key):
    held = arena[key]
    return held["chunks"], held["bytes"]


def compare_bins(name, arena, info, diff):
    ours = {(b["kind"], b["index"]): b for b in arena["bins"]}
    diff.equal(f"{name} bins listed once", len(arena["bins"]), len(ours))
    for key in sorted(set(ours) | set(info["bins"])):
        title = f"{name} {key[0]} bin {key[1]}"
        if key not in ours:
            diff.say(f"{title}: arenainspect has none, truth is {info['bins'][key]}")
        elif key not in info["bins"]:
            diff.say(f"{title}: arenainspect says {ours[key]}, truth is none")
        else:
            compare_bin(title, ours[key], info["bins"][key], diff)


def compare_bin(title, ours, held, diff):
    diff.equal(f"{title} chunks", ours["chunks"], held["chunks"])
    diff.equal(f"{title} bytes", ours["bytes"], held["bytes"])
    # Ours may give the bin's range or that of the chunks in it: either holds malloc_info's.
    if not ours["from_bytes"] <= held["low"] <= held["high"] <= ours["to_bytes"]:
        diff.say(f"{title} range: arenainspect says {ours['from_bytes']}-{ours['to_bytes']}, "
                 f"truth is {held['low']}-{held['high']}")


def compare_sums(name, arena, info, diff):
    in_bins = [pair(arena, kind) for kind in ("unsorted", "small", "large")]
    for kind in ("fast", "unsorted", "small", "large"):
        held = [b for (k, _), b in info["bins"].items() if k == kind]
        diff.equal(f"{name} {kind}", pair(arena, kind),
                   (sum(b["chunks"] for b in held), sum(b["bytes"] for b in held)))
    diff.equal(f"{name} total of fast", pair(arena, "fast"), info["fast"])
    diff.equal(f"{name} total of rest: chunks", sum(n for n, _ in in_bins), info["rest_chunks"])
    diff.equal(f"{name} total of rest: bytes", sum(n for _, n in in_bins) + arena["top"]["bytes"],
               info["rest_bytes"])
    diff.equal(f"{name} free_bytes", arena["free_bytes"], info["free_bytes"])


def places(arena):
    """Where an arena's bytes are; None is unknown."""
    parts = [arena[k] for k in ("in_use_bytes", "free_bytes", "overhead_bytes", "unread_bytes", "unwalked_bytes")]
    return parts + [arena["tcache"]["bytes"], arena["fast"]["bytes"], arena["top"]["bytes"]]


def compare_ledger(name, arena, gap, untold, diff):
    """Every byte of an arena has one place."""
    parts = places(arena)
    if untold and arena["tcache"]["bytes"] is None:
        parts.remove(None)
    known = sum(parts) if None not in parts else None
    diff.equal(f"{name} sum of its places", known, arena["system_bytes"])
    diff.equal(f"{name} unread_bytes", arena["unread_bytes"], 0)
    diff.equal(f"{name} unwalked_bytes", arena["unwalked_bytes"], gap)


def compare_chunks(index, arena, info, args, diff):
    name = f"arenas[{index}]"
    compare_bins(name, arena, info, diff)
    compare_sums(name, arena, info, diff)
    compare_ledger(name, arena, args.gap if index == 0 else 0, args.untold, diff)


# ---- a damaged arena ----


def check_possible(arena, diff):
    """Numbers of a damaged arena need not be right, but must be such as there could be."""
    name, system = f"arenas[{arena['index']}]", arena["system_bytes"]
    known = [part for part in places(arena) if part is not None]
    diff.compared += 1
    if any(part < 0 for part in known) or (system is not None and sum(known) > system):
        diff.say(f"{name}: impossible: {known} of {system}")
    if None not in places(arena):
        diff.equal(f"{name} sum of its places", sum(known), system)
    for kind in ("fast", "unsorted", "small", "large"):
        chunks, size = pair(arena, kind)
        in_bins = [b for b in arena["bins"] or [] if b["kind"] == kind]
        if size is not None:
            diff.equal(f"{name} {kind}", (sum(b["chunks"] for b in in_bins), sum(b["bytes"] for b in in_bins)),
                       (chunks, size))
    for row in arena["sizes"] or []:
        if row["to_bytes"] is not None and row["in_use_bytes"] > row["in_use_chunks"] * row["to_bytes"]:
            diff.say(f"{name}: impossible size row {row}")


# ---- the two comparisons ----


def compare_with_itself(args, diff):
    infos, mmapped = read_info(args.files[0])
    truth, document = load(args.files[1]), load(args.files[2])
    diff.equal("pid", document["process"]["pid"], truth["pid"])
    diff.equal("number of arenas", len(document["arenas"]), len(infos))
    if max(i["subheaps"] or 0 for i in infos) < args.heaps:
        diff.say(f"the process has no arena of {args.heaps} heaps")
    for index, (arena, info) in enumerate(zip(document["arenas"], infos)):
        compare_arena(index, arena, info, diff)
        if args.chunks:
            compare_chunks(index, arena, info, args, diff)
    compare_totals(document["totals"], infos, mmapped, truth, diff)
    compare_threads(document, truth, diff)
    compare_each_thread(document, truth, args.untold, diff)


def compare_last(args, diff):
    """New arenas go right behind main_arena: the oldest stay last, in their order."""
    infos, _ = read_info(args.files[0])
    truth, document = load(args.files[1]), load(args.files[2])
    attached = Counter(t["arena"] for t in truth["threads"])
    for info, arena in zip(infos[-args.last:], document["arenas"][-args.last:]):
        compare_arena(arena["index"], arena, info, diff)
        diff.equal(f"arena {arena['address']} attached_threads", arena["attached_threads"],
                   attached[arena["address"]])
        if args.chunks:
            compare_chunks(arena["index"], arena, info, args, diff)


def check_unread(arena, info, diff):
    name = f"arenas[{arena['index']}]"
    diff.equal(f"{name} damage", arena["damage"], [])
    diff.equal(f"{name} unwalked_bytes", arena["unwalked_bytes"], 0)
    if not arena["unread_bytes"]:
        diff.say(f"{name}: nothing is unread")
    lacking = 0
    for ours in arena["bins"]:
        held = info["bins"].get((ours["kind"], ours["index"]), {"chunks": 0, "bytes": 0})
        if ours["chunks"] > held["chunks"] or ours["bytes"] > held["bytes"]:
            diff.say(f"{name}: {ours} is more than {held}")
        lacking -= ours["bytes"]
    lacking += sum(held["bytes"] for held in info["bins"].values())
    # The chunk in front of a gap is free only if a list says so, and lists break there, too.
    if lacking > arena["unread_bytes"] + arena["system_bytes"] // 50:
        diff.say(f"{name}: the bins lack {lacking} bytes, unread are {arena['unread_bytes']}")


def compare_damaged(args, diff):
    infos, _ = read_info(args.files[0])
    truth, document = load(args.files[1]), load(args.files[2])
    attached = Counter(t["arena"] for t in truth["threads"])
    diff.equal("pid", document["process"]["pid"], truth["pid"])
    if len(document["arenas"]) <= max(args.damaged):
        diff.say(f"arenainspect has {len(document['arenas'])} arenas only")
    for index, (arena, info) in enumerate(zip(document["arenas"], infos)):
        if index in args.damaged:
            check_possible(arena, diff)
            if args.unread:
                check_unread(arena, info, diff)
            if not args.odd:
                continue
            arena["damage"] = []
        compare_arena(index, arena, info, diff)
        diff.equal(f"arenas[{index}] attached_threads", arena["attached_threads"],
                   attached["main" if index == 0 else arena["address"]])
        if args.chunks:
            compare_chunks(index, arena, info, args, diff)


def compare_with_gdb(args, diff):
    gdb, document = load(args.files[0]), load(args.files[1])
    diff.equal("number of arenas", len(document["arenas"]), len(gdb["arenas"]))
    for arena, truth in zip(document["arenas"], gdb["arenas"]):
        name = f"arena {truth['address']}"
        for key in ("address", "kind", "attached_threads", "system_bytes", "max_system_bytes"):
            diff.equal(f"{name} {key}", arena[key], truth[key])
        if truth["top"] is not None:
            for key in ("address", "bytes"):
                diff.equal(f"{name} top {key}", arena["top"][key], truth["top"][key])
        compare_heaps_with_gdb(name, arena, truth, diff)
    for key in ("mmapped_chunks", "mmapped_bytes"):
        diff.equal(f"totals {key}", document["totals"][key], gdb["totals"][key])


def compare_heaps_with_gdb(name, arena, truth, diff):
    if truth["heaps"] is None:
        return
    keys = ("address", "bytes", "mprotect_bytes")
    ours = sorted(tuple(h[k] for k in keys) for h in arena["heaps"])
    diff.equal(f"{name} heaps", ours, sorted(tuple(h[k] for k in keys) for h in truth["heaps"]))


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def indexes(text):
    return [int(index) for index in text.split(",")]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--chunks", action="store_true")
    parser.add_argument("--heaps", type=int, default=0)
    parser.add_argument("--last", type=int, default=0)
    parser.add_argument("--damaged", type=indexes)
    parser.add_argument("--unread", action="store_true")
    parser.add_argument("--untold", action="store_true")
    parser.add_argument("--odd", action="store_true")
    parser.add_argument("--gap", type=int, default=0)
    parser.add_argument("--gdb", action="store_true")
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()
    if len(args.files) != (2 if args.gdb else 3):
        parser.error("wrong number of files")

    diff = Differences()
    compare = (compare_with_gdb if args.gdb else compare_last if args.last
               else compare_damaged if args.damaged is not None else compare_with_itself)
    compare(args, diff)
    for line in diff.lines:
        print(line)
    if not diff.lines:
        print(f"{diff.compared} values agree")
    return 1 if diff.lines else 0


if __name__ == "__main__":
    sys.exit(main())
