// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/list.h"
#include "target/procfs.h"
#include "target/tasks.h"
#include "visit/visit.h"

#define ENVIRONMENT_MAX ((uint64_t)2 << 20)

/* Variables by how their name begins: those glibc's malloc and its loader read. */
static const char *const prefixes[] = {
	"MALLOC_",
	"GLIBC_TUNABLES=",
	"LD_PRELOAD=",
	"LD_LIBRARY_PATH=",
};

static bool steers_malloc(const char *variable)
{
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

/* glibc takes the first of two with one name. */
static bool is_known(const struct ari_settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->environment.count; i++)
		if (strcmp(settings->environment.at[i].name, name) == 0)
			return true;
	return false;
}

static bool add_variable(struct ari_settings *settings, const char *variable,
			 struct ari_error *err)
{
	const char *equals = strchr(variable, '=');
	autofree char *name =
		equals == NULL ? NULL : strndup(variable, (size_t)(equals - variable));
	struct ari_variable *slot;

	if (equals == NULL || name == NULL || is_known(settings, name))
		return equals == NULL || name != NULL || fail_memory(err);
	slot = list_add(&settings->environment, err);
	if (slot == NULL)
		return false;
	slot->name = strdup(name);
	slot->value = strdup(equals + 1);
	return (slot->name != NULL && slot->value != NULL) || fail_memory(err);
}

static bool add_all(struct ari_settings *settings, const char *text, size_t length,
		    struct ari_error *err)
{
	settings->environment.known = true;
	for (size_t at = 0; at < length; at += strlen(text + at) + 1)
		if (steers_malloc(text + at) && !add_variable(settings, text + at, err))
			return false;
	return true;
}

/*
 * Not from /proc/PID/environ: reading that would bring pages of the target's
 * stack back from swap.  stat says where the variables lie, and they are read
 * like everything else; what is in swap stays unknown.
 */
bool visit_environment(struct visit *visit, struct ari_error *err)
{
	autofree char *stat_text = NULL, *text = NULL;
	struct ari_error fault;
	uint64_t start, end;

	/* Where pages cannot be looked up, only malloc's own structs are read. */
	if (!live_knows_pages(&visit->live))
		return true;
	if (!procfs_read(visit->target.dir, "stat", &stat_text, NULL, err))
		return false;
	start = stat_field(stat_text, 50);
	end = stat_field(stat_text, 51);
	if (start == 0 || end == ARI_UNKNOWN || end <= start ||
	    end - start > ENVIRONMENT_MAX)
		return true;
	text = malloc(end - start + 1);
	if (text == NULL)
		return fail_memory(err);
	if (!mem_read(visit->mem, start, text, end - start, &fault)) {
		if (mem_is_fault(&fault))
			return true;
		*err = fault;
		return false;
	}
	text[end - start] = '\0';
	return add_all(&visit->model->settings, text, end - start, err);
}
