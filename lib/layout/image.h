/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYOUT_IMAGE_H
#define LAYOUT_IMAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "arch/arch.h"
#include "arenainspect.h"
#include "target/target.h"

/*
 * The C library as the process has it mapped: its file, opened (so no page of
 * the target is touched), and where its addresses lie.
 */
struct image {
	int fd;
	struct timespec changed; /* when the file last was, before it was read */
	void *elf;		 /* Elf * of that file */
	char *name;		 /* under which the file can be opened */
	char *path;		 /* as the maps name it */
	uint64_t bias;		 /* address in the process minus address in the file */
	const struct arch *arch;
	char *build_id; /* hex digits, or NULL */
	bool is_glibc;	/* or has glibc linked in */
	char *version;	/* "2.36"; NULL where a static program does not tell */
	/* LAYOUT_RELEASE() of that, or the oldest it can be. */
	unsigned int release;
};

/* The C libraries among the mappings, by the names of their files. */
struct libc_list {
	ARI_LIST(const struct map *) maps; /* the first mapping of each glibc */
	const char *other;		   /* another C library that is mapped, or NULL */
};

/* ret: borrowed mappings, free the list itself with list_done(). */
bool image_list(const struct maps *maps, struct libc_list *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * Opens the file of a mapping.  is_glibc tells whether it is one.  err:
 * ARI_NOT_GLIBC (a 32-bit process, no ELF file), ARI_DENIED, ARI_IO.
 */
bool image_open(const struct target *target, const struct map *map, struct image *ret,
		struct ari_error *err) __attribute__((warn_unused_result));

/* The same without looking what it is: version, release and is_glibc stay zero. */
bool image_open_module(const struct target *target, const struct map *map,
		       struct image *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/* The same for a file by its name, of which map is taken to be a mapping. */
bool image_open_path(const char *file, const struct map *map, struct image *ret,
		     struct ari_error *err) __attribute__((warn_unused_result));

/* Whether the file has not changed since it was opened, as far as the kernel tells. */
bool image_is_unchanged(const struct image *image);

/* The first mapping of the program's own file; NULL: not found. */
const struct map *image_program_map(const struct target *target, const struct maps *maps);

/* The program itself; is_glibc tells whether glibc is linked into it. */
bool image_program(const struct target *target, const struct maps *maps,
		   struct image *ret, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * Whether an address of the process is in memory of this very image, and not of
 * another that was mapped from the same file.
 */
bool image_covers(const struct image *image, uint64_t address);

/* Whether its headers have the address in a part that is to be written. */
bool image_is_writable(const struct image *image, uint64_t address);

/*
 * What a note of the file holds, as its program headers lead to it; NULL: it has none
 * of that owner and type.
 */
const void *image_note(const struct image *image, const char *owner, uint32_t type,
		       size_t *ret_bytes);

/* Where in the file an address of the process lies; false: in no loaded part. */
bool image_offset(const struct image *image, uint64_t address, uint64_t *ret);

/* Bytes of the block of thread-local variables that each thread has; 0: none. */
uint64_t image_tls_bytes(const struct image *image);

void image_done(struct image *image);

#endif
