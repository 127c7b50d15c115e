/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_MAPS_H
#define TARGET_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "arenainspect.h"

enum {
	MAP_READ = 1,
	MAP_WRITE = 2,
	MAP_EXEC = 4,
	MAP_IS_SHARED = 8,
	MAP_DELETED = 16, /* the kernel appended " (deleted)"; path has it too */
};

/* From here on it is no part of the process: x86's [vsyscall] is mapped there. */
#define MAPS_KERNEL_SPACE ((uint64_t)1 << 63)

/* One line of /proc/PID/maps: [start, end). */
struct map {
	uint64_t start, end;
	uint64_t offset; /* in the file */
	uint64_t device, inode;
	unsigned int flags;
	const char *path; /* "" when it has no name; owned by struct maps */
};

/* In address order, not overlapping. */
struct maps {
	ARI_LIST(struct map) list;
	ARI_LIST(char *) paths;
};

/*
 * Parses the text of a maps file from a stream.  A line that is no mapping is
 * an error (ARI_IO): the text is the kernel's.  What a line repeats of those before
 * it is dropped: the kernel writes the file in pieces, and mappings may merge.
 */
bool maps_read(FILE *stream, struct maps *ret, struct ari_error *err)
	__attribute__((warn_unused_result));
void maps_done(struct maps *maps);

/* The mapping that holds address, or NULL. */
const struct map *maps_find(const struct maps *maps, uint64_t address);

/* Is it private memory from a pool of huge pages (MAP_HUGETLB)? */
bool map_is_hugetlb(const struct map *map);

/* Whether [address, address + length) is mapped with all of flags. */
bool maps_covers(const struct maps *maps, uint64_t address, uint64_t length,
		 unsigned int flags);

/*
 * Whether [address, address + length) is memory of the process alone and nothing else:
 * no file's, no device's, none that the kernel shares with it.
 */
bool maps_is_plain(const struct maps *maps, uint64_t address, uint64_t length);

/*
 * How many pieces of `span` bytes, aligned to it, writable memory can hold at
 * most: the bound of every walk from heap to heap.
 */
size_t maps_spans(const struct maps *maps, uint64_t span);

/* The address space in use: no true number of bytes of the process is larger. */
uint64_t maps_bytes(const struct maps *maps);

/*
 * Bytes of a path without the " (deleted)" that the kernel appends to the name of a
 * file that is gone, or was replaced.
 */
size_t maps_path_length(const char *path);

/* No file behind it. */
bool map_is_anonymous(const struct map *map);

/* Whether two mappings, of which each has a file, have the same. */
bool map_is_same_file(const struct map *a, const struct map *b);

/*
 * Memory of the process alone, without a file that means anything: the kernel has
 * one behind private huge pages of its pool, and /dev/zero is none.
 */
bool map_is_own_memory(const struct map *map);

#endif
