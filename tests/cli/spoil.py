#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Snapshots that are well-formed and lie: numbers at their limits, lists cut, words and
texts swapped.

  spoil.py SNAPSHOT.json SEEDS DIRECTORY

Writes DIRECTORY/0.json and so on, the same in every run.
"""

import copy
import json
import random
import sys

NUMBERS = [0, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 2, None]
TEXTS = ["", "\x1b[31m\n", "%s%n", "x" * 5000, "\u202e\U0010ffff", None]
ADDRESSES = ["0x0", "0x1", "0xfffffffffffffffe", "0x7fffffffffff", None]


def places(value, at=()):
    """The paths to all that is no object or array, and to all arrays."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, at + (key,))
        return
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, at + (index,))
    yield at


def other(value, key, choice):
    if isinstance(value, bool):
        return choice.choice([not value, None])
    if isinstance(value, list):
        return choice.choice([[], value[:1], value[::-1], value * 3, None])
    if isinstance(value, str) and value.startswith("0x"):
        return choice.choice(ADDRESSES)
    if isinstance(value, str) and key in ("begun", "ended", "id"):
        return value
    if isinstance(value, str):
        return choice.choice(TEXTS)
    if isinstance(value, float):
        return choice.choice([0, 0.01, 1e9, None])
    if key == "rss_difference_bytes":
        return choice.choice([-(2**63) + 1, 2**63 - 2, 0, None])
    return choice.choice(NUMBERS)


def spoil(document, choice):
    document = copy.deepcopy(document)
    all_places = [at for at in places(document) if at and at[0] not in ("schema", "tool")]
    for _ in range(choice.choice([1, 5, 40, 400])):
        *path, key = choice.choice(all_places)
        inside = document
        try:
            for step in path:
                inside = inside[step]
            inside[key] = other(inside[key], key, choice)
        except (IndexError, KeyError, TypeError):
            pass  # something above it is gone by now
    return document


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    for seed in range(int(sys.argv[2])):
        with open(f"{sys.argv[3]}/{seed}.json", "w", encoding="utf-8") as file:
            json.dump(spoil(document, random.Random(seed)), file)


main()
