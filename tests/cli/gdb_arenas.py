"""What gdb reads of a process's arenas, as JSON in arenainspect's own words.

  GDB_ARENAS_OUT=FILE gdb -nx -batch -p PID -x gdb_arenas.py

gdb is the tests' oracle: it takes main_arena from glibc's debug information and
follows the ring by itself.  Environment: GDB_ARENAS_OUT, the file to write; and
GDB_ARENAS_SHELL, a command to run while gdb still holds the process stopped.
"""

import json
import os

import gdb

HEAP_SPAN = 64 << 20
MOST_ARENAS = 65536


def chunk_bytes(chunk):
    return int(chunk["mchunk_size"]) & ~7


def heaps_of(arena, is_main):
    """The heap_info chain, newest first; main_arena has none."""
    if is_main:
        return None
    pointer = gdb.lookup_type("heap_info").pointer()
    heap = gdb.Value(int(arena["top"]) & ~(HEAP_SPAN - 1)).cast(pointer)
    heaps = []
    while int(heap):
        heaps.append({
            "address": hex(int(heap)),
            "bytes": int(heap["size"]),
            "mprotect_bytes": int(heap["mprotect_size"]),
        })
        heap = heap["prev"]
    return heaps


def describe(arena, is_main):
    top = arena["top"]
    is_set_up = int(arena["system_mem"]) > 0
    return {
        "address": hex(int(arena)),
        "kind": "main" if is_main else "thread",
        "attached_threads": int(arena["attached_threads"]),
        "system_bytes": int(arena["system_mem"]),
        "max_system_bytes": int(arena["max_system_mem"]),
        "top": {"address": hex(int(top)), "bytes": chunk_bytes(top)} if is_set_up else None,
        "heaps": heaps_of(arena, is_main),
    }


def ring():
    main = gdb.parse_and_eval("&main_arena")
    arena = main
    for _ in range(MOST_ARENAS):
        yield describe(arena, arena == main)
        arena = arena["next"]
        if arena == main:
            return


def run():
    settings = gdb.parse_and_eval("&mp_")
    document = {
        "arenas": list(ring()),
        "totals": {
            "mmapped_chunks": int(settings["n_mmaps"]),
            "mmapped_bytes": int(settings["mmapped_mem"]),
        },
    }
    with open(os.environ["GDB_ARENAS_OUT"], "w", encoding="utf-8") as out:
        json.dump(document, out, indent=1)
    if "GDB_ARENAS_SHELL" in os.environ:
        gdb.execute("shell " + os.environ["GDB_ARENAS_SHELL"])


run()
