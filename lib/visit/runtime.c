// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <string.h>

#include "model/model.h"
#include "visit/visit.h"

/*
 * Files by how their name begins; what follows is a version, or nothing.  Programs go
 * before libraries: a database may have a Python in it.
 */
// clang-format off
static const struct runtime {
	const char *file, *name;
	bool is_program;
} runtimes[] = {
	{ "postgres", "postgresql", true },
	{ "java", "jvm", true },
	{ "node", "nodejs", true },
	{ "nodejs", "nodejs", true },
	{ "python", "cpython", true },
	{ "ruby", "ruby", true },
	{ "libjvm.so", "jvm", false },
	{ "libnode.so", "nodejs", false },
	{ "libpython", "cpython", false },
	{ "libruby", "ruby", false },
};
// clang-format on

static bool is_file(const struct runtime *runtime, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	size_t length = strlen(runtime->file);

	if (strncmp(name, runtime->file, length) != 0)
		return false;
	name += length;
	return *name == '\0' || *name == '.' || *name == '-' || *name == ' ' ||
	       isdigit((unsigned char)*name);
}

/* Loaded to run, not opened as data. */
static bool is_loaded(const struct maps *maps, const struct runtime *runtime)
{
	for (size_t i = 0; i < maps->list.count; i++) {
		const struct map *map = &maps->list.at[i];

		if (map->flags & MAP_EXEC && is_file(runtime, map->path))
			return true;
	}
	return false;
}

bool visit_runtime(struct visit *visit, struct ari_error *err)
{
	const struct maps *maps = visit->is_core ? &visit->core.maps : &visit->maps;
	struct ari_process *process = &visit->model->process;

	for (size_t i = 0; i < sizeof(runtimes) / sizeof(*runtimes); i++) {
		const struct runtime *runtime = &runtimes[i];

		if (runtime->is_program
			    ? process->exe != NULL && is_file(runtime, process->exe)
			    : is_loaded(maps, runtime))
			return model_set_string(&process->runtime, runtime->name, err);
	}
	return true;
}
