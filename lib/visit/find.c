// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/list.h"
#include "target/cgnames.h"
#include "target/procfs.h"
#include "target/tasks.h"

/* Whether a process, by its directory in /proc, is what was asked for. */
typedef bool match_fn(int dir, const char *name);

static bool comm_is(int dir, const char *comm)
{
	autofree char *text = NULL;

	if (!procfs_read(dir, "comm", &text, NULL, NULL))
		return false;
	procfs_chomp(text);
	return strcmp(text, comm) == 0;
}

/* As systemctl has it, a name without a suffix is that of a service. */
static bool unit_is(int dir, const char *unit)
{
	autofree char *text = NULL, *found = NULL, *container = NULL;
	size_t length = strlen(unit);

	return procfs_read(dir, "cgroup", &text, NULL, NULL) &&
	       cgnames_read(text, &found, &container, NULL) && found != NULL &&
	       strncmp(found, unit, length) == 0 &&
	       (found[length] == '\0' || strcmp(found + length, ".service") == 0);
}

static bool add_match(struct ari_matches *matches, int dir, pid_t pid,
		      struct ari_error *err)
{
	autofree char *exe = NULL;
	struct ari_error why = { 0 };
	bool seen = procfs_link(dir, "exe", &exe, &why);
	struct ari_match *match;

	if (!seen && why.code == ARI_GONE)
		return true; /* a kernel thread has no program; nor has one that ended */
	match = list_add(&matches->list, err);
	if (match == NULL)
		return false;
	match->pid = pid;
	snprintf(match->exe, sizeof(match->exe), "%s", seen ? exe : "");
	return true;
}

static int by_pid(const void *a, const void *b)
{
	return ((const struct ari_match *)a)->pid - ((const struct ari_match *)b)->pid;
}

static bool add_matches(const struct tasks *pids, match_fn *is_match, const char *name,
			struct ari_matches *matches, struct ari_error *err)
{
	for (size_t i = 0; i < pids->list.count; i++) {
		autoclose int dir = procfs_open_process(pids->list.at[i]);

		if (dir < 0 || (name != NULL && !is_match(dir, name)))
			continue;
		if (!add_match(matches, dir, pids->list.at[i], err))
			return false;
	}
	return true;
}

static bool find(match_fn *is_match, const char *name, struct ari_matches *ret,
		 struct ari_error *err)
{
	struct ari_matches matches = { 0 };
	struct tasks pids;
	bool done;

	if (!tasks_read_processes(&pids, err))
		return false;
	done = add_matches(&pids, is_match, name, &matches, err);
	tasks_done(&pids);
	if (!done) {
		list_done(&matches.list);
		return false;
	}
	if (matches.list.count > 1)
		qsort(matches.list.at, matches.list.count, sizeof(*matches.list.at),
		      by_pid);
	*ret = matches;
	return true;
}

bool ari_find_comm(const char *comm, struct ari_matches *ret, struct ari_error *err)
{
	return find(comm_is, comm, ret, err);
}

bool ari_find_unit(const char *unit, struct ari_matches *ret, struct ari_error *err)
{
	return find(unit_is, unit, ret, err);
}

void ari_matches_free(struct ari_matches *matches)
{
	list_done(&matches->list);
}
