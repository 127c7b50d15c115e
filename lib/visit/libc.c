// SPDX-License-Identifier: Apache-2.0
/* Which of the files that a process has mapped is the C library it runs on. */
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/list.h"
#include "layout/symtab.h"
#include "model/model.h"
#include "visit/visit.h"

#define MODULES_MAX 65536

/* struct r_debug and the public head of struct link_map, <link.h>, 64-bit. */
enum { R_MAP = 8, L_ADDR = 0, L_NEXT = 24 };

/* The dynamic linker's list of what it loaded for the program; 0: not found. */
static uint64_t first_module(struct visit *visit)
{
	const struct map *map = maps_find(&visit->maps, visit->target.auxv_base);
	uint64_t address, bytes, first = 0;
	struct image loader;

	if (map == NULL || !image_open(&visit->target, map, &loader, NULL))
		return 0;
	if (symtab_exported(&loader, "_r_debug", &address, &bytes) &&
	    !mem_read_word(visit->mem, address + R_MAP, &first, NULL))
		first = 0;
	image_done(&loader);
	return first;
}

/*
 * Whether the list has a module that is loaded at `start`.  Libraries of other
 * namespaces (dlmopen) are in lists of their own.
 */
static bool is_listed(struct visit *visit, uint64_t module, uint64_t start)
{
	for (size_t i = 0; module != 0 && i < MODULES_MAX; i++) {
		uint64_t loaded_at;

		if (!mem_read_word(visit->mem, module + L_ADDR, &loaded_at, NULL))
			return false;
		if (loaded_at == start)
			return true;
		if (!mem_read_word(visit->mem, module + L_NEXT, &module, NULL))
			return false;
	}
	return false;
}

/* The program's own libc among several; the last, when the list is not to be had. */
const struct map *visit_choose_libc(struct visit *visit, const struct libc_list *libcs,
				    uint64_t first)
{
	for (size_t i = 0; first != 0 && i < libcs->maps.count; i++)
		if (is_listed(visit, first, libcs->maps.at[i]->start))
			return libcs->maps.at[i];
	return libcs->maps.at[libcs->maps.count - 1];
}

/* Loaded to run, not only looked into: some of what follows can be written. */
static bool is_loaded(const struct maps *maps, const struct map *first)
{
	const struct map *end = maps->list.at + maps->list.count;

	for (const struct map *map = first; map < end; map++) {
		if (map->inode != first->inode || (map != first && map->offset == 0))
			return false;
		if (map->flags & MAP_WRITE)
			return true;
	}
	return false;
}

/* The others are named, and not walked. */
static bool name_others(struct visit *visit, const struct libc_list *libcs,
			const struct map *chosen, struct ari_error *err)
{
	struct ari_allocator *allocator = &visit->model->allocator;

	for (size_t i = 0; i < libcs->maps.count; i++) {
		const struct map *map = libcs->maps.at[i];
		struct ari_other_allocator *other;

		if (map == chosen || !is_loaded(&visit->maps, map))
			continue;
		other = list_add(&allocator->others, err);
		if (other == NULL || !model_set_string(&other->name, "glibc", err) ||
		    !model_set_string(&other->path, map->path, err) ||
		    !model_add_note(
			    visit->model, err,
			    "another glibc is loaded at 0x%llx (dlmopen): its malloc "
			    "is not in these numbers",
			    (unsigned long long)map->start))
			return false;
	}
	return true;
}

static bool open_image(struct visit *visit, const struct libc_list *libcs,
		       struct ari_error *err)
{
	const struct map *chosen;

	if (libcs->maps.count == 0 && libcs->other != NULL)
		return fail(err, ARI_NOT_GLIBC, "its C library is %s, not glibc",
			    libcs->other);
	if (libcs->maps.count == 0)
		return image_program(&visit->target, &visit->maps, &visit->image, err);
	chosen = visit_choose_libc(visit, libcs,
				   libcs->maps.count > 1 ? first_module(visit) : 0);
	if (!name_others(visit, libcs, chosen, err) ||
	    !image_open(&visit->target, chosen, &visit->image, err))
		return false;
	if (visit->image.is_glibc)
		return true;
	return fail(err, ARI_NOT_GLIBC, "%s has the name of glibc, but is not glibc",
		    chosen->path);
}

bool visit_find_libc(struct visit *visit, struct ari_error *err)
{
	struct libc_list libcs;
	bool done;

	done = image_list(&visit->maps, &libcs, err) && open_image(visit, &libcs, err);
	list_done(&libcs.maps);
	return done && visit_tell_libc(visit, err);
}

bool visit_tell_libc(struct visit *visit, struct ari_error *err)
{
	struct ari_libc *libc = &visit->model->libc;
	const struct image *image = &visit->image;

	return model_set_string(&libc->kind, "glibc", err) &&
	       model_set_string(&libc->version, image->version, err) &&
	       model_set_string(&libc->path, image->path, err) &&
	       model_set_string(&libc->build_id, image->build_id, err) &&
	       model_set_string(&visit->model->process.arch, image->arch->name, err) &&
	       visit_tell(
		       visit, err, "glibc %s, %s, build-id %s",
		       image->version == NULL ? "of an unknown release" : image->version,
		       image->path, image->build_id == NULL ? "none" : image->build_id);
}
