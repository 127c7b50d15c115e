// SPDX-License-Identifier: Apache-2.0
/*
 * Who provides malloc: of the modules that export it, the first in the order in which
 * symbols are looked up.  What each exports is read from its file.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/list.h"
#include "layout/allocators.h"
#include "model/model.h"
#include "visit/modules.h"

/* Files without a name that is known; a static program of some size comes first. */
#define SEARCH_MAX ((uint64_t)1 << 30)

/* A module, and what is in it. */
struct seen {
	const struct module *module;
	struct allocators has;
	bool unreadable;  /* and its name is none that is known */
	const char *word; /* of its own malloc; NULL: not one of those known */
};

struct census {
	ARI_LIST(struct seen) list;
	bool listed;		 /* their order is known */
	const struct map *alone; /* a program that needs no other module; or NULL */
	uint64_t searchable;	 /* bytes of files, that may still be */
};

/* ---- what is in the modules ---- */

static bool is_among(const struct libc_list *libcs, const struct map *map)
{
	for (size_t i = 0; i < libcs->maps.count; i++)
		if (map_is_same_file(libcs->maps.at[i], map))
			return true;
	return false;
}

/* False: out of memory. */
static bool look_into(struct visit *visit, struct census *census, struct seen *seen,
		      struct ari_error *err)
{
	const struct map *map = seen->module->map;
	struct ari_error why = { .code = ARI_OK };
	struct image image;
	bool whole = false;

	if (image_open_module(&visit->target, map, &image, &why)) {
		allocators_look(&image, census->alone != NULL, &census->searchable,
				&seen->has);
		whole = image_is_unchanged(&image);
		image_done(&image);
	}
	if (whole)
		return true;
	if (why.code == ARI_NO_MEMORY) {
		*err = why;
		return false;
	}
	seen->has = (struct allocators){ .known = allocators_by_name(map->path) };
	seen->has.exports = seen->has.known != 0;
	seen->unreadable = seen->has.known == 0;
	return true;
}

static bool see_module(struct visit *visit, const struct module *module, bool is_libc,
		       struct census *census, struct ari_error *err)
{
	struct seen *seen = list_add(&census->list, err);
	uint32_t known;

	if (seen == NULL)
		return false;
	*seen = (struct seen){ .module = module };
	if (is_libc) {
		seen->has.exports = true;
		seen->word = "glibc";
		return true;
	}
	if (!look_into(visit, census, seen, err))
		return false;
	known = seen->has.known;
	seen->word = seen->has.glibc ? "glibc" : allocators_take(&known);
	return true;
}

/* glibc's linker exported a malloc of its own, for itself alone, until 2.34. */
static const struct module *glibc_loader(const struct visit *visit,
					 const struct modules *modules,
					 const struct libc_list *libcs)
{
	const struct map *loader = maps_find(&visit->maps, visit->target.auxv_base);

	return libcs->maps.count == 0 || loader == NULL ? NULL
							: modules_find(modules, loader);
}

static bool see_modules(struct visit *visit, const struct modules *modules,
			struct census *census, struct ari_error *err)
{
	const struct module *loader;
	struct libc_list libcs;
	bool done = visit_list_libcs(visit, &libcs, err);

	loader = done ? glibc_loader(visit, modules, &libcs) : NULL;
	if (done && visit->target.auxv_base == 0 && libcs.maps.count == 0 &&
	    !modules->listed)
		census->alone = image_program_map(&visit->target, &visit->maps);
	for (size_t i = 0; done && i < modules->list.count; i++) {
		const struct module *module = &modules->list.at[i];

		done = deadline_ok(visit->deadline, err);
		if (done && module != loader)
			done = see_module(visit, module, is_among(&libcs, module->map),
					  census, err);
	}
	list_done(&libcs.maps);
	return done;
}

/* ---- which of them is asked ---- */

static bool is_ahead(const struct seen *a, const struct seen *b)
{
	return b == NULL || a->module->order < b->module->order;
}

