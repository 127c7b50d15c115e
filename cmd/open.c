// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "open.h"
#include "out/refuse.h"
#include "tell.h"

/* What the kernel keeps of a process's name, TASK_COMM_LEN without the NUL. */
#define COMM_BYTES 15

static void tell_matches(const struct ari_matches *matches)
{
	for (size_t i = 0; i < matches->list.count; i++) {
		const struct ari_match *match = &matches->list.at[i];

		tell("%ld  %s", (long)match->pid, match->exe);
	}
}

/* What stands in place of a PID. */
struct search {
	const char *what; /* "the name" */
	const char *name;
	const char *hint; /* why there may be none */
	bool (*find)(const char *name, struct ari_matches *ret, struct ari_error *err);
};

static bool nobody(const struct search *search, struct ari_error *err)
{
	return refuse(err, ARI_GONE, "no process has %s '%s'%s", search->what,
		      search->name, search->hint);
}

static bool choose_match(const struct search *search, const struct ari_matches *matches,
			 pid_t *ret, struct ari_error *err)
{
	size_t count = matches->list.count;

	if (count == 1) {
		*ret = matches->list.at[0].pid;
		return true;
	}
	if (count == 0)
		return nobody(search, err);
	tell_matches(matches);
	return refuse(err, ARI_USAGE, "%zu processes have %s '%s': say which by its PID",
		      count, search->what, search->name);
}

/* Without either, all that there are. */
static struct search search_of(const struct options *options)
{
	const char *comm = options->comm;

	if (options->unit != NULL)
		return (struct search){ "the unit", options->unit, "", ari_find_unit };
	return (struct search){ "the name", comm,
				comm != NULL && strlen(comm) > COMM_BYTES
					? " (the kernel keeps 15 bytes of a name)"
					: "",
				ari_find_comm };
}

bool open_pid(const struct options *options, pid_t *ret, struct ari_error *err)
{
	struct search search = search_of(options);
	struct ari_matches matches = { 0 };
	bool found;

	if (search.name == NULL) {
		*ret = options->subject.pid;
		return true;
	}
	if (!search.find(search.name, &matches, err))
		return false;
	found = choose_match(&search, &matches, ret, err);
	ari_matches_free(&matches);
	return found;
}

/* Those of the command line, or those found, but not ourselves. */
static bool take_pids(const struct options *options, const struct search *search,
		      const struct ari_matches *matches, struct pids *pids,
		      struct ari_error *err)
{
	struct subject subject;

	for (size_t i = 0; i < options->operands_count; i++) {
		if (!subject_parse(options->operands[i], &subject, err))
			return false;
		pids->at[pids->count++] = subject.pid;
	}
	for (size_t i = 0; i < matches->list.count; i++)
		if (matches->list.at[i].pid != getpid())
			pids->at[pids->count++] = matches->list.at[i].pid;
	if (pids->count == 0 && !options->every)
		return nobody(search, err);
	return true;
}

bool open_pids(const struct options *options, struct pids *ret, struct ari_error *err)
{
	struct search search = search_of(options);
	struct ari_matches matches = { 0 };
	struct pids pids = { 0 };
	bool done;

	if (options->operands_count == 0 && !search.find(search.name, &matches, err))
		return false;
	pids.at = calloc(options->operands_count + matches.list.count + 1,
			 sizeof(*pids.at));
	done = pids.at == NULL ? refuse_memory(err)
			       : take_pids(options, &search, &matches, &pids, err);
	ari_matches_free(&matches);
	if (done)
		*ret = pids;
	else
		free(pids.at);
	return done;
}

static void log_line(void *data, const char *line)
{
	(void)data;
	tell("%s", line);
}

/*
 * libdwfl asks debuginfod whenever the variable is set; we only when we are told
 * to.  Before the visit there is one thread.
 */
static void settle_debuginfod(const struct options *options)
{
	if (!options->debuginfod)
		unsetenv("DEBUGINFOD_URLS");
	else if (getenv("DEBUGINFOD_URLS") == NULL && !options->quiet)
		tell("--debuginfod: DEBUGINFOD_URLS names no server");
}

struct ari_options open_options(const struct options *options)
{
	struct ari_options visit = options->visit;

	settle_debuginfod(options);
	if (options->verbose > 0)
		visit.log = log_line;
	return visit;
}

/* A snapshot says no more than its visit saw; one that ended early, as much as it did. */
static bool check_seen(const struct options *options, const struct ari_model *model,
		       struct ari_error *err)
{
	enum ari_depth least = command_least_depth(options->command, options);

	if (model->taken.depth >= least /* or not known */ ||
	    model->stopped.code != ARI_OK)
		return true;
	return refuse(err, ARI_USAGE, "%s needs a snapshot of --depth %s: %s has %s",
		      command_table(options->command, options)->name,
		      ari_depth_name(least), options->subject.file,
		      ari_depth_name(model->taken.depth));
}

static bool open_snapshot(const struct options *options, struct ari_model **ret,
			  struct ari_error *err)
{
	struct ari_model *model;

	if (!ari_model_read(options->subject.file, &model, err))
		return false;
	if (!check_seen(options, model, err)) {
		ari_model_free(model);
		return false;
	}
	*ret = model;
	return true;
}

bool open_model(const struct options *options, struct ari_model **ret,
		struct ari_error *err)
{
	struct ari_options visit;
	pid_t pid;

	*ret = NULL;
	if (options->subject.file != NULL)
		return open_snapshot(options, ret, err);
	visit = open_options(options);
	if (options->core != NULL)
		return ari_visit_core(options->core, options->exe, &visit, ret, err);
	return open_pid(options, &pid, err) && ari_visit(pid, &visit, ret, err);
}
