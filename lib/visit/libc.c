// SPDX-License-Identifier: Apache-2.0
/* Which of the files that a process has mapped is the C library it runs on. */
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/list.h"
#include "model/model.h"
#include "visit/modules.h"

#define LIBCS_MAX 64 /* more than one are rare */

static const struct map *starting_at(const struct libc_list *libcs, uint64_t address)
{
	for (size_t i = 0; i < libcs->maps.count; i++)
		if (libcs->maps.at[i]->start == address)
			return libcs->maps.at[i];
	return NULL;
}

/*
 * The program's own libc among several: libraries of other namespaces (dlmopen) are in
 * lists of their own.  The last, when the list is not to be had.
 */
const struct map *visit_choose_libc(struct visit *visit, const struct libc_list *libcs,
				    uint64_t first)
{
	const struct map *libc = NULL;
	struct module_link link = { .next = first };

	for (size_t i = 0; link.next != 0 && i < MODULES_MAX && libc == NULL; i++) {
		if (!mem_read(visit->mem, link.next, &link, sizeof(link), NULL))
			break;
		libc = starting_at(libcs, link.address);
	}
	return libc != NULL ? libc : libcs->maps.at[libcs->maps.count - 1];
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

/* A program that has glibc in it; what else it is, its file tells first. */
static bool open_program(struct visit *visit, struct ari_error *err)
{
	const char *provider = visit->model->allocator.malloc_provider;

	if (!image_program(&visit->target, &visit->maps, &visit->image, err))
		return false;
	return (visit->image.is_glibc && provider != NULL &&
		strcmp(provider, "glibc") == 0) ||
	       visit_refuse(visit, err);
}

static bool open_image(struct visit *visit, const struct libc_list *libcs,
		       struct ari_error *err)
{
	const struct map *chosen;

	if (libcs->maps.count == 0)
		return open_program(visit, err);
	chosen = visit_choose_libc(visit, libcs,
				   libcs->maps.count > 1 ? modules_first(visit) : 0);
	if (!name_others(visit, libcs, chosen, err) ||
	    !image_open(&visit->target, chosen, &visit->image, err))
		return false;
	if (visit->image.is_glibc)
		return true;
	return fail(err, ARI_NOT_GLIBC, "%s has the name of glibc, but is not glibc",
		    chosen->path);
}

/* Whether code can run in some mapping of the file: who looks into it has only data. */
static bool is_run(const struct maps *maps, const struct map *file)
{
	for (size_t i = 0; i < maps->list.count; i++) {
		const struct map *map = &maps->list.at[i];

		if (map_is_same_file(map, file) && map->flags & MAP_EXEC)
			return true;
	}
	return false;
}

bool visit_list_libcs(const struct visit *visit, struct libc_list *ret,
		      struct ari_error *err)
{
	size_t kept = 0;

	if (!image_list(&visit->maps, ret, err))
		return false;
	for (size_t i = 0; i < ret->maps.count && kept < LIBCS_MAX; i++)
		if (is_run(&visit->maps, ret->maps.at[i]))
			ret->maps.at[kept++] = ret->maps.at[i];
	ret->maps.count = kept;
	return true;
}

bool visit_find_libc(struct visit *visit, struct ari_error *err)
{
	struct libc_list libcs;
	bool done;

	done = visit_list_libcs(visit, &libcs, err) && open_image(visit, &libcs, err);
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
