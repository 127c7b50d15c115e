/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VISIT_VISIT_H
#define VISIT_VISIT_H

#include "layout/image.h"
#include "layout/layout.h"
#include "layout/symbols.h"
#include "mem/core.h"
#include "mem/live.h"
#include "target/locked.h"
#include "target/target.h"
#include "visit/resolve_cache.h"
#include "walk/owners.h"
#include "walk/tcache.h"
#include "walk/walk.h"

/*
 * One visit of a running process, as a row of steps: each stands on those
 * before it, and a visit ends at the first that fails.  The same steps, told one
 * by one, are the diagnosis.
 */
struct visit {
	pid_t pid;
	const struct ari_options *options;
	struct deadline deadline;
	uint64_t begun_ns; /* monotonic */
	struct ari_model *model;
	struct target target;
	struct maps maps;
	struct locked locked;
	struct live live;
	bool is_core;
	const char *core_file, *core_exe;
	struct core core;
	struct mem *mem; /* the one of the two that is read */
	struct image image;
	struct resolve_cache *cache; /* of who visits many; NULL: none */
	struct symbols symbols;
	struct layout layout;
	struct walk walk;
	struct tcaches tcaches;
	struct owners owners; /* of the parts of the address space */
	/* of the last step, for the diagnosis: what it found, and whether it went without
	 */
	char *detail;
	bool lacks;
};

typedef bool visit_step_fn(struct visit *visit, struct ari_error *err);

struct visit_step {
	const char *id;
	const char *needed; /* for what, in one line */
	visit_step_fn *run;
	visit_step_fn *run_on_core; /* NULL: a core has no such step */
};

extern const struct visit_step visit_steps[];
extern const size_t visit_steps_count;

/*
 * ari_visit() for who visits many processes: cache is borrowed, and has what was
 * found of the libraries of those before; NULL: none.
 */
bool visit_with(pid_t pid, const struct ari_options *options, struct resolve_cache *cache,
		struct ari_model **ret, struct ari_error *err)
	__attribute__((warn_unused_result));

bool visit_init(struct visit *visit, pid_t pid, const struct ari_options *options,
		struct deadline deadline, struct ari_error *err)
	__attribute__((warn_unused_result));
void visit_done(struct visit *visit);

/* The model, which then is the caller's. */
struct ari_model *visit_take_model(struct visit *visit);

/* Sets visit->detail; false only for want of memory. */
bool visit_tell(struct visit *visit, struct ari_error *err, const char *format, ...)
	__attribute__((format(printf, 3, 4), warn_unused_result));

/* What /proc says of the process as a whole, into the model (process.c). */
bool visit_process(struct visit *visit, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Who provides malloc, and which other allocators are loaded (allocator.c). */
bool visit_allocator(struct visit *visit, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * Fills *err: there is no glibc, and what is there instead has the name that
 * visit_allocator() found.  Always false (allocator.c).
 */
bool visit_refuse(struct visit *visit, struct ari_error *err);

/* The glibc whose malloc the process uses (libc.c). */
bool visit_find_libc(struct visit *visit, struct ari_error *err)
	__attribute__((warn_unused_result));

/* The same two for a core file (core.c). */
bool visit_open_core(struct visit *visit, struct ari_error *err)
	__attribute__((warn_unused_result));
bool visit_core_libc(struct visit *visit, struct ari_error *err)
	__attribute__((warn_unused_result));

/* What is known of the image, into the model (libc.c). */
bool visit_tell_libc(struct visit *visit, struct ari_error *err)
	__attribute__((warn_unused_result));

/*
 * The glibcs that are loaded to run (libc.c); ret: as image_list() has it, and to be
 * freed, whatever is returned, with list_done(&ret->maps).
 */
bool visit_list_libcs(const struct visit *visit, struct libc_list *ret,
		      struct ari_error *err) __attribute__((warn_unused_result));

/* The one of several libcs that the program runs on (libc.c); not empty. */
const struct map *visit_choose_libc(struct visit *visit, const struct libc_list *libcs,
				    uint64_t first_module);

/* Symbols and layout, by the way that the options ask for (resolve.c). */
bool visit_resolve(struct visit *visit, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Each thread, its arena and where its cache is (threads.c). */
bool visit_threads(struct visit *visit, struct ari_error *err)
	__attribute__((warn_unused_result));

/* The mmapped chunks, and what each part of the address space is (rss.c). */
bool visit_mmapped(struct visit *visit, struct ari_error *err)
	__attribute__((warn_unused_result));
bool visit_memory(struct visit *visit, struct ari_error *err)
	__attribute__((warn_unused_result));

/* What runs the program, by the files that are mapped (runtime.c). */
bool visit_runtime(struct visit *visit, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Last of all, and of a visit that ended early as well: the verdicts on what was read. */
bool visit_conclude(struct visit *visit, struct ari_error *err)
	__attribute__((warn_unused_result));

/* The variables that steer malloc, from its environment (environment.c). */
bool visit_environment(struct visit *visit, struct ari_error *err)
	__attribute__((warn_unused_result));

#endif
