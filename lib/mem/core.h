/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEM_CORE_H
#define MEM_CORE_H

#include "mem/mem.h"

/* A part of memory that the core has a header for; the dump may lack its end. */
struct core_part {
	uint64_t start, end;
	uint64_t dumped_end; /* [start, dumped_end) is in the file, at offset */
	uint64_t offset;
};

/* A thread, by its notes. */
struct core_thread {
	uint64_t tid;
	uint64_t pointer; /* its thread pointer; 0: not told */
};

/*
 * The memory of a process as a core file kept it.  Pages in the file can be read,
 * whether they were resident is not told (PAGE_NOT_ALONE).  What the dump left out is
 * PAGE_UNREADABLE where the process could write, and else is what the file had.
 */
struct core {
	struct mem mem;
	struct maps maps; /* from the program headers and the NT_FILE note */
	ARI_LIST(struct core_part) parts; /* by address */
	const struct arch *arch;
	int fd;
	uint64_t file_bytes;
	/* From its notes; 0 and "" where they do not tell. */
	uint64_t pid;
	ARI_LIST(struct core_thread) threads;
	uint64_t headers, headers_count; /* AT_PHDR, AT_PHNUM */
	char comm[17];
	bool names_files; /* has a note of the files that were mapped */
	bool cut;	  /* the file ends before what its headers announce */
	int backing_fd;	  /* of core_back(); -1: none */
	const char *backing_path;
};

/*
 * Opens a core file.  err: ARI_IO (cannot be opened, is no core, or is compressed: says
 * how to unpack), ARI_NOT_GLIBC (of a machine that is not known).
 */
bool core_open(const char *file, struct core *ret, struct ari_error *err)
	__attribute__((warn_unused_result));
void core_close(struct core *core);

/*
 * Says that [start, end) shows a file from offset on.  Only what begins there as a
 * mapping of its own is named.
 */
bool core_name(struct core *core, uint64_t start, uint64_t end, uint64_t offset,
	       const char *path, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * Lets what was left out of the file at path be read from fd; both are borrowed.  Of
 * other files it cannot be read: the names in a core say nothing of this system's files.
 */
void core_back(struct core *core, const char *path, int fd);

/* Whether the dump left the page of address out. */
bool core_lacks(const struct core *core, uint64_t address);

#endif
