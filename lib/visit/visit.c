// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "analyse/totals.h"
#include "base/error.h"
#include "base/list.h"
#include "base/log.h"
#include "base/text.h"
#include "model/model.h"
#include "visit/visit.h"

#define HEADER_TRIES	  5
#define STARTING_TRIES	  5
#define STARTING_PAUSE_NS 10000000L

bool visit_tell(struct visit *visit, struct ari_error *err, const char *format, ...)
{
	va_list ap;
	bool done;

	free(visit->detail);
	visit->detail = NULL;
	va_start(ap, format);
	done = text_format(&visit->detail, err, format, ap);
	va_end(ap);
	return done;
}

bool visit_init(struct visit *visit, pid_t pid, const struct ari_options *options,
		struct deadline deadline, struct ari_error *err)
{
	*visit = (struct visit){
		.pid = pid,
		.options = options,
		.deadline = deadline,
		.begun_ns = clock_monotonic_ns(),
		.target = { .pidfd = -1, .dir = -1, .task_dir = -1 },
		.live = { .residency = { .pages = { .fd = -1 } },
			  .mem_fd = -1,
			  .file_fd = -1 },
		.core = { .fd = -1, .backing_fd = -1 },
		.image = { .fd = -1 },
	};
	visit->model = model_new(err);
	if (visit->model == NULL)
		return false;
	visit->model->taken.begun_ns = clock_real_ns();
	visit->model->taken.depth = ARI_DEPTH_ARENAS;
	visit->model->process.pid = (uint64_t)pid;
	visit->model->quality.notes.known = true;
	visit->model->libc.proof.known = true;
	return true;
}

void visit_done(struct visit *visit)
{
	image_done(&visit->image);
	live_close(&visit->live);
	core_close(&visit->core);
	locked_done(&visit->locked);
	tcaches_done(&visit->tcaches);
	owners_done(&visit->owners);
	list_done(&visit->walk.threads);
	maps_done(&visit->maps);
	target_close(&visit->target);
	free(visit->detail);
	ari_model_free(visit->model);
}

struct ari_model *visit_take_model(struct visit *visit)
{
	struct ari_model *model = visit->model;

	model->taken.ended_ns = clock_real_ns();
	model->taken.duration_ns = clock_monotonic_ns() - visit->begun_ns;
	visit->model = NULL;
	return model;
}

/* ---- the steps ---- */

static bool open_process(struct visit *visit, struct ari_error *err)
{
	return target_open(visit->pid, &visit->target, err) &&
	       visit_process(visit, err) &&
	       visit_tell(visit, err, "%s, %llu threads", visit->target.status.comm,
			  (unsigned long long)visit->target.status.threads);
}

static bool read_maps(struct visit *visit, struct ari_error *err)
{
	return target_maps(&visit->target, &visit->maps, err) &&
	       visit_tell(visit, err, "%zu mappings", visit->maps.list.count);
}

static bool open_memory(struct visit *visit, struct ari_error *err)
{
	visit->mem = &visit->live.mem;
	return live_open(&visit->target, &visit->maps, &visit->live, err) &&
	       visit_tell(visit, err, "%s",
			  visit->live.mem_fd < 0 ? "process_vm_readv" : "/proc/PID/mem");
}

/* A visit goes on without: the page tables say what may be read, not what is. */
static bool look_at_pages(struct visit *visit, struct ari_error *err)
{
	struct ari_error denied;
	struct pages pages;

	if (live_knows_pages(&visit->live))
		return visit_tell(visit, err, "%s",
				  visit->live.residency.pages.can_scan
					  ? "PAGEMAP_SCAN"
					  : "/proc/PID/pagemap");
	visit->lacks = true;
	if (pages_open(&visit->target, &pages, &denied))
		pages_close(&pages);
	return model_add_note(visit->model, err, "%s", denied.message) &&
	       visit_tell(visit, err, "%s", denied.message);
}

/* What sysconf() or the affinity mask told the target's malloc. */
static uint64_t count_processors(const struct visit *visit)
{
	long online = visit->is_core ? 0 : sysconf(_SC_NPROCESSORS_ONLN);

	if (visit->layout.traits[TRAIT_LIMIT_BY_AFFINITY])
		return visit->target.status.allowed_processors;
	return online > 0 ? (uint64_t)online : 0;
}

static bool read_settings(struct visit *visit, struct ari_error *err)
{
	visit->walk = (struct walk){
		.mem = visit->mem,
		.layout = &visit->layout,
		.symbols = &visit->symbols,
		.deadline = visit->deadline,
		.model = visit->model,
		/* Arenas whose chunks are walked are read anew for it. */
		.tries = visit->options->depth == ARI_DEPTH_ARENAS ? HEADER_TRIES : 1,
		.processors = count_processors(visit),
	};
	return walk_settings(&visit->walk, err) &&
	       (visit->is_core || visit_environment(visit, err)) &&
	       visit_tell(visit, err, "mp_ at 0x%llx",
			  (unsigned long long)visit->symbols.address[SYM_MP]);
}