/* What runs alone needs not export what it has: its own word, or how it was made. */
static const char *word_of_lone(const struct seen *seen)
{
	if (seen->word != NULL)
		return seen->word;
	if (seen->has.go)
		return "Go";
	return seen->has.defines ? "own" : NULL;
}

/* seen: asked first, and cannot be read; NULL: the order is not known. */
static bool doubt(struct visit *visit, const struct seen *seen, struct ari_error *err)
{
	struct ari_error why;
	struct image image;

	if (seen == NULL)
		return model_add_note(
			visit->model, err,
			"who provides malloc is not known: several libraries do, and the "
			"dynamic linker's list, which tells their order, cannot be read");
	if (image_open_module(&visit->target, seen->module->map, &image, &why)) {
		image_done(&image);
		snprintf(why.message, sizeof(why.message),
			 "%s was out of reach, or changed meanwhile",
			 seen->module->map->path);
	}
	return model_add_note(
		visit->model, err,
		"who provides malloc is not known: a library is asked before "
		"the C library, and %s",
		why.message);
}

/*
 * The first that exports malloc.  *ret_doubt: there is one, but which is not known,
 * for one that cannot be read is asked before, or (NULL) their order is not known.
 */
static const struct seen *first_of(const struct census *census, bool *ret_doubtful,
				   const struct seen **ret_doubt)
{
	const struct seen *first = NULL;
	size_t exporters = 0;

	*ret_doubt = NULL;
	for (size_t i = 0; i < census->list.count; i++) {
		const struct seen *seen = &census->list.at[i];

		exporters += seen->has.exports;
		if (seen->has.exports && is_ahead(seen, first))
			first = seen;
	}
	*ret_doubtful = exporters > 1 && !census->listed;
	for (size_t i = 0; i < census->list.count && !*ret_doubtful; i++) {
		const struct seen *seen = &census->list.at[i];

		if (!seen->unreadable || first == NULL ||
		    (census->listed && !is_ahead(seen, first)))
			continue;
		*ret_doubt = seen;
		*ret_doubtful = true;
	}
	return first;
}

static bool set_provider(struct visit *visit, const struct seen *seen, const char *word,
			 struct ari_error *err)
{
	struct ari_allocator *allocator = &visit->model->allocator;

	return model_set_string(&allocator->malloc_provider, word, err) &&
	       model_set_string(&allocator->provider_path,
				word == NULL ? NULL : seen->module->map->path, err);
}

static bool choose_lone(struct visit *visit, const struct census *census,
			const struct seen **ret, struct ari_error *err)
{
	for (size_t i = 0; i < census->list.count; i++) {
		const struct seen *seen = &census->list.at[i];

		if (!map_is_same_file(seen->module->map, census->alone))
			continue;
		*ret = word_of_lone(seen) == NULL ? NULL : seen;
		return set_provider(visit, seen, word_of_lone(seen), err);
	}
	return true;
}

/* ret: the one that provides malloc; NULL where that is not known. */
static bool choose_provider(struct visit *visit, const struct census *census,
			    const struct seen **ret, struct ari_error *err)
{
	const struct seen *in_doubt, *first;
	bool doubtful;

	*ret = NULL;
	if (census->alone != NULL)
		return choose_lone(visit, census, ret, err);
	first = first_of(census, &doubtful, &in_doubt);
	if (doubtful)
		return doubt(visit, in_doubt, err);
	*ret = first;
	return first == NULL ||
	       set_provider(visit, first, first->word == NULL ? "own" : first->word, err);
}

/* ---- the others ---- */

static bool add_other(struct visit *visit, const char *name, const struct seen *seen,
		      struct ari_error *err)
{
	struct ari_other_allocator *other =
		list_add(&visit->model->allocator.others, err);

	return other != NULL && model_set_string(&other->name, name, err) &&
	       model_set_string(&other->path, seen->module->map->path, err);
}

