#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws a document of --depth pages anew, and holds what the tool drew against it.

  picture.py CELLS DOCUMENT.json PICTURE.txt

CELLS are those of a line; PICTURE.txt is `arenainspect map`, in letters.  Exit 0 when they
are the same.
"""

import json
import sys

STATES = ["in-use", "cached", "trimmable", "retained-top", "pinned-free", "metadata", "unwalked", "free",
          "absent", "swapped", "zero", "hugetlb", None]
LETTERS = "UCTRPMXF.s0H?"
MORE_LINES = 32


def lines_of(size, cell, cells):
    return -(-size // (cell * cells))


def choose_cell(heaps, page, cells):
    cell = page
    while sum(lines_of(heap["mprotect_bytes"], cell, cells) - 1 for heap in heaps) > MORE_LINES:
        cell *= 2
    return cell


def strip(heap, pages_in_cell):
    pages = [STATES.index(state) for pages, state in heap["runs"] for _ in range(pages)]
    for i in range(0, len(pages), pages_in_cell):
        cell = pages[i:i + pages_in_cell]
        yield LETTERS[min(set(cell), key=lambda state: (-cell.count(state), state))]


def main():
    cells = int(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as file:
        document = json.load(file)
    with open(sys.argv[3], encoding="utf-8") as file:
        picture = file.read().splitlines()
    page = document["process"]["page_bytes"]
    heaps = [heap for arena in document["arenas"] for heap in arena["heaps"]]
    cell = choose_cell(heaps, page, cells)
    expected = []
    for heap in heaps:
        text = "".join(strip(heap, cell // page))
        expected += ["  " + text[i:i + cells] for i in range(0, len(text), cells)]
    drawn = [line for line in picture if line.startswith("  ") and " " not in line[2:]]
    for ours, theirs in zip(drawn, expected):
        if ours != theirs:
            print(f"drawn:    {ours}\nexpected: {theirs}")
    if len(drawn) != len(expected):
        print(f"{len(drawn)} lines are drawn, {len(expected)} expected")
    sys.exit(drawn != expected)


if __name__ == "__main__":
    main()