/* A process that has not called malloc, or only for what it freed at once. */
static bool is_untouched(const struct ari_totals *totals)
{
	return totals->arenas == 1 && totals->system_bytes == 0 &&
	       totals->mmapped_chunks == 0;
}

static bool read_arenas(struct visit *visit, struct ari_error *err)
{
	if (!walk_arenas(&visit->walk, err) || !walk_limit(&visit->walk, err))
		return false;
	totals_fill(visit->model);
	totals_judge_quality(visit->model);
	if (is_untouched(&visit->model->totals) &&
	    !model_add_note(
		    visit->model, err,
		    "glibc's malloc has not been called yet: main_arena has no memory, "
		    "and there is no other"))
		return false;
	return visit_tell(visit, err, "%zu arenas, %llu heaps",
			  visit->model->arenas.count,
			  (unsigned long long)visit->model->totals.heaps);
}

/* main's memory may have gaps: where others called sbrk, or between its pieces. */
static bool note_unwalked(struct visit *visit, struct ari_error *err)
{
	const struct ari_arena *main_arena = &visit->model->arenas.at[0];

	if (main_arena->unwalked_bytes == ARI_UNKNOWN ||
	    main_arena->unwalked_bytes == 0 || main_arena->state == ARI_STATE_TORN)
		return true;
	return model_add_note(
		visit->model, err,
		"%llu bytes of the main arena are not walked: other code "
		"called sbrk between its memory, or pieces that it got from "
		"mmap lie where nothing leads to them",
		(unsigned long long)main_arena->unwalked_bytes);
}

static bool finish_walk(struct visit *visit, struct ari_error *err)
{
	if (!walk_finish(&visit->walk, err) || !walk_attached(&visit->walk, err))
		return false;
	totals_fill(visit->model);
	totals_judge_quality(visit->model);
	return true;
}

/* Where that is denied, nothing is said about what could go back. */
static bool read_locked(struct visit *visit, struct ari_error *err)
{
	if (!visit->is_core && !locked_read(&visit->target, &visit->locked, err))
		return err->code == ARI_DENIED;
	visit->walk.locked = &visit->locked;
	return true;
}

static bool walk_chunks_of_all(struct visit *visit, struct ari_error *err)
{
	uint64_t begun = clock_monotonic_ns();

	if (visit->options->depth == ARI_DEPTH_ARENAS)
		return finish_walk(visit, err) && visit_tell(visit, err, "not asked for");
	visit->walk.jobs = visit->options->jobs;
	visit->walk.pins = visit->options->pins;
	visit->walk.runs = visit->options->depth == ARI_DEPTH_PAGES;
	if (!read_locked(visit, err) || !walk_tcaches(&visit->walk, &visit->tcaches, err))
		return false;
	visit->walk.tcaches = &visit->tcaches;
	if (!walk_depth(&visit->walk, err)) {
		tcaches_forget(visit->model);
		return false;
	}
	visit->model->taken.depth = visit->options->depth;
	if (!finish_walk(visit, err) || !note_unwalked(visit, err))
		return false;
	return visit_tell(visit, err, "walked in %.1f ms",
			  (double)(clock_monotonic_ns() - begun) / 1e6);
}

static bool check_identity(struct visit *visit, struct ari_error *err)
{
	return target_check(&visit->target, err) &&
	       visit_tell(visit, err, "same start time, program and address space");
}

// clang-format off
const struct visit_step visit_steps[] = {
	{ "process", "everything", open_process, NULL },
	{ "maps", "finding libc and the bounds of every walk", read_maps, NULL },
	{ "memory", "reading malloc's structures", open_memory, visit_open_core },
	{ "pagemap", "residency, and reading only pages that are present",
	  look_at_pages, NULL },
	{ "allocator", "who provides malloc, and who else is loaded",
	  visit_allocator, NULL },
	{ "libc", "which malloc, which release", visit_find_libc, visit_core_libc },
	{ "symbols", "main_arena, mp_ and the layout of their structs",
	  visit_resolve, visit_resolve },
	{ "settings", "thresholds, limits, mmapped chunks",
	  read_settings, read_settings },
	{ "arenas", "arenas, heaps and tops", read_arenas, read_arenas },
	{ "threads", "which thread uses which arena", visit_threads, visit_threads },
	{ "chunks", "what is in use and what is free",
	  walk_chunks_of_all, walk_chunks_of_all },
	{ "mmapped", "large chunks that have a mapping of their own",
	  visit_mmapped, visit_mmapped },
	{ "rss", "where the rest of the resident set is", visit_memory, NULL },
	{ "identity", "that it was one process all the time", check_identity, NULL },
};
// clang-format on

