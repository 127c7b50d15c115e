/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VISIT_MODULES_H
#define VISIT_MODULES_H

#include "base/set.h"
#include "visit/visit.h"

#define MODULES_MAX 65536

/* <link.h>, 64-bit: the public head of struct link_map. */
struct module_link {
	uint64_t address, name, dynamic, next;
};

/* A file that the process has loaded to run: the program, a library. */
struct module {
	const struct map *map; /* the first of it that code can run in */
	size_t order;	       /* in the dynamic linker's list; MODULE_UNLISTED */
};

/*
 * Libraries of other namespaces (dlmopen) are in no list that we follow; nor is any,
 * where the list cannot be read.
 */
#define MODULE_UNLISTED SIZE_MAX

/* In order of address.  Files that are mapped as data alone are none. */
struct modules {
	ARI_LIST(struct module) list;
	struct set by_file; /* to the first of a key */
	bool listed;	    /* the linker's list was there to be read, to its end */
};

/* ret for modules_done(); borrows from visit->maps. */
bool modules_read(struct visit *visit, struct modules *ret, struct ari_error *err)
	__attribute__((warn_unused_result));
void modules_done(struct modules *modules);

/* The module that was loaded from the file of map, or NULL. */
const struct module *modules_find(const struct modules *modules, const struct map *map);

/*
 * The dynamic linker's list of what it loaded for the program (struct link_map *), in
 * the order in which symbols are looked up; 0: not found.
 */
uint64_t modules_first(struct visit *visit);

/* The same, by the linker's struct r_debug, wherever that was found. */
uint64_t modules_of_debug(struct visit *visit, uint64_t debug);

#endif
