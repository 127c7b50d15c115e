// SPDX-License-Identifier: Apache-2.0
/* Where main_arena and mp_ are, and which layout they have. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/list.h"
#include "base/log.h"
#include "layout/debuginfo.h"
#include "layout/symtab.h"
#include "model/model.h"
#include "visit/visit.h"
#include "walk/search.h"

/* Where debug files may lie: as asked, on this system, in the process's root. */
static char *search_path(const struct visit *visit)
{
	/* libdwfl looks up build-ids below absolute names only. */
	autofree char *own = visit->options->debug_dir == NULL
				     ? NULL
				     : realpath(visit->options->debug_dir, NULL);
	char *path;

	char root[64] = "";

	if (!visit->is_core)
		snprintf(root, sizeof(root), ":/proc/%d/root/usr/lib/debug",
			 (int)visit->target.task);
	if (asprintf(&path, ":.debug:/usr/lib/debug%s%s%s", root, own == NULL ? "" : ":",
		     own == NULL ? "" : own) < 0)
		return NULL;
	return path;
}

static bool take_debuginfo(struct visit *visit, struct debuginfo *info,
			   struct ari_error *err)
{
	return debuginfo_symbols(info, &visit->symbols, err) &&
	       debuginfo_layout(info, &visit->symbols, &visit->layout, err) &&
	       search_confirm(visit->mem, &visit->image, &visit->symbols, &visit->layout,
			      visit->model, err) &&
	       model_set_string(&visit->model->libc.debug_file, debuginfo_file(info),
				err);
}

static bool by_debuginfo(struct visit *visit, struct ari_error *err)
{
	autofree char *path = search_path(visit);
	struct debuginfo *info;
	bool done;

	if (path == NULL)
		return fail_memory(err);
	/* What follows costs more than all before: not for a process that is gone. */
	if ((!visit->is_core && !target_check(&visit->target, err)) ||
	    !debuginfo_open(&visit->image, path, &info, err))
		return false;
	done = take_debuginfo(visit, info, err);
	debuginfo_close(info);
	return done;
}

/* .gnu_debugdata, which holds a symbol table and nothing else. */
static void read_debugdata(struct visit *visit)
{
	struct symbols symbols;
	struct debuginfo *info;

	if (!debuginfo_open(&visit->image, NULL, &info, NULL))
		return;
	if (debuginfo_symbols(info, &symbols, NULL)) {
		symbols.source = ARI_SYMBOLS_SYMTAB;
		visit->symbols = symbols;
	}
	debuginfo_close(info);
}

static bool by_table(struct visit *visit, struct ari_error *err)
{
	return search_malloc(visit->mem, &visit->image, visit->image.release,
			     visit->deadline, &visit->symbols, &visit->layout,
			     visit->model, err);
}

static bool by_search(struct visit *visit, struct ari_error *err)
{
	visit->symbols = (struct symbols){ .source = ARI_SYMBOLS_SEARCH };
	return by_table(visit, err);
}

/*
 * The cheap ways first: what the file itself says and the table, held against
 * the process; debug information only where these do not decide.
 */
static bool by_all(struct visit *visit, struct ari_error *err)
{
	struct ari_error undecided, no_debuginfo;

	visit->symbols = (struct symbols){ .source = ARI_SYMBOLS_SEARCH };
	if (!symtab_symbols(&visit->image, &visit->symbols) &&
	    symtab_has_debugdata(&visit->image))
		read_debugdata(visit);
	if (by_table(visit, &undecided))
		return true;
	if (undecided.code != ARI_BAD_LAYOUT) {
		*err = undecided;
		return false;
	}
	log_line(visit->options, "%s", undecided.message);
	if (by_debuginfo(visit, &no_debuginfo))
		return true;
	*err = no_debuginfo.code == ARI_NO_SYMBOLS ? undecided : no_debuginfo;
	return false;
}

static bool find(struct visit *visit, struct ari_error *err)
{
	static bool (*const ways[])(struct visit *, struct ari_error *) = {
		[ARI_FIND_AUTO] = by_all,
		[ARI_FIND_DEBUGINFO] = by_debuginfo,
		[ARI_FIND_SEARCH] = by_search,
	};
	uint64_t begun = clock_monotonic_ns();
	bool found = ways[visit->options->symbols](visit, err);

	log_line(visit->options, "symbols and layout took %.1f ms",
		 (double)(clock_monotonic_ns() - begun) / 1e6);
	return found;
}

/* What another process had that runs on the same file; this one proves it anew. */
static bool recall(struct visit *visit)
{
	struct ari_error err;
	struct resolved known;
	bool proven;

	if (!resolve_cache_find(visit->cache, &visit->image, visit->deadline, &known))
		return false;
	proven = search_recall(visit->mem, &visit->image, &known.symbols, &known.layout,
			       visit->model, &err) &&
		 model_set_string(&visit->model->libc.debug_file, known.debug_file, &err);
	if (proven) {
		visit->symbols = known.symbols;
		visit->layout = known.layout;
		log_line(visit->options,
			 "symbols and layout: as in another process of the same file");
	}
	resolved_done(&known);
	return proven;
}

/* Where malloc has been called, and no other: nothing else could have proven itself. */
static bool is_good_for_others(struct visit *visit)
{
	uint64_t at = visit->symbols.address[SYM_MAIN_ARENA] +
		      visit->layout.members[MS_SYSTEM_MEM].offset;
	uint64_t bytes;

	return mem_read_word(visit->mem, at, &bytes, NULL) && bytes != 0;
}

static bool recall_or_find(struct visit *visit, struct ari_error *err)
{
	struct resolved found;
	bool done;

	if (visit->cache == NULL)
		return find(visit, err);
	if (recall(visit))
		return true;
	done = find(visit, err);
	found = (struct resolved){ visit->symbols, visit->layout,
				   visit->model->libc.debug_file };
	resolve_cache_settle(visit->cache, &visit->image,
			     done && is_good_for_others(visit) ? &found : NULL);
	return done;
}

bool visit_resolve(struct visit *visit, struct ari_error *err)
{
	struct ari_libc *libc = &visit->model->libc;

	if (!recall_or_find(visit, err))
		return false;
	libc->symbol_source = visit->symbols.source;
	libc->layout_source = visit->layout.source;
	return visit_tell(visit, err, "symbols: %s, layout: %s%s%s",
			  ari_symbol_source_name(libc->symbol_source),
			  ari_layout_source_name(libc->layout_source),
			  libc->debug_file == NULL ? "" : ", ",
			  libc->debug_file == NULL ? "" : libc->debug_file);
}