const size_t visit_steps_count = sizeof(visit_steps) / sizeof(*visit_steps);

/*
 * What ends a visit because of time is no failure once there are arenas: what
 * was read is given, and model->stopped says why it ended.
 */
static bool is_partial(const struct visit *visit, const struct ari_error *err)
{
	return err->code == ARI_TIMED_OUT && visit->model->arenas.count > 0;
}

/*
 * A process that ended, or runs another program by now, makes files and memory
 * vanish in many ways: then that is what happened.
 */
static bool fail_step(struct visit *visit, struct ari_error *err)
{
	struct ari_error gone;

	if (visit->target.dir >= 0 && !target_check(&visit->target, &gone))
		*err = gone;
	return false;
}

/* Gives what was read until the time was over; it must be of one process too. */
static bool stop_early(struct visit *visit, struct ari_error *err)
{
	visit->model->stopped = *err;
	totals_fill(visit->model);
	totals_judge_quality(visit->model);
	visit->model->quality.consistent = ARI_NO;
	return visit->is_core || target_check(&visit->target, err);
}

static bool run_step(struct visit *visit, const struct visit_step *step,
		     struct ari_error *err)
{
	visit_step_fn *run = visit->is_core ? step->run_on_core : step->run;

	if (run == NULL)
		return true;
	if (!deadline_ok(visit->deadline, err) || !run(visit, err))
		return false;
	log_line(visit->options, "%s: %s", step->id, visit->detail);
	return true;
}

static bool run_steps(struct visit *visit, struct ari_error *err)
{
	for (size_t i = 0; i < visit_steps_count; i++) {
		if (run_step(visit, &visit_steps[i], err))
			continue;
		if (!is_partial(visit, err))
			return fail_step(visit, err);
		if (!stop_early(visit, err))
			return false;
		break;
	}
	return visit_conclude(visit, err);
}

bool visit_conclude(struct visit *visit, struct ari_error *err)
{
	return visit_runtime(visit, err) && ari_judge(visit->model, err);
}

/*
 * For some milliseconds a program has no C library yet, or one that ld.so has
 * not relocated: a visit then is too early, not wrong.
 */
static bool is_starting(const struct visit *visit, const struct ari_error *err)
{
	/* A static program has AT_BASE 0; in the midst of exec there is no auxv yet. */
	bool dynamic = visit->target.dir >= 0 && visit->target.auxv_base != 0;

	return dynamic && (err->code == ARI_UNSTABLE ||
			   (err->code == ARI_NOT_GLIBC && !visit->image.is_glibc));
}

/* What an attempt leaves for the next. */
struct attempt {
	bool starting;
	struct identity identity;
};

static bool visit_once(pid_t pid, const struct ari_options *options,
		       struct resolve_cache *cache, struct deadline deadline,
		       struct attempt *attempt, struct ari_model **ret,
		       struct ari_error *err)
{
	struct visit visit;
	bool done;

	if (!visit_init(&visit, pid, options, deadline, err))
		return false;
	visit.cache = cache;
	done = run_steps(&visit, err);
	if (done)
		*ret = visit_take_model(&visit);
	attempt->starting = !done && is_starting(&visit, err);
	attempt->identity = visit.target.identity;
	visit_done(&visit);
	return done;
}

bool visit_with(pid_t pid, const struct ari_options *options, struct resolve_cache *cache,
		struct ari_model **ret, struct ari_error *err)
{
	struct deadline deadline = deadline_in(options->timeout_ns);
	struct attempt first, next;

	if (visit_once(pid, options, cache, deadline, &first, ret, err))
		return true;
	next = first;
	for (unsigned int tries = 1; next.starting && tries < STARTING_TRIES; tries++) {
		nanosleep(&(struct timespec){ 0, STARTING_PAUSE_NS }, NULL);
		if (visit_once(pid, options, cache, deadline, &next, ret, err))
			return true;
		/* Still starting, but another program: what was asked for is gone. */
		if (next.starting &&
		    !target_same_identity(&first.identity, &next.identity))
			return target_ran_another(pid, err);
	}
	return false;
}

bool ari_visit(pid_t pid, const struct ari_options *options, struct ari_model **ret,
	       struct ari_error *err)
{
	return visit_with(pid, options, NULL, ret, err);
}

bool ari_visit_core(const char *file, const char *exe, const struct ari_options *options,
		    struct ari_model **ret, struct ari_error *err)
{
	struct visit visit;
	bool done;

	if (!visit_init(&visit, 0, options, deadline_in(options->timeout_ns), err))
		return false;
	visit.is_core = true;
	visit.core_file = file;
	visit.core_exe = exe;
	done = run_steps(&visit, err);
	if (done)
		*ret = visit_take_model(&visit);
	visit_done(&visit);
	return done;
}