/* All that is in a module, but for what provides malloc, and glibc's libc itself. */
static bool add_others(struct visit *visit, const struct seen *seen,
		       const struct seen *provider, struct ari_error *err)
{
	const char *provides = visit->model->allocator.malloc_provider, *name;
	uint32_t known = seen->has.known;
	bool is_provider = seen == provider;

	while ((name = allocators_take(&known)) != NULL)
		if (!(is_provider && strcmp(name, provides) == 0) &&
		    !add_other(visit, name, seen, err))
			return false;
	if (seen->has.go && !(is_provider && strcmp(provides, "Go") == 0) &&
	    !add_other(visit, "Go", seen, err))
		return false;
	return is_provider || !seen->has.exports || seen->word != NULL ||
	       add_other(visit, "own", seen, err);
}

static bool tell(struct visit *visit, struct ari_error *err)
{
	const struct ari_allocator *allocator = &visit->model->allocator;
	autofree char *others = NULL;

	if (allocator->others.count > 0 &&
	    asprintf(&others, "; %s%s is loaded, too", allocator->others.at[0].name,
		     allocator->others.count > 1 ? " and more" : "") < 0)
		return fail_memory(err);
	return visit_tell(visit, err, "%s%s%s%s",
			  allocator->malloc_provider == NULL ? "unknown"
							     : allocator->malloc_provider,
			  allocator->provider_path == NULL ? "" : ", ",
			  allocator->provider_path == NULL ? ""
							   : allocator->provider_path,
			  others == NULL ? "" : others);
}

/* MALLOC_CHECK_ has it serve from a main_arena of its own, else it asks glibc's. */
static bool note_debug(struct visit *visit, struct ari_error *err)
{
	const char *word = visit->model->allocator.malloc_provider;

	return word == NULL || strcmp(word, "libc_malloc_debug") != 0 ||
	       model_add_note(visit->model, err,
			      "libc_malloc_debug stands before glibc's malloc: with "
			      "MALLOC_CHECK_ set it serves from a main arena of its own, "
			      "which is not in these numbers");
}

static bool judge(struct visit *visit, const struct census *census, struct ari_error *err)
{
	const struct seen *provider;

	if (!choose_provider(visit, census, &provider, err))
		return false;
	visit->model->allocator.others.known = true;
	for (size_t i = 0; i < census->list.count; i++)
		if (!add_others(visit, &census->list.at[i], provider, err))
			return false;
	return note_debug(visit, err) && tell(visit, err);
}

bool visit_allocator(struct visit *visit, struct ari_error *err)
{
	struct census census = { .searchable = SEARCH_MAX };
	struct modules modules;
	bool done;

	if (!modules_read(visit, &modules, err))
		return false;
	census.listed = modules.listed;
	done = see_modules(visit, &modules, &census, err) && judge(visit, &census, err);
	list_done(&census.list);
	modules_done(&modules);
	return done;
}

/* ---- where there is no glibc ---- */

bool visit_refuse(struct visit *visit, struct ari_error *err)
{
	const struct ari_allocator *allocator = &visit->model->allocator;
	const char *word = allocator->malloc_provider;
	const char *comm = visit->target.status.comm;
	int pid = (int)visit->pid;

	if (word == NULL)
		return fail(err, ARI_NOT_GLIBC,
			    "process %d (%s): no C library is mapped that is known, and "
			    "nothing tells whose malloc, if any, is in %s",
			    pid, comm,
			    visit->model->process.exe == NULL
				    ? "the program"
				    : visit->model->process.exe);
	if (strcmp(word, "Go") == 0)
		return fail(err, ARI_NOT_GLIBC,
			    "process %d (%s) is a program of Go without a C library: its "
			    "heap is that of Go's runtime, which is not malloc's (%s; "
			    "runtime/metrics and net/http/pprof tell of it)",
			    pid, comm, allocator->provider_path);
	if (strcmp(word, "own") == 0)
		return fail(err, ARI_NOT_GLIBC,
			    "process %d (%s): no C library is mapped that is known, and "
			    "its malloc is its own (in %s)",
			    pid, comm, allocator->provider_path);
	return fail(err, ARI_NOT_GLIBC,
		    "process %d (%s): its malloc is that of %s, and there is no glibc "
		    "(%s)",
		    pid, comm, word, allocator->provider_path);
}
