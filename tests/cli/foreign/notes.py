#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""notes.py FILE HEADERS: makes FILE, a library whose HEADERS program headers are each
of the same 16 MiB of small notes, maps it as code, and rests."""
import ctypes
import mmap
import struct
import sys

AREA = 16 << 20


def make(path, headers):
    offset = (64 + 56 * (headers + 1) + 4095) & ~4095
    elf = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, headers + 1, 64, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, offset + AREA, offset + AREA, 4096)
    notes = struct.pack("<IIQQQQQQ", 4, 4, offset, offset, offset, AREA, AREA, 4)
    note = struct.pack("<III", 4, 0, 99) + b"XXX\0"
    with open(path, "wb") as file:
        file.write((elf + load + notes * headers).ljust(offset, b"\0"))
        file.write(note * (AREA // len(note)))


make(sys.argv[1], int(sys.argv[2]))
with open(sys.argv[1], "rb") as library:
    code = mmap.mmap(library.fileno(), 65536, flags=mmap.MAP_PRIVATE,
                     prot=mmap.PROT_READ | mmap.PROT_EXEC)
print("ready", flush=True)
ctypes.CDLL(None).pause()
