#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Maps copies of a library as code, then cuts and restores them until its stdin ends.

  cutting.py LIBRARY FOLDER
"""

import mmap
import os
import select
import sys

COPIES = 200


def main():
    with open(sys.argv[1], "rb") as library:
        whole = library.read()
    files, maps = [], []
    for i in range(COPIES):
        file = os.open(os.path.join(sys.argv[2], f"{i}.so"), os.O_RDWR | os.O_CREAT)
        os.write(file, whole)
        files.append(file)
        maps.append(mmap.mmap(file, 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_EXEC))
    print("ready", flush=True)
    while not select.select([0], [], [], 0)[0]:
        for file in files:
            os.ftruncate(file, 0)
        for file in files:
            os.pwrite(file, whole, 0)


if __name__ == "__main__":
    main()
