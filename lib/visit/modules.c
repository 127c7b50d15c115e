// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/list.h"
#include "layout/symtab.h"
#include "visit/modules.h"

/* <link.h>, 64-bit: struct r_debug's r_map. */
#define R_MAP 8

void modules_done(struct modules *modules)
{
	list_done(&modules->list);
	set_done(&modules->by_file);
}

/* Of two files with one key the second is found the slow way. */
static uint64_t key_of(const struct map *map)
{
	return map->inode + (map->device << 40);
}

static struct module *find(const struct modules *modules, const struct map *map)
{
	uint64_t first;

	if (!set_find(&modules->by_file, key_of(map), &first))
		return NULL;
	for (size_t i = (size_t)first; i < modules->list.count; i++)
		if (map_is_same_file(modules->list.at[i].map, map))
			return &modules->list.at[i];
	return NULL;
}

const struct module *modules_find(const struct modules *modules, const struct map *map)
{
	return find(modules, map);
}

static bool find_modules(const struct maps *maps, struct modules *modules,
			 struct ari_error *err)
{
	for (size_t i = 0; i < maps->list.count; i++) {
		const struct map *map = &maps->list.at[i];
		struct module *module;

		if (!(map->flags & MAP_EXEC) || map->inode == 0 || map->path[0] != '/' ||
		    find(modules, map) != NULL)
			continue;
		if (modules->list.count == MODULES_MAX)
			return true;
		module = list_add(&modules->list, err);
		if (module == NULL || !set_add(&modules->by_file, key_of(map),
					       modules->list.count - 1, err))
			return false;
		*module = (struct module){ map, MODULE_UNLISTED };
	}
	return true;
}

/* Where r_debug is: glibc exports it, musl a pointer to it. */
static bool find_debug(struct visit *visit, const struct image *loader, uint64_t *ret)
{
	uint64_t address, bytes;

	if (symtab_exported(loader, "_r_debug", ret, &bytes))
		return true;
	return symtab_exported(loader, "_dl_debug_addr", &address, &bytes) &&
	       mem_read_word(visit->mem, address, ret, NULL);
}

/* A program without an interpreter may be the dynamic linker, called to run another. */
static bool open_loader(struct visit *visit, struct image *ret)
{
	const struct map *map = maps_find(&visit->maps, visit->target.auxv_base);

	if (visit->target.auxv_base == 0)
		map = image_program_map(&visit->target, &visit->maps);
	return map != NULL && image_open_module(&visit->target, map, ret, NULL);
}

uint64_t modules_of_debug(struct visit *visit, uint64_t debug)
{
	uint64_t first;

	return mem_read_word(visit->mem, debug + R_MAP, &first, NULL) ? first : 0;
}

uint64_t modules_first(struct visit *visit)
{
	struct image loader;
	uint64_t debug, first = 0;

	if (!open_loader(visit, &loader))
		return 0;
	if (find_debug(visit, &loader, &debug))
		first = modules_of_debug(visit, debug);
	image_done(&loader);
	return first;
}

/* By where its dynamic section lies: where it begins need not be its address 0. */
static void list_module(struct visit *visit, struct modules *modules, uint64_t dynamic,
			size_t order)
{
	const struct map *map = maps_find(&visit->maps, dynamic);
	struct module *module = map == NULL ? NULL : find(modules, map);

	if (module != NULL && module->order == MODULE_UNLISTED)
		module->order = order;
}

/* False: the list cannot be read, or does not end. */
static bool read_list(struct visit *visit, struct modules *modules)
{
	struct module_link link;
	uint64_t at;

	/* Where pages cannot be looked up, only malloc's own structs are read. */
	if (!live_knows_pages(&visit->live))
		return false;
	at = modules_first(visit);
	if (at == 0)
		return false;
	for (size_t i = 0; at != 0; i++) {
		if (i == MODULES_MAX ||
		    !mem_read(visit->mem, at, &link, sizeof(link), NULL))
			return false;
		list_module(visit, modules, link.dynamic, i);
		at = link.next;
	}
	return true;
}

bool modules_read(struct visit *visit, struct modules *ret, struct ari_error *err)
{
	struct modules modules = { 0 };

	if (!find_modules(&visit->maps, &modules, err)) {
		modules_done(&modules);
		return false;
	}
	modules.listed = read_list(visit, &modules);
	*ret = modules;
	return true;
}
